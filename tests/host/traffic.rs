//! What goes through a host, and what came of it.

use crate::stream::{Headers, header};
use std::collections::BTreeMap;

/// A request, in the pieces in which it comes.
#[derive(Clone, Debug)]
pub struct Request {
    /// All headers, the pseudo ones among them.
    pub headers: Headers,
    /// Pieces of the body; none: the headers end the request.
    pub chunks: Vec<Vec<u8>>,
    /// Trailers, which end it; without them the last piece does.
    pub trailers: Option<Headers>,
    /// The last piece says that it is; else an empty one follows.
    pub ends_with_last: bool,
    /// Milliseconds between pieces.
    pub pause: u64,
    /// The connection's other end.
    pub peer: Vec<u8>,
    /// What upstream answers; none: it never does.
    pub response: Option<Response>,
}

/// A response, likewise.
#[derive(Clone, Debug)]
pub struct Response {
    /// All headers, `:status` among them.
    pub headers: Headers,
    /// Pieces of the body.
    pub chunks: Vec<Vec<u8>>,
    /// Trailers.
    pub trailers: Option<Headers>,
}

/// Headers and body that arrived somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Headers.
    pub headers: Headers,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// All of it came.
    pub whole: bool,
}

/// A callback and what it cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub hook: &'static str,
    /// Instructions of WebAssembly.
    pub instructions: u64,
}

/// What came of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What upstream got; `None`: nothing.
    pub upstream: Option<Message>,
    /// What the client got; `None`: nothing.
    pub downstream: Option<Message>,
    /// The module answered.
    pub replied: bool,
    /// The module let it wait and never went on.
    pub hung: bool,
    /// Milliseconds that it waited for the module's timer.
    pub waited: u64,
    /// Properties that the module set; filter state in Envoy.
    pub properties: BTreeMap<String, String>,
    /// What it set with `set_envoy_filter_state`.
    pub filter_state: BTreeMap<String, String>,
    /// Host calls by name.
    pub calls: BTreeMap<&'static str, u64>,
    /// Callbacks in order.
    pub steps: Vec<Step>,
}

fn fields(list: &[(&str, &str)]) -> Headers {
    list.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

impl Request {
    /// A POST of a JSON body in one piece, answered by an empty 200.
    #[must_use]
    pub fn post(path: &str, body: &[u8]) -> Self {
        let length = body.len().to_string();
        let headers = [
            (":method", "POST"),
            (":path", path),
            (":authority", "test"),
            (":scheme", "https"),
            ("content-type", "application/json"),
            ("content-length", &length),
        ];
        Self {
            headers: fields(&headers),
            chunks: vec![body.to_vec()],
            trailers: None,
            ends_with_last: true,
            pause: 0,
            peer: b"192.0.2.7:40000".to_vec(),
            response: Some(Response::of(200, "application/json", b"{}")),
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        let headers = fields(&[(":method", "GET"), (":path", path), (":authority", "test"), (":scheme", "https")]);
        Self { headers, chunks: Vec::new(), ..Self::post(path, b"") }
    }

    /// With another header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_bytes().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name.as_bytes());
        self
    }

    /// With the body in pieces of `size` bytes.
    #[must_use]
    pub fn in_pieces(mut self, size: usize) -> Self {
        self.chunks = self.chunks.concat().chunks(size.max(1)).map(<[u8]>::to_vec).collect();
        self
    }

    /// With this answer.
    #[must_use]
    pub fn answered(mut self, response: Response) -> Self {
        self.response = Some(response);
        self
    }
}

impl Response {
    /// A response in one piece.
    #[must_use]
    pub fn of(status: u16, kind: &str, body: &[u8]) -> Self {
        let (status, length) = (status.to_string(), body.len().to_string());
        let headers = [(":status", status.as_str()), ("content-type", kind), ("content-length", &length)];
        Self { headers: fields(&headers), chunks: vec![body.to_vec()], trailers: None }
    }

    /// A streamed response, in pieces of `size` bytes.
    #[must_use]
    pub fn stream(kind: &str, body: &[u8], size: usize) -> Self {
        let headers = fields(&[(":status", "200"), ("content-type", kind)]);
        Self { headers, chunks: body.chunks(size.max(1)).map(<[u8]>::to_vec).collect(), trailers: None }
    }
}

impl Message {
    /// The first value of a header, as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

impl Outcome {
    /// The status that the client got; 0: none.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.downstream.as_ref().and_then(|message| message.header(":status")?.parse().ok()).unwrap_or(0)
    }

    /// The verdict's label, as an access log shows it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.properties.get("azeotrope").map_or("", String::as_str)
    }

    /// How many host calls there were.
    #[must_use]
    pub fn host_calls(&self) -> u64 {
        self.calls.values().sum()
    }

    /// The dearest callback.
    #[must_use]
    pub fn dearest(&self) -> Option<Step> {
        self.steps.iter().copied().max_by_key(|step| step.instructions)
    }
}
