//! The calls of the host that Azeotrope makes for a request of a known account, with values of the same sizes, and nothing
//! between them: what the boundary alone costs. `envoy/README.md` says what each is for, `tests/e2e/test_host_calls.py` counts
//! them.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};

/// Bytes of a body that are asked for at most, as `inspect_bytes` has it.
const INSPECTED: usize = 256 * 1024;
/// Bytes of a page.
const PAGE: usize = 4_000;
/// Written like this, a key that is absent is inserted.
const ABSENT: u32 = u32::MAX;
const LABEL: &str =
    "action=allow, would=allow, score=0.0, reasons=(), case=\"4f45bc0500000000\", rules=0, t=1790000000250";
const USAGE: &str = "in=25, out=11, finish=stop";

/// One exchange.
#[derive(Default)]
pub(crate) struct Calls {
    /// Pages that were read: key, value, version.
    pages: Vec<(String, Vec<u8>, u32)>,
    account: u64,
}

impl Calls {
    fn read(&mut self, table: &str) {
        let key = format!("calls.{table}.{}", self.account % 1_024);
        let (value, version) = hostcalls::get_shared_data(&key).unwrap_or_default();
        self.pages.push((key, value.unwrap_or_else(|| vec![7; PAGE]), version.unwrap_or(ABSENT)));
    }
}

impl Context for Calls {}

impl HttpContext for Calls {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let headers = hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default();
        let key = headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_slice());
        // Some hash: accounts must not share a page more often than they do.
        self.account =
            key.unwrap_or_default().iter().fold(0, |hash: u64, byte| hash.wrapping_mul(31) ^ u64::from(*byte));
        let _ = hostcalls::get_property(vec!["source", "address"]);
        if end_of_stream { Action::Continue } else { Action::Pause }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        let _ = hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size.min(INSPECTED));
        ["account", "conversation"].iter().for_each(|table| self.read(table));
        let _ = hostcalls::set_property(vec!["calls"], Some(LABEL.as_bytes()));
        let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, "x-calls", Some(LABEL));
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let _ = hostcalls::get_map_bytes(MapType::HttpResponseHeaders);
        for (key, value, version) in self.pages.drain(..) {
            let _ = hostcalls::set_shared_data(&key, Some(&value), Some(version));
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if size > 0 {
            let _ = hostcalls::get_buffer(BufferType::HttpResponseBody, 0, size);
        }
        if end_of_stream {
            let _ = hostcalls::set_property(vec!["calls.usage"], Some(USAGE.as_bytes()));
        }
        Action::Continue
    }
}
