//! The streams of a worker whose request headers are held, and the timer that lets go of those that wait too long.

use crate::abi;
use crate::host;
use crate::probe::Probe;
use azeotrope_engine::rules::Headers;
use azeotrope_engine::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Milliseconds between ticks: counters are told, the sidecar is spoken to, and streams that wait too long let go.
const PERIOD: u32 = 100;
/// Milliseconds between ticks while it is learned whether the host holds headers.
const TICK: u32 = 25;
/// Milliseconds until the first tick, which only shows that there are ticks.
const FIRST_TICK: u32 = 1;

/// One stream's held headers.
#[derive(Debug)]
pub(crate) struct Hold {
    stream: u32,
    since: Timestamp,
    /// When the timer let them go.
    resumed: Cell<Option<Timestamp>>,
    /// The body, or its end, has begun to arrive.
    body: Cell<bool>,
}

/// The held headers of one configuration on one worker.
#[derive(Debug)]
pub(crate) struct Holds {
    probe: Cell<Probe>,
    waiting: RefCell<Vec<Rc<Hold>>>,
    /// The timer goes fast: what is learned takes no longer than that.
    hasty: Cell<bool>,
    /// When the timer fired last: near enough for streams that wait for seconds.
    ticked: Cell<Timestamp>,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            probe: Cell::new(Probe::Never),
            waiting: RefCell::default(),
            hasty: Cell::new(false),
            ticked: Cell::new(Timestamp(0)),
        }
    }
}

impl Holds {
    /// Takes over what is configured.
    pub(crate) fn configure(&self, headers: Headers) {
        // A host that has no timer has no sidecar either; its counters are told as they come (see [`crate::metrics`]).
        let _ = abi::set_tick(PERIOD);
        let probe = Probe::new(headers);
        self.probe.set(probe);
        if probe == Probe::Untimed {
            self.haste(FIRST_TICK);
        }
    }

    /// Holds a stream's headers, if headers are held; the caller then pauses. `length`: the announced length of its body.
    pub(crate) fn hold(&self, stream: u32, length: Option<usize>) -> Option<Rc<Hold>> {
        let probe = self.probe.get();
        if !probe.holds(length.unwrap_or(0)) {
            return None;
        }
        let learning = matches!(probe, Probe::Learning(_));
        let since = if learning { host::now() } else { self.ticked.get() };
        let hold = Rc::new(Hold { stream, since, resumed: Cell::new(None), body: Cell::new(false) });
        if probe.patience().is_some() {
            // What nobody would let go is not held.
            self.waiting(|waiting| waiting.push(Rc::clone(&hold)))?;
        }
        if learning {
            self.haste(TICK);
        }
        Some(hold)
    }

    /// A piece of the stream's body (or its end) has come: learns from the first. Whether its headers are still held.
    pub(crate) fn body(&self, hold: &Hold) -> bool {
        if !hold.body.replace(true) {
            let mut probe = self.probe.get();
            match hold.resumed.get() {
                None => probe.body_while_held(),
                Some(resumed) => probe.body_after_resume(host::now().since(resumed)),
            }
            self.probe.set(probe);
            self.forget(hold);
        }
        hold.resumed.get().is_none()
    }

    /// The stream is gone, or waits no more.
    pub(crate) fn forget(&self, hold: &Hold) {
        self.waiting(|waiting| waiting.retain(|other| other.stream != hold.stream));
    }

    /// The host's timer: lets go of what waits too long. Slow again when nothing waits.
    pub(crate) fn tick(&self, now: Timestamp) {
        let mut probe = self.probe.get();
        probe.ticked();
        self.probe.set(probe);
        self.ticked.set(now);
        let patience = probe.patience().unwrap_or(0);
        let tired = |hold: &mut Rc<Hold>| now.is_past(hold.since, patience);
        let tired = self.waiting(|waiting| waiting.extract_if(.., tired).collect::<Vec<_>>()).unwrap_or_default();
        // A host may come back with the stream before it returns.
        for hold in tired.iter().filter(|hold| !hold.body.get()) {
            hold.resumed.set(Some(now));
            host::resume_request(hold.stream);
        }
        if self.hasty.get() && self.waiting(|waiting| waiting.is_empty()) == Some(true) {
            self.hasty.set(abi::set_tick(PERIOD).is_err());
        }
    }

    /// Does something with those that wait.
    fn waiting<T>(&self, run: impl FnOnce(&mut Vec<Rc<Hold>>) -> T) -> Option<T> {
        self.waiting.try_borrow_mut().ok().map(|mut waiting| run(&mut waiting))
    }

    fn haste(&self, period: u32) {
        if !self.hasty.get() {
            self.hasty.set(abi::set_tick(period).is_ok());
        }
    }
}
