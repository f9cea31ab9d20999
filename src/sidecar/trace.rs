//! Traces in, verdicts out: one JSON object a line.

use crate::commands::Failure;
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
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
    #[serde(default = "post", borrow)]
    pub(crate) method: Cow<'a, str>,
    /// Path with its query string.
    #[serde(borrow)]
    pub(crate) path: Cow<'a, str>,
    /// Request headers.
    #[serde(default, borrow)]
    headers: BTreeMap<Text<'a>, Text<'a>>,
    /// Request body, to the byte.
    #[serde(borrow)]
    body: &'a RawValue,
    /// What came back.
    #[serde(borrow)]
    pub(crate) response: Option<Response<'a>>,
}

/// A string, borrowed from the line where nothing in it is escaped.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A header's name and its value.
type Header<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

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

/// A header's name as HTTP/2 has it.
fn lower(name: &str) -> Cow<'_, [u8]> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase().into_bytes())
    } else {
        Cow::Borrowed(name.as_bytes())
    }
}

fn post() -> Cow<'static, str> {
    Cow::Borrowed("POST")
}

impl<'a> Exchange<'a> {
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, String> {
        // Once for the line, not for each of its strings.
        let line = str::from_utf8(line).map_err(|error| format!("no UTF-8 after {} bytes", error.valid_up_to()))?;
        let exchange: Self = serde_json::from_str(line).map_err(|error| unquoted(&error))?;
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
    pub(crate) fn headers(&self) -> Vec<Header<'_>> {
        let path = (b":path".into(), self.path.as_bytes().into());
        let sent = self.headers.iter().map(|(Text(name), Text(value))| (lower(name), value.as_bytes().into()));
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

/// The verdict of an exchange as its line has it, in the order of the names.
#[derive(Debug, Serialize)]
struct Line<'a> {
    action: &'a str,
    campaign: Option<&'a str>,
    id: u64,
    reasons: &'a [&'static str],
    score: f64,
}

impl<'a> Line<'a> {
    fn of(id: u64, verdict: &'a Verdict) -> Self {
        Self {
            action: verdict.action.name(),
            campaign: verdict.campaign.as_deref(),
            id,
            reasons: &verdict.reasons,
            score: in_nats(verdict.score),
        }
    }
}

/// The verdict of an exchange as a line, without its end.
pub(crate) fn verdict_line(id: u64, verdict: &Verdict) -> String {
    serde_json::json!(Line::of(id, verdict)).to_string()
}

/// Writes the verdict of an exchange.
pub(crate) fn write_verdict(out: &mut dyn Write, id: u64, verdict: &Verdict) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, &Line::of(id, verdict)).map_err(|error| Failure::output(error.into()))?;
    out.write_all(b"\n").map_err(Failure::output)
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

    #[test]
    fn headers_come_in_lower_case_whether_escaped_or_not_and_the_path_before_them() {
        let line = r#"{"id":1,"t":1,"path":"/v1/\u0041","headers":{"X-Api-Key":"sk-\"1\"","a":"b"},"body":{}}"#;
        let exchange = Exchange::parse(line.as_bytes()).unwrap();
        let headers = exchange.headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected: [(&[u8], &[u8]); 3] = [(b":path", b"/v1/A"), (b"x-api-key", br#"sk-"1""#), (b"a", b"b")];
        assert_eq!(headers, expected);
        assert_eq!(Exchange::parse(b"{\"\xff").err().as_deref(), Some("no UTF-8 after 2 bytes"));
    }

    #[test]
    fn a_verdict_is_written_as_the_line_that_an_explanation_shows() {
        let verdict = Verdict { score: 1_250, reasons: vec!["blob_provenance"], ..Verdict::default() };
        let mut written = Vec::new();
        write_verdict(&mut written, 7, &verdict).unwrap();
        let line = r#"{"action":"allow","campaign":null,"id":7,"reasons":["blob_provenance"],"score":1.25}"#;
        assert_eq!((verdict_line(7, &verdict), written), (line.to_owned(), format!("{line}\n").into_bytes()));
    }
}
