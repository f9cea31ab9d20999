//! Where the host enters: its callbacks, each handed to the context that it names.
//!
//! In place of the SDK's own, which panic at a context, a token or a status that they do not expect, and which need every
//! function that the SDK knows (gRPC, queues) of a host that may not have it. A number that nobody has means nothing to do.
#![allow(unsafe_code, reason = "functions that the host calls are exported by name")]

use crate::host;
use crate::root::Root;
use crate::stream::Stream;
use crate::tell;
use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What a callback answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Action {
    /// Go on.
    Continue = 0,
    /// Wait, and keep what there is.
    Pause = 1,
}

thread_local! {
    static ROOTS: RefCell<Contexts<Root>> = RefCell::default();
    static STREAMS: RefCell<Contexts<Stream>> = RefCell::default();
}

type Contexts<T> = HashMap<u32, T, BuildHasherDefault<Number>>;

/// The hash of a context's number, which is looked up with every callback: the host counts them up, so nobody chooses one.
#[derive(Default)]
struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(32)
    }
}

/// Has a root context do something.
fn root<T>(context: u32, run: impl FnOnce(&mut Root) -> T) -> Option<T> {
    ROOTS.with(|roots| roots.try_borrow_mut().ok().and_then(|mut roots| roots.get_mut(&context).map(run)))
}

/// Has a stream's context do something.
fn stream(context: u32, run: impl FnOnce(&mut Stream) -> Action) -> Action {
    let of = |streams: &RefCell<Contexts<Stream>>| {
        streams.try_borrow_mut().ok().and_then(|mut streams| streams.get_mut(&context).map(run))
    };
    STREAMS.with(of).unwrap_or(Action::Continue)
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the host calls this once, before anything else.
    unsafe { __wasm_call_ctors() };
    tell::hook_panics();
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// A block for what the host returns: it belongs to the module once the call that it is for has returned (see
/// [`crate::abi`]). Null where there is no memory: the call then fails.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout is not empty.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    if parent == 0 {
        ROOTS.with(|roots| roots.try_borrow_mut().map(|mut roots| roots.insert(context, Root::new())).ok());
    } else if let Some(new) = root(parent, |root| root.stream(context)) {
        STREAMS.with(|streams| streams.try_borrow_mut().map(|mut streams| streams.insert(context, new)).ok());
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, size: usize) -> u32 {
    root(context, |root| root.configure(size)).unwrap_or(false).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    root(context, Root::tick);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(context: u32, token: u32, headers: usize, size: usize, _trailers: usize) {
    root(context, |root| root.answered(&host::answered(token, headers, size)));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _count: usize, ended: u32) -> Action {
    stream(context, |stream| stream.request_headers(ended != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, size: usize, ended: u32) -> Action {
    stream(context, |stream| stream.request_body(size, ended != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, _count: usize) -> Action {
    stream(context, Stream::request_trailers)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _count: usize, ended: u32) -> Action {
    stream(context, |stream| stream.response_headers(ended != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(context: u32, size: usize, ended: u32) -> Action {
    stream(context, |stream| stream.response_body(size, ended != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(context: u32, _count: usize) -> Action {
    stream(context, Stream::response_trailers)
}

/// The end, of an exchange as of a configuration. There is no `proxy_on_done`: who calls that calls this right behind it, and
/// entering a VM takes a host a microsecond.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    // Ended after the maps are free again.
    let stream = STREAMS.with(|streams| streams.try_borrow_mut().ok().and_then(|mut all| all.remove(&context)));
    if let Some(stream) = stream {
        stream.done();
        return;
    }
    let root = ROOTS.with(|roots| {
        let mut all = roots.try_borrow_mut().ok()?;
        Some((all.remove(&context)?, all.is_empty()))
    });
    if let Some((root, last)) = root {
        root.end(last);
    }
}
