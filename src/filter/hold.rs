//! The streams of a worker whose request headers are held, and the timer that lets go of those that wait too long.

use crate::abi;
use crate::host;
use crate::probe::Probe;
use azeotrope_engine::rules::Headers;
use azeotrope_engine::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Milliseconds between two looks at the waiting streams.
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
    ticking: Cell<bool>,
    /// Milliseconds between ticks while nothing waits; 0: none.
    idle: Cell<u32>,
}

impl Default for Holds {
    fn default() -> Self {
        Self {
            probe: Cell::new(Probe::Never),
            waiting: RefCell::default(),
            ticking: Cell::new(false),
            idle: Cell::new(0),
        }
    }
}

impl Holds {
    /// Takes over what is configured.
    /// `idle`: milliseconds between the ticks that others need.
    pub(crate) fn configure(&self, headers: Headers, idle: Option<u32>) {
        if let Some(idle) = idle {
            self.idle.set(idle);
            // A host that has no timer has no sidecar either.
            let _ = abi::set_tick(idle);
        }
        let probe = Probe::new(headers);
        self.probe.set(probe);
        if probe == Probe::Untimed {
            self.start_ticking(FIRST_TICK);
        }
    }

    /// Holds a stream's headers, if headers are held; the caller then pauses. `length`: the announced length of its body.
    pub(crate) fn hold(&self, stream: u32, length: Option<usize>) -> Option<Rc<Hold>> {
        let probe = self.probe.get();
        if !probe.holds(length.unwrap_or(0)) {
            return None;
        }
        let timed = probe.patience().is_some();
        let since = if timed { host::now() } else { Timestamp(0) };
        let hold = Rc::new(Hold { stream, since, resumed: Cell::new(None), body: Cell::new(false) });
        if timed {
            self.waiting.borrow_mut().push(Rc::clone(&hold));
            self.start_ticking(TICK);
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
        self.waiting.borrow_mut().retain(|other| other.stream != hold.stream);
    }

    /// The host's timer: lets go of what waits too long. Slow again when nothing waits.
    pub(crate) fn tick(&self) {
        let mut probe = self.probe.get();
        probe.ticked();
        self.probe.set(probe);
        let now = host::now();
        let patience = probe.patience().unwrap_or(0);
        if !self.ticking.get() {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|hold| {
            let tired = now.since(hold.since) >= patience;
            if tired {
                hold.resumed.set(Some(now));
                host::resume_request(hold.stream);
            }
            !tired
        });
        if waiting.is_empty() {
            self.ticking.set(abi::set_tick(self.idle.get()).is_err());
        }
    }

    fn start_ticking(&self, period: u32) {
        if !self.ticking.get() {
            self.ticking.set(abi::set_tick(period).is_ok());
        }
    }
}
