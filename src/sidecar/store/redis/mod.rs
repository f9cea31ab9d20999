//! The store of several sidecars: a Redis from 6.2 on.
//!
//! What is durable is what Redis makes so: with `appendonly yes` and `appendfsync everysec` an acknowledged batch of the
//! last second may be lost in a crash, with `always` none; without `appendonly`, everything with the process. A failover
//! may lose what its replica had not yet. Set `maxmemory-policy noeviction`: a full Redis then refuses batches, and the
//! filters count what they lose; any other policy takes away what is relied upon. All keys are in one slot
//! (`{azeotrope}`): in a cluster, give the address of the node that has it.

mod duty;
mod pool;
mod records;
mod shelf;
mod stream;

use super::{Limits, Outcome};
use ::redis::{Connection, FromRedisValue, RedisResult, Script, ScriptInvocation};
use pool::Pool;

/// The store in a Redis.
pub(super) struct Redis {
    pool: Pool,
    limits: Limits,
}

impl Redis {
    /// A store at a URL. Connects only when asked for something; the only error is a URL that cannot be used.
    pub(super) fn new(url: &str, limits: Limits) -> Result<Self, String> {
        Ok(Self { pool: Pool::new(url)?, limits })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> RedisResult<T>) -> Outcome<T> {
        self.pool.with(work)
    }

    fn run<T: FromRedisValue>(&self, script: &Script, keys: &[String], arguments: &[&[u8]]) -> Outcome<T> {
        let invocation = invocation(script, keys, arguments);
        self.with(|connection| invocation.invoke(connection))
    }
}

fn invocation<'s>(script: &'s Script, keys: &[String], arguments: &[&[u8]]) -> ScriptInvocation<'s> {
    let mut invocation = script.prepare_invoke();
    for key in keys {
        invocation.key(key);
    }
    for argument in arguments {
        invocation.arg(argument);
    }
    invocation
}

/// A key of ours.
fn key(name: &str) -> String {
    format!("{{azeotrope}}:{name}")
}

/// A number that Lua compares as text: its own numbers are exact only to 2^53.
fn padded(number: u64) -> String {
    format!("{number:020}")
}

/// A count that Redis takes: its integers have 63 bits.
fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// The last index of the first `most` (at least one) of a list.
fn last(most: usize) -> i64 {
    count(most) - 1
}

#[cfg(test)]
mod tests;
