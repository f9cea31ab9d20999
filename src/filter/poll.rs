//! Rules on their way from the sidecar: one worker of a process asks, verifies, and puts them on the shelf for all.

use crate::host::{self, Answered};
use crate::link::Wire;
use crate::metrics::{self, Metric};
use crate::shelf;
use crate::store::SharedStore;
use azeotrope_engine::bundle::{Manifest, Part, Refusal, TrustedKeys, hash};
use azeotrope_engine::store::{Key, SwapError};
use azeotrope_engine::time::Timestamp;

/// Milliseconds until asking for a manifest is given up.
const TIMEOUT: u32 = 2_000;
/// The same for a part.
const PART_TIMEOUT: u32 = 20_000;
/// Polls that a lease holds for.
const LEASE: u64 = 3;
/// The lease's name.
const LEADER: Key = Key::alone("bundle.leader");

/// A bundle that is being fetched.
#[derive(Debug)]
struct Found {
    sealed: Vec<u8>,
    manifest: Manifest,
    /// `None`: on the shelf already, or not fetched yet.
    parts: Vec<Option<Vec<u8>>>,
    missing: Vec<usize>,
}

/// Where asking is.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    next: Timestamp,
    flight: Option<u32>,
    found: Option<Found>,
}

impl Poll {
    /// Asks whether there is a newer bundle, when it is time and this worker's turn. `running`: the version in force here,
    /// which is that of the shelf: it was looked at just before.
    pub(crate) fn tick(&mut self, wire: &Wire, owner: u64, running: u64, now: Timestamp) {
        let every = wire.poll_milliseconds();
        // It is waited for a tenth longer at most.
        if self.flight.is_some() || !now.is_due(self.next, every.saturating_add(every / 10)) {
            return;
        }
        // A tenth earlier or later, each worker its own, so that a fleet does not ask in step.
        let jitter = (owner ^ now.0) % (every / 5).max(1);
        self.next = Timestamp(now.0.saturating_add(every - every / 10).saturating_add(jitter));
        let until = now.0.saturating_add(every.saturating_mul(LEASE));
        let mut store = SharedStore::default();
        if !shelf::lease(&mut store, LEADER, owner, now.0, until) {
            return;
        }
        let (tag, running) = (format!("\"{running}\""), running.to_string());
        let headers = [("if-none-match", tag.as_str()), ("x-azeotrope-running", running.as_str())];
        self.flight = wire.call("GET", "/v1/bundle", &headers, None, TIMEOUT);
    }

    /// Takes an answer, if it is to this.
    ///
    /// # Errors
    /// Why what came is not used. The next poll asks again.
    pub(crate) fn answered(
        &mut self,
        wire: &Wire,
        keys: &TrustedKeys,
        answered: &Answered,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if self.flight != Some(answered.token) {
            return Ok(false);
        }
        self.flight = None;
        let step = match (answered.status, &mut self.found) {
            (200, None) => self.manifest(keys, answered, now),
            (200, Some(found)) => found.part(answered),
            (status, _) => {
                // 304: nothing new; 404: nothing published yet.
                metrics::add(Metric::SidecarFailed, u32::from(!matches!(status, 304 | 404)));
                self.found = None;
                Ok(())
            }
        };
        if let Err(refusal) = step.and_then(|()| self.go_on(wire, keys)) {
            self.found = None;
            return Err(refusal);
        }
        Ok(true)
    }

    /// A manifest has come.
    fn manifest(&mut self, keys: &TrustedKeys, answered: &Answered, now: Timestamp) -> Result<(), Refusal> {
        /// Bytes beyond which no manifest is.
        const LARGEST: usize = 4_096;
        let sealed = host::answer_of_call(answered.size.min(LARGEST)).ok_or(Refusal::Damaged)?;
        let (manifest, rest) = Manifest::open(&sealed, keys)?;
        if !rest.is_empty() {
            return Err(Refusal::Damaged);
        }
        if !manifest.holds(now) {
            return Err(Refusal::Expired);
        }
        let store = SharedStore::default();
        let before = shelf::look(&store).and_then(|shelved| Some(Manifest::open(&shelved.sealed, keys).ok()?.0));
        if let Some(before) = before.as_ref().filter(|before| before.version > manifest.version) {
            return Err(Refusal::Older(before.version));
        }
        if before.as_ref().is_some_and(|before| before.version == manifest.version) {
            return Ok(());
        }
        let known = |part: &Part| before.iter().flat_map(|before| &before.parts).any(|of| of.hash == part.hash);
        let missing: Vec<usize> =
            manifest.parts.iter().enumerate().filter(|(_, part)| !known(part)).map(|(index, _)| index).rev().collect();
        let parts = vec![None; manifest.parts.len()];
        self.found = Some(Found { sealed: sealed.clone(), manifest, parts, missing });
        Ok(())
    }

    /// Asks for the next part that is missing; puts the bundle on the shelf when none is.
    fn go_on(&mut self, wire: &Wire, keys: &TrustedKeys) -> Result<(), Refusal> {
        let Some(found) = &self.found else { return Ok(()) };
        if let Some(part) = found.missing.last().and_then(|&index| found.manifest.parts.get(index)) {
            let mut path = "/v1/parts/".to_owned();
            for byte in part.hash {
                for digit in [byte >> 4, byte & 15] {
                    path.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            self.flight = wire.call("GET", &path, &[], None, PART_TIMEOUT);
            if self.flight.is_none() {
                self.found = None;
            }
            return Ok(());
        }
        let Some(Found { sealed, manifest, parts, .. }) = self.found.take() else { return Ok(()) };
        let mut store = SharedStore::default();
        let shelved = shelf::look(&store);
        let before =
            shelved.as_ref().and_then(|shelved| Some((shelved, Manifest::open(&shelved.sealed, keys).ok()?.0)));
        let before = before.as_ref().map(|(shelved, manifest)| (*shelved, manifest));
        if before.is_some_and(|(_, before)| before.version >= manifest.version) {
            return Ok(());
        }
        // What cannot be put is asked for again with the next poll.
        match shelf::put(&mut store, before, (&sealed, &manifest), &parts) {
            Ok(()) | Err(SwapError::Conflict) => {}
            Err(SwapError::Unavailable) => metrics::count(Metric::HostError),
        }
        Ok(())
    }
}

impl Found {
    /// A part has come.
    fn part(&mut self, answered: &Answered) -> Result<(), Refusal> {
        let Some(index) = self.missing.pop() else { return Ok(()) };
        let part = self.manifest.parts.get(index).ok_or(Refusal::Damaged)?;
        // Not even copied where its size is another one.
        let fits = u32::try_from(answered.size) == Ok(part.size);
        let bytes = if fits { host::answer_of_call(answered.size) } else { None };
        let bytes = bytes.filter(|bytes| hash(bytes) == part.hash).ok_or(Refusal::Part(index))?;
        if let Some(place) = self.parts.get_mut(index) {
            *place = Some(bytes);
        }
        Ok(())
    }
}
