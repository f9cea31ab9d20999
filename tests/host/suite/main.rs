//! The modules as they are shipped, under the tests' own host: everything that needs no Envoy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what cannot be is a failing test")]

mod clock;
mod common;
mod dialects;
mod edge;
mod faults;
mod memory;
mod moment;
mod native;
mod workers;
