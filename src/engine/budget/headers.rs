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
                true => Timestamp(now.0.saturating_add(u64::from(reset).saturating_mul(SECOND))).rfc3339(),
                false => [&reset.to_string(), "s"].concat(),
            };
            headers.extend(names.into_iter().zip([limit.to_string(), remaining.to_string(), reset]));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
