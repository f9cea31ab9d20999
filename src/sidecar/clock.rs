//! The time of this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970-01-01T00:00:00Z; none where the clock stands before that.
fn since() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn now() -> u64 {
    u64::try_from(since().as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since then.
pub(crate) fn seconds() -> u64 {
    since().as_secs()
}
