//! What only a proxy gives that keeps something between requests: shared data, timers, calls to other services, metrics.
//! `none.rs` stands in its place for hosts that do not.

use super::{Kind, Status, bytes};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
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
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
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

/// Calls another service and returns the call's token. `headers` in the host's serialisation, `timeout` in milliseconds.
pub(crate) fn call(cluster: &str, headers: &[u8], body: &[u8], timeout: u32) -> Result<u32, Status> {
    const NO_TRAILERS: [u8; 4] = [0; 4];
    let mut token = 0_u32;
    // SAFETY: the host reads cluster, headers, body and trailers during the call and writes one number.
    Status::of(unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            NO_TRAILERS.as_ptr(),
            NO_TRAILERS.len(),
            timeout,
            &raw mut token,
        )
    })
    .map(|()| token)
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
