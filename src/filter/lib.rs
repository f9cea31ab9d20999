//! The Proxy-Wasm module: carries bytes between an Envoy (or another host) and the engine, and decides nothing itself.
//!
//! A trap here cuts every stream on its Envoy worker, so nothing on a request's path may panic: host functions are called
//! through [`abi`], which turns every status into a `Result`, headers and bodies are bytes, and a failing host call
//! means the request passes unjudged.
//!
//! | file | what |
//! |---|---|
//! | `entry` | the callbacks, by context |
//! | `abi` | the host functions, typed |
//! | `pairs` | header maps as the host serialises them |
//! | `host` | what the filter asks of the host, in its own words |
//! | `root` | configuration: a plugin configuration becomes an engine |
//! | `stream` | the phases of one HTTP exchange |
//! | `exchange` | one LLM call: read, judge, answer, settle |
//! | `answer` | its answer: what it cost, which blobs it gave, what a degraded caller loses of it |
//! | `share` | what all bodies and answers on their way occupy |
//! | `body` | how much of a body is awaited and read |
//! | `probe`, `hold` | whether and how long request headers are held |
//! | `live` | what a worker runs, as the sidecar changes it |
//! | `edge`, `kept` | what a CDN edge needs beside |
//! | `link`, `left` | observations to the sidecar, and those of configurations that were replaced |
//! | `poll`, `shelf` | rules from it, rules kept for all workers |
//! | `store` | shared data as the engine's store |
//! | `moment` | what is not asked for again before the next tick: the time, pages of known templates |
//! | `metrics`, `tell`, `limit` | counters, log lines and their rate |
//! | `libc` | what stands in the place of the C library |

// Off wasm only the plain modules are built, for their tests.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "used by the wasm-only modules"))]

mod body;
mod kept;
mod limit;
mod pairs;
mod probe;
mod share;
mod shelf;

#[cfg(target_family = "wasm")]
mod abi;
#[cfg(target_family = "wasm")]
mod answer;
#[cfg(target_family = "wasm")]
mod edge;
#[cfg(target_family = "wasm")]
mod entry;
#[cfg(target_family = "wasm")]
mod exchange;
#[cfg(target_family = "wasm")]
mod hold;
#[cfg(target_family = "wasm")]
mod host;
#[cfg(target_family = "wasm")]
mod left;
#[cfg(target_family = "wasm")]
mod libc;
#[cfg(target_family = "wasm")]
mod link;
#[cfg(target_family = "wasm")]
mod live;
#[cfg(target_family = "wasm")]
mod metrics;
#[cfg(target_family = "wasm")]
mod moment;
#[cfg(target_family = "wasm")]
mod poll;
#[cfg(target_family = "wasm")]
mod root;
#[cfg(target_family = "wasm")]
mod store;
#[cfg(target_family = "wasm")]
mod stream;
#[cfg(target_family = "wasm")]
mod tell;
