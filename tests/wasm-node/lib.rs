//! `#[test]` on wasm32-unknown-unknown, where the compiler's own has no way to run.
//!
//! A crate that declares `#[macro_use] extern crate azeotrope_test_in_node` for that target has every `#[test]` it
//! contains run by `wasm-bindgen-test-runner` in Node, with no line changed in any test.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
