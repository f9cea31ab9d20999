//! A Proxy-Wasm host (ABI 0.2.1) that loads the module as it is shipped and answers it as Envoy or a CDN edge would.
//!
//! Time is virtual, traffic is handed in and out as bytes, and every host call is counted; so what needs no network takes
//! milliseconds, and a host can be made to deny, fail or lie. What it does follows proxy-wasm-cpp-host, which Envoy
//! embeds; where hosts differ, a [`Profile`] says so.
//!
//! | file | what |
//! |---|---|
//! | `module` | the compiled module, its imports |
//! | `profile` | what a kind of host has and allows |
//! | `process` | what the workers of a proxy share: shared data, metrics, clock, log |
//! | `functions` | the host functions |
//! | `vm` | one VM: callbacks, budgets, memory |
//! | `stream` | one exchange as the host keeps it |
//! | `worker` | a worker: timers, calls, and (`exchange`) exchanges from their first byte to the last |
#![cfg(feature = "run")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "what cannot be is a failing test")]

mod functions;
mod memory;
mod module;
mod process;
mod profile;
mod stream;
mod traffic;
mod vm;
mod worker;

pub use functions::{NAMES, STATUSES};
pub use module::Module;
pub use process::{Process, Shared};
pub use profile::{Contexts, Profile};
pub use stream::{Headers, header};
pub use traffic::{Message, Outcome, Request, Response, Step};
pub use vm::{Dispatched, Failure, Fault};
pub use worker::Worker;
