//! What the filter asks of the host, in the filter's own words. A failing call is counted and means "unknown".

use crate::abi::{self, Buffer, Map, Status};
use crate::edge::EDGE;
use crate::metrics::{self, Metric};
use crate::pairs;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::Reply;

/// The verdict's request header, as upstream sees it.
pub(crate) const LABEL_HEADER: &str = "x-azeotrope";
/// The verdict's filter state; Envoy puts `wasm.` before it.
const LABEL_STATE: &str = "azeotrope";
/// The connection's other end.
const PEER: &[u8] = b"source\0address";
/// What an answer cost, as filter state; Envoy puts `wasm.` before it.
const USAGE_STATE: &str = "azeotrope.usage";
/// What is known of a call, between callbacks that share nothing else.
const CALL_STATE: &str = "azeotrope.call";
/// What a degraded caller is told of the changes made.
const DEGRADED_HEADER: &str = "x-azeotrope-degraded";
/// Where the JWT filter keeps what it verified.
const JWT_METADATA: &str = "metadata\0filter_metadata\0envoy.filters.http.jwt_authn";

/// Envoy's name for itself.
const NODE: &[u8] = b"xds\0node\0id";

/// How a call of ours ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    /// The call's token.
    pub(crate) token: u32,
    /// 0: there was no answer.
    pub(crate) status: u16,
    /// Bytes of the answer's body.
    pub(crate) size: usize,
}

/// The value, or nothing and a count. `NotFound` is an answer, not a failure.
fn known<T>(result: Result<T, Status>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Status::NOT_FOUND) => None,
        Err(_) => {
            metrics::count(Metric::HostError);
            None
        }
    }
}

/// The time; the epoch if the host has no clock.
pub(crate) fn now() -> Timestamp {
    const NANOSECONDS_A_MILLISECOND: u64 = 1_000_000;
    Timestamp(known(abi::now()).unwrap_or(0).wrapping_div(NANOSECONDS_A_MILLISECOND))
}

/// The first `size` bytes of a buffer.
fn first(kind: Buffer, size: usize) -> Option<Vec<u8>> {
    if size == 0 { Some(Vec::new()) } else { known(abi::buffer(kind, 0, size)) }
}

/// All request headers, serialised (see [`pairs::Pairs`]).
pub(crate) fn request_headers() -> Option<Vec<u8>> {
    known(abi::pairs(Map::Request))
}

/// The address of the connection's other end; empty if unknown.
pub(crate) fn peer() -> Vec<u8> {
    known(abi::property(PEER)).unwrap_or_default()
}

/// A claim that Envoy's JWT filter left in its metadata: the key it puts the payload under, then names in the payload.
pub(crate) fn claim(path: &[String]) -> Option<Vec<u8>> {
    let path = [JWT_METADATA, path.join("\0").as_str()].join("\0");
    known(abi::property(path.as_bytes())).filter(|value| !value.is_empty())
}

/// The first `size` bytes of the request body that the host holds.
pub(crate) fn body(size: usize) -> Option<Vec<u8>> {
    first(Buffer::RequestBody, size)
}

/// Sends another body on in place of the request's, all of which the host holds with its headers; whether the host took
/// it. `announced`: the request announces its length.
pub(crate) fn replace_body(body: &[u8], announced: bool) -> bool {
    // A length that is wrong would let upstream take what follows for another request: first the header, then the body.
    let told = !announced
        || known(abi::set_header(Map::Request, "content-length", body.len().to_string().as_bytes())).is_some();
    told && known(abi::set_buffer(Buffer::RequestBody, body)).is_some()
}

/// Asks upstream for an answer without content encoding; only while the request headers are held.
pub(crate) fn ask_for_plain() {
    known(abi::set_header(Map::Request, "accept-encoding", b"identity"));
}

/// Takes away what a client wrote into our header.
pub(crate) fn remove_label() {
    known(abi::remove_header(Map::Request, LABEL_HEADER));
}

/// Tells upstream; only while the request headers are held.
pub(crate) fn label_request(label: &str) {
    known(abi::set_header(Map::Request, LABEL_HEADER, label.as_bytes()));
}

/// Keeps what is known of a call with the exchange.
pub(crate) fn keep_call(call: &[u8]) {
    known(abi::set_property(CALL_STATE, call));
}

/// What was kept so.
pub(crate) fn kept_call() -> Option<Vec<u8>> {
    known(abi::property(CALL_STATE.as_bytes())).filter(|call| !call.is_empty())
}

/// Tells the access log.
pub(crate) fn label_stream(label: &str) {
    known(abi::set_property(LABEL_STATE, label.as_bytes()));
}

/// All response headers, serialised (see [`pairs::Pairs`]).
pub(crate) fn response_headers() -> Option<Vec<u8>> {
    known(abi::pairs(Map::Response))
}

/// Answers in place of the upstream; whether the host took it.
pub(crate) fn respond(reply: &Reply) -> bool {
    known(abi::respond(u32::from(reply.status), &pairs::serialise(&reply.headers), &reply.body)).is_some()
}

/// The plugin configuration, inside `on_configure`.
pub(crate) fn configuration(size: usize) -> Option<Vec<u8>> {
    if EDGE && size == 0 { Some(environment()) } else { first(Buffer::PluginConfiguration, size) }
}

/// The plugin configuration of a host that hands none out but sets environment variables.
fn environment() -> Vec<u8> {
    const VARIABLE: &str = "AZEOTROPE_CONFIGURATION";
    std::env::var(VARIABLE).map(String::into_bytes).unwrap_or_default()
}

/// Lets go of the request headers of another stream, that paused. If it is gone, nothing happens.
pub(crate) fn resume_request(stream: u32) {
    if known(abi::enter(stream)).is_some() {
        known(abi::resume_request());
    }
}

/// Tells the caller what is left to it.
pub(crate) fn tell_remaining(headers: &[(&'static str, String)]) {
    for (name, value) in headers {
        known(abi::set_header(Map::Response, name, value.as_bytes()));
    }
}

/// Tells the caller what it does not get.
pub(crate) fn tell_degraded(changes: &str) {
    known(abi::set_header(Map::Response, DEGRADED_HEADER, changes.as_bytes()));
}

/// Takes the announced length of the response away: it will have another. Whether that is done.
pub(crate) fn forget_response_length() -> bool {
    known(abi::remove_header(Map::Response, "content-length")).is_some()
}

/// The piece of the response body that is passing, `size` bytes.
pub(crate) fn answer(size: usize) -> Option<Vec<u8>> {
    first(Buffer::ResponseBody, size)
}

/// Lets other bytes pass in place of that piece.
pub(crate) fn replace_answer(bytes: &[u8]) {
    known(abi::set_buffer(Buffer::ResponseBody, bytes));
}

/// Tells the access log what the answer cost.
pub(crate) fn tell_usage(usage: &str) {
    known(abi::set_property(USAGE_STATE, usage.as_bytes()));
}

/// Tells Envoy's rate-limit filter how much this request counts.
pub(crate) fn tell_ratelimit(hits: u64) {
    /// The number of a length-delimited field of `SetEnvoyFilterStateArguments` (path 1, value 2) with its wire type.
    const FIELDS: [u8; 2] = [0x0A, 0x12];
    let hits = hits.to_string();
    let mut argument = Vec::new();
    for (field, text) in FIELDS.into_iter().zip(["envoy.ratelimit.hits_addend", &hits]) {
        // Both are shorter than 128 bytes, so a length is one byte.
        argument.extend([field, u8::try_from(text.len()).unwrap_or(0)]);
        argument.extend_from_slice(text.as_bytes());
    }
    known(abi::foreign("set_envoy_filter_state", &argument));
}

/// Calls another service; its token, or `None` where there is no such cluster. `timeout` in milliseconds.
pub(crate) fn call(cluster: &str, headers: &[(&str, &str)], body: Option<&[u8]>, timeout: u32) -> Option<u32> {
    abi::call(cluster, &pairs::serialise(headers), body.unwrap_or_default(), timeout).ok()
}

/// How a call ended. `headers`: how many the answer has; none where there was no answer, and none must be asked for then.
pub(crate) fn answered(token: u32, headers: usize, size: usize) -> Answered {
    let status = (headers > 0).then(|| known(abi::header(Map::Call, ":status"))).flatten();
    let status = status.and_then(|status| std::str::from_utf8(&status).ok()?.parse().ok()).unwrap_or(0);
    Answered { token, status, size }
}

/// The first `size` bytes of the body that answers a call.
pub(crate) fn answer_of_call(size: usize) -> Option<Vec<u8>> {
    first(Buffer::CallBody, size)
}

/// What Envoy calls itself; empty where it has no name.
pub(crate) fn node() -> Vec<u8> {
    abi::property(NODE).unwrap_or_default()
}
