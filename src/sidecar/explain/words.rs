//! Numbers in words.

use azeotrope_engine::nats::{MilliNats, in_nats};
use azeotrope_engine::rules::DigestName;
use azeotrope_engine::time::{SECOND, Timestamp};

/// Nats with their sign: `+2.31`.
pub(crate) fn nats(milli: MilliNats) -> String {
    format!("{:+.2}", in_nats(milli))
}

/// A threshold or a sum: `9.50`.
pub(crate) fn bare(milli: MilliNats) -> String {
    format!("{:.2}", in_nats(milli))
}

/// A share out of its logarithm: `12.3%`.
pub(crate) fn share(ln: MilliNats) -> String {
    format!("{:.2}%", 100.0 * in_nats(ln).exp())
}

/// A digest.
pub(crate) fn digest(digest: u64) -> String {
    DigestName(digest).to_string()
}

/// A count and its noun: `1 party`, `23 parties`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A moment in UTC: `2026-10-05 07:12:44Z`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.rfc3339().replace('T', " ")
}

/// A span of time: `43 minutes`.
pub(crate) fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / SECOND;
    match seconds {
        0..120 => count(seconds, "second", "seconds"),
        120..7_200 => count(seconds / 60, "minute", "minutes"),
        7_200..172_800 => count(seconds / 3_600, "hour", "hours"),
        _ => count(seconds / 86_400, "day", "days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_as_date_and_time() {
        assert_eq!(moment(Timestamp(1_790_000_000_250)), "2026-09-21 14:13:20Z");
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!((nats(2_310), nats(-50), bare(9_500)), ("+2.31".into(), "-0.05".into(), "9.50".into()));
        assert_eq!((share(0), share(-2_303)), ("100.00%".into(), "10.00%".into()));
        assert_eq!(
            (span(1_000), span(150_000), span(90_000_000)),
            ("1 second".into(), "2 minutes".into(), "25 hours".into())
        );
    }
}
