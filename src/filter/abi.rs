//! The host functions of Proxy-Wasm ABI 0.2.1 that the filter uses, each returning a `Result`.
//!
//! The wrappers of Proxy-Wasm's Rust SDK panic on a status that they do not expect (and match it as a Rust enum, though a
//! host may return any number), and its header maps panic on a name that is no UTF-8. A panic is a trap and a trap cuts
//! every stream of the worker, so the functions are declared here, with plain numbers; [`crate::entry`] is the other
//! direction.
#![allow(unsafe_code, reason = "the one place that talks to the host")]

#[cfg_attr(not(feature = "stateful"), path = "abi/none.rs")]
mod state;

pub(crate) use state::*;

use std::ptr::null_mut;

/// A status other than Ok, as the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u32);

impl Status {
    /// What was asked for does not exist.
    pub(crate) const NOT_FOUND: Self = Self(1);
    /// The value was written by somebody else since it was read.
    pub(crate) const CAS_MISMATCH: Self = Self(8);
    /// The host has no such function.
    #[cfg_attr(feature = "stateful", allow(dead_code, reason = "what `none` answers"))]
    pub(crate) const UNIMPLEMENTED: Self = Self(12);

    fn of(code: u32) -> Result<(), Self> {
        if code == 0 { Ok(()) } else { Err(Self(code)) }
    }
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Level {
    /// Of interest.
    Info = 2,
    /// Something acted or was left out.
    Warn = 3,
    /// Something is wrong.
    Error = 4,
    /// The module is about to trap.
    Critical = 5,
}

/// A buffer of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Buffer {
    /// The request body: what is held while paused, else the chunk at hand.
    RequestBody = 0,
    /// The response body: the chunk at hand.
    ResponseBody = 1,
    /// The body that answers a call of ours, inside its callback.
    CallBody = 4,
    /// The plugin configuration, inside `on_configure`.
    PluginConfiguration = 7,
}

/// A header map of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Map {
    /// Request headers: reachable until they have gone upstream.
    Request = 0,
    /// Response headers.
    Response = 2,
    /// Headers that answer a call of ours, inside its callback.
    Call = 6,
}

/// What a metric does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    /// Only grows.
    Counter = 0,
    /// Set to a value.
    Gauge = 1,
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_buffer_bytes(kind: u32, start: usize, max: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_buffer_bytes(kind: u32, start: usize, max: usize, data: *const u8, size: usize) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// Calls a function that returns bytes, and takes ownership of them.
fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    let (mut data, mut size) = (null_mut::<u8>(), 0_usize);
    Status::of(call(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host got this block of exactly `size` bytes from `proxy_on_memory_allocate`, which takes it from this
    // module's allocator, and has given it away.
    Ok(unsafe { Vec::from_raw_parts(data, size, size) })
}

/// Writes a log line.
pub(crate) fn log(level: Level, text: &str) -> Result<(), Status> {
    // SAFETY: the host reads `text` during the call.
    Status::of(unsafe { proxy_log(level as u32, text.as_ptr(), text.len()) })
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now() -> Result<u64, Status> {
    let mut time = 0_u64;
    // SAFETY: the host writes one u64.
    Status::of(unsafe { proxy_get_current_time_nanoseconds(&raw mut time) }).map(|()| time)
}

/// The bytes `start .. start + max` of a buffer, as far as it has them.
pub(crate) fn buffer(kind: Buffer, start: usize, max: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes a pointer and a size.
    bytes(|data, size| unsafe { proxy_get_buffer_bytes(kind as u32, start, max, data, size) })
}

/// Puts `data` in the place of all that a buffer has.
pub(crate) fn set_buffer(kind: Buffer, data: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads `data` during the call.
    Status::of(unsafe { proxy_set_buffer_bytes(kind as u32, 0, usize::MAX, data.as_ptr(), data.len()) })
}

/// All headers of a map, in the host's serialisation (see [`crate::pairs`]).
pub(crate) fn pairs(map: Map) -> Result<Vec<u8>, Status> {
    // SAFETY: the host writes a pointer and a size.
    bytes(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
}

/// The first value of a header.
pub(crate) fn header(map: Map, name: &str) -> Result<Vec<u8>, Status> {
    // SAFETY: the host reads `name` during the call and writes a pointer and a size.
    bytes(|data, size| unsafe { proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size) })
}

/// Sets a header to one value.
pub(crate) fn set_header(map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads name and value during the call.
    Status::of(unsafe {
        proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes all values of a header.
pub(crate) fn remove_header(map: Map, name: &str) -> Result<(), Status> {
    // SAFETY: the host reads `name` during the call.
    Status::of(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// A property; the parts of its path are joined by NUL.
pub(crate) fn property(path: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: the host reads `path` during the call and writes a pointer and a size.
    bytes(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property of this stream; in Envoy that is the filter state `wasm.<path>`.
pub(crate) fn set_property(path: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: the host reads path and value during the call.
    Status::of(unsafe { proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// Answers the request in place of the upstream. `headers` in the host's serialisation.
pub(crate) fn respond(status: u32, headers: &[u8], body: &[u8]) -> Result<(), Status> {
    const NO_GRPC_STATUS: i32 = -1;
    let details = "azeotrope";
    // SAFETY: the host reads all three slices during the call.
    Status::of(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}
