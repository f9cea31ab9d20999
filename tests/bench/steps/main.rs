//! What a worker thread of Envoy executes for one request: steps it, instruction by instruction, from where it wakes for the
//! request to where it waits for the next, and tells how many of them lie where, and in a second line in how many cache lines.
//!
//! `azeotrope-bench-steps <process> <thread> <seconds> [<file>]`: begins with a line from standard input, says `ready` once the
//! thread waits, steps what then wakes it, and ends when it has had nothing to do for a while, or with an error after so many
//! seconds. Into the file go the addresses of the instructions, eight bytes each, in their order.
//!
//! Counts have no noise: other processes, cold caches and the frequency are not in them. Nor are timers, for the clock stands
//! still for the thread while it is stepped.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod clock;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod regions;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod request;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod thread;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use request::run;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn run(_: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    Err("threads can be stepped on Linux on x86-64 only".into())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Err(error) = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
