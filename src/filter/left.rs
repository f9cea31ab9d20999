//! What a configuration had not told the sidecar yet when it was replaced: those that follow it in this VM tell it, to where it
//! was meant to go and as who observed it, so that a batch whose answer nobody waits for any more is not counted twice.

use crate::host::Answered;
use crate::link::{Link, Wire};
use crate::metrics::{self, Metric};
use azeotrope_engine::observation::Header;
use azeotrope_engine::time::Timestamp;
use std::cell::RefCell;

/// Configurations at most whose observations wait; the oldest are given up for new ones.
const MOST: usize = 4;

thread_local! {
    static LEFT: RefCell<Vec<Left>> = const { RefCell::new(Vec::new()) };
}

/// The observations of one.
#[derive(Debug)]
struct Left {
    wire: Wire,
    link: Link,
    header: Header,
}

/// Runs over all that is left.
fn all<T>(run: impl FnOnce(&mut Vec<Left>) -> T) -> Option<T> {
    LEFT.with(|left| left.try_borrow_mut().ok().map(|mut left| run(&mut left)))
}

/// A configuration has ended. `header`: who it was, and the version that it ran.
pub(crate) fn leave(wire: Wire, mut link: Link, header: Header) {
    if link.waiting() == 0 {
        return;
    }
    link.leave(header.rules);
    all(|left| {
        if left.len() >= MOST {
            give_up(left.remove(0));
        }
        left.push(Left { wire, link, header });
    });
}

/// The host's timer, in any configuration.
pub(crate) fn tick(now: Timestamp) {
    all(|left| {
        for Left { wire, link, header } in left.iter_mut() {
            link.tick(wire, header.clone(), now);
        }
        left.retain(|left| left.link.waiting() > 0);
    });
}

/// Takes an answer, if it is to this.
pub(crate) fn answered(answered: &Answered, now: Timestamp) -> bool {
    all(|left| left.iter_mut().any(|left| left.link.answered(answered, now))).unwrap_or(false)
}

/// Nothing follows in this VM.
pub(crate) fn end() {
    all(|left| left.drain(..).for_each(give_up));
}

#[allow(clippy::needless_pass_by_value, reason = "it is gone")]
fn give_up(left: Left) {
    metrics::add(Metric::SidecarLost, left.link.waiting());
}
