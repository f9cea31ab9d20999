//! Rules in shadow: what other rules would have done to recent traffic.
//!
//! Both judge the same observations in order, each with counters of its own, as a single proxy without history. What a
//! shadow over digests cannot show: how new weights of the content model or new corpora would read the text; an
//! observation carries what the old ones made of it. Nor does it know refusals of the model, of which observations do not tell, or
//! campaigns other than those known now.

use azeotrope_engine::campaign::Feed;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::observation::Event;
use azeotrope_engine::rules::Config;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::{HOUR, Timestamp};
use azeotrope_engine::verdict::Action;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

/// Age beyond which traffic is not recent, in milliseconds.
const OLDEST: u64 = HOUR;

/// The latest observations.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    events: VecDeque<(Timestamp, Event)>,
    most: usize,
}

impl Recent {
    /// At most so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { events: VecDeque::new(), most }
    }

    /// Adds one; what is too old or too much goes.
    pub(crate) fn push(&mut self, now: Timestamp, event: &Event) {
        self.events.push_back((now, event.clone()));
        while self.events.len() > self.most || self.events.front().is_some_and(|(at, _)| now.since(*at) > OLDEST) {
            self.events.pop_front();
        }
    }
}

/// What other rules would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// Requests that both judged.
    pub(crate) requests: u64,
    /// Accounts that sent them.
    pub(crate) accounts: u64,
    /// Accounts by the sharpest action that the old rules ask for: allow, observe, throttle, degrade, block.
    pub(crate) old: [u64; Action::ALL.len()],
    /// The same for the new ones.
    pub(crate) new: [u64; Action::ALL.len()],
    /// Accounts that only the new ones act on.
    pub(crate) newly: u64,
    /// Accounts that only the old ones act on.
    pub(crate) no_longer: u64,
    /// All of this as a table.
    pub(crate) text: String,
}

/// One set of rules with counters of its own.
struct Side {
    engine: Engine,
    store: MemoryStore,
    /// The sharpest action for each account.
    accounts: HashMap<u64, Action>,
}

impl Side {
    fn new(config: &Config) -> Self {
        Self { engine: Engine::of(config.clone()), store: MemoryStore::default(), accounts: HashMap::new() }
    }

    /// Takes an observation; `status`: how upstream answered, where it is a request.
    fn take(&mut self, feed: &Feed, now: Timestamp, event: &Event, status: u16) {
        let Self { engine, store, accounts } = self;
        match event {
            Event::Request { caller, reading, .. } => {
                let verdict = engine.judge(store, feed, caller, reading, now);
                let sharpest = accounts.entry(caller.account).or_default();
                *sharpest = verdict.would.max(*sharpest);
                if !verdict.would.refuses() {
                    engine.settle(store, caller, reading, status, now);
                }
            }
            Event::Refused { caller, reading } => {
                engine.settle(store, caller, reading, 429, now);
            }
            Event::Given { caller, blobs } => {
                engine.given(store, caller, blobs, now);
            }
        }
    }
}

/// Whether `next` tells that upstream refused the request `event`.
fn refuses(event: &Event, next: &Event) -> bool {
    let Event::Request { caller, reading, .. } = event else { return false };
    matches!(next, Event::Refused { caller: by, reading: what } if caller == by && reading == what)
}

/// Holds rules against others over recent traffic.
pub(crate) fn compare(old: &Config, new: &Config, feed: &Feed, recent: &Recent) -> Comparison {
    let (mut before, mut after) = (Side::new(old), Side::new(new));
    let mut found = Comparison::default();
    let mut events = recent.events.iter().peekable();
    while let Some((at, event)) = events.next() {
        // A filter tells of a refusal right behind the request: of a request that is refused here there is none.
        let refused = events.next_if(|(_, next)| refuses(event, next)).is_some();
        let status = if refused { 429 } else { 200 };
        before.take(feed, *at, event, status);
        after.take(feed, *at, event, status);
        found.requests += u64::from(matches!(event, Event::Request { .. }));
    }
    let acts = |action: Action| action >= Action::Throttle;
    for (account, &was) in &before.accounts {
        let is = after.accounts.get(account).copied().unwrap_or_default();
        found.accounts += 1;
        found.newly += u64::from(acts(is) && !acts(was));
        found.no_longer += u64::from(acts(was) && !acts(is));
        for (table, action) in [(&mut found.old, was), (&mut found.new, is)] {
            if let Some(count) = table.get_mut(action as usize) {
                *count += 1;
            }
        }
    }
    found.text = found.table();
    found
}

impl Comparison {
    /// Why rules must not be published: they would newly act on more than `per_mille` thousandths of the accounts, and
    /// not only on fewer than `few`.
    pub(crate) fn refuses(&self, per_mille: u32, few: u32) -> Option<String> {
        let many = self.newly >= u64::from(few.max(1)) && self.newly * 1_000 > self.accounts * u64::from(per_mille);
        many.then(|| {
            format!(
                "would newly act on {} of the {} accounts seen of late; {per_mille} in a thousand are allowed (--force \
                 publishes all the same)",
                self.newly, self.accounts
            )
        })
    }

    fn table(&self) -> String {
        let mut text = format!(
            "in shadow over {} requests of {} accounts: {} newly acted on, {} no longer\n{:10}",
            self.requests, self.accounts, self.newly, self.no_longer, "accounts"
        );
        let _ = Action::ALL.iter().try_for_each(|action| write!(text, "{:>10}", action.name()));
        for (name, counts) in [("before", &self.old), ("after", &self.new)] {
            let _ = write!(text, "\n{name:10}");
            let _ = counts.iter().try_for_each(|count| write!(text, "{count:>10}"));
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azeotrope_engine::caller::Caller;
    use azeotrope_engine::campaign::Change;
    use azeotrope_engine::campaign::feed::Profile;
    use azeotrope_engine::digest::Reading;
    use azeotrope_engine::rules::{Family, FamilySet, Rules};

    const NOW: u64 = 1_790_000_000_000;

    /// A thousand accounts; the first hundred are linked to a campaign at 6 nats.
    fn traffic() -> (Recent, Feed) {
        let (mut recent, mut feed) = (Recent::new(10_000), Feed::default());
        feed.apply(&Change::Profile { campaign: 0, profile: Profile { name: "c-1".into(), ..Profile::default() } });
        for account in 1..=1_000 {
            let caller = Caller { account, ..Caller::default() };
            let reading = Reading { content: account, ..Reading::default() };
            let event = Event::Request { caller, reading, would: Action::Allow, score: 0 };
            recent.push(Timestamp(NOW + account), &event);
            if account <= 100 {
                let families = FamilySet::of(&[Family::SkeletonSpread, Family::CohortSynchrony]);
                let until = Timestamp(u64::MAX);
                feed.apply(&Change::Account { account, campaign: 0, score: 6_000, families, until });
            }
        }
        (recent, feed)
    }

    fn rules(throttle: f64) -> Config {
        let document =
            format!("{{\"format\":1,\"version\":1,\"thresholds\":{{\"throttle\":{throttle},\"block\":20}}}}");
        let mut config = Config::default();
        config.rules = Rules::parse(document.as_bytes()).unwrap();
        config
    }

    #[test]
    fn whom_sharper_rules_would_act_on_is_counted_and_too_many_are_refused() {
        let (recent, feed) = traffic();
        let found = compare(&rules(7.0), &rules(5.0), &feed, &recent);
        assert_eq!((found.requests, found.accounts, found.newly, found.no_longer), (1_000, 1_000, 100, 0));
        assert_eq!((found.old[1], found.new[2]), (100, 100));
        assert!(found.refuses(99, 5).unwrap().contains("100 of the 1000 accounts"));
        assert_eq!(found.refuses(100, 5), None);
        assert_eq!(found.refuses(1, 101), None);
        let back = compare(&rules(5.0), &rules(7.0), &feed, &recent);
        assert_eq!((back.newly, back.no_longer, back.refuses(0, 1)), (0, 100, None));
    }

    #[test]
    fn without_traffic_nothing_speaks_against_rules() {
        let found = compare(&rules(7.0), &rules(5.0), &Feed::default(), &Recent::new(10));
        assert_eq!((found.accounts, found.refuses(0, 1)), (0, None));
    }

    #[test]
    fn what_is_recent_is_bounded_in_number_and_age() {
        let (_, _) = traffic();
        let mut recent = Recent::new(3);
        let event = Event::Given { caller: Caller::default(), blobs: vec![1] };
        (0..10).for_each(|n| recent.push(Timestamp(n), &event));
        assert_eq!(recent.events.len(), 3);
        recent.push(Timestamp(OLDEST + 100), &event);
        assert_eq!(recent.events.len(), 1);
    }

    #[test]
    fn what_upstream_refused_for_load_does_not_count_as_served() {
        let caller = Caller { account: 9, network: 8, agent: 3, ..Caller::default() };
        let reading = Reading { content: 77, ..Reading::default() };
        let asked = Event::Request { caller, reading: reading.clone(), would: Action::Allow, score: 0 };
        let refused = Event::Refused { caller, reading };
        let other = Event::Refused { caller: Caller { account: 10, ..caller }, reading: Reading::default() };
        assert!(refuses(&asked, &refused) && !refuses(&asked, &other) && !refuses(&refused, &refused));
        let pages = |status| {
            let mut side = Side::new(&Config::default());
            side.take(&Feed::default(), Timestamp(NOW), &asked, status);
            side.store.len()
        };
        assert!(pages(429) < pages(200));
    }
}
