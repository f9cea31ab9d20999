//! Traces in, verdicts out: one JSON object a line.

use crate::commands::Failure;
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};

/// Longest line of a trace: a request and a response of 16 MiB each, escaped.
const LONGEST_LINE: u64 = 64 << 20;

/// The lines of a trace.
pub(crate) struct Lines {
    input: BufReader<Box<dyn Read>>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    pub(crate) fn new(input: Box<dyn Read>) -> Self {
        Self { input: BufReader::with_capacity(1 << 20, input), line: Vec::new(), number: 0 }
    }

    /// The next line that is not blank, and its number; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
            if read as u64 == LONGEST_LINE {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("line {} is longer than 64 MiB", self.number),
                ));
            }
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, self.line.trim_ascii())));
            }
        }
    }
}

/// One exchange, as a trace has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange<'a> {
    /// Its number.
    pub(crate) id: u64,
    /// When it was sent, in seconds since the Unix epoch.
    t: f64,
    /// HTTP method.
    #[serde(default = "post")]
    pub(crate) method: String,
    /// Path with its query string.
    pub(crate) path: String,
    /// Request headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Request body, to the byte.
    #[serde(borrow)]
    body: &'a RawValue,
    /// What came back.
    #[serde(borrow)]
    pub(crate) response: Option<Response<'a>>,
}

/// A response, as a trace has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Response<'a> {
    /// HTTP status.
    pub(crate) status: u16,
    /// Response body.
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// What is wrong with a line, without quoting what stands there: it may be a prompt or a key.
pub(crate) fn unquoted(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.rfind("expected ").and_then(|at| told.get(at..)) {
        Some(expected) if error.is_data() => expected.to_owned(),
        _ => told,
    }
}

fn post() -> String {
    "POST".to_owned()
}

impl<'a> Exchange<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, String> {
        let exchange: Self = serde_json::from_slice(line).map_err(|error| unquoted(&error))?;
        if !(0.0..=1e12).contains(&exchange.t) {
            return Err(format!("t is no time: {}", exchange.t));
        }
        Ok(exchange)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp((self.t * 1000.0).round() as u64)
    }

    /// Headers as a proxy has them, with the path among them.
    pub(crate) fn headers(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let path = (b":path".to_vec(), self.path.clone().into_bytes());
        let sent = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), value.clone().into_bytes()));
        std::iter::once(path).chain(sent).collect()
    }

    pub(crate) fn body(&self) -> &'a [u8] {
        self.body.get().as_bytes()
    }
}

impl<'a> Response<'a> {
    pub(crate) fn body(&self) -> &'a [u8] {
        self.body.map_or(&[], |body| body.get().as_bytes())
    }
}

/// The verdict of an exchange as a line, without its end.
pub(crate) fn verdict_line(id: u64, verdict: &Verdict) -> String {
    let line = serde_json::json!({
        "id": id,
        "action": verdict.action.name(),
        "campaign": verdict.campaign,
        "score": in_nats(verdict.score),
        "reasons": verdict.reasons,
    });
    line.to_string()
}

/// Writes the verdict of an exchange.
pub(crate) fn write_verdict(out: &mut dyn Write, id: u64, verdict: &Verdict) -> Result<(), Failure> {
    writeln!(out, "{}", verdict_line(id, verdict)).map_err(Failure::output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_exchange_is_told_of_without_quoting_it() {
        let refused = |line: &str| Exchange::parse(line.as_bytes()).err().unwrap_or_default();
        assert_eq!(refused(r#"{"id":1,"t":"my secret, expected f64"}"#), "expected f64 at line 1 column 37");
        assert_eq!(refused(r#"{"id":1,"t":1,"path":"/","headers":"sk-1"}"#), "expected a map at line 1 column 41");
        assert_eq!(refused(r#"{"id":1,"t":1}"#), "missing field `path` at line 1 column 14");
        assert_eq!(refused("{"), "EOF while parsing an object at line 1 column 1");
    }
}
