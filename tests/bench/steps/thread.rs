//! A thread that waits for events: stopped where it waits, stepped through what it does when some come.

use nix::libc::user_regs_struct;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::error::Error;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The system calls `epoll_wait` and `epoll_pwait`; their fourth argument is how long they wait at most.
const WAITS: [u64; 2] = [232, 281];
/// Bytes of the instruction that enters the kernel.
const SYSCALL: u64 = 2;
/// How often it is looked whether a thread still waits.
const LOOK: Duration = Duration::from_micros(500);
/// Instructions between looks at the time.
const CHECK: u32 = 1 << 14;

/// A thread that this program traces. Dropped, it runs on.
pub(crate) struct Thread {
    id: Pid,
    until: Instant,
    /// As they are before the next instruction.
    registers: user_regs_struct,
    /// The instruction by which it waits.
    waits_at: u64,
    steps: u32,
}

impl Thread {
    /// Stops a thread where it waits. After `until` nothing is done with it any more.
    pub(crate) fn seize(id: i32, until: Instant) -> Result<Self, Box<dyn Error>> {
        let id = Pid::from_raw(id);
        ptrace::seize(id, Options::empty()).map_err(|error| {
            format!(
                "ptrace is not permitted here ({error}): it takes root, CAP_SYS_PTRACE or kernel.yama.ptrace_scope=0"
            )
        })?;
        let mut thread = Self { id, until, registers: stop(id)?, waits_at: 0, steps: 0 };
        while !WAITS.contains(&thread.registers.orig_rax) {
            thread.in_time()?;
            ptrace::cont(id, None)?;
            sleep(LOOK);
            thread.registers = stop(id)?;
        }
        thread.waits_at = thread.at().wrapping_sub(SYSCALL);
        Ok(thread)
    }

    /// The address of its next instruction.
    pub(crate) fn at(&self) -> u64 {
        self.registers.rip
    }

    /// The first two arguments of the function whose first instruction is next.
    pub(crate) fn arguments(&self) -> [u64; 2] {
        [self.registers.rdi, self.registers.rsi]
    }

    /// Whether it is about to wait: looking what there is, without waiting, is not meant.
    pub(crate) fn is_about_to_wait(&self) -> bool {
        self.at() == self.waits_at && self.registers.r10 != 0
    }

    /// Executes the next instruction.
    pub(crate) fn step(&mut self) -> Result<(), Box<dyn Error>> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(CHECK) {
            self.in_time()?;
        }
        self.go_on(None)?;
        while !self.has_stepped(waitpid(self.id, Some(WaitPidFlag::__WALL))?)? {}
        Ok(())
    }

    /// Has it wait until something comes: whether that were events (and not the end of its patience). None: nothing came before
    /// `until`, and it still waits; nothing can be done with it any more.
    pub(crate) fn wait(&mut self, until: Instant) -> Result<Option<bool>, Box<dyn Error>> {
        self.go_on(None)?;
        while !self.has_stepped(waitpid(self.id, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG))?)? {
            if Instant::now() > until {
                return Ok(None);
            }
            sleep(LOOK);
        }
        Ok(Some(self.registers.rax.cast_signed() > 0))
    }

    /// Looks at what stopped it: whether it was the step that it was to take. Signals are handed on.
    fn has_stepped(&mut self, status: WaitStatus) -> Result<bool, Box<dyn Error>> {
        match status {
            WaitStatus::StillAlive => return Ok(false),
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            WaitStatus::Stopped(_, signal) => {
                self.go_on(Some(signal))?;
                return Ok(false);
            }
            other => return Err(format!("the thread did not step: {other:?}").into()),
        }
        self.registers = ptrace::getregs(self.id)?;
        Ok(true)
    }

    fn go_on(&self, signal: Option<Signal>) -> nix::Result<()> {
        ptrace::step(self.id, signal)
    }

    fn in_time(&self) -> Result<(), Box<dyn Error>> {
        if Instant::now() > self.until { Err("time is over".into()) } else { Ok(()) }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // The trap of a last step may be yet to come. Detached before that, the process would die of it.
        for _ in 0..3 {
            let _ = ptrace::cont(self.id, None);
            sleep(Duration::from_millis(20));
            let _ = stop(self.id);
        }
        let _ = ptrace::detach(self.id, None);
    }
}

/// Stops a thread that runs.
fn stop(id: Pid) -> nix::Result<user_regs_struct> {
    ptrace::interrupt(id)?;
    waitpid(id, Some(WaitPidFlag::__WALL))?;
    ptrace::getregs(id)
}
