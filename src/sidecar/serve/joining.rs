//! Who has the duty: one of several sidecars at a time, by a lease. Who loses it leaves everything as the other finds it.

use super::candidate::Caution;
use super::duty::{DUTY, Duty};
use super::publisher::Publisher;
use super::shared::Shared;
use super::{Options, metrics};
use crate::clock::now;
use crate::store::{Fence, JOINER, Outcome, Store, set_json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the duty stays with a sidecar that is not heard of.
const TTL: Duration = Duration::from_secs(4);
/// Time between two steps where there is nothing to do.
const REST: Duration = Duration::from_millis(100);
/// The same where the store is away.
const AWAY: Duration = Duration::from_millis(500);
/// How long a sidecar that cannot read the snapshot leaves the lease to others.
const LEFT: Duration = Duration::from_secs(10);

/// Begins to strive for the duty.
pub(super) fn start(options: &Options, shared: &Arc<Shared>, stopped: watch::Receiver<bool>) -> JoinHandle<()> {
    let strive = Strive::of(options, shared);
    std::thread::spawn(move || {
        let over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| strive.renewal.run(&*strive.shared.store, strive.shared.owner, &over));
            let _over = Over(&over);
            strive.run(&stopped);
        });
    })
}

/// The longest that a step may take before the duty is another's: one that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(120);

/// Renews the lease while a step takes long: a snapshot of two million accounts takes seconds to make, to save and to load.
#[derive(Default)]
struct Renewal {
    /// Since when there is a step that needs the lease.
    step: Mutex<Option<Instant>>,
}

impl Renewal {
    fn set(&self, step: Option<Instant>) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    /// Renews what is held, again and again, until `stopped`.
    fn run(&self, store: &dyn Store, owner: u64, stopped: &AtomicBool) {
        while !stopped.load(Ordering::Relaxed) {
            std::thread::sleep(TTL / 8);
            // Held while it renews: what has ended meanwhile must not be taken again.
            let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
            if step.is_some_and(|begun| (TTL / 4..LONGEST).contains(&begun.elapsed())) {
                // Where the store is away, or another has it, the step will find out.
                let _ = store.lease(JOINER, owner, TTL);
            }
        }
    }
}

/// Says that it is over when it goes, however that comes.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A sidecar that would take the duty.
struct Strive {
    shared: Arc<Shared>,
    renewal: Renewal,
    corpora: Vec<Vec<u8>>,
    ttl: Duration,
    every: Duration,
    keep: Duration,
    caution: Caution,
    hold: Caution,
    anew: bool,
    /// When the duty was last left to others, because a later version has saved what there is.
    left: Mutex<Option<Instant>>,
}

impl Strive {
    fn of(options: &Options, shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            renewal: Renewal::default(),
            corpora: options.corpora.clone(),
            ttl: options.ttl,
            every: options.every,
            keep: options.keep,
            caution: options.caution,
            hold: options.hold,
            anew: options.begin_anew,
            left: Mutex::default(),
        }
    }

    fn run(&self, stopped: &watch::Receiver<bool>) {
        let mut duty: Option<Duty> = None;
        let mut said = String::new();
        while !*stopped.borrow() {
            self.renewal.set(duty.is_some().then(Instant::now));
            let done = self.step(&mut duty);
            self.renewal.set(None);
            let rest = match self.shared.heed(done) {
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
            self.renewal.set(Some(Instant::now()));
            let _ = duty.save(&*self.shared.store);
            self.renewal.set(None);
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
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_some_and(|at| at.elapsed() < LEFT) {
            return Ok(false);
        }
        let Some(fence) = self.shared.store.lease(JOINER, self.shared.owner, TTL)? else {
            if duty.take().is_some() {
                self.shared.say("another sidecar has taken the duty over");
            }
            return Ok(false);
        };
        self.renewal.set(Some(begun));
        // Another may have had it in between: what it left counts.
        if duty.as_ref().is_none_or(|duty| duty.fence != fence) {
            *duty = self.begin(fence)?;
            if duty.is_none() {
                self.leave(&mut left)?;
                return Ok(false);
            }
            *left = None;
            metrics::set(&self.shared.metrics.newer, 0);
            self.shared.say("has the duty of joining and publishing");
        }
        if let Some(duty) = duty {
            duty.renewed = begun;
        }
        Ok(true)
    }

    /// Takes up what the one before left; `None`: that is for a later version to do.
    fn begin(&self, fence: Fence) -> Outcome<Option<Duty>> {
        let publisher = Publisher::new(self.shared.signer.clone(), self.ttl, &self.corpora);
        Duty::take_up(&self.shared, fence, publisher, self.hold, self.anew)
    }

    /// Leaves the duty to a sidecar that can read what was saved, and says so once.
    fn leave(&self, left: &mut Option<Instant>) -> Outcome<()> {
        self.renewal.set(None);
        let store = &*self.shared.store;
        store.release(JOINER, self.shared.owner)?;
        metrics::set(&self.shared.metrics.newer, 1);
        if left.replace(Instant::now()).is_none() {
            self.shared
                .say("a later version has saved the campaigns: this one leaves the duty to it (or --begin-anew)");
            let name = format!("nobody: a later version than {} has saved the campaigns", self.shared.name);
            set_json(store, DUTY, &serde_json::json!({ "name": name, "since": now() }))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use crate::serve::publisher::Sealed;
    use crate::serve::{Access, hold};
    use crate::signing::Signer;
    use crate::store::{Cursor, Edition, Published, open};
    use azeotrope_engine::campaign::Change;
    use azeotrope_engine::campaign::feed::Profile;
    use azeotrope_engine::rules::FamilySet;
    use azeotrope_engine::time::Timestamp;

    /// Whether another gets the lease once it would have run out, while the holder's step has taken `long`.
    fn is_lost(long: Duration) -> bool {
        let folder = Directory::new();
        let store = open(None, Some(&folder.0)).unwrap();
        assert!(store.lease(JOINER, 1, TTL).unwrap().is_some());
        let (renewal, over) = (Renewal::default(), AtomicBool::new(false));
        renewal.set(Instant::now().checked_sub(long));
        std::thread::scope(|threads| {
            threads.spawn(|| renewal.run(&*store, 1, &over));
            let _over = Over(&over);
            std::thread::sleep(TTL + TTL / 4);
            store.lease(JOINER, 2, TTL).unwrap().is_some()
        })
    }

    #[test]
    fn a_step_that_takes_long_keeps_the_lease_and_one_that_hangs_loses_it() {
        let [slow, hanging] = [TTL, LONGEST].map(|long| std::thread::spawn(move || is_lost(long)));
        assert_eq!([slow, hanging].map(|thread| thread.join().unwrap()), [false, true]);
    }

    const HOUR: Duration = Duration::from_secs(3_600);
    /// An account that is linked in the bundle that is published.
    const LINKED: u64 = 5;

    /// A sidecar over a store where this was saved.
    fn over(store: &Arc<dyn Store>, saved: &[u8], anew: bool) -> Strive {
        let signer = Signer::generate();
        let fence = store.lease(JOINER, 1, TTL).unwrap().unwrap();
        assert!(store.save(fence, &Cursor(0, 0), saved).unwrap());
        let mut publisher = Publisher::new(signer.clone(), HOUR, &[]);
        let (families, until) = (FamilySet::default(), Timestamp(now() + 60_000));
        publisher.base(&[
            Change::Profile { campaign: 0, profile: Profile::default() },
            Change::Account { account: LINKED, campaign: 0, score: 7_000, families, until },
        ]);
        let Sealed { version, manifest, parts } = publisher.bundle(0, now() / 1_000);
        let edition = Edition { version, at: now(), note: String::new(), manifest };
        assert_eq!(store.publish(fence, &edition, &parts).unwrap(), Published::Done);
        store.release(JOINER, 1).unwrap();
        let (few, per_mille) = (100, 300);
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            name: "a".into(),
            signer,
            access: Access::default(),
            rules: None,
            corpora: Vec::new(),
            ttl: HOUR,
            every: Duration::ZERO,
            keep: 24 * HOUR,
            caution: Caution { few, per_mille },
            hold: Caution { few, per_mille },
            begin_anew: anew,
            ecds_file: None,
            ecds_listen: None,
            extension: None,
        };
        Strive::of(&options, &Arc::new(Shared::new(&options, Arc::clone(store))))
    }

    /// What a sidecar saves, with this as what is known of campaigns.
    fn saved(joiner: &[u8]) -> Vec<u8> {
        postcard::to_allocvec(&[joiner, &[], &[]]).unwrap()
    }

    fn is_linked(strive: &Strive) -> bool {
        let told = hold::published(&strive.shared).unwrap().unwrap();
        told.iter().any(|change| matches!(change, Change::Account { account: LINKED, .. }))
    }

    #[test]
    fn what_a_later_version_has_saved_is_left_to_it() {
        let folder = Directory::new();
        let store = open(None, Some(&folder.0)).unwrap();
        let later = saved(&[99, 1]);
        let (strive, mut duty) = (over(&store, &later, false), None);
        for _ in 0..3 {
            assert!(!strive.step(&mut duty).unwrap() && duty.is_none());
        }
        assert_eq!(strive.shared.metrics.newer.load(Ordering::Relaxed), 1);
        assert_eq!(store.load().unwrap().unwrap().1, later);
        assert!(is_linked(&strive));
        assert!(store.lease(JOINER, 2, TTL).unwrap().is_some(), "another may have the duty at once");
    }

    #[test]
    fn where_campaigns_begin_anew_what_could_not_be_read_is_kept_and_nobody_is_unlinked() {
        for (bytes, anew) in [(saved(&[99, 1]), true), (saved(b"\x08damaged"), false), (vec![0xff; 9], false)] {
            let folder = Directory::new();
            let store = open(None, Some(&folder.0)).unwrap();
            let (strive, mut duty) = (over(&store, &bytes, anew), None);
            let before = store.current().unwrap().unwrap().version;
            strive.step(&mut duty).unwrap();
            assert!(store.current().unwrap().unwrap().version > before, "rules are published");
            assert!(is_linked(&strive));
            assert_eq!(store.get("snapshot.unread").unwrap(), Some(bytes));
            // Nor by who takes the duty over from it, which can read what was saved since.
            duty.take().unwrap().save(&*store).unwrap();
            store.release(JOINER, strive.shared.owner).unwrap();
            strive.step(&mut duty).unwrap();
            assert!(duty.is_some() && is_linked(&strive));
            // A person lets the new campaigns take their place.
            assert!(hold::release(&*store).unwrap().is_some_and(|held| held.began_anew()));
            strive.step(&mut duty).unwrap();
            assert!(!is_linked(&strive));
        }
    }
}
