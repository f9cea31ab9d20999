//! Leases are keys that expire by the clock of Redis; their fences stay.

use super::{Redis, invocation, key, padded};
use crate::store::{Cursor, Duty, Fence, JOINER, Outcome, Unavailable};
use redis::{Script, cmd};
use std::sync::LazyLock;
use std::time::Duration;

/// Takes or renews: the fence, or nil where another has it. A fence without a holder, or a holder without one, is a
/// lease that is free.
static LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local holder = redis.call('GET', KEYS[1])
        if holder and holder ~= ARGV[1] then return false end
        local fence = redis.call('GET', KEYS[2])
        if not (holder and fence) then
            local time = redis.call('TIME')
            local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
            fence = string.format('%020.0f', math.max(tonumber(fence or 0) + 1, now))
            redis.call('SET', KEYS[2], fence)
        end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return fence",
    )
});

static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1")
});

/// Saves unless the fence is behind: 1 or 0.
static SAVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local latest = redis.call('GET', KEYS[1])
        if latest and latest > ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[1])
        redis.call('HSET', KEYS[2], 'cursor', ARGV[2], 'snapshot', ARGV[3])
        return 1",
    )
});

/// Where the latest fence of a lease is.
pub(super) fn fence_key(name: &str) -> String {
    key(&format!("fence:{name}"))
}

fn lease_key(name: &str) -> String {
    key(&format!("lease:{name}"))
}

impl Duty for Redis {
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>> {
        // Redis refuses times that do not fit with its clock in 63 bits.
        let ttl = ttl.as_millis().clamp(1, 1 << 50).to_string();
        let owner = owner.to_string();
        let fence: Option<u64> =
            self.run(&LEASE, &[lease_key(name), fence_key(name)], &[owner.as_bytes(), ttl.as_bytes()])?;
        Ok(fence.map(Fence))
    }

    fn release(&self, name: &str, owner: u64) -> Outcome<()> {
        self.run::<i64>(&RELEASE, &[lease_key(name)], &[owner.to_string().as_bytes()])?;
        Ok(())
    }

    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool> {
        let (fence, cursor) = (padded(fence.0), format!("{}-{}", cursor.0, cursor.1));
        let keys = [fence_key(JOINER), key("snapshot")];
        let saving = invocation(&SAVE, &keys, &[fence.as_bytes(), cursor.as_bytes(), snapshot]);
        self.pool.patiently(|connection| saving.invoke(connection))
    }

    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>> {
        let mut command = cmd("HMGET");
        command.arg(key("snapshot")).arg("cursor").arg("snapshot");
        let saved: (Option<String>, Option<Vec<u8>>) = self.pool.patiently(|connection| command.query(connection))?;
        let (Some(cursor), Some(snapshot)) = saved else { return Ok(None) };
        let cursor = cursor.split_once('-').and_then(|(first, second)| {
            let halves = (first.parse().ok()?, second.parse().ok()?);
            Some(Cursor(halves.0, halves.1))
        });
        let cursor = cursor.ok_or_else(|| Unavailable("Redis: the snapshot's cursor cannot be read".into()))?;
        Ok(Some((cursor, snapshot)))
    }
}
