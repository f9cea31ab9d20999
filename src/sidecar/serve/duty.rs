//! The duty itself: what the sidecar that has it does with observations, rules and campaigns.

mod saved;

use super::answering::Answering;
use super::candidate::{self, Caution, InForce};
use super::hold::{self, Held, Withheld};
use super::metrics;
use super::publisher::{Publisher, Sealed};
use super::replaced::Replaced;
use super::ruling::{Kept, document};
use super::shadow::Shadow;
use super::shared::Shared;
use super::traffic::Traffic;
use crate::clock::now;
use crate::compare::Recent;
use crate::explain::campaign::Told;
use crate::keeper::Keeper;
use crate::store::{Cursor, Edition, Entry, Fence, Outcome, Published, set_json};
use azeotrope_engine::campaign::account::Account;
use azeotrope_engine::campaign::{Change, Criteria, Feed, Joiner, Limits};
use azeotrope_engine::observation::{Batch, Event};
use azeotrope_engine::rules::Config;
use azeotrope_engine::time::Timestamp;
use saved::{SNAPSHOT, Saved, UNREAD, Unread};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Batches of a step.
const STEP: usize = 256;
/// Observations that new rules are held against.
const RECENT: usize = 200_000;
/// Accounts of a campaign from which they are told as a crowd.
const CROWD: usize = 20_000;
/// What `campaigns` tells.
pub(super) const CAMPAIGNS: &str = "campaigns";
/// Who has the duty.
pub(super) const DUTY: &str = "duty";
/// Traffic over time, without the campaigns'.
pub(super) const TRAFFIC: &str = "traffic";
/// Time between two tellings of traffic.
const TELL: Duration = Duration::from_secs(2);
/// Telling of campaigns takes at most one part in so many of the time.
const TELLING_SHARE: u32 = 20;

/// The duty, and all that it needs.
pub(super) struct Duty {
    pub(super) fence: Fence,
    /// When the lease was last renewed.
    pub(super) renewed: Instant,
    cursor: Cursor,
    pub(super) joiner: Joiner,
    pub(super) keeper: Keeper,
    pub(super) kept: Kept,
    /// As proxies have it.
    pub(super) feed: Arc<Feed>,
    pub(super) traffic: Traffic,
    pub(super) answering: Answering,
    pub(super) recent: Recent,
    shadow: Shadow,
    pub(super) publisher: Publisher,
    replaced: Replaced,
    /// The rules in force, compiled.
    pub(super) config: Config,
    pub(super) rules: InForce,
    /// Batches joined since the last snapshot.
    joined: u64,
    saved: Instant,
    patience: Duration,
    published: Option<Instant>,
    pub(super) kept_at: Instant,
    /// Campaigns and exchanges when they were last told, and when they are again; `None`: they were not yet.
    told: Option<(u64, Instant)>,
    /// When traffic was last told, and the observations that it was told of.
    told_traffic: Option<(Instant, u64)>,
    /// When what had not been seen was last forgotten; `None`: that was not asked yet.
    pub(super) turned: Option<u64>,
    /// When records were last looked through.
    pub(super) swept: Option<u64>,
    /// Changes that are not published yet.
    pub(super) waiting: Vec<Change>,
    /// Campaigns that are held back: nothing of them is published.
    pub(super) held: Option<Held>,
    pub(super) withheld: Withheld,
}

impl Duty {
    /// Takes up what the one before left. `None`: a later version left it, which is not for this one to write over, unless it is
    /// told to begin `anew`.
    pub(super) fn take_up(
        shared: &Shared,
        fence: Fence,
        publisher: Publisher,
        caution: Caution,
        anew: bool,
    ) -> Outcome<Option<Self>> {
        let store = &*shared.store;
        let rules = candidate::in_force(store)?.unwrap_or_default();
        let kept = Kept::of(store)?;
        let criteria = Criteria::of(&document(&rules, &kept));
        let saved = match store.load()?.map(|(cursor, bytes)| (cursor, Saved::read(&bytes, criteria.clone()), bytes)) {
            None => None,
            Some((cursor, Ok(saved), _)) => Some((cursor, saved)),
            Some((_, Err(Unread::Newer), _)) if !anew => return Ok(None),
            Some((_, Err(unread), bytes)) => {
                store.set(UNREAD, &bytes)?;
                shared
                    .say(&format!("the snapshot cannot be read, and is kept aside ({unread:?}): campaigns begin anew"));
                None
            }
        };
        let begins = saved.is_none();
        let new = || (Joiner::new(Limits::default(), criteria), Keeper::default(), Traffic::default());
        let (cursor, (joiner, keeper, traffic)) = saved.unwrap_or_else(|| (Cursor::default(), new()));
        let held = hold::held(store)?;
        let replaced = Replaced::by_another(&store.history(usize::MAX)?, &shared.trusted(), Instant::now());
        let duty = Self::new(fence, joiner, keeper, publisher);
        let mut duty = Self { cursor, traffic, kept, rules, held, replaced, ..duty };
        let told = hold::published(shared)?;
        if begins && let Some(held) = told.as_deref().and_then(|told| Held::anew(told, now())) {
            shared.say("what proxies were told of campaigns stays as it is; `azeotrope campaigns --release` lets the new ones go");
            hold::hold(store, Some(&held))?;
            duty.held = Some(held);
        }
        duty.go_on(told, caution);
        duty.follow();
        let (shadow, batches) = Shadow::read(store)?;
        duty.shadow = shadow;
        for (received, batch) in batches {
            batch.timed(Timestamp(received)).for_each(|(at, event)| duty.recent.push(at, event));
        }
        Ok(Some(duty))
    }

    fn new(fence: Fence, joiner: Joiner, keeper: Keeper, publisher: Publisher) -> Self {
        Self {
            fence,
            renewed: Instant::now(),
            cursor: Cursor::default(),
            joiner,
            keeper,
            kept: Kept::default(),
            feed: Arc::new(Feed::of_sidecar()),
            traffic: Traffic::default(),
            answering: Answering::default(),
            recent: Recent::new(RECENT),
            shadow: Shadow::default(),
            publisher,
            replaced: Replaced::default(),
            config: Config::default(),
            rules: InForce::default(),
            joined: 0,
            saved: Instant::now(),
            patience: SNAPSHOT,
            published: None,
            kept_at: Instant::now(),
            told: None,
            told_traffic: None,
            turned: None,
            swept: None,
            waiting: Vec::new(),
            held: None,
            withheld: Withheld::default(),
        }
    }

    /// Takes observations in; whether more wait.
    pub(super) fn join(&mut self, shared: &Shared) -> Outcome<bool> {
        let entries = shared.store.read(&self.cursor, STEP)?;
        let more = entries.len() >= STEP;
        for Entry { cursor, received, batch } in entries {
            metrics::add(&shared.metrics.joined, self.take(Timestamp(received), &batch));
            self.cursor = cursor;
            self.joined += 1;
        }
        self.waiting.extend(self.joiner.take_changes());
        Ok(more)
    }

    /// Takes a batch in; how many observations it has. It was checked when it came: one that cannot be read now is
    /// another version's.
    pub(super) fn take(&mut self, received: Timestamp, batch: &[u8]) -> u64 {
        let bytes = batch;
        let Ok(batch) = Batch::decode(bytes) else { return 0 };
        self.shadow.add(received.0, bytes, batch.observations.len());
        for (at, event) in batch.timed(received) {
            self.observe(at, event);
        }
        batch.observations.len() as u64
    }

    fn observe(&mut self, at: Timestamp, event: &Event) {
        let unions = self.joiner.unions().len();
        self.joiner.hear(event, at);
        for union in self.joiner.unions().iter().skip(unions) {
            self.traffic.unite(union.part as usize, union.whole as usize);
        }
        if let Event::Request { caller, reading, score, .. } = event
            && self.feed.account(caller.account, at).is_none()
            && self.joiner.account(caller.account).is_some_and(Account::accepted)
        {
            let population = reading.dialect.map_or(0, |dialect| dialect as u8);
            self.keeper.observe(population, caller.account, *score, at);
        }
        self.traffic.observe(at, event, self.campaign_of(event));
        self.recent.push(at, event);
    }

    /// The campaign that the sender of a request is linked to, and its accounts.
    fn campaign_of(&self, event: &Event) -> Option<(u32, u32)> {
        let Event::Request { caller, .. } = event else { return None };
        let index = self.joiner.account(caller.account)?.campaign()?;
        Some((index, self.joiner.campaigns().get(index as usize)?.accounts))
    }

    /// Carries out changes as proxies do; accounts of campaigns are none of the keeper's.
    pub(super) fn apply(&mut self, changes: &[Change]) {
        // Copied only while rules run in shadow against it.
        let feed = Arc::make_mut(&mut self.feed);
        for change in changes {
            feed.apply(change);
            if let Change::Account { account, .. } = change {
                self.keeper.forget(*account);
            }
        }
    }

    /// Goes on from what proxies were told (`None`: nobody can say): with all that is known, unless that is held back or would act on
    /// too many accounts at once.
    pub(super) fn go_on(&mut self, told: Option<Vec<Change>>, caution: Caution) {
        let now = Timestamp(now());
        let Some(told) = told else {
            // Campaigns that began anew take the place of nothing, then.
            return if self.began_anew() { self.tell_anew(&self.joiner.feed(CROWD, now)) } else { self.rebase() };
        };
        self.tell_anew(&told);
        let all = self.joiner.feed(usize::MAX, now);
        let too_many = hold::too_many(caution, &self.feed, &all, self.joiner.known(), now);
        match (&self.held, too_many) {
            (None, None) => self.rebase(),
            _ => self.waiting = all,
        }
    }

    /// Makes the feed anew from what is known; of campaigns that are held back from what was told, which stays as it is where they
    /// began anew.
    pub(super) fn rebase(&mut self) {
        if self.began_anew() {
            return;
        }
        let now = Timestamp(now());
        let changes = if self.held.is_some() { self.still_told(now) } else { self.joiner.feed(CROWD, now) };
        self.tell_anew(&changes);
    }

    /// Tells proxies of this, and of nothing that they were told before.
    pub(super) fn tell_anew(&mut self, changes: &[Change]) {
        self.joiner.take_changes();
        self.waiting.clear();
        self.publisher.base(changes);
        self.feed = Arc::new(Feed::of_sidecar());
        self.apply(changes);
    }

    /// Publishes what has changed, when it is time. `false`: another has the duty.
    pub(super) fn publish(&mut self, shared: &Shared, every: Duration, caution: Caution) -> Outcome<bool> {
        let seconds = now() / 1_000;
        if self.published.is_some_and(|at| at.elapsed() < every) {
            return Ok(true);
        }
        if let Some(said) = self.hold_back(&*shared.store, &shared.name, caution, Timestamp(now()))? {
            shared.say(&said);
        }
        self.make_room_for_more(shared)?;
        if self.waiting.is_empty() && !self.publisher.due(seconds) {
            return Ok(true);
        }
        let changes = std::mem::take(&mut self.waiting);
        self.apply(&changes);
        self.publisher.changes(&changes);
        if self.publisher.wants_base() {
            self.rebase();
        }
        let store = &*shared.store;
        let current = store.current()?.map_or(0, |edition| edition.version);
        let note = format!(
            "rules {}, {} campaigns, {} changes",
            self.rules.number,
            self.joiner.standing().count(),
            changes.len()
        );
        let Sealed { version, manifest, parts } = self.publisher.bundle(current, seconds);
        let edition = Edition { version, at: now(), note, manifest };
        match store.publish(self.fence, &edition, &parts)? {
            Published::Behind(_) => return Ok(false),
            Published::Done => {}
        }
        store.keep(&self.replaced.published(&parts, Instant::now()))?;
        self.publisher.published();
        self.published = Some(Instant::now());
        metrics::add(&shared.metrics.published, 1);
        Ok(true)
    }

    /// Ends campaigns where there is hardly room for another, and says so.
    fn make_room_for_more(&mut self, shared: &Shared) -> Outcome<()> {
        let ended = self.make_room(&*shared.store, now())?;
        if ended > 0 {
            metrics::add(&shared.metrics.ended, ended as u64);
            shared.say(&format!("there is hardly room for more campaigns: the {ended} least of them have ended"));
        }
        Ok(())
    }

    /// Tells people what they may ask for, where it has changed.
    pub(super) fn tell(&mut self, shared: &Shared) -> Outcome<()> {
        self.tell_campaigns(shared)?;
        self.tell_traffic(shared)
    }

    /// A duty without a store.
    #[cfg(test)]
    pub(super) fn for_measurement() -> Self {
        let publisher = Publisher::new(crate::signing::Signer::generate(), Duration::from_secs(60), &[]);
        let joiner = Joiner::new(Limits::default(), Criteria::default());
        Self::new(Fence(1), joiner, Keeper::default(), publisher)
    }

    /// Tells people of traffic, where there was some.
    fn tell_traffic(&mut self, shared: &Shared) -> Outcome<()> {
        let seen = self.recent.seen();
        if self.told_traffic.is_some_and(|(at, before)| before == seen || at.elapsed() < TELL) {
            return Ok(());
        }
        shared.store.set(TRAFFIC, &postcard::to_allocvec(&self.traffic.whole()).unwrap_or_default())?;
        self.told_traffic = Some((Instant::now(), seen));
        Ok(())
    }

    /// Tells people of campaigns, where something has changed.
    fn tell_campaigns(&mut self, shared: &Shared) -> Outcome<()> {
        let campaigns = self.joiner.standing().count() as u64;
        let counted = self.joiner.standing().map(|(_, campaign)| campaign.exchanges + u64::from(campaign.accounts));
        let state = counted.sum::<u64>() + campaigns;
        metrics::set(&shared.metrics.campaigns, campaigns);
        let begun = Instant::now();
        if self.told.is_some_and(|(before, next)| before == state || begun < next) {
            return Ok(());
        }
        let criteria = Criteria::of(&self.config.rules.document);
        let told = Told::all(&self.joiner, &criteria);
        set_json(&*shared.store, CAMPAIGNS, &told)?;
        let duty = serde_json::json!({ "name": shared.name, "since": now(), "campaigns": campaigns });
        set_json(&*shared.store, DUTY, &duty)?;
        self.told = Some((state, Instant::now() + begun.elapsed() * TELLING_SHARE));
        Ok(())
    }
}
