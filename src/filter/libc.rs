//! What stands in the place of the C library, most of which stays out of the module so: 12 KB.
#![allow(unsafe_code, reason = "functions of the C library are replaced by name")]

use azeotrope_allocator::{Memory, memory};
use std::ffi::c_char;
use std::ptr::null_mut;

#[global_allocator]
static MEMORY: Memory = memory();

/// The standard library asks for `RUST_BACKTRACE` before it prints a panic, which [`crate::tell`] does in its place.
/// Some CDN edges hand out the configuration in the environment.
#[cfg(feature = "stateful")]
#[unsafe(no_mangle)]
extern "C" fn getenv(_name: *const c_char) -> *mut c_char {
    null_mut()
}

/// Likewise for the folder that the paths of a backtrace are shown from.
#[unsafe(no_mangle)]
extern "C" fn getcwd(_folder: *mut c_char, _size: usize) -> *mut c_char {
    null_mut()
}
