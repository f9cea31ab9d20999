//! A Redis stream; the last sequence of each sender is a key that expires.

use super::{Redis, count, key, padded};
use crate::store::{Appended, Cursor, Entry, LEAP, Outcome, Stream, Unavailable};
use azeotrope_engine::time::DAY;
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Script, cmd};
use std::sync::LazyLock;

/// Appends once: 1 where it did, 0 for a duplicate, -1 where the stream is full, -2 for one that is late, -3 for a leap. Numbers are
/// compared as text of one length: a double cannot tell large ones apart.
static APPEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local last = redis.call('GET', KEYS[2])
        if last and last == ARGV[1] then return 0 end
        if last and last > ARGV[1] then return -2 end
        if last and last < ARGV[6] then return -3 end
        if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
        redis.call('XADD', KEYS[1], '*', 'received', ARGV[2], 'batch', ARGV[3])
        redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[5])
        return 1",
    )
});

fn stream() -> String {
    key("stream")
}

impl Stream for Redis {
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended> {
        let keys = [stream(), key(&format!("sequence:{sender}"))];
        let least = sequence.saturating_sub(LEAP);
        let (sequence, received, day) = (padded(sequence), received.to_string(), DAY.to_string());
        let (most, least) = (self.limits.entries.to_string(), padded(least));
        let arguments =
            [sequence.as_bytes(), received.as_bytes(), batch, most.as_bytes(), day.as_bytes(), least.as_bytes()];
        match self.run::<i64>(&APPEND, &keys, &arguments)? {
            1 => Ok(Appended::New),
            0 => Ok(Appended::Duplicate),
            -2 => Ok(Appended::Late),
            -3 => Ok(Appended::Leap),
            _ => Err(Unavailable("the stream of observations is full".into())),
        }
    }

    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>> {
        // Redis refuses an open range after its last possible id.
        if most == 0 || *after == Cursor(u64::MAX, u64::MAX) {
            return Ok(Vec::new());
        }
        let mut range = cmd("XRANGE");
        range.arg(stream()).arg(format!("({}-{}", after.0, after.1)).arg("+").arg("COUNT").arg(count(most));
        let reply: StreamRangeReply = self.with(|connection| range.query(connection))?;
        reply.ids.iter().map(entry).collect()
    }

    fn trim(&self, upto: &Cursor) -> Outcome<()> {
        let (first, second) = match upto.1.checked_add(1) {
            Some(second) => (upto.0, second),
            None => (upto.0.saturating_add(1), 0),
        };
        let mut trim = cmd("XTRIM");
        trim.arg(stream()).arg("MINID").arg("=").arg(format!("{first}-{second}"));
        self.with(|connection| trim.query::<u64>(connection))?;
        Ok(())
    }

    fn waiting(&self) -> Outcome<u64> {
        self.with(|connection| cmd("XLEN").arg(stream()).query(connection))
    }
}

/// An entry of the stream; fails for one that nobody of us wrote.
fn entry(id: &StreamId) -> Outcome<Entry> {
    let parsed = id.id.split_once('-').and_then(|(first, second)| {
        let cursor = Cursor(first.parse().ok()?, second.parse().ok()?);
        Some(Entry { cursor, received: id.get("received")?, batch: id.get("batch")? })
    });
    parsed.ok_or_else(|| Unavailable(format!("Redis: entry {} of the stream is none of Azeotrope's", id.id)))
}
