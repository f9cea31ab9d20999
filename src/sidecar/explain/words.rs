//! Numbers in words.

use azeotrope_engine::nats::MilliNats;
use azeotrope_engine::rules::DigestName;
use azeotrope_engine::time::{SECOND, Timestamp};

/// Nats with their sign: `+2.31`.
pub(crate) fn nats(milli: MilliNats) -> String {
    format!("{:+.2}", f64::from(milli) / 1000.0)
}

/// A threshold or a sum: `9.50`.
pub(crate) fn bare(milli: MilliNats) -> String {
    format!("{:.2}", f64::from(milli) / 1000.0)
}

/// A share out of its logarithm: `12.3%`.
pub(crate) fn share(ln: MilliNats) -> String {
    format!("{:.2}%", 100.0 * (f64::from(ln) / 1000.0).exp())
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
    let seconds = time.0 / SECOND;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
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

/// The Gregorian date of a day since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_gregorian() {
        assert_eq!(moment(Timestamp(0)), "1970-01-01 00:00:00Z");
        assert_eq!(moment(Timestamp(951_827_696_500)), "2000-02-29 12:34:56Z");
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
