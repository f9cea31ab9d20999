//! How long what is known is kept: `--keep-days`.

use super::candidate;
use super::duty::Duty;
use super::shadow::Shadow;
use crate::store::{Outcome, Store};
use azeotrope_engine::campaign::Change;
use azeotrope_engine::campaign::feed::CAMPAIGNS;
use azeotrope_engine::time::{HOUR, Timestamp};
use std::time::Duration;

/// Where the time of the last turn is.
const TURNED: &str = "turned";

impl Duty {
    /// Forgets, when it is time, what was kept for long enough. `false`: another has the duty.
    ///
    /// Every hour records older than `keep`. Twice within `keep` whoever was not seen since the time before, so that nobody is
    /// known for longer than that after the last request, and nobody who was seen within half of it is forgotten.
    pub(super) fn forget(&mut self, store: &dyn Store, keep: Duration, now: u64) -> Outcome<bool> {
        let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        let before = now.saturating_sub(keep);
        self.traffic.by(Timestamp(now));
        if self.swept.is_none_or(|at| now.abs_diff(at) >= HOUR) {
            store.forget_audits(before)?;
            candidate::forget(store, before)?;
            self.traffic.forget(Timestamp(before), None);
            self.swept = Some(now);
        }
        let turned = match self.turned {
            Some(turned) => turned,
            None => begun(store, now)?,
        };
        // A clock that stepped back must not keep things for longer.
        if now.saturating_sub(turned.min(now)) < keep / 2 {
            self.turned = Some(turned.min(now));
            return Ok(true);
        }
        let (before, campaigns) = (now.saturating_sub(keep / 2), self.joiner.campaigns().len());
        let left = self.joiner.turn(Timestamp(before));
        self.keeper.turn(Timestamp(now));
        if left.len() < campaigns {
            self.ended(store, &left, now)?;
        }
        Shadow::forget(store, before)?;
        if !self.save(store)? {
            return Ok(false);
        }
        note(store, now)?;
        self.turned = Some(now);
        Ok(true)
    }

    /// Ends the least campaigns where there is hardly room for another; how many, without those that are part of others.
    pub(super) fn make_room(&mut self, store: &dyn Store, now: u64) -> Outcome<usize> {
        let before = self.joiner.standing().count();
        let Some(left) = self.joiner.make_room(Timestamp(now)) else { return Ok(0) };
        self.ended(store, &left, now)?;
        Ok(before - self.joiner.standing().count())
    }

    /// Campaigns have ended: the others, `left`, have other places now.
    fn ended(&mut self, store: &dyn Store, left: &[usize], now: u64) -> Outcome<()> {
        self.traffic.forget(Timestamp(0), Some(left));
        self.hold_rest(store, Timestamp(now))?;
        match &self.held {
            None => self.rebase(),
            // That is of none of these.
            Some(held) if held.began_anew() => {}
            // What is held back is told when it is let go.
            Some(_) => self.tell_anew(&self.still_told(Timestamp(now))),
        }
        Ok(())
    }

    /// Of what proxies were told of campaigns that are held back, what is known still, for campaigns may have other places now; of the
    /// others all.
    pub(super) fn still_told(&self, now: Timestamp) -> Vec<Change> {
        let told = |name: &str| (0..CAMPAIGNS).any(|place| self.feed.name(place) == Some(name));
        let free = |name: &str| !self.held.as_ref().is_some_and(|held| held.holds(name));
        let names = || self.joiner.campaigns().iter().map(|campaign| campaign.name.as_str());
        let told: Vec<bool> = names().map(|name| free(name) || told(name)).collect();
        let is_told = |campaign: u32| told.get(campaign as usize) == Some(&true);
        let mut changes = self.joiner.feed(usize::MAX, now);
        changes.retain(|change| match change {
            Change::Profile { campaign, .. } | Change::Key { campaign, .. } => is_told(*campaign),
            Change::Account { account, campaign, .. } => {
                is_told(*campaign) && (!self.is_held(*campaign) || self.feed.account(*account, now).is_some())
            }
            Change::Crowd { .. } => false,
        });
        changes
    }
}

/// The time of the last turn, whoever had the duty then.
fn begun(store: &dyn Store, now: u64) -> Outcome<u64> {
    match store.get(TURNED)?.as_deref().and_then(<[u8]>::first_chunk) {
        Some(at) => Ok(u64::from_le_bytes(*at)),
        None => note(store, now),
    }
}

fn note(store: &dyn Store, now: u64) -> Outcome<u64> {
    store.set(TURNED, &now.to_le_bytes())?;
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use crate::serve::candidate::Submission;
    use crate::serve::dossier::tests::{NOW, harvest, joiner};
    use crate::serve::hold::{self, Held};
    use crate::serve::traffic::Step;
    use crate::store::{Audit, JOINER, open};
    use azeotrope_engine::caller::Caller;
    use azeotrope_engine::campaign::{Criteria, Joiner, Limits};
    use azeotrope_engine::digest::Reading;
    use azeotrope_engine::observation::Event;
    use azeotrope_engine::time::DAY;
    use std::sync::Arc;

    const KEEP: Duration = Duration::from_secs(10 * 86_400);
    /// An account that no other bytes of a store are likely to be.
    const ACCOUNT: u64 = 0x7ACC_0017_5EE4_B10B;

    /// A store, and who has the duty there.
    fn on_duty() -> (Directory, Arc<dyn Store>, Duty) {
        let folder = Directory::new();
        let store = open(None, Some(&folder.0)).unwrap();
        let mut duty = Duty::for_measurement();
        duty.fence = store.lease(JOINER, 1, Duration::from_secs(60)).unwrap().unwrap();
        (folder, store, duty)
    }

    fn seen(duty: &mut Duty, account: u64, at: u64) {
        let caller = Caller { account, network: 9, ..Caller::default() };
        duty.joiner.observe(&caller, &Reading { model: 1, content: 7, ..Reading::default() }, Timestamp(at));
        duty.keeper.observe(1, account, 500, Timestamp(at));
    }

    #[test]
    fn who_is_not_seen_for_so_long_is_gone_from_memory_and_store() {
        let (_folder, store, mut duty) = on_duty();
        let saved = || store.load().unwrap().map(|(_, bytes)| bytes).unwrap_or_default();
        let is_known = |bytes: &[u8], account: u64| {
            // As postcard writes numbers: seven bits a byte.
            let digits: Vec<u8> = (0..8).map(|at| (account >> (7 * at) & 127) as u8 | 128).collect();
            bytes.windows(8).any(|part| part == digits)
        };
        store.audit(&Audit { at: DAY, who: "someone".into(), what: "something".into(), ..Audit::default() }).unwrap();
        assert!(duty.forget(&*store, KEEP, DAY).unwrap());
        seen(&mut duty, ACCOUNT, DAY);
        assert!(duty.save(&*store).unwrap() && is_known(&saved(), ACCOUNT));
        for day in 2..=12 {
            seen(&mut duty, 5, day * DAY);
            assert!(duty.forget(&*store, KEEP, day * DAY).unwrap());
            if day < 6 {
                assert!(duty.joiner.account(ACCOUNT).is_some(), "{day}");
            }
            // Whoever takes the duty over goes on with the same days.
            duty.turned = None;
        }
        assert_eq!((duty.joiner.account(ACCOUNT).is_some(), duty.joiner.account(5).is_some()), (false, true));
        assert!(!is_known(&saved(), ACCOUNT));
        assert!(store.audits(10).unwrap().is_empty());
    }

    #[test]
    fn what_proxies_were_told_is_forgotten_while_campaigns_are_held_back_and_so_is_that_they_are() {
        let (_folder, store, mut duty) = on_duty();
        let day = |n: u64| Timestamp(NOW.0 + n * DAY);
        assert!(duty.forget(&*store, KEEP, NOW.0).unwrap());
        // Two campaigns that proxies know, of which one goes on, and one that is held back.
        duty.joiner = joiner();
        harvest(&mut duty.joiner, 100, day(3));
        duty.tell_anew(&duty.joiner.feed(usize::MAX, day(3)));
        harvest(&mut duty.joiner, 200, day(4));
        let held = Held::of(36, 320);
        hold::hold(&*store, Some(&held)).unwrap();
        duty.held = Some(held.clone());
        let names: Vec<String> = duty.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
        assert_eq!(names.len(), 3);
        let told = |duty: &Duty| -> Vec<String> {
            (0..3).filter_map(|place| duty.feed.name(place).map(str::to_owned)).collect()
        };
        let is_told = |duty: &Duty, account: u64| duty.feed.account(account, day(4)).is_some();
        assert_eq!(told(&duty), names[..2]);
        assert_eq!([1_040, 1_140, 1_240].map(|account| is_told(&duty, account)), [true, true, false]);

        assert!(duty.forget(&*store, KEEP, day(6).0).unwrap());
        assert_eq!(told(&duty), names[1..2]);
        assert_eq!([1_040, 1_140, 1_240].map(|account| is_told(&duty, account)), [false, true, false]);
        assert_eq!((&duty.held, hold::held(&*store).unwrap()), (&Some(held.clone()), Some(held)));

        assert!(duty.forget(&*store, KEEP, day(12).0).unwrap());
        assert_eq!((told(&duty), &duty.held, hold::held(&*store).unwrap()), (Vec::new(), &None, None));
    }

    #[test]
    fn where_there_is_hardly_room_for_another_campaign_the_least_end_and_proxies_are_told_the_places_of_the_others() {
        let (_folder, store, mut duty) = on_duty();
        duty.joiner = joiner();
        harvest(&mut duty.joiner, 100, NOW);
        harvest(&mut duty.joiner, 200, NOW);
        let few = Limits { campaigns: 3, ..Limits::default() };
        assert_eq!(duty.make_room(&*store, NOW.0).unwrap(), 0);
        let names: Vec<String> = duty.joiner.campaigns().iter().map(|campaign| campaign.name.clone()).collect();
        duty.joiner = Joiner::restore(&duty.joiner.snapshot().unwrap(), few, Criteria::default()).unwrap();
        duty.rebase();
        assert_eq!((names.len(), duty.feed.name(2)), (3, Some(names[2].as_str())));
        assert_eq!(duty.make_room(&*store, NOW.0).unwrap(), 2);
        assert_eq!((duty.joiner.campaigns().len(), duty.feed.name(1)), (1, None));
        assert_eq!(duty.feed.name(0), Some(duty.joiner.campaigns()[0].name.as_str()));
        assert_eq!(duty.make_room(&*store, NOW.0).unwrap(), 0);
    }

    fn submission(at: u64) -> Submission {
        let (who, note, through, document) = (String::new(), String::new(), String::new(), format!("{at}"));
        Submission { id: at, at, who, note, through, force: false, back_to: None, document }
    }

    #[test]
    fn rules_that_ended_and_figures_are_kept_as_long_and_what_is_in_force_stays() {
        let (_folder, store, mut duty) = on_duty();
        for day in [1, 2, 8] {
            candidate::accept(&*store, &submission(day * DAY)).unwrap();
        }
        let event = Event::Refused { caller: Caller::default(), reading: Reading::default() };
        [1, 8].into_iter().for_each(|day| duty.traffic.observe(Timestamp(day * DAY), &event, None));
        let mut numbers = |now| {
            assert!(duty.forget(&*store, KEEP, now * DAY).unwrap());
            let numbers: Vec<u64> = candidate::history(&*store).unwrap().iter().map(|old| old.number).collect();
            let there = |number: &u64| candidate::document(&*store, *number).unwrap().is_some();
            (numbers, [1, 2, 3].iter().filter(|number| there(number)).count(), duty.traffic.rows(Step::Hour, 0).len())
        };
        assert_eq!(numbers(11), (vec![3, 2, 1], 3, 2));
        assert_eq!(numbers(13), (vec![3, 2], 2, 1));
        assert_eq!(numbers(100), (vec![3], 1, 0));
        assert_eq!(candidate::in_force(&*store).unwrap().unwrap().number, 3);
    }
}
