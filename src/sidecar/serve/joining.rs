//! Who has the duty: one of several sidecars at a time, by a lease. Who loses it leaves everything as the other finds it.

use super::candidate::Caution;
use super::duty::Duty;
use super::publisher::Publisher;
use super::shared::Shared;
use super::{Options, metrics};
use crate::clock::now;
use crate::store::{Fence, JOINER, Outcome};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the duty stays with a sidecar that is not heard of.
const TTL: Duration = Duration::from_secs(4);
/// Time between two steps where there is nothing to do.
const REST: Duration = Duration::from_millis(100);
/// The same where the store is away.
const AWAY: Duration = Duration::from_millis(500);

/// Begins to strive for the duty.
pub(super) fn start(options: &Options, shared: &Arc<Shared>, stopped: watch::Receiver<bool>) -> JoinHandle<()> {
    let strive = Strive {
        shared: Arc::clone(shared),
        corpora: options.corpora.clone(),
        ttl: options.ttl,
        every: options.every,
        keep: options.keep,
        caution: options.caution,
        hold: options.hold,
    };
    std::thread::spawn(move || strive.run(&stopped))
}

/// A sidecar that would take the duty.
struct Strive {
    shared: Arc<Shared>,
    corpora: Vec<Vec<u8>>,
    ttl: Duration,
    every: Duration,
    keep: Duration,
    caution: Caution,
    hold: Caution,
}

impl Strive {
    fn run(&self, stopped: &watch::Receiver<bool>) {
        let mut duty: Option<Duty> = None;
        let mut said = String::new();
        while !*stopped.borrow() {
            let rest = match self.shared.heed(self.step(&mut duty)) {
                Ok(true) => Duration::ZERO,
                Ok(false) => REST,
                Err(error) => {
                    let error = error.to_string();
                    if said != error {
                        self.shared.say(&format!("store: {error}"));
                        said = error;
                    }
                    AWAY
                }
            };
            metrics::set(&self.shared.metrics.duty, u64::from(duty.is_some()));
            std::thread::sleep(rest);
        }
        if let Some(mut duty) = duty {
            let _ = duty.save(&*self.shared.store);
            let _ = self.shared.store.release(JOINER, self.shared.owner);
        }
    }

    /// One step; whether there is more to do at once.
    fn step(&self, duty: &mut Option<Duty>) -> Outcome<bool> {
        if duty.as_ref().is_none_or(|duty| duty.renewed.elapsed() > TTL / 4) && !self.renew(duty)? {
            return Ok(false);
        }
        let Some(on) = duty else { return Ok(false) };
        let more = on.join(&self.shared)?;
        on.consider(&self.shared, self.caution)?;
        on.answer(&self.shared)?;
        let published = on.publish(&self.shared, self.every, self.hold)?;
        on.tell(&self.shared)?;
        let saved = on.save_when_due(&*self.shared.store)?;
        let forgotten = on.forget(&*self.shared.store, self.keep, now())?;
        if !(published && saved && forgotten) {
            *duty = None;
        }
        Ok(more)
    }

    /// Takes or renews the lease; whether this sidecar has it.
    fn renew(&self, duty: &mut Option<Duty>) -> Outcome<bool> {
        let begun = Instant::now();
        let Some(fence) = self.shared.store.lease(JOINER, self.shared.owner, TTL)? else {
            if duty.take().is_some() {
                self.shared.say("another sidecar has taken the duty over");
            }
            return Ok(false);
        };
        // Another may have had it in between: what it left counts.
        if duty.as_ref().is_none_or(|duty| duty.fence != fence) {
            *duty = Some(self.begin(fence)?);
            self.shared.say("has the duty of joining and publishing");
        }
        if let Some(duty) = duty {
            duty.renewed = begun;
        }
        Ok(true)
    }

    /// Takes up what the one before left.
    fn begin(&self, fence: Fence) -> Outcome<Duty> {
        let publisher = Publisher::new(self.shared.signer.clone(), self.ttl, &self.corpora);
        Duty::take_up(&self.shared, fence, publisher)
    }
}
