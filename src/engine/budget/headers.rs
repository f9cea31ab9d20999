//! What is left, in the words of the caller's dialect.

use super::{Remaining, Window};
use crate::dialect::Dialect;
use crate::time::{SECOND, Timestamp};

impl Remaining {
    /// The response headers that tell it: Anthropic's own for its dialect, for the others OpenAI's, which the APIs
    /// without any of their own leave free.
    #[must_use]
    pub fn headers(&self, dialect: Dialect, now: Timestamp) -> Vec<(&'static str, String)> {
        const ANTHROPIC: [[&str; 3]; 2] = [
            [
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ],
            [
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ],
        ];
        const OPENAI: [[&str; 3]; 2] = [
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
        ];
        let anthropic = dialect == Dialect::Messages;
        let names = if anthropic { ANTHROPIC } else { OPENAI };
        let mut headers = Vec::new();
        for (names, window) in names.into_iter().zip([self.requests, self.tokens]) {
            let Some(Window { limit, remaining, reset }) = window else { continue };
            let reset = match anthropic {
                true => rfc3339(Timestamp(now.0.saturating_add(u64::from(reset).saturating_mul(SECOND)))),
                false => [&reset.to_string(), "s"].concat(),
            };
            headers.extend(names.into_iter().zip([limit.to_string(), remaining.to_string(), reset]));
        }
        headers
    }
}

/// A moment as RFC 3339 writes it, in whole seconds. The calendar is Howard Hinnant's ("chrono-Compatible Low-Level Date
/// Algorithms", civil_from_days), for years from 1970 on.
fn rfc3339(at: Timestamp) -> String {
    let seconds = at.0 / SECOND;
    let days = (seconds / 86_400).saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let leaps = (day_of_era / 1_460).saturating_add(day_of_era / 146_096);
    let year_of_era = day_of_era.saturating_add(day_of_era / 36_524).saturating_sub(leaps) / 365;
    let begun = year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(begun);
    // Months from March on: the leap day is the last of its year.
    let month = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let day = day_of_year.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month >= 10));
    let month = if month < 10 { month.saturating_add(3) } else { month.saturating_sub(9) };
    let mut text = year.to_string();
    let time = seconds % 86_400;
    for (sign, number) in [('-', month), ('-', day), ('T', time / 3_600), (':', time % 3_600 / 60), (':', time % 60)] {
        text.push(sign);
        text.extend([number / 10, number % 10].into_iter().filter_map(|digit| char::from_digit(digit as u32, 10)));
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(Timestamp(seconds * SECOND + 999)), text);
        }
    }

    #[test]
    fn each_dialect_has_its_own_names() {
        let window = |limit, remaining, reset| Some(Window { limit, remaining, reset });
        let remaining = Remaining { requests: window(60, 59, 60), tokens: window(1_000, 7, 119) };
        let now = Timestamp(1_798_761_540_000);
        let told = |dialect| -> Vec<String> {
            let headers = remaining.headers(dialect, now);
            headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
        };
        assert_eq!(
            told(Dialect::ChatCompletions),
            [
                "x-ratelimit-limit-requests: 60",
                "x-ratelimit-remaining-requests: 59",
                "x-ratelimit-reset-requests: 60s",
                "x-ratelimit-limit-tokens: 1000",
                "x-ratelimit-remaining-tokens: 7",
                "x-ratelimit-reset-tokens: 119s",
            ]
        );
        assert_eq!(
            told(Dialect::Messages)[2..4],
            ["anthropic-ratelimit-requests-reset: 2027-01-01T00:00:00Z", "anthropic-ratelimit-tokens-limit: 1000"]
        );
        assert_eq!(Remaining::default().headers(Dialect::Gemini, now), []);
        assert_eq!(remaining.headers(Dialect::Gemini, now), remaining.headers(Dialect::Responses, now));
    }
}
