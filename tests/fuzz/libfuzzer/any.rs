//! One program for all targets: which one, the environment says (`TARGET=request`).

#![no_main]

use azeotrope_fuzz::{Target, Witness};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fn chosen() -> &'static Target {
    let name = std::env::var("TARGET").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("TARGET={name:?} names no target of tests/fuzz/lib.rs"))
}

fuzz_target!(|input: &[u8]| CHOSEN.get_or_init(chosen).check_alone(input, &mut Witness::default()));
