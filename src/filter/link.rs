//! Observations on their way to the sidecar: queued as they are made, sent on a tick, never waited for.

use crate::abi::Level;
use crate::host::{self, Answered};
use crate::metrics::{self, Metric};
use crate::tell;
use azeotrope_engine::observation::{Header, Load, Queue};
use azeotrope_engine::rules::Sidecar;
use azeotrope_engine::time::{MINUTE, SECOND, Timestamp};
use std::fmt;

/// Milliseconds after which a batch that was not answered is given up: the sidecar would take it for younger than it is.
const OLDEST: u64 = MINUTE;
/// Milliseconds between signs of life where there is nothing to tell.
const QUIET: u64 = 10 * SECOND;
/// Milliseconds until a call to the sidecar is given up.
const TIMEOUT: u32 = 3_000;

/// How the sidecar is spoken to.
#[derive(Debug)]
pub(crate) struct Wire {
    sidecar: Sidecar,
}

impl Wire {
    pub(crate) fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    pub(crate) fn poll_milliseconds(&self) -> u64 {
        u64::from(self.sidecar.poll_seconds).saturating_mul(1_000)
    }

    pub(crate) fn flush_milliseconds(&self) -> u64 {
        u64::from(self.sidecar.flush_milliseconds)
    }

    /// Begins a call; its token. `more`: headers beside those that every call has.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: Option<&[u8]>,
        timeout: u32,
    ) -> Option<u32> {
        let path = [&self.sidecar.path_prefix, path].concat();
        let mut headers = vec![(":method", method), (":path", &path), (":authority", &self.sidecar.authority)];
        let token = self.sidecar.token.as_ref().map(|token| ["Bearer ", token.reveal()].concat());
        if let Some(token) = &token {
            headers.push(("authorization", token));
        }
        headers.extend_from_slice(more);
        let called = host::call(self.sidecar.cluster.as_deref().unwrap_or(""), &headers, body, timeout);
        metrics::add(Metric::SidecarFailed, u32::from(called.is_none()));
        called
    }
}

/// The observations of one worker under one configuration.
#[derive(Debug)]
pub(crate) struct Link {
    queue: Queue,
    /// What is on its way, and under which number.
    pending: Option<Load>,
    sequence: u64,
    flight: Option<u32>,
    next: Timestamp,
    /// When the sidecar last heard anything, and which version it was told.
    told: Timestamp,
    version: u64,
    /// As counted so far.
    lost: u64,
    given_up: u64,
    /// When it is next told that the sidecar takes nothing.
    complains: Timestamp,
}

impl Link {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            queue: Queue::new(usize::try_from(limit).unwrap_or(usize::MAX)),
            pending: None,
            sequence: 0,
            flight: None,
            next: Timestamp(0),
            told: Timestamp(0),
            version: 0,
            lost: 0,
            given_up: 0,
            complains: Timestamp(0),
        }
    }

    pub(crate) fn queue(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// Observations that were not taken yet.
    pub(crate) fn waiting(&self) -> u32 {
        self.queue.count().saturating_add(self.pending.as_ref().map_or(0, |load| load.count))
    }

    /// Its configuration, which ran `version`, has ended: nobody hears the answer to what is on its way, so that is sent again
    /// under its number, and at once.
    pub(crate) fn leave(&mut self, version: u64) {
        self.flight = None;
        self.next = Timestamp(0);
        self.version = version;
    }

    /// Sends what waits, when it is time and nothing is on its way. `header`: who sends, and what it runs.
    pub(crate) fn tick(&mut self, wire: &Wire, header: Header, now: Timestamp) {
        if self.flight.is_some() || !now.is_due(self.next, wire.flush_milliseconds()) {
            return;
        }
        self.next = Timestamp(now.0.saturating_add(wire.flush_milliseconds()));
        if let Some(stale) = self.pending.take_if(|load| load.age(now) > OLDEST) {
            self.give_up(stale.count);
        }
        let lost = self.queue.lost().saturating_add(self.given_up);
        metrics::add(Metric::SidecarLost, u32::try_from(lost.saturating_sub(self.lost)).unwrap_or(u32::MAX));
        self.lost = lost;
        if self.pending.is_none() {
            // A version that has come into force is told at once.
            let news = now.since(self.told) >= QUIET || header.rules != self.version;
            let quiet = || news.then(|| Load::empty(now));
            self.pending = self.queue.take().or_else(quiet);
            self.sequence = self.sequence.saturating_add(u64::from(self.pending.is_some()));
        }
        let Some(load) = &self.pending else { return };
        self.version = header.rules;
        let batch = load.batch(Header { sequence: self.sequence, lost, ..header }, now);
        let kind = [("content-type", "application/octet-stream")];
        self.flight = wire.call("POST", "/v1/observations", &kind, Some(&batch), TIMEOUT);
        if self.flight.is_none() {
            self.complain(now, format_args!("sidecar: no such cluster"));
        }
    }

    /// Takes an answer, if it is to this.
    pub(crate) fn answered(&mut self, answered: &Answered, now: Timestamp) -> bool {
        if self.flight != Some(answered.token) {
            return false;
        }
        self.flight = None;
        match answered.status {
            // 409: it was there already; the answer to the first one was lost.
            200..=299 | 409 => {
                self.told = now;
                let sent = self.pending.take().map_or(0, |load| load.count);
                metrics::add(Metric::SidecarSent, sent);
            }
            // It will not be taken however often it is sent.
            400 | 401 | 403 | 404 | 413 | 415 => {
                let count = self.pending.take().map_or(0, |load| load.count);
                self.give_up(count);
                metrics::count(Metric::SidecarFailed);
                self.complain(now, format_args!("sidecar: {}", answered.status));
            }
            // It is tried again at the next tick.
            _ => metrics::count(Metric::SidecarFailed),
        }
        metrics::set(Metric::SidecarReached, u64::from(matches!(answered.status, 200..=299 | 409)));
        true
    }

    /// Tells what keeps a configuration from working, once a minute.
    fn complain(&mut self, now: Timestamp, what: fmt::Arguments<'_>) {
        if now.is_due(self.complains, MINUTE) {
            self.complains = Timestamp(now.0.saturating_add(MINUTE));
            tell::traffic(Level::Error, now, what);
        }
    }

    fn give_up(&mut self, count: u32) {
        self.given_up = self.given_up.saturating_add(u64::from(count));
    }
}
