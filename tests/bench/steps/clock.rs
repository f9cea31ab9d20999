//! A clock that stands still for the thread that is stepped: no timer comes due, neither Envoy's nor the module's, however long
//! stepping takes. Programs read the clock in the vDSO, a library that the kernel maps into each; what it answers first is what
//! the thread reads from then on.

use crate::regions;
use object::{File, Object, ObjectSymbol};
use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Seconds and nanoseconds as the kernel writes them (`struct timespec`).
type Time = [u8; 16];

/// What a call of `clock_gettime` was given.
struct Call {
    clock: u64,
    answer: u64,
}

/// The clocks of a process.
pub(crate) struct Clock {
    memory: fs::File,
    vdso: Range<u64>,
    /// Where `clock_gettime` begins.
    begin: u64,
    call: Option<Call>,
    /// What each clock said first.
    stands: HashMap<u64, Time>,
}

impl Clock {
    /// Of a process with these mappings.
    pub(crate) fn new(process: i32, maps: &str) -> Result<Self, Box<dyn Error>> {
        let memory = fs::File::options().read(true).write(true).open(format!("/proc/{process}/mem"))?;
        let line = maps.lines().find(|line| line.ends_with("[vdso]")).ok_or("the process has no vDSO")?;
        let vdso = line.split(' ').next().and_then(regions::range).ok_or("no range of the vDSO")?;
        let mut image = vec![0; usize::try_from(vdso.end - vdso.start)?];
        memory.read_exact_at(&mut image, vdso.start)?;
        let begin = vdso.start + offset(&image)?;
        Ok(Self { memory, vdso, begin, call: None, stands: HashMap::new() })
    }

    /// The thread is about to execute what lies at `at`; `arguments` are its first two registers for them.
    pub(crate) fn passes(&mut self, at: u64, arguments: [u64; 2]) -> io::Result<()> {
        if at == self.begin {
            let [clock, answer] = arguments;
            self.call = Some(Call { clock, answer });
        } else if !self.vdso.contains(&at)
            && let Some(call) = self.call.take()
        {
            self.stop(&call)?;
        }
        Ok(())
    }

    /// Puts what the clock said first in place of what it says now.
    fn stop(&mut self, call: &Call) -> io::Result<()> {
        if let Some(first) = self.stands.get(&call.clock) {
            return self.memory.write_all_at(first, call.answer);
        }
        let mut first = Time::default();
        self.memory.read_exact_at(&mut first, call.answer)?;
        self.stands.insert(call.clock, first);
        Ok(())
    }
}

/// Where in the vDSO `clock_gettime` is.
fn offset(image: &[u8]) -> Result<u64, Box<dyn Error>> {
    let file = File::parse(image)?;
    let found = file.dynamic_symbols().find(|symbol| symbol.name() == Ok("__vdso_clock_gettime"));
    Ok(found.ok_or("the vDSO has no clock_gettime")?.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_says_what_it_said_first() {
        let process = i32::try_from(std::process::id()).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut clock = Clock::new(process, &maps).unwrap();
        let read = |clock: &mut Clock, of: u64, says: u8| {
            let answer = Box::new([says; 16]);
            let begin = clock.begin;
            clock.passes(begin, [of, std::ptr::from_ref(&*answer) as u64]).unwrap();
            clock.passes(begin + 4, [0, 0]).unwrap();
            clock.passes(0x1000, [0, 0]).unwrap();
            std::hint::black_box(answer)[3]
        };
        assert_eq!([read(&mut clock, 0, 7), read(&mut clock, 1, 8)], [7, 8]);
        assert_eq!([read(&mut clock, 0, 9), read(&mut clock, 1, 10)], [7, 8]);
    }
}
