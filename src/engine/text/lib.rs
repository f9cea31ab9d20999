//! The engine's pass over the text of a request: a JSON reader that forgives, words, and what is made of words.
//!
//! What runs for every byte of a body is here, and nothing else: the module is built with this crate for speed and the
//! rest of the engine for size (`[profile.module.package]`). The engine has it under its own names:
//! `azeotrope_engine::json` and `azeotrope_engine::digest`.

#![forbid(unsafe_code)]

// Every #[test] below runs as wasm in Node, too.
#[cfg(all(test, target_family = "wasm", target_os = "unknown"))]
#[macro_use]
extern crate azeotrope_test_in_node;

mod blocks;
pub mod buckets;
pub mod content;
pub mod hash;
pub mod json;
pub mod letters;
pub mod minhash;
pub mod scan;
pub mod template;
pub mod words;
