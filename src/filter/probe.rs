//! Whether request headers can be held until the verdict: configured, or learned from the host's behaviour.
//!
//! Envoy holds headers while a filter reads the body only with `allow_on_headers_stop_iteration: true`; without it (stock
//! Istio, Envoy Gateway) a pause in the header phase withholds the body too, and the request would hang. No property tells
//! which it is, but behaviour does:
//!
//! - body bytes arrive while headers are held: the host holds headers. Proof.
//! - none arrive for [`PATIENCE`] ms, the stream is resumed, and they arrive at that very moment: the host had withheld
//!   them. [`PROOF`] times in a row and headers are not held from then on.
//! - none arrive, nor right after resuming: the client is slow; nothing is learned.
//!
//! So learning costs nothing where headers are held and a few tens of milliseconds for the first requests of a worker
//! where they are not. Nothing is held until the host has shown that its timer works.

use azeotrope_engine::rules::Headers;

/// Milliseconds that a request's headers are held to learn.
const PATIENCE: u64 = 25;
/// Milliseconds after which headers are let go though the host is known to hold them: the net under a host whose settings
/// changed, and the longest a slow client keeps its headers from upstream.
const LONGEST: u64 = 2_000;
/// Milliseconds within which body bytes count as withheld: they come in the same turn of the host's event loop.
const SAME_MOMENT: u64 = 5;
/// Bytes of a body that any Envoy holds with its headers unless its buffer limit was lowered (default 1 MiB); it refuses
/// a longer one with 413 when its pieces come fast.
const HOLDABLE: usize = 1 << 20;
/// How often in a row withheld bytes must be seen.
const PROOF: u8 = 3;

/// What is known of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Configured: hold, for as long as it takes.
    Always,
    /// Configured or learned: do not hold.
    Never,
    /// To be learned, once the host's timer has fired.
    Untimed,
    /// Being learned: body bytes were withheld so many times in a row.
    Learning(u8),
    /// Learned: the host holds headers.
    Held,
}

impl Probe {
    /// What the configuration says.
    pub(crate) fn new(headers: Headers) -> Self {
        match headers {
            Headers::Auto => Self::Untimed,
            Headers::Held => Self::Always,
            Headers::Streamed => Self::Never,
        }
    }

    /// Whether to hold the headers of a request with a body of `length` bytes (0: not known).
    pub(crate) fn holds(self, length: usize) -> bool {
        match self {
            Self::Always => true,
            Self::Learning(_) | Self::Held => length <= HOLDABLE,
            Self::Never | Self::Untimed => false,
        }
    }

    /// Milliseconds after which held headers are let go; `None`: never.
    pub(crate) fn patience(self) -> Option<u64> {
        match self {
            Self::Learning(_) => Some(PATIENCE),
            Self::Held => Some(LONGEST),
            Self::Always | Self::Never | Self::Untimed => None,
        }
    }

    /// The host's timer has fired.
    pub(crate) fn ticked(&mut self) {
        if *self == Self::Untimed {
            *self = Self::Learning(0);
        }
    }

    /// Body bytes arrived while headers were held.
    pub(crate) fn body_while_held(&mut self) {
        if let Self::Learning(_) = self {
            *self = Self::Held;
        }
    }

    /// Body bytes arrived `after` ms after headers were let go without any.
    pub(crate) fn body_after_resume(&mut self, after: u64) {
        *self = match *self {
            Self::Learning(_) if !at_once(after) => Self::Learning(0),
            Self::Learning(seen) if seen.saturating_add(1) >= PROOF => Self::Never,
            Self::Learning(seen) => Self::Learning(seen.saturating_add(1)),
            // The host's settings may have changed: look again.
            Self::Held if at_once(after) => Self::Learning(1),
            other => other,
        };
    }
}

/// Whether bytes that came `after` ms after their headers were let go had been withheld until then.
pub(crate) fn at_once(after: u64) -> bool {
    after <= SAME_MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learning() -> Probe {
        let mut probe = Probe::new(Headers::Auto);
        probe.ticked();
        probe
    }

    #[test]
    fn nothing_is_held_before_the_timer_works() {
        assert!(!Probe::new(Headers::Auto).holds(0));
        assert!(learning().holds(0));
    }

    #[test]
    fn body_bytes_under_held_headers_prove_that_the_host_holds() {
        let mut probe = learning();
        probe.body_while_held();
        assert_eq!(probe, Probe::Held);
        probe.body_after_resume(500);
        assert_eq!(probe, Probe::Held);
    }

    #[test]
    fn a_host_that_held_and_now_withholds_is_learned_anew() {
        let mut probe = learning();
        probe.body_while_held();
        for _ in 0..3 {
            assert!(probe.holds(0));
            probe.body_after_resume(0);
        }
        assert_eq!(probe, Probe::Never);
    }

    #[test]
    fn bytes_withheld_several_times_in_a_row_prove_that_it_does_not() {
        let mut probe = learning();
        probe.body_after_resume(0);
        probe.body_after_resume(1);
        assert!(probe.holds(0));
        probe.body_after_resume(0);
        assert_eq!(probe, Probe::Never);
    }

    #[test]
    fn a_slow_client_proves_nothing() {
        let mut probe = learning();
        for after in [0, 0, 40, 0, 0, 3_000, 0, 0] {
            probe.body_after_resume(after);
        }
        assert!(probe.holds(0));
    }

    #[test]
    fn headers_of_a_body_beyond_the_host_s_buffer_are_held_only_where_configured() {
        assert!(learning().holds(1 << 20));
        assert!(!learning().holds((1 << 20) + 1));
        assert!(Probe::new(Headers::Held).holds(usize::MAX));
    }

    #[test]
    fn what_is_configured_is_not_unlearned() {
        for (headers, holds) in [(Headers::Held, true), (Headers::Streamed, false)] {
            let mut probe = Probe::new(headers);
            probe.ticked();
            probe.body_while_held();
            probe.body_after_resume(0);
            assert_eq!((probe.holds(0), probe.patience()), (holds, None));
        }
    }
}
