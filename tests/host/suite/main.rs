//! The modules as they are shipped, under the tests' own host: everything that needs no Envoy.

mod common;
mod dialects;
mod edge;
mod faults;
mod native;
mod workers;
