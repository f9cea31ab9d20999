//! Editions are a list, newest first: versions only rise. Parts are a hash.

use super::duty::fence_key;
use super::{Redis, key, last, padded};
use crate::store::{EDITIONS, Edition, Fence, Hash, JOINER, Outcome, Published, Shelf, pack, unpack};
use redis::{Script, cmd};
use std::sync::LazyLock;

/// Publishes upwards: nil where it did, else the current version (0: none). `fresh` names the parts of the current one.
static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local latest = redis.call('GET', KEYS[1])
        local current = redis.call('GET', KEYS[2])
        if (latest and latest > ARGV[1]) or (current and current >= ARGV[2]) then return current or '0' end
        redis.call('SET', KEYS[1], ARGV[1])
        redis.call('SET', KEYS[2], ARGV[2])
        redis.call('LPUSH', KEYS[3], ARGV[3])
        redis.call('LTRIM', KEYS[3], 0, ARGV[4])
        redis.call('DEL', KEYS[5])
        for i = 5, #ARGV, 2 do
            redis.call('HSET', KEYS[4], ARGV[i], ARGV[i + 1])
            redis.call('SADD', KEYS[5], ARGV[i])
        end
        return false",
    )
});

static KEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local wanted = {}
        for _, hash in ipairs(ARGV) do wanted[hash] = true end
        for _, hash in ipairs(redis.call('HKEYS', KEYS[1])) do
            if not wanted[hash] and redis.call('SISMEMBER', KEYS[2], hash) == 0 then
                redis.call('HDEL', KEYS[1], hash)
            end
        end
        return 1",
    )
});

impl Shelf for Redis {
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published> {
        let keys = [fence_key(JOINER), key("version"), key("editions"), key("parts"), key("fresh")];
        let (fence, version, packed) = (padded(fence.0), padded(edition.version), pack(edition)?);
        let end = last(EDITIONS).to_string();
        let mut arguments = vec![fence.as_bytes(), version.as_bytes(), packed.as_slice(), end.as_bytes()];
        arguments.extend(parts.iter().flat_map(|(hash, part)| [hash.as_slice(), part]));
        let current: Option<u64> = self.run(&PUBLISH, &keys, &arguments)?;
        Ok(current.map_or(Published::Done, Published::Behind))
    }

    fn current(&self) -> Outcome<Option<Edition>> {
        Ok(self.history(1)?.pop())
    }

    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>> {
        self.with(|connection| cmd("HGET").arg(key("parts")).arg(hash.as_slice()).query(connection))
    }

    fn history(&self, most: usize) -> Outcome<Vec<Edition>> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let packed: Vec<Vec<u8>> =
            self.with(|connection| cmd("LRANGE").arg(key("editions")).arg(0).arg(last(most)).query(connection))?;
        packed.iter().map(|edition| unpack(edition)).collect()
    }

    fn keep(&self, wanted: &[Hash]) -> Outcome<()> {
        let wanted: Vec<&[u8]> = wanted.iter().map(Hash::as_slice).collect();
        self.run::<i64>(&KEEP, &[key("parts"), key("fresh")], &wanted)?;
        Ok(())
    }
}
