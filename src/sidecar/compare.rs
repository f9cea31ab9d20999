//! Rules in shadow: what other rules would have done to recent traffic.
//!
//! Both judge the same observations in order, each with counters of its own, as a single proxy without history. What a
//! shadow over digests cannot show: how new weights of the content model or new corpora would read the text; an
//! observation carries what the old ones made of it. Nor does it know refusals of the model, of which observations do not
//! tell, or campaigns other than those known now.

mod recent;
mod what_if;

pub(crate) use recent::Recent;
pub(crate) use what_if::what_if;

use azeotrope_engine::campaign::Feed;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::observation::{Event, Fate};
use azeotrope_engine::rules::Config;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::{Action, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt::Write;

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

/// What rules made of an account.
#[derive(Clone, Debug, Default)]
struct Judged {
    /// The sharpest action.
    action: Action,
    /// The most that a request scored, in thousandths of a nat.
    score: i32,
    requests: u32,
    /// When its first and its last request came.
    first: Timestamp,
    last: Timestamp,
    /// Of the verdict that scored the most.
    reasons: Vec<&'static str>,
    campaign: Option<String>,
}

impl Judged {
    fn add(&mut self, verdict: Verdict, now: Timestamp) {
        if self.requests == 0 {
            self.first = now;
        }
        self.last = now;
        self.action = self.action.max(verdict.would);
        if self.requests == 0 || verdict.score > self.score {
            self.score = verdict.score;
            self.reasons = verdict.reasons;
        }
        self.campaign = verdict.campaign.or(self.campaign.take());
        self.requests = self.requests.saturating_add(1);
    }
}

/// One set of rules with counters of its own.
struct Side {
    engine: Engine,
    store: MemoryStore,
    accounts: HashMap<u64, Judged>,
}

impl Side {
    fn new(config: &Config) -> Self {
        Self { engine: Engine::of(config.clone()), store: MemoryStore::default(), accounts: HashMap::new() }
    }

    /// Takes an observation; `status`: how upstream answered, where it is a request.
    fn take(&mut self, feed: &Feed, now: Timestamp, event: &Event, status: u16) {
        let Self { engine, store, accounts } = self;
        match event {
            Event::Request { caller, reading, fate, .. } => {
                let verdict = engine.judge(store, feed, caller, reading, now);
                let refuses = verdict.would.refuses();
                // Who was refused for load may have made up his key: he is none of those seen.
                if *fate != Fate::RefusedForLoad {
                    accounts.entry(caller.account).or_default().add(verdict, now);
                }
                if !refuses {
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

/// What two sets of rules made of the same traffic.
struct Shadow {
    before: Side,
    after: Side,
    requests: u64,
}

impl Shadow {
    fn run(old: &Config, new: &Config, feed: &Feed, recent: &Recent) -> Self {
        let mut shadow = Self { before: Side::new(old), after: Side::new(new), requests: 0 };
        let mut events = recent.events.iter().peekable();
        while let Some((at, event)) = events.next() {
            // A filter tells of a refusal right behind the request: of a request that is refused here there is none.
            let refused = events.next_if(|(_, next)| refuses(event, next)).is_some();
            let status = if refused { 429 } else { 200 };
            shadow.before.take(feed, *at, event, status);
            shadow.after.take(feed, *at, event, status);
            shadow.requests += u64::from(matches!(**event, Event::Request { .. }));
        }
        shadow
    }

    /// Each account with what it was and what it is.
    fn accounts(&self) -> impl Iterator<Item = (u64, &Judged, &Judged)> {
        self.before
            .accounts
            .iter()
            .filter_map(|(&account, was)| Some((account, was, self.after.accounts.get(&account)?)))
    }

    fn comparison(&self) -> Comparison {
        let mut found = Comparison { requests: self.requests, ..Comparison::default() };
        for (_, was, is) in self.accounts() {
            found.accounts += 1;
            found.newly += u64::from(acts(is.action) && !acts(was.action));
            found.no_longer += u64::from(acts(was.action) && !acts(is.action));
            for (table, action) in [(&mut found.old, was.action), (&mut found.new, is.action)] {
                if let Some(count) = table.get_mut(action as usize) {
                    *count += 1;
                }
            }
        }
        found.text = found.table();
        found
    }
}

/// Whether an action is felt by who is acted upon.
fn acts(action: Action) -> bool {
    action >= Action::Throttle
}

/// Holds rules against others over recent traffic.
pub(crate) fn compare(old: &Config, new: &Config, feed: &Feed, recent: &Recent) -> Comparison {
    Shadow::run(old, new, feed, recent).comparison()
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
    pub(super) fn traffic() -> (Recent, Feed) {
        let (mut recent, mut feed) = (Recent::new(10_000), Feed::default());
        feed.apply(&Change::Profile { campaign: 0, profile: Profile { name: "c-1".into(), ..Profile::default() } });
        for account in 1..=1_000 {
            let caller = Caller { account, ..Caller::default() };
            let reading = Reading { content: account, ..Reading::default() };
            let event = Event::Request { caller, reading, would: Action::Allow, score: 0, fate: Fate::Answered };
            recent.push(Timestamp(NOW + account), &event);
            if account <= 100 {
                let families = FamilySet::of(&[Family::SkeletonSpread, Family::CohortSynchrony]);
                let until = Timestamp(u64::MAX);
                feed.apply(&Change::Account { account, campaign: 0, score: 6_000, families, until });
            }
        }
        (recent, feed)
    }

    pub(super) fn rules(throttle: f64) -> Config {
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
    fn what_upstream_refused_for_load_does_not_count_as_served() {
        let caller = Caller { account: 9, network: 8, agent: 3, ..Caller::default() };
        let reading = Reading { content: 77, ..Reading::default() };
        let asked =
            Event::Request { caller, reading: reading.clone(), would: Action::Allow, score: 0, fate: Fate::Answered };
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
