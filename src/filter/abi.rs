//! The host functions of Proxy-Wasm ABI 0.2.1 that the filter uses, each returning a `Result`.
//!
//! The SDK's own wrappers panic on a status that they do not expect (and match it as a Rust enum, though a host may return
//! any number), and its header maps panic on a name that is no UTF-8. A panic is a trap and a trap cuts every stream of
//! the worker, so the functions are declared once more here, with plain numbers. The SDK still does the rest: exports,
//! contexts, and the allocator that the host calls for what it returns.
#![allow(unsafe_code, reason = "the one place that talks to the host")]

use std::ptr::null_mut;

/// A status other than Ok, as the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u32);

impl Status {
    /// What was asked for does not exist.
    pub(crate) const NOT_FOUND: Self = Self(1);
    /// The value was written by somebody else since it was read.
    pub(crate) const CAS_MISMATCH: Self = Self(8);

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
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
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
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
}

/// Calls a function that returns bytes, and takes ownership of them.
fn bytes(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    let (mut data, mut size) = (null_mut::<u8>(), 0_usize);
    Status::of(call(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host got this block of exactly `size` bytes from the SDK's `proxy_on_memory_allocate`, which is a boxed
    // slice of this module's allocator, and has given it away.
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

/// Calls a function that only some hosts have.
pub(crate) fn foreign(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: the host reads name and argument during the call and writes a pointer and a size.
    bytes(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), data, size)
    })
}

/// A value of shared data and its version (compare-and-swap number, never 0 for a value that exists).
pub(crate) fn shared(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let mut cas = 0_u32;
    // SAFETY: the host reads `key` during the call and writes a pointer, a size and a number.
    let value =
        bytes(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas) })?;
    Ok((value, cas))
}

/// Writes a value of shared data. `cas` 0 overwrites; any other must be the version the key has, if the key exists.
pub(crate) fn set_shared(key: &str, value: &[u8], cas: u32) -> Result<(), Status> {
    // SAFETY: the host reads key and value during the call.
    Status::of(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
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

/// Has `on_tick` called every `period` milliseconds; 0: no more.
pub(crate) fn set_tick(period: u32) -> Result<(), Status> {
    // SAFETY: a plain number.
    Status::of(unsafe { proxy_set_tick_period_milliseconds(period) })
}

/// Makes the calls that follow in this callback speak of another context.
pub(crate) fn enter(context: u32) -> Result<(), Status> {
    // SAFETY: a plain number; the host checks it.
    Status::of(unsafe { proxy_set_effective_context(context) })
}

/// Lets a paused request go on, once this callback has returned.
pub(crate) fn resume_request() -> Result<(), Status> {
    const HTTP_REQUEST: u32 = 0;
    // SAFETY: a plain number.
    Status::of(unsafe { proxy_continue_stream(HTTP_REQUEST) })
}

/// Defines a metric and returns its id. Each call makes a new id: call once a name and VM.
pub(crate) fn define(kind: Kind, name: &str) -> Result<u32, Status> {
    let mut id = 0_u32;
    // SAFETY: the host reads `name` during the call and writes one number.
    Status::of(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) }).map(|()| id)
}

/// Sets a gauge.
pub(crate) fn record(id: u32, value: u64) -> Result<(), Status> {
    // SAFETY: plain numbers.
    Status::of(unsafe { proxy_record_metric(id, value) })
}

/// Adds to a counter; `by` must be above 0.
pub(crate) fn increment(id: u32, by: i64) -> Result<(), Status> {
    // SAFETY: plain numbers.
    Status::of(unsafe { proxy_increment_metric(id, by) })
}
