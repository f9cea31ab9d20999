//! Traffic over time: what filters asked for, by the minute for a day and by the hour for a month, and the same of each
//! campaign. Bounded in time and number, saved with the campaigns.

use azeotrope_engine::observation::Event;
use azeotrope_engine::time::{HOUR, MINUTE, Timestamp};
use azeotrope_engine::verdict::Action;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Minutes and hours that are kept of all traffic.
const MINUTES: u64 = 24 * 60;
const HOURS: u64 = 31 * 24;
/// The same of a campaign.
const CAMPAIGN_MINUTES: u64 = 3 * 60;
const CAMPAIGN_HOURS: u64 = 14 * 24;
/// Milliseconds that sidecars' clocks may differ by: what happened then is told as it was.
const AHEAD: u64 = HOUR;

/// A span of time, and what happened in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket<T> {
    /// Its number since 1970-01-01T00:00:00Z.
    number: u64,
    of: T,
}

/// The latest buckets in which something happened, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Ring<T> {
    buckets: VecDeque<Bucket<T>>,
}

impl<T: Copy + Default> Ring<T> {
    /// The bucket of a number, unless it is older than what is kept.
    fn at(&mut self, number: u64, kept: u64) -> Option<&mut T> {
        let newest = self.buckets.back().map_or(0, |last| last.number);
        if number + kept <= newest {
            return None;
        }
        // Observations come nearly in order: the place is at the end, or close to it.
        let behind = self.buckets.iter().rev().take_while(|bucket| bucket.number > number).count();
        let place = self.buckets.len() - behind;
        let there =
            place.checked_sub(1).and_then(|before| self.buckets.get(before)).is_some_and(|it| it.number == number);
        let place = match there {
            true => place - 1,
            false => {
                self.buckets.insert(place, Bucket { number, of: T::default() });
                place
            }
        };
        let too_old = self.buckets.iter().take_while(|bucket| bucket.number + kept <= newest.max(number)).count();
        self.buckets.drain(..too_old);
        self.buckets.get_mut(place - too_old).map(|bucket| &mut bucket.of)
    }
}

impl Ring<Activity> {
    /// Takes over what another counted.
    fn absorb(&mut self, other: Self, kept: u64) {
        for Bucket { number, of } in other.buckets {
            if let Some(activity) = self.at(number, kept) {
                activity.exchanges = activity.exchanges.saturating_add(of.exchanges);
                activity.accounts = activity.accounts.saturating_add(of.accounts);
            }
        }
    }
}

impl<T> Ring<T> {
    /// Forgets the buckets before a number.
    fn forget(&mut self, number: u64) {
        self.buckets.retain(|bucket| bucket.number >= number);
    }

    /// Forgets the buckets after a number.
    fn forget_after(&mut self, number: u64) {
        while self.buckets.back().is_some_and(|last| last.number > number) {
            self.buckets.pop_back();
        }
    }
}

/// What happened to all traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    /// Requests by what the evidence asked for: allow, observe, throttle, degrade, block.
    would: [u32; Action::ALL.len()],
    /// Refused by upstream, for load.
    refused: u32,
    /// Of accounts that a campaign claims.
    linked: u32,
}

/// What happened to a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Activity {
    exchanges: u32,
    accounts: u32,
}

/// A campaign over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Course {
    minutes: Ring<Activity>,
    hours: Ring<Activity>,
    /// Accounts when it was last looked at.
    accounts: u32,
}

/// Traffic over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Traffic {
    minutes: Ring<Counts>,
    hours: Ring<Counts>,
    courses: Vec<Course>,
    /// What time it is, once that was told.
    #[serde(skip)]
    now: Option<Timestamp>,
}

/// How finely time is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    #[default]
    Minute,
    Hour,
}

impl Step {
    pub(super) const fn milliseconds(self) -> u64 {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
        }
    }
}

fn each<T: Copy + Default>(rings: [(&mut Ring<T>, Step, u64); 2], at: Timestamp, add: impl Fn(&mut T)) {
    for (ring, step, kept) in rings {
        if let Some(of) = ring.at(at.0 / step.milliseconds(), kept) {
            add(of);
        }
    }
}

impl Traffic {
    /// Counts an observation. `campaign`: the index of the one that its account is linked to, and its accounts.
    pub(super) fn observe(&mut self, at: Timestamp, event: &Event, campaign: Option<(u32, u32)>) {
        // By the clock of another sidecar that runs ahead.
        let at = self.now.filter(|now| at.0 > now.0.saturating_add(AHEAD)).unwrap_or(at);
        let Self { minutes, hours, courses, .. } = self;
        let all = [(minutes, Step::Minute, MINUTES), (hours, Step::Hour, HOURS)];
        match event {
            Event::Request { would, .. } => each(all, at, |counts| {
                if let Some(count) = counts.would.get_mut(*would as usize) {
                    *count = count.saturating_add(1);
                }
                counts.linked = counts.linked.saturating_add(u32::from(campaign.is_some()));
            }),
            Event::Refused { .. } => each(all, at, |counts| counts.refused = counts.refused.saturating_add(1)),
            Event::Given { .. } => {}
        }
        if let (Event::Request { .. }, Some((index, accounts))) = (event, campaign) {
            let index = index as usize;
            if courses.len() <= index {
                courses.resize(index + 1, Course::default());
            }
            let Some(Course { minutes, hours, accounts: before }) = courses.get_mut(index) else { return };
            let new = accounts.saturating_sub(*before);
            *before = accounts;
            let both = [(minutes, Step::Minute, CAMPAIGN_MINUTES), (hours, Step::Hour, CAMPAIGN_HOURS)];
            each(both, at, |activity| {
                activity.exchanges = activity.exchanges.saturating_add(1);
                activity.accounts = activity.accounts.saturating_add(new);
            });
        }
    }

    /// Says what time it is. What lies ahead was counted by a clock that ran ahead: left there, all that comes until then would
    /// be too old to be counted.
    pub(super) fn by(&mut self, now: Timestamp) {
        self.now = Some(now);
        let last = now.0.saturating_add(AHEAD);
        self.minutes.forget_after(last / MINUTE);
        self.hours.forget_after(last / HOUR);
        for Course { minutes, hours, .. } in &mut self.courses {
            minutes.forget_after(last / MINUTE);
            hours.forget_after(last / HOUR);
        }
    }

    /// Makes what a campaign did that of the one that it has become part of.
    pub(super) fn unite(&mut self, part: usize, whole: usize) {
        let Some(part) = self.courses.get_mut(part).map(std::mem::take) else { return };
        let Some(whole) = self.courses.get_mut(whole) else { return };
        whole.minutes.absorb(part.minutes, CAMPAIGN_MINUTES);
        whole.hours.absorb(part.hours, CAMPAIGN_HOURS);
        whole.accounts = whole.accounts.saturating_add(part.accounts);
    }

    /// What all traffic did: `[milliseconds, allow, observe, throttle, degrade, block, refused, linked]` a row.
    pub(super) fn rows(&self, step: Step, since: u64) -> Vec<[u64; 8]> {
        let ring = match step {
            Step::Minute => &self.minutes,
            Step::Hour => &self.hours,
        };
        let rows = ring.buckets.iter().map(|Bucket { number, of: Counts { would, refused, linked } }| {
            let [allow, observe, throttle, degrade, block] = would.map(u64::from);
            let at = number * step.milliseconds();
            [at, allow, observe, throttle, degrade, block, (*refused).into(), (*linked).into()]
        });
        rows.filter(|[at, ..]| *at >= since).collect()
    }

    /// What a campaign did: `[milliseconds, exchanges, accounts linked]` a row.
    pub(super) fn course(&self, campaign: usize, step: Step) -> Vec<[u64; 3]> {
        let Some(course) = self.courses.get(campaign) else { return Vec::new() };
        let ring = match step {
            Step::Minute => &course.minutes,
            Step::Hour => &course.hours,
        };
        let row = |bucket: &Bucket<Activity>| {
            [bucket.number * step.milliseconds(), bucket.of.exchanges.into(), bucket.of.accounts.into()]
        };
        ring.buckets.iter().map(row).collect()
    }

    /// Forgets what happened before a time, and all of the campaigns that are not `left`, by their places.
    pub(super) fn forget(&mut self, before: Timestamp, left: Option<&[usize]>) {
        self.minutes.forget(before.0 / MINUTE);
        self.hours.forget(before.0 / HOUR);
        if let Some(left) = left {
            self.courses = left.iter().map(|&place| self.courses.get(place).cloned().unwrap_or_default()).collect();
        }
        for Course { minutes, hours, .. } in &mut self.courses {
            minutes.forget(before.0 / MINUTE);
            hours.forget(before.0 / HOUR);
        }
    }

    /// Without the campaigns.
    pub(super) fn whole(&self) -> Self {
        Self { minutes: self.minutes.clone(), hours: self.hours.clone(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::caller::Caller;
    use azeotrope_engine::digest::Reading;
    use azeotrope_engine::observation::Fate;

    const NOW: u64 = 1_790_000_000_000 / HOUR * HOUR;

    fn request(would: Action) -> Event {
        Event::Request { caller: Caller::default(), reading: Reading::default(), would, score: 0, fate: Fate::Answered }
    }

    #[test]
    fn requests_count_in_their_minute_and_hour_whenever_they_are_told() {
        let mut traffic = Traffic::default();
        for (minute, would) in [(2, Action::Allow), (4, Action::Block), (2, Action::Observe), (3, Action::Allow)] {
            traffic.observe(Timestamp(NOW + minute * MINUTE + 7), &request(would), None);
        }
        let refused = Event::Refused { caller: Caller::default(), reading: Reading::default() };
        traffic.observe(Timestamp(NOW + 4 * MINUTE), &refused, None);
        let minute = |n: u64| NOW + n * MINUTE;
        assert_eq!(
            traffic.rows(Step::Minute, 0),
            [[minute(2), 1, 1, 0, 0, 0, 0, 0], [minute(3), 1, 0, 0, 0, 0, 0, 0], [minute(4), 0, 0, 0, 0, 1, 1, 0]]
        );
        assert_eq!(traffic.rows(Step::Hour, 0), [[NOW, 2, 1, 0, 0, 1, 1, 0]]);
        assert_eq!(traffic.rows(Step::Minute, minute(4)).len(), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_the_times_are() {
        let mut traffic = Traffic::default();
        for n in 0..100_000_u64 {
            let at = NOW + n * 37 * MINUTE % (90 * 24 * HOUR);
            traffic.observe(Timestamp(at), &request(Action::Allow), Some(((n % 300) as u32, 1)));
        }
        assert!(traffic.minutes.buckets.len() as u64 <= MINUTES && traffic.hours.buckets.len() as u64 <= HOURS);
        let longest = traffic.courses.iter().map(|course| course.hours.buckets.len()).max();
        assert!(longest.is_some_and(|longest| longest as u64 <= CAMPAIGN_HOURS));
        let ordered = |ring: &Ring<Counts>| {
            ring.buckets.iter().zip(ring.buckets.iter().skip(1)).all(|(a, b)| a.number < b.number)
        };
        assert!(ordered(&traffic.minutes) && ordered(&traffic.hours));
        let kept = postcard::to_allocvec(&traffic).unwrap();
        assert_eq!(postcard::from_bytes::<Traffic>(&kept).unwrap(), traffic);
    }

    #[test]
    fn what_is_older_than_what_is_kept_is_left_out() {
        let mut traffic = Traffic::default();
        traffic.observe(Timestamp(NOW), &request(Action::Allow), None);
        traffic.observe(Timestamp(NOW - MINUTES * MINUTE), &request(Action::Allow), None);
        assert_eq!(traffic.rows(Step::Minute, 0).len(), 1);
        assert_eq!(traffic.rows(Step::Hour, 0).len(), 2);
    }

    #[test]
    fn a_clock_that_ran_ahead_hides_nothing_of_the_present() {
        const YEAR: u64 = 365 * 24 * HOUR;
        let minutes = |traffic: &Traffic| traffic.rows(Step::Minute, 0).len();
        let hour = |traffic: &mut Traffic| {
            (0..60).for_each(|n| traffic.observe(Timestamp(NOW + n * MINUTE), &request(Action::Allow), Some((0, 1))));
        };
        // Its own, set right since; then another sidecar's.
        let mut traffic = Traffic::default();
        traffic.observe(Timestamp(NOW + YEAR), &request(Action::Allow), Some((0, 1)));
        traffic.by(Timestamp(NOW + HOUR));
        hour(&mut traffic);
        assert_eq!((minutes(&traffic), traffic.course(0, Step::Minute).len()), (60, 60));
        traffic.observe(Timestamp(NOW + YEAR), &request(Action::Allow), Some((0, 1)));
        hour(&mut traffic);
        assert_eq!((minutes(&traffic), traffic.course(0, Step::Minute).len()), (61, 61));
        assert_eq!(traffic.rows(Step::Hour, 0), [[NOW, 120, 0, 0, 0, 0, 0, 120], [NOW + HOUR, 1, 0, 0, 0, 0, 0, 1]]);
    }

    #[test]
    fn a_campaigns_accounts_count_when_they_are_first_seen() {
        let mut traffic = Traffic::default();
        for (minute, accounts) in [(0, 20), (0, 20), (1, 23)] {
            traffic.observe(Timestamp(NOW + minute * MINUTE), &request(Action::Block), Some((0, accounts)));
        }
        assert_eq!(traffic.course(0, Step::Minute), [[NOW, 2, 20], [NOW + MINUTE, 1, 3]]);
        assert!(traffic.course(1, Step::Hour).is_empty());
        assert_eq!(traffic.rows(Step::Hour, 0).first().map(|row| row[7]), Some(3));
    }

    #[test]
    fn what_a_part_did_is_the_wholes() {
        let mut traffic = Traffic::default();
        for (minute, campaign, accounts) in [(0, 0, 20), (1, 1, 5), (0, 1, 5)] {
            traffic.observe(Timestamp(NOW + minute * MINUTE), &request(Action::Block), Some((campaign, accounts)));
        }
        traffic.unite(1, 0);
        traffic.unite(7, 0);
        assert_eq!(traffic.course(0, Step::Minute), [[NOW, 2, 20], [NOW + MINUTE, 1, 5]]);
        assert!(traffic.course(1, Step::Minute).is_empty());
        // They are its accounts: none of them is new.
        traffic.observe(Timestamp(NOW + 2 * MINUTE), &request(Action::Block), Some((0, 25)));
        assert_eq!(traffic.course(0, Step::Hour), [[NOW, 4, 25]]);
    }
}
