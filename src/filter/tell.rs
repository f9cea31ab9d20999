//! Log lines: at most [`RATE`] a second and VM, never with a body, a key or an address in them.

use crate::abi::{self, Level};
use crate::limit::Limit;
use azeotrope_engine::rules::Problem;
use azeotrope_engine::time::Timestamp;
use std::cell::RefCell;
use std::fmt;

/// Lines a second and VM about traffic.
const RATE: u64 = 10;
/// Problems of one configuration that are told one by one.
const PROBLEMS: usize = 32;

thread_local! {
    static LIMIT: RefCell<Limit> = const { RefCell::new(Limit::new(RATE)) };
}

/// Tells about traffic, unless too much was told already; the next line that passes says how many were left out.
pub(crate) fn traffic(level: Level, now: Timestamp, what: fmt::Arguments<'_>) {
    let passed = LIMIT.with(|limit| limit.try_borrow_mut().ok().and_then(|mut limit| limit.pass(now.0)));
    match passed {
        Some(0) => always(level, what),
        Some(held) => always(level, format_args!("{what} ({held} lines left out)")),
        None => {}
    }
}

/// Tells about a configuration; these come from the operator and are few.
pub(crate) fn always(level: Level, what: fmt::Arguments<'_>) {
    // A host that cannot log cannot be told so either.
    let _ = abi::log(level, &format!("azeotrope: {what}"));
}

/// Tells why a configuration is refused, a line a problem.
pub(crate) fn refused(problems: &[Problem]) {
    for problem in problems.iter().take(PROBLEMS) {
        always(Level::Error, format_args!("configuration: {}: {}", problem.path, problem.reason));
    }
    if let Some(more) = problems.len().checked_sub(PROBLEMS).filter(|more| *more > 0) {
        always(Level::Error, format_args!("configuration: {more} more problems"));
    }
    always(Level::Error, format_args!("configuration refused; the one before stays in force"));
}

/// Makes a panic say where it happened, and only that: its message could quote a request.
pub(crate) fn hook_panics() {
    std::panic::set_hook(Box::new(|info| {
        let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
        always(Level::Critical, format_args!("bug: panic at {file}:{line}"));
    }));
}
