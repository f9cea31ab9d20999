//! The anti-distillation engine: pure logic that gives the same verdict in the filter, in `replay` and in the sidecar.
//!
//! Nothing here knows a host, a clock, a socket or a random number. Time comes in as [`time::Timestamp`], storage
//! through the small traits of [`store`]. Dependencies point one way:
//! `verdict` → `evidence` → `sketch` / `digest` → `dialect` → `json`.

#![forbid(unsafe_code)]

// Every #[test] below runs as wasm in Node, too.
#[cfg(all(test, target_family = "wasm", target_os = "unknown"))]
#[macro_use]
extern crate azeotrope_test_in_node;

pub mod answer;
mod base64;
pub mod budget;
pub mod bundle;
pub mod caller;
pub mod campaign;
pub mod codec;
pub mod corpus;
pub mod degrade;
pub mod dialect;
pub mod digest;
mod digits;
pub mod engine;
pub mod evidence;
pub mod nats;
pub mod observation;
pub mod route;
pub mod rules;
pub mod sketch;
pub mod store;
pub mod time;
pub mod verdict;
mod wire;

pub use azeotrope_text::json;
