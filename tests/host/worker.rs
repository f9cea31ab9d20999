//! A worker: its VM, its timers and calls, and exchanges one after the other.

mod exchange;

use crate::module::Module;
use crate::process::Process;
use crate::profile::Profile;
use crate::stream::{Headers, Stream};
use crate::traffic::{Outcome, Request, Response};
use crate::vm::{Dispatched, Failure, Fault, ROOT, Vm};
use exchange::Exchange;
use std::collections::BTreeMap;

/// A worker with its VM; where contexts are fresh, what it takes to start one.
pub struct Worker {
    vm: Option<Vm>,
    module: Module,
    process: Process,
    profile: Profile,
    configuration: Vec<u8>,
    faults: BTreeMap<&'static str, Fault>,
    next: u32,
    started: u64,
    /// Kept here while no VM has it.
    parked: Option<Stream>,
    calls: BTreeMap<&'static str, u64>,
    memory: usize,
}

impl Worker {
    /// A worker of a process, with the module configured.
    ///
    /// # Errors
    /// The host does not load it, it refuses its configuration, or it traps.
    pub fn start(module: &Module, process: &Process, profile: &Profile, configuration: &str) -> Result<Self, Failure> {
        Self::with_faults(module, process, profile, configuration, &BTreeMap::new())
    }

    /// The same on a host some of whose functions fail from the start.
    ///
    /// # Errors
    /// See [`Worker::start`].
    pub fn with_faults(
        module: &Module,
        process: &Process,
        profile: &Profile,
        configuration: &str,
        faults: &BTreeMap<&'static str, Fault>,
    ) -> Result<Self, Failure> {
        let loaded = module.size + configuration.len();
        if loaded > profile.loaded {
            return Err(Failure::NotLoaded(format!("{}: {loaded} bytes of {}", profile.name, profile.loaded)));
        }
        let mut worker = Self {
            vm: None,
            module: module.clone(),
            process: process.clone(),
            profile: profile.clone(),
            configuration: configuration.as_bytes().to_vec(),
            faults: faults.clone(),
            next: ROOT,
            started: 0,
            parked: None,
            calls: BTreeMap::new(),
            memory: 0,
        };
        worker.vm = Some(worker.fresh()?);
        Ok(worker)
    }

    fn fresh(&mut self) -> Result<Vm, Failure> {
        self.started += 1;
        // Workers of one process differ by what they hold in common: the number of metrics and keys there are.
        let seed = self.started ^ (self.process.shared().keys() as u64) << 32 ^ std::ptr::from_ref(self) as u64;
        let configuration = &self.configuration;
        let mut vm = Vm::start(&self.module, &self.process, &self.profile, &self.faults, configuration, seed)?;
        if !self.profile.configures {
            return Ok(vm);
        }
        if vm.configure(&self.configuration)? { Ok(vm) } else { Err(Failure::Refused) }
    }

    fn vm(&mut self) -> &mut Vm {
        self.vm.as_mut().expect("a worker has a VM unless it trapped")
    }

    /// Hands the VM a new configuration; whether it was taken. With `false` the one before is in force.
    ///
    /// # Errors
    /// A trap.
    pub fn configure(&mut self, configuration: &str) -> Result<bool, Failure> {
        self.vm().configure(configuration.as_bytes())
    }

    /// Ends the worker as a host does whose module is replaced: its root context, then the VM.
    ///
    /// # Errors
    /// A trap.
    pub fn end(mut self) -> Result<(), Failure> {
        self.vm().end()
    }

    /// Makes host functions fail from now on.
    pub fn fail(&mut self, faults: &BTreeMap<&'static str, Fault>) {
        self.faults.clone_from(faults);
        if let Some(vm) = &mut self.vm {
            vm.state().faults.clone_from(faults);
        }
    }

    /// Lets calls be made to a cluster.
    pub fn cluster(&mut self, name: &str) {
        self.vm().state().clusters.push(name.to_owned());
    }

    /// Calls that await an answer.
    pub fn dispatched(&mut self) -> Vec<Dispatched> {
        self.vm().state().dispatched.clone()
    }

    /// Answers a call; `status` 0: it failed.
    ///
    /// # Errors
    /// A trap.
    pub fn answer(&mut self, token: u32, status: u16, body: &[u8]) -> Result<(), Failure> {
        let headers = if status == 0 { Headers::new() } else { Response::of(status, "text/plain", body).headers };
        self.vm().answer(token, headers, body.to_vec())
    }

    /// Lets time pass, with every tick that falls into it.
    ///
    /// # Errors
    /// A trap.
    pub fn wait(&mut self, milliseconds: u64) -> Result<(), Failure> {
        for _ in 0..milliseconds {
            self.process.advance(1);
            self.vm().ticks()?;
        }
        Ok(())
    }

    /// The most memory that a VM of it ever had, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory.max(self.vm.as_ref().map_or(0, Vm::memory))
    }

    /// Host calls so far by name, those of start and configuration among them.
    #[must_use]
    pub fn calls(&mut self) -> BTreeMap<&'static str, u64> {
        let mut calls = self.calls.clone();
        if let Some(vm) = &mut self.vm {
            add(&mut calls, &vm.state().calls);
        }
        calls
    }

    /// Sends a request but for its last piece; its number. For hosts that keep contexts.
    ///
    /// # Errors
    /// A trap.
    pub fn begin(&mut self, request: &Request) -> Result<u32, Failure> {
        let mut exchange = Exchange::begin(self, request)?;
        exchange.headers(request, false)?;
        for piece in request.chunks.split_last().map_or(&[][..], |(_, pieces)| pieces) {
            exchange.request_piece(piece, false)?;
        }
        Ok(exchange.id)
    }

    /// Sends a request through, and of its answer all that there is, but not its end; its number.
    ///
    /// # Errors
    /// A trap.
    pub fn answering(&mut self, request: &Request) -> Result<u32, Failure> {
        let mut exchange = Exchange::begin(self, request)?;
        exchange.request(request)?;
        exchange.respond(request, false)?;
        Ok(exchange.id)
    }

    /// Ends what [`Worker::begin`] or [`Worker::answering`] began: the client has gone.
    ///
    /// # Errors
    /// A trap.
    pub fn abandon(&mut self, id: u32) -> Result<(), Failure> {
        self.vm().leave(id).map(drop)
    }

    /// Sends a request through, and its answer back.
    ///
    /// # Errors
    /// A trap.
    pub fn exchange(&mut self, request: &Request) -> Result<Outcome, Failure> {
        let before = self.calls();
        let mut exchange = Exchange::begin(self, request)?;
        exchange.request(request)?;
        exchange.respond(request, true)?;
        let mut outcome = exchange.end()?;
        for (name, count) in self.calls() {
            let more = count - before.get(name).copied().unwrap_or(0);
            if more > 0 {
                outcome.calls.insert(name, more);
            }
        }
        Ok(outcome)
    }
}

fn add(to: &mut BTreeMap<&'static str, u64>, calls: &BTreeMap<&'static str, u64>) {
    for (name, count) in calls {
        *to.entry(name).or_default() += count;
    }
}
