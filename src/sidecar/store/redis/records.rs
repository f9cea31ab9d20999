//! Senders by time in a sorted set, what they said and a day's figures in keys that expire, audit records in a list.

use super::{Redis, count, key, last};
use crate::store::{AUDITS, Audit, Outcome, Records, SENDERS, Seen, pack, unpack};
use azeotrope_engine::time::DAY;
use redis::{cmd, pipe};

fn said_key(sender: u64) -> String {
    key(&format!("sender:{sender}"))
}

/// Where the requests and the accounts of a day are.
fn day_keys(at: u64) -> (String, String) {
    let day = at / DAY;
    (key(&format!("requests:{day}")), key(&format!("accounts:{day}")))
}

impl Records for Redis {
    fn report(&self, seen: &Seen, requests: u32, accounts: &[u64]) -> Outcome<()> {
        let packed = pack(seen)?;
        let (senders, (counted, known)) = (key("senders"), day_keys(seen.at));
        let too_old = format!("({}", seen.at.saturating_sub(DAY));
        let mut pipe = pipe();
        pipe.atomic();
        pipe.cmd("ZADD").arg(&senders).arg(seen.at).arg(seen.sender).ignore();
        pipe.cmd("ZREMRANGEBYSCORE").arg(&senders).arg("-inf").arg(too_old).ignore();
        pipe.cmd("ZREMRANGEBYRANK").arg(&senders).arg(0).arg(-count(SENDERS) - 1).ignore();
        pipe.cmd("SET").arg(said_key(seen.sender)).arg(packed).arg("PX").arg(DAY).ignore();
        pipe.cmd("INCRBY").arg(&counted).arg(requests).ignore();
        pipe.cmd("PEXPIRE").arg(&counted).arg(2 * DAY).ignore();
        if !accounts.is_empty() {
            pipe.cmd("PFADD").arg(&known).arg(accounts).ignore();
            pipe.cmd("PEXPIRE").arg(&known).arg(2 * DAY).ignore();
        }
        self.with(|connection| pipe.query::<()>(connection))
    }

    fn senders(&self, since: u64) -> Outcome<Vec<Seen>> {
        let mut latest = cmd("ZREVRANGEBYSCORE");
        latest.arg(key("senders")).arg("+inf").arg(since).arg("LIMIT").arg(0).arg(SENDERS);
        let senders: Vec<u64> = self.with(|connection| latest.query(connection))?;
        if senders.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = senders.into_iter().map(said_key).collect();
        let said: Vec<Option<Vec<u8>>> = self.with(|connection| cmd("MGET").arg(keys).query(connection))?;
        said.iter().flatten().map(|packed| unpack(packed)).collect()
    }

    fn today(&self, at: u64) -> Outcome<(u64, u64)> {
        let (counted, known) = day_keys(at);
        let mut pipe = pipe();
        pipe.cmd("GET").arg(counted).cmd("PFCOUNT").arg(known);
        let (requests, accounts): (Option<u64>, u64) = self.with(|connection| pipe.query(connection))?;
        Ok((requests.unwrap_or(0), accounts))
    }

    fn audit(&self, audit: &Audit) -> Outcome<()> {
        let packed = pack(audit)?;
        let mut pipe = pipe();
        pipe.atomic();
        pipe.cmd("LPUSH").arg(key("audits")).arg(packed).ignore();
        pipe.cmd("LTRIM").arg(key("audits")).arg(0).arg(last(AUDITS)).ignore();
        self.with(|connection| pipe.query::<()>(connection))
    }

    fn audits(&self, most: usize) -> Outcome<Vec<Audit>> {
        if most == 0 {
            return Ok(Vec::new());
        }
        let packed: Vec<Vec<u8>> =
            self.with(|connection| cmd("LRANGE").arg(key("audits")).arg(0).arg(last(most)).query(connection))?;
        packed.iter().map(|audit| Audit::unpack(audit)).collect()
    }

    fn forget_audits(&self, before: u64) -> Outcome<()> {
        // New ones come to the other end.
        loop {
            let oldest: Option<Vec<u8>> =
                self.with(|connection| cmd("LINDEX").arg(key("audits")).arg(-1).query(connection))?;
            match oldest {
                Some(packed) if Audit::unpack(&packed).is_ok_and(|audit| audit.at >= before) => return Ok(()),
                Some(_) => self.with(|connection| cmd("RPOP").arg(key("audits")).query::<()>(connection))?,
                None => return Ok(()),
            }
        }
    }

    fn set(&self, name: &str, value: &[u8]) -> Outcome<()> {
        self.with(|connection| cmd("SET").arg(key(&format!("value:{name}"))).arg(value).query(connection))
    }

    fn get(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        self.with(|connection| cmd("GET").arg(key(&format!("value:{name}"))).query(connection))
    }
}
