//! One VM: an instance of the module, its callbacks, what they cost and may cost.

use crate::functions;
use crate::memory::{BAD_ARGUMENT, Status};
use crate::module::{Module, engine};
use crate::process::Process;
use crate::profile::Profile;
use crate::stream::{Headers, Stream};
use std::collections::BTreeMap;
use std::fmt;
use wasmi::{Instance, Linker, ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder, WasmParams, WasmResults};

/// Calls that may be on their way.
const CALLS: usize = 64;
/// The root context's number.
pub(crate) const ROOT: u32 = 1;

/// Why the module did not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// The host does not load it: why.
    NotLoaded(String),
    /// It refused its configuration.
    Refused,
    /// A callback ended in a trap: its name, and why.
    Trap(&'static str, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoaded(reason) => write!(to, "not loaded: {reason}"),
            Self::Refused => to.write_str("the configuration was refused"),
            Self::Trap(hook, reason) => write!(to, "trap in {hook}: {reason}"),
        }
    }
}

impl std::error::Error for Failure {}

/// What a host function is made to do.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing, and to return this status.
    Status(u32),
    /// To give these bytes, whatever was asked for.
    Garbage(Vec<u8>),
}

/// A call that the module made and that awaits its answer.
#[derive(Clone, Debug)]
pub struct Dispatched {
    /// Its number.
    pub token: u32,
    /// To whom.
    pub cluster: String,
    /// What it says.
    pub headers: Headers,
    /// And more.
    pub body: Vec<u8>,
    /// Milliseconds after which it is given up.
    pub timeout: u32,
}

/// An answer to a call, in its callback.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallAnswer {
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// What host functions see.
pub(crate) struct State {
    pub(crate) process: Process,
    pub(crate) profile: Profile,
    pub(crate) calls: BTreeMap<&'static str, u64>,
    pub(crate) faults: BTreeMap<&'static str, Fault>,
    /// Exchanges by the number of their context.
    pub(crate) streams: BTreeMap<u32, Stream>,
    /// The context that host functions speak of.
    pub(crate) effective: u32,
    /// The configuration, inside `on_configure`.
    pub(crate) configuring: Option<Vec<u8>>,
    /// `NAME=value` of each environment variable, ended by NUL.
    pub(crate) environment: Vec<Vec<u8>>,
    pub(crate) answer: Option<CallAnswer>,
    pub(crate) dispatched: Vec<Dispatched>,
    /// Clusters that calls can be made to.
    pub(crate) clusters: Vec<String>,
    /// Milliseconds between ticks, and when the next is due (nanoseconds).
    pub(crate) tick: Option<(u32, u64)>,
    tokens: u32,
    seed: u64,
    limits: StoreLimits,
}

impl State {
    fn new(process: Process, profile: Profile, seed: u64) -> Self {
        let limits = StoreLimitsBuilder::new().memory_size(profile.memory).build();
        Self {
            process,
            profile,
            seed,
            limits,
            calls: BTreeMap::new(),
            faults: BTreeMap::new(),
            streams: BTreeMap::new(),
            effective: 0,
            configuring: None,
            environment: Vec::new(),
            answer: None,
            dispatched: Vec::new(),
            clusters: Vec::new(),
            tick: None,
            tokens: 0,
        }
    }

    /// The exchange that host functions speak of.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.effective)
    }

    pub(crate) fn has_context(&self, context: u32) -> bool {
        context == ROOT || self.streams.contains_key(&context)
    }

    /// The time, in nanoseconds.
    pub(crate) fn now(&mut self) -> u64 {
        let frozen = self.profile.frozen_clock;
        let began = self.stream().map(|stream| stream.began).filter(|_| frozen);
        began.unwrap_or_else(|| self.process.clock())
    }

    pub(crate) fn property(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        if path == b"xds\0node\0id" {
            return Some(b"test-host".to_vec());
        }
        let stream = self.stream()?;
        match path {
            b"source\0address" => Some(stream.peer.clone()),
            _ => stream.properties.get(path).cloned(),
        }
    }

    /// Whether a change of so many bytes is allowed.
    pub(crate) fn mutates(&self, bytes: usize) -> Result<(), Status> {
        if bytes <= self.profile.mutation { Ok(()) } else { Err(BAD_ARGUMENT) }
    }

    pub(crate) fn dispatch(&mut self, call: Dispatched) -> Result<u32, Status> {
        let needed = [":method", ":path", ":authority"];
        let whole = needed.iter().all(|name| crate::stream::header(&call.headers, name).is_some());
        if !whole || !self.clusters.contains(&call.cluster) || self.dispatched.len() >= CALLS {
            return Err(BAD_ARGUMENT);
        }
        self.tokens += 1;
        self.dispatched.push(Dispatched { token: self.tokens, ..call });
        Ok(self.tokens)
    }

    pub(crate) fn tick_every(&mut self, period: u32) {
        let due = self.process.now() + u64::from(period) * 1_000_000;
        self.tick = (period > 0).then_some((period, due));
    }

    /// Bytes that differ from VM to VM and are the same in every run.
    pub(crate) fn random(&mut self, size: usize) -> Vec<u8> {
        let mut next = || {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.seed >> 33).to_le_bytes()[0]
        };
        std::iter::repeat_with(&mut next).take(size).collect()
    }
}

/// A VM that was started and configured.
pub(crate) struct Vm {
    store: Store<State>,
    instance: Instance,
}

impl Vm {
    /// An instance of the module with its root context.
    pub(crate) fn start(
        module: &Module,
        process: &Process,
        profile: &Profile,
        faults: &BTreeMap<&'static str, Fault>,
        configuration: &[u8],
        seed: u64,
    ) -> Result<Self, Failure> {
        let not_loaded = |error: wasmi::Error| Failure::NotLoaded(format!("{}: {error}", profile.name));
        let mut linker = Linker::new(engine());
        functions::define(&mut linker, profile.missing).map_err(not_loaded)?;
        functions::define_wasi(&mut linker).map_err(not_loaded)?;
        let mut store = Store::new(engine(), State::new(process.clone(), profile.clone(), seed));
        store.limiter(|state| &mut state.limits as &mut dyn ResourceLimiter);
        store.data_mut().faults.clone_from(faults);
        if !profile.configures {
            let variable = [b"AZEOTROPE_CONFIGURATION=", configuration, b"\0"].concat();
            store.data_mut().environment.push(variable);
        }
        store.set_fuel(u64::MAX).map_err(not_loaded)?;
        let instance = linker.instantiate_and_start(&mut store, &module.compiled).map_err(not_loaded)?;
        let mut vm = Self { store, instance };
        vm.call::<(), ()>("_initialize", ())?;
        vm.call::<(u32, u32), ()>("proxy_on_context_create", (ROOT, 0))?;
        vm.call::<(u32, u32), u32>("proxy_on_vm_start", (ROOT, 0))?;
        Ok(vm)
    }

    /// Hands the root context a configuration; whether it was taken.
    pub(crate) fn configure(&mut self, configuration: &[u8]) -> Result<bool, Failure> {
        self.store.data_mut().configuring = Some(configuration.to_vec());
        self.store.data_mut().effective = ROOT;
        let size = u32::try_from(configuration.len()).unwrap_or(u32::MAX);
        let taken = self.call::<(u32, u32), u32>("proxy_on_configure", (ROOT, size))?;
        self.store.data_mut().configuring = None;
        Ok(taken != 0)
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// Bytes of its memory, which never shrinks.
    pub(crate) fn memory(&self) -> usize {
        self.instance.get_memory(&self.store, "memory").map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Calls a callback that costs what it costs.
    pub(crate) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
        parameters: P,
    ) -> Result<R, Failure> {
        self.measured(name, parameters, u64::MAX).map(|(result, _)| result)
    }

    /// Calls a callback that may cost so many instructions. Its result, and what it cost.
    pub(crate) fn measured<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
        parameters: P,
        budget: u64,
    ) -> Result<(R, u64), Failure> {
        let trap = |error: wasmi::Error| Failure::Trap(name, error.to_string());
        let function = self.instance.get_typed_func::<P, R>(&self.store, name).map_err(trap)?;
        self.store.set_fuel(budget).map_err(trap)?;
        let result = function.call(&mut self.store, parameters).map_err(trap)?;
        let left = self.store.get_fuel().map_err(trap)?;
        Ok((result, budget - left))
    }

    /// Ends an exchange and takes it from the VM.
    pub(crate) fn leave(&mut self, id: u32) -> Result<Stream, Failure> {
        self.store.data_mut().effective = id;
        self.call::<u32, ()>("proxy_on_delete", id)?;
        Ok(self.store.data_mut().streams.remove(&id).unwrap_or_default())
    }

    /// Ends the root context, as a host does whose configuration or module is replaced: once no exchange is left.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        self.store.data_mut().effective = ROOT;
        self.store.data_mut().tick = None;
        self.call::<u32, ()>("proxy_on_delete", ROOT)
    }

    /// The host's timer and clock as one: `on_tick` for every tick that is due.
    pub(crate) fn ticks(&mut self) -> Result<(), Failure> {
        while let Some((period, due)) =
            self.store.data().tick.filter(|(_, due)| *due <= self.store.data().process.now())
        {
            self.store.data_mut().tick = Some((period, due + u64::from(period) * 1_000_000));
            self.store.data_mut().effective = ROOT;
            self.call::<u32, ()>("proxy_on_tick", ROOT)?;
        }
        Ok(())
    }

    /// Answers a call of the module; without headers: it failed.
    pub(crate) fn answer(&mut self, token: u32, headers: Headers, body: Vec<u8>) -> Result<(), Failure> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (fields, size) = (count(headers.len()), count(body.len()));
        let state = self.store.data_mut();
        state.dispatched.retain(|call| call.token != token);
        state.answer = Some(CallAnswer { headers, body });
        state.effective = ROOT;
        let done = self.call::<_, ()>("proxy_on_http_call_response", (ROOT, token, fields, size, 0_u32));
        self.store.data_mut().answer = None;
        done
    }
}
