//! The store that several sidecars share: Redis or Valkey.
//!
//! | key (all begin with `{azeotrope}:`, one slot of a cluster) | type | holds |
//! |---|---|---|
//! | `stream` | stream | batches of observations |
//! | `sequence:<sender>` | string, a day | the last number of a sender |
//! | `lease:<name>`, `fence:<name>` | string | who has a duty; how often it was taken |
//! | `snapshot` | hash | how far the stream was read, and what came of it |
//! | `editions` | sorted set | bundles by version |
//! | `parts` | hash | parts by SHA-256 |
//! | `senders`, `heard` | hash, sorted set | filters' workers, and when they were heard |
//! | `requests:<day>`, `accounts:<day>` | string, HyperLogLog | a day's numbers |
//! | `audit` | list | who changed what |
//! | `documents` | hash | small documents |
//!
//! What must happen at once is a script; times are Redis' own, so that the sidecars' clocks do not matter.

use super::{
    AUDITS, Appended, Audit, Cursor, DAY, DUTY, Duty, EDITIONS, Edition, Entry, Fence, Hash, Outcome, Published,
    Records, SENDERS, Seen, Shelf, Stream, Unavailable, WAITING,
};
use redis::streams::StreamRangeReply;
use redis::{Client, Connection, ConnectionLike, FromRedisValue, Script, cmd};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a connection may take, and an answer.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(5);
/// Connections that are kept for the next call.
const IDLE: usize = 8;

/// Redis.
pub(super) struct Redis {
    client: Client,
    idle: Mutex<Vec<Connection>>,
    scripts: Scripts,
}

struct Scripts {
    append: Script,
    lease: Script,
    release: Script,
    save: Script,
    publish: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            append: Script::new(include_str!("redis/append.lua")),
            lease: Script::new(include_str!("redis/lease.lua")),
            release: Script::new(include_str!("redis/release.lua")),
            save: Script::new(include_str!("redis/save.lua")),
            publish: Script::new(include_str!("redis/publish.lua")),
        }
    }
}

fn key(name: &str) -> String {
    ["{azeotrope}:", name].concat()
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err gives")]
fn away(error: redis::RedisError) -> Unavailable {
    Unavailable(error.to_string())
}

fn packed(value: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Redis {
    /// A store at a URL. Whether it answers is seen later: a sidecar may start before it.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub(super) fn open(url: &str) -> Result<Self, String> {
        if url.starts_with("rediss:") {
            return Err("--store: TLS is not built in; let a local proxy (stunnel, Envoy) speak it".to_owned());
        }
        // The message must not repeat the URL: there may be a password in it.
        let client = Client::open(url).map_err(|error| {
            format!("--store: not redis://[user:password@]host[:port][/database]: {:?}", error.kind())
        })?;
        Ok(Self { client, idle: Mutex::default(), scripts: Scripts::default() })
    }

    /// Asks over a connection that is kept if all goes well.
    fn ask<T>(&self, ask: impl FnOnce(&mut Connection) -> redis::RedisResult<T>) -> Outcome<T> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match kept.filter(ConnectionLike::is_open) {
            Some(kept) => kept,
            None => self.connect()?,
        };
        let answer = ask(&mut connection).map_err(away)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn connect(&self) -> Outcome<Connection> {
        // Those that were kept are of the time before it went away, too.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let connection = self.client.get_connection_with_timeout(CONNECT).map_err(away)?;
        connection.set_read_timeout(Some(ANSWER)).map_err(away)?;
        connection.set_write_timeout(Some(ANSWER)).map_err(away)?;
        Ok(connection)
    }

    fn command<T: FromRedisValue>(&self, command: &redis::Cmd) -> Outcome<T> {
        self.ask(|connection| command.query(connection))
    }
}

/// `1758-3`, as streams name their entries.
fn id(cursor: &Cursor) -> String {
    format!("{}-{}", cursor.0, cursor.1)
}

fn cursor(id: &str) -> Option<Cursor> {
    let (time, number) = id.split_once('-')?;
    Some(Cursor(time.parse().ok()?, number.parse().ok()?))
}

impl Stream for Redis {
    fn append(&self, sender: u64, sequence: u64, received: u64, batch: &[u8]) -> Outcome<Appended> {
        let mut call = self.scripts.append.prepare_invoke();
        call.key(key("stream")).key(key(&format!("sequence:{sender:016x}")));
        call.arg(sequence).arg(received).arg(batch).arg(WAITING);
        match self.ask(|connection| call.invoke::<i64>(connection))? {
            1 => Ok(Appended::New),
            0 => Ok(Appended::Duplicate),
            _ => Err(Unavailable(format!("{WAITING} batches wait"))),
        }
    }

    fn read(&self, after: &Cursor, most: usize) -> Outcome<Vec<Entry>> {
        let begin = format!("({}", id(after));
        let reply: StreamRangeReply =
            self.command(cmd("XRANGE").arg(key("stream")).arg(begin).arg("+").arg("COUNT").arg(most))?;
        let entry = |entry: &redis::streams::StreamId| {
            Some(Entry { cursor: cursor(&entry.id)?, received: entry.get("at")?, batch: entry.get("batch")? })
        };
        Ok(reply.ids.iter().filter_map(entry).collect())
    }

    fn trim(&self, upto: &Cursor) -> Outcome<()> {
        let next = Cursor(upto.0, upto.1.saturating_add(1));
        self.command::<u64>(cmd("XTRIM").arg(key("stream")).arg("MINID").arg(id(&next))).map(drop)
    }

    fn waiting(&self) -> Outcome<u64> {
        self.command(cmd("XLEN").arg(key("stream")))
    }
}

impl Duty for Redis {
    fn lease(&self, name: &str, owner: u64, ttl: Duration) -> Outcome<Option<Fence>> {
        let mut call = self.scripts.lease.prepare_invoke();
        call.key(key(&format!("lease:{name}"))).key(key(&format!("fence:{name}")));
        call.arg(format!("{owner:016x}")).arg(milliseconds(ttl));
        let number: u64 = self.ask(|connection| call.invoke(connection))?;
        Ok((number > 0).then_some(Fence(number)))
    }

    fn release(&self, name: &str, owner: u64) -> Outcome<()> {
        let mut call = self.scripts.release.prepare_invoke();
        call.key(key(&format!("lease:{name}"))).arg(format!("{owner:016x}"));
        self.ask(|connection| call.invoke::<i64>(connection)).map(drop)
    }

    fn save(&self, fence: Fence, cursor: &Cursor, snapshot: &[u8]) -> Outcome<bool> {
        let mut call = self.scripts.save.prepare_invoke();
        call.key(key(&format!("fence:{DUTY}"))).key(key("snapshot"));
        call.arg(fence.0).arg(id(cursor)).arg(snapshot);
        self.ask(|connection| call.invoke::<i64>(connection)).map(|saved| saved == 1)
    }

    fn load(&self) -> Outcome<Option<(Cursor, Vec<u8>)>> {
        let saved: (Option<String>, Option<Vec<u8>>) =
            self.command(cmd("HMGET").arg(key("snapshot")).arg("cursor").arg("bytes"))?;
        Ok(saved.0.as_deref().and_then(cursor).zip(saved.1))
    }
}

impl Shelf for Redis {
    fn publish(&self, fence: Fence, edition: &Edition, parts: &[(Hash, &[u8])]) -> Outcome<Published> {
        // Parts first, outside the script: they are large, and named by what they hold. A bundle that is not published
        // leaves them for `keep`.
        if !parts.is_empty() {
            let mut put = redis::pipe();
            for (hash, bytes) in parts {
                put.cmd("HSETNX").arg(key("parts")).arg(&hash[..]).arg(*bytes).ignore();
            }
            self.ask(|connection| put.query::<()>(connection))?;
        }
        let mut call = self.scripts.publish.prepare_invoke();
        call.key(key(&format!("fence:{DUTY}"))).key(key("editions"));
        call.arg(fence.0).arg(edition.version).arg(packed(edition)).arg(EDITIONS);
        let behind: i64 = self.ask(|connection| call.invoke(connection))?;
        Ok(match u64::try_from(behind) {
            Ok(current) => Published::Behind(current),
            Err(_) => Published::Done,
        })
    }

    fn current(&self) -> Outcome<Option<Edition>> {
        Ok(self.editions(1)?.into_iter().next())
    }

    fn part(&self, hash: &Hash) -> Outcome<Option<Vec<u8>>> {
        self.command(cmd("HGET").arg(key("parts")).arg(&hash[..]))
    }

    fn editions(&self, most: usize) -> Outcome<Vec<Edition>> {
        let last = most.saturating_sub(1);
        let all: Vec<Vec<u8>> = self.command(cmd("ZREVRANGE").arg(key("editions")).arg(0).arg(last))?;
        Ok(all.iter().filter_map(|bytes| unpacked(bytes)).collect())
    }

    fn keep(&self, wanted: &[Hash]) -> Outcome<()> {
        let names: Vec<Vec<u8>> = self.command(cmd("HKEYS").arg(key("parts")))?;
        let unwanted = names.into_iter().filter(|name| wanted.iter().all(|hash| hash[..] != name[..]));
        for name in unwanted {
            self.command::<u64>(cmd("HDEL").arg(key("parts")).arg(name))?;
        }
        Ok(())
    }
}

impl Records for Redis {
    fn report(&self, seen: &Seen, requests: u64, accounts: &[u64]) -> Outcome<()> {
        let day = seen.at / DAY;
        let old = seen.at.saturating_sub(DAY);
        let mut put = redis::pipe();
        put.cmd("HSET").arg(key("senders")).arg(seen.sender).arg(packed(seen)).ignore();
        put.cmd("ZADD").arg(key("heard")).arg(seen.at).arg(seen.sender).ignore();
        put.cmd("ZRANGEBYSCORE").arg(key("heard")).arg("-inf").arg(old).arg("LIMIT").arg(0).arg(100);
        if requests > 0 {
            let (count, distinct) = (key(&format!("requests:{day}")), key(&format!("accounts:{day}")));
            const KEPT: u64 = 32 * 86_400;
            put.cmd("INCRBY").arg(&count).arg(requests).ignore();
            put.cmd("EXPIRE").arg(&count).arg(KEPT).ignore();
            put.cmd("PFADD").arg(&distinct).arg(accounts).ignore();
            put.cmd("EXPIRE").arg(&distinct).arg(KEPT).ignore();
        }
        let (gone,): (Vec<u64>,) = self.ask(|connection| put.query(connection))?;
        if !gone.is_empty() {
            self.command::<u64>(cmd("HDEL").arg(key("senders")).arg(&gone))?;
            self.command::<u64>(cmd("ZREM").arg(key("heard")).arg(&gone))?;
        }
        Ok(())
    }

    fn senders(&self, since: u64) -> Outcome<Vec<Seen>> {
        let heard: Vec<u64> = self
            .command(cmd("ZRANGEBYSCORE").arg(key("heard")).arg(since).arg("+inf").arg("LIMIT").arg(0).arg(SENDERS))?;
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<Option<Vec<u8>>> = self.command(cmd("HMGET").arg(key("senders")).arg(&heard))?;
        Ok(all.iter().flatten().filter_map(|bytes| unpacked(bytes)).collect())
    }

    fn today(&self, at: u64) -> Outcome<(u64, u64)> {
        let day = at / DAY;
        let count: Option<u64> = self.command(cmd("GET").arg(key(&format!("requests:{day}"))))?;
        let distinct: u64 = self.command(cmd("PFCOUNT").arg(key(&format!("accounts:{day}"))))?;
        Ok((count.unwrap_or(0), distinct))
    }

    fn audit(&self, audit: &Audit) -> Outcome<()> {
        let mut put = redis::pipe();
        put.cmd("LPUSH").arg(key("audit")).arg(packed(audit)).ignore();
        put.cmd("LTRIM").arg(key("audit")).arg(0).arg(AUDITS - 1).ignore();
        self.ask(|connection| put.query::<()>(connection))
    }

    fn audits(&self, most: usize) -> Outcome<Vec<Audit>> {
        let last = most.saturating_sub(1);
        let all: Vec<Vec<u8>> = self.command(cmd("LRANGE").arg(key("audit")).arg(0).arg(last))?;
        Ok(all.iter().filter_map(|bytes| unpacked(bytes)).collect())
    }

    fn set(&self, name: &str, value: &[u8]) -> Outcome<()> {
        self.command::<u64>(cmd("HSET").arg(key("documents")).arg(name).arg(value)).map(drop)
    }

    fn get(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        self.command(cmd("HGET").arg(key("documents")).arg(name))
    }
}
