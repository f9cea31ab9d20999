//! The plugin configuration and the rules document: parsed strictly, refused whole.

use crate::{caller::Callers, route::Routes};

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON path of the place: `$.rules.thresholds.throttle`.
    pub path: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Whether verdicts act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Verdicts are told, never carried out.
    #[default]
    Observe,
    /// Verdicts act.
    Enforce,
}

/// Whether the filter holds request headers until the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// Learned from the host's behaviour.
    #[default]
    Auto,
    /// Held: the host is set up for it (Envoy: `allow_on_headers_stop_iteration: true`).
    Held,
    /// Not held: upstream is not told the verdict.
    Streamed,
}

/// A compiled configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whether verdicts act.
    pub mode: Mode,
    /// Which path speaks which dialect.
    pub routes: Routes,
    /// How senders are recognised.
    pub callers: Callers,
    /// Bytes of a body that are inspected. Default 256 KiB.
    pub inspect_bytes: usize,
    /// Whether request headers are held until the verdict: `"headers": "auto" | "held" | "streamed"`.
    pub headers: Headers,
    /// Where a JWT claim names the account: the metadata key of the payload, then names in it.
    pub claim: Option<Vec<String>>,
    /// Version of the rules in force.
    pub version: u64,
}

impl Config {
    /// Parses and compiles a plugin configuration.
    ///
    /// # Errors
    /// All problems found.
    pub fn parse(configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        // (being built) Enough for the filter's own tests until the rules are there.
        let text = if configuration.is_empty() { &b"{}"[..] } else { configuration };
        let value: serde_json::Value = serde_json::from_slice(text)
            .map_err(|error| vec![Problem { path: "$".to_owned(), reason: error.to_string() }])?;
        let headers = match value.get("headers").and_then(serde_json::Value::as_str) {
            None | Some("auto") => Headers::Auto,
            Some("held") => Headers::Held,
            Some("streamed") => Headers::Streamed,
            Some(_) => return Err(vec![Problem { path: "$.headers".to_owned(), reason: "unknown".to_owned() }]),
        };
        Ok(Self { inspect_bytes: 256 * 1024, headers, ..Self::default() })
    }
}
