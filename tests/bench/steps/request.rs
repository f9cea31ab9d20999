//! One request, stepped.

use crate::clock::Clock;
use crate::regions::{Counts, Regions};
use crate::thread::Thread;
use std::error::Error;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

/// Who has had nothing to do for so long is done with the request.
const IDLE: Duration = Duration::from_millis(200);

pub(crate) fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (numbers, file) = match *arguments {
        [process, thread, seconds] => ([process, thread, seconds], None),
        [process, thread, seconds, file] => ([process, thread, seconds], Some(file)),
        _ => return Err("usage: azeotrope-bench-steps <process> <thread> <seconds> [<file>]".into()),
    };
    let [process, thread, seconds] = numbers.map(str::parse::<i32>);
    let (process, until) = (process?, Instant::now() + Duration::from_secs(u64::try_from(seconds?)?));
    io::stdin().read_line(&mut String::new())?;
    let mut thread = Thread::seize(thread?, until)?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut clock = Clock::new(process, &maps)?;
    let addresses = step_through(&mut thread, &mut clock, until)?;
    drop(thread);
    let program = fs::read_link(format!("/proc/{process}/exe"))?;
    let regions = Regions::parse(&maps, &program.to_string_lossy());
    println!("{}\n{}", Counts::of(addresses.iter().copied(), &regions), Counts::lines_of(&addresses, &regions));
    if let Some(file) = file {
        fs::write(file, addresses.iter().flat_map(|address| address.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    Ok(())
}

/// The addresses of what the thread executes for what wakes it next, until it is idle again.
fn step_through(thread: &mut Thread, clock: &mut Clock, until: Instant) -> Result<Vec<u64>, Box<dyn Error>> {
    // What it does now was begun before: timers that are due, at most.
    to_wait(thread, clock)?;
    println!("ready");
    let (mut all, mut patience) = (Vec::new(), until);
    while let Some(events) = thread.wait(patience)? {
        let executed = to_wait(thread, clock)?;
        // Without events it was only late: no timer comes due.
        if events {
            all.extend(executed);
            patience = Instant::now() + IDLE;
        }
    }
    if all.is_empty() { Err("no request came".into()) } else { Ok(all) }
}

/// Steps it to where it waits. What repeats itself, as the copying of memory does (`rep movsb`), is one instruction: processors
/// count so, too.
fn to_wait(thread: &mut Thread, clock: &mut Clock) -> Result<Vec<u64>, Box<dyn Error>> {
    let mut addresses = Vec::new();
    while !thread.is_about_to_wait() {
        clock.passes(thread.at(), thread.arguments())?;
        if addresses.last() != Some(&thread.at()) {
            addresses.push(thread.at());
        }
        thread.step()?;
    }
    Ok(addresses)
}
