//! What one worker runs under one configuration: its rules, as the sidecar changes them, and what it tells the sidecar.

use crate::abi::Level;
use crate::host::{self, Answered};
use crate::left;
use crate::link::{Link, Wire};
use crate::metrics::{self, Metric};
use crate::moment;
use crate::poll::Poll;
use crate::shelf;
use crate::store::SharedStore;
use crate::tell;
use azeotrope_engine::bundle::{Manifest, Package, Refusal, Running, TrustedKeys};
use azeotrope_engine::caller::Caller;
use azeotrope_engine::digest::Reading;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::observation::{self, Fate, Header, MAX_NAME, Queue};
use azeotrope_engine::rules::Problem;
use azeotrope_engine::store::{Get, Key, Store, Version};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The sidecar, as this worker knows it.
#[derive(Debug)]
struct Beside {
    wire: Wire,
    link: RefCell<Link>,
    poll: RefCell<Poll>,
    /// Who tells it.
    header: Header,
}

/// Rules and sidecar of one configuration on one worker.
#[derive(Debug)]
pub(crate) struct Live {
    running: RefCell<Running>,
    keys: TrustedKeys,
    /// The state of the shelf that was last looked at.
    seen: Cell<Option<Version>>,
    beside: Option<Beside>,
}

impl Live {
    /// A configuration that was accepted, with the newest rules that are known in this process.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn new(configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        let running = Running::new(configuration)?;
        let config = running.engine().config();
        let (keys, bundle, sidecar) = (config.trusted.clone(), config.bundle.clone(), config.sidecar.clone());
        metrics::set(Metric::RulesVersion, config.version);
        let beside = sidecar.map(|sidecar| Beside {
            link: RefCell::new(Link::new(sidecar.queue_bytes)),
            wire: Wire::new(sidecar),
            poll: RefCell::default(),
            header: Header { process: process(), sender: random(), name: name(), ..Header::default() },
        });
        let live = Self { running: RefCell::new(running), keys, seen: Cell::new(None), beside };
        live.look();
        if let Some(bundle) = bundle {
            live.offer(|running, now| live.bring(running, &bundle.0, now));
        }
        Ok(live)
    }

    /// The engine in force.
    pub(crate) fn engine(&self) -> Option<Rc<Engine>> {
        self.running.try_borrow().ok().map(|running| Rc::clone(running.engine()))
    }

    /// The rules and campaigns in force, to judge by.
    pub(crate) fn running<T>(&self, judge: impl FnOnce(&Running) -> T) -> Option<T> {
        self.running.try_borrow().ok().map(|running| judge(&running))
    }

    /// The host's timer: tells the sidecar, asks it, and takes over what is on the shelf.
    pub(crate) fn tick(&self, now: Timestamp) {
        self.look();
        let Some(beside) = &self.beside else { return };
        let Some(rules) = self.running(Running::version) else { return };
        if let Ok(mut poll) = beside.poll.try_borrow_mut() {
            poll.tick(&beside.wire, beside.header.sender, rules, now);
        }
        if let Ok(mut link) = beside.link.try_borrow_mut() {
            link.tick(&beside.wire, Header { rules, ..beside.header.clone() }, now);
        }
    }

    /// The sidecar has answered, or did not.
    pub(crate) fn answered(&self, answered: &Answered, now: Timestamp) {
        let Some(beside) = &self.beside else { return };
        let taken = beside.link.try_borrow_mut().is_ok_and(|mut link| link.answered(answered, now));
        if taken {
            return;
        }
        if let Ok(mut poll) = beside.poll.try_borrow_mut()
            && let Err(refusal) = poll.answered(&beside.wire, &self.keys, answered, now)
        {
            self.refuse(&refusal, now);
        }
        self.look();
    }

    /// Takes note of a request that was judged at one time, and of what became of it, which is known at another.
    fn request(
        &self,
        caller: &Caller,
        reading: &Reading,
        verdict: &Verdict,
        fate: Fate,
        (at, now): (Timestamp, Timestamp),
    ) {
        self.observe(|queue| {
            queue.request(caller, reading, verdict, fate, (at, now));
            if fate == Fate::RefusedForLoad {
                queue.refused(caller, reading, now);
            }
        });
    }

    /// Takes note of a request that was refused here.
    pub(crate) fn replied(&self, caller: &Caller, reading: &Reading, verdict: &Verdict, now: Timestamp) {
        self.request(caller, reading, verdict, Fate::of(verdict, None), (now, now));
    }

    /// Takes note of upstream's answer to a request that was judged at `at`: what follows it within seconds is held against that
    /// time, however long the answer took.
    pub(crate) fn status(&self, caller: &Caller, reading: &Reading, verdict: &Verdict, status: u16, at: Timestamp) {
        if self.beside.is_none() {
            return;
        }
        if observation::told(status) {
            self.request(caller, reading, verdict, Fate::of(verdict, Some(status)), (at, moment::now()));
        }
    }

    /// Takes note of the blobs that an answer gave.
    pub(crate) fn given(&self, caller: &Caller, blobs: &[u64], now: Timestamp) {
        self.observe(|queue| queue.given(caller, blobs, now));
    }

    fn observe(&self, tell: impl FnOnce(&mut Queue)) {
        if let Some(beside) = &self.beside
            && let Ok(mut link) = beside.link.try_borrow_mut()
        {
            tell(link.queue());
        }
    }

    /// Takes over what another worker has put on the shelf.
    fn look(&self) {
        if self.keys.0.is_empty() {
            return;
        }
        let store = SharedStore::default();
        let Some(shelved) = shelf::look(&store) else { return };
        if self.seen.replace(Some(shelved.version)) == Some(shelved.version) {
            return;
        }
        self.offer(|running, now| {
            let (manifest, _) = Manifest::open(&shelved.sealed, &self.keys)?;
            let taken = running.offer(manifest, now, |index, part| shelf::part(&store, &shelved, index, part));
            if matches!(taken, Err(Refusal::Part(_))) {
                // The next bundle has come over it; it is looked at again.
                self.seen.set(None);
            }
            taken
        });
    }

    /// Puts the bundle of a configuration into force, and on the shelf: the process does not go back behind it.
    fn bring(&self, running: &mut Running, bundle: &[u8], now: Timestamp) -> Result<bool, Refusal> {
        let Package { manifest, parts } = Package::unpack(bundle, &self.keys)?;
        let size: usize = parts.iter().map(Vec::len).sum();
        let sealed = bundle.get(..bundle.len().saturating_sub(size)).unwrap_or(bundle);
        let parts: Vec<_> = parts.into_iter().map(Some).collect();
        let taken = running.offer(manifest.clone(), now, |index, _| parts.get(index).cloned().flatten())?;
        if taken {
            let mut store = SharedStore::default();
            let shelved = shelf::look(&store);
            let before = shelved.as_ref().map(|shelved| (shelved, &manifest));
            // Where another worker has put it meanwhile it is there; this one has it in any case.
            let _ = shelf::put(&mut store, before, (sealed, &manifest), &parts);
        }
        Ok(taken)
    }

    fn offer(&self, offer: impl FnOnce(&mut Running, Timestamp) -> Result<bool, Refusal>) {
        let now = host::now();
        let Ok(mut running) = self.running.try_borrow_mut() else { return };
        match offer(&mut running, now) {
            Ok(true) => {
                metrics::tell(Metric::BundleAccepted);
                metrics::set(Metric::RulesVersion, running.version());
                metrics::set(Metric::BundleExpires, running.expires());
            }
            Ok(false) => {}
            Err(refusal) => self.refuse(&refusal, now),
        }
    }

    fn refuse(&self, refusal: &Refusal, now: Timestamp) {
        metrics::tell(Metric::BundleRefused);
        tell::traffic(Level::Error, now, format_args!("bundle refused: {refusal}; the rules before it stay in force"));
    }
}

impl Drop for Live {
    /// When it was replaced and its last exchange is over.
    fn drop(&mut self) {
        if let Some(Beside { wire, link, header, .. }) = self.beside.take() {
            left::leave(wire, link.into_inner(), Header { rules: self.running.get_mut().version(), ..header });
        }
    }
}

/// A number that no other worker has; of a host without randomness, the time.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| host::now().0)
}

/// The number that the workers of this process have in common.
fn process() -> u64 {
    const PROCESS: Key = Key::alone("process");
    let mut store = SharedStore::default();
    // Whoever comes first decides; who comes second finds it.
    let _ = store.swap(PROCESS, &random().to_le_bytes(), None);
    let found = store.get(PROCESS).and_then(|(bytes, _)| bytes.first_chunk::<8>().copied());
    found.map_or(0, u64::from_le_bytes)
}

/// What people call this proxy.
fn name() -> String {
    let mut name = String::from_utf8_lossy(&host::node()).into_owned();
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}
