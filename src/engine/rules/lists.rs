//! Exceptions, orders and campaigns: who is named in rules, found by digest.

use super::document::Document;
use super::migrations::Migrations;
use super::names::{CampaignName, DigestName};
use super::section::{choice, section};
use super::values::MAX_WHOLE;
use crate::caller::Caller;
use crate::time::{SECOND, Timestamp};
use crate::verdict::Action;

section! {
    /// Somebody who is never acted upon.
    pub struct Exception {
        /// Digest of an account.
        account: Option<DigestName> = None, ();
        /// Digest of an organisation.
        organisation: Option<DigestName> = None, ();
        /// Digest of a skeleton.
        skeleton: Option<DigestName> = None, ();
        /// Digest of a client network.
        network: Option<DigestName> = None, ();
        /// Why, for whoever reads the rules.
        note: String = String::new(), 0..=256;
        /// When the exception ends; absent: with the rules.
        until: Option<u64> = None, 1..=MAX_WHOLE, "seconds since 1970-01-01T00:00:00Z";
    }
    exactly_one ["account", "organisation", "skeleton", "network"]
}

section! {
    /// Somebody who is acted upon, whatever the score.
    pub struct Order {
        /// Digest of an account.
        account: Option<DigestName> = None, ();
        /// Digest of an organisation.
        organisation: Option<DigestName> = None, ();
        /// What is done.
        action: Sanction = Sanction::Throttle, ();
        /// Why, for whoever reads the rules.
        note: String = String::new(), 0..=256;
        /// When the order ends; absent: with the rules.
        until: Option<u64> = None, 1..=MAX_WHOLE, "seconds since 1970-01-01T00:00:00Z";
    }
    required ["action"]
    exactly_one ["account", "organisation"]
}

section! {
    /// An account that moves to another: a rotated key, a changed plan, a taken-over firm.
    pub struct Migration {
        /// Digest of the account that is left.
        from: Option<DigestName> = None, ();
        /// Digest of the account that takes its place.
        to: Option<DigestName> = None, ();
        /// Why, for whoever reads the rules.
        note: String = String::new(), 0..=256;
        /// When the two are strangers again; absent: with the rules.
        until: Option<u64> = None, 1..=MAX_WHOLE, "seconds since 1970-01-01T00:00:00Z";
    }
    required ["from", "to"]
}

section! {
    /// A campaign that the sidecar has found.
    pub struct Campaign {
        /// Its name.
        id: CampaignName = CampaignName::default(), ();
        /// Whether it is beyond doubt: it then counts as a family of evidence, and supports a block. That confirms a campaign
        /// that the sidecar named as well, whether accounts are listed here or not.
        confirmed: bool = false, ();
        /// Digests of its accounts.
        accounts: Vec<DigestName> = Vec::new(), (0..=32_768, ());
        /// Digests of its skeletons.
        skeletons: Vec<DigestName> = Vec::new(), (0..=1_024, ());
        /// When it ends; absent: with the rules.
        until: Option<u64> = None, 1..=MAX_WHOLE, "seconds since 1970-01-01T00:00:00Z";
    }
    required ["id"]
}

/// What an order may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sanction {
    /// 429 with Retry-After.
    Throttle,
    /// Let through with openly named reductions.
    Degrade,
    /// 403.
    Block,
}

choice!(Sanction { Throttle = "throttle", Degrade = "degrade", Block = "block" });

impl Sanction {
    /// The rung of the ladder.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Throttle => Action::Throttle,
            Self::Degrade => Action::Degrade,
            Self::Block => Action::Block,
        }
    }
}

/// What is named by a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An account.
    Account(u64),
    /// An organisation.
    Organisation(u64),
    /// A skeleton.
    Skeleton(u64),
    /// A client network.
    Network(u64),
}

/// Something that holds for a subject until a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry<T> {
    pub(super) subject: Subject,
    until: Timestamp,
    pub(super) holds: T,
}

impl<T> Entry<T> {
    pub(super) fn new(subject: Subject, until: Option<u64>, holds: T) -> Self {
        Self { subject, until: end(until), holds }
    }
}

/// Entries found by subject: a binary search, for lists of thousands on a request's path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Index<T>(pub(super) Vec<Entry<T>>);

impl<T: Copy> Index<T> {
    pub(super) fn new(entries: Vec<Entry<T>>) -> Self {
        // Places are sorted, not entries: one sort in the module instead of one for each type.
        let mut order: Vec<_> = entries.iter().map(|entry| entry.subject).zip(0_usize..).collect();
        order.sort_unstable();
        Self(order.into_iter().filter_map(|(_, place)| entries.get(place).cloned()).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What holds for a subject now.
    pub(super) fn find(&self, subject: Subject, now: Timestamp) -> impl Iterator<Item = T> {
        let start = self.0.partition_point(|entry| entry.subject < subject);
        let same = self.0.get(start..).unwrap_or_default().iter().take_while(move |entry| entry.subject == subject);
        same.filter(move |entry| now < entry.until).map(|entry| entry.holds)
    }
}

/// The moment until which something holds.
pub(super) fn end(until: Option<u64>) -> Timestamp {
    Timestamp(until.map_or(u64::MAX, |seconds| seconds.saturating_mul(SECOND)))
}

/// The lists of a rules document, ready to be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    allow: Index<()>,
    deny: Index<Action>,
    campaigns: Index<usize>,
    migrations: Migrations,
}

impl Lists {
    pub(super) fn new(document: &Document) -> Self {
        let campaigns = document.campaigns.iter().enumerate().flat_map(|(place, campaign)| {
            let accounts = campaign.accounts.iter().map(|digest| Subject::Account(digest.0));
            let skeletons = campaign.skeletons.iter().map(|digest| Subject::Skeleton(digest.0));
            accounts.chain(skeletons).map(move |subject| Entry::new(subject, campaign.until, place))
        });
        let allow = document.allow.iter().filter_map(|entry| Some(Entry::new(entry.subject()?, entry.until, ())));
        let deny = document
            .deny
            .iter()
            .filter_map(|entry| Some(Entry::new(entry.subject()?, entry.until, entry.action.action())));
        let migrations = Migrations::of(&document.migrations);
        Self {
            allow: Index::new(allow.collect()),
            deny: Index::new(deny.collect()),
            campaigns: Index::new(campaigns.collect()),
            migrations,
        }
    }

    /// Whether an exception holds for a subject.
    #[must_use]
    pub fn allows(&self, subject: Subject, now: Timestamp) -> bool {
        self.allow.find(subject, now).next().is_some()
    }

    /// Whether an exception holds for any of some subjects; nobody looks through them where there is none.
    pub fn allows_any(&self, mut of: impl Iterator<Item = Subject>, now: Timestamp) -> bool {
        !self.allow.is_empty() && of.any(|subject| self.allows(subject, now))
    }

    /// Whether an exception holds for a caller.
    #[must_use]
    pub fn allows_caller(&self, caller: &Caller, now: Timestamp) -> bool {
        self.allows_any(subjects(caller), now)
    }

    /// What the operator ordered for a caller: the gravest order that holds.
    #[must_use]
    pub fn denies(&self, caller: &Caller, now: Timestamp) -> Option<Action> {
        if self.deny.is_empty() {
            return None;
        }
        subjects(caller).flat_map(|subject| self.deny.find(subject, now)).max()
    }

    /// Declared migrations.
    #[must_use]
    pub fn migrations(&self) -> &Migrations {
        &self.migrations
    }

    /// Whether anybody is listed as of a campaign.
    pub(super) fn has_campaigns(&self) -> bool {
        !self.campaigns.is_empty()
    }

    /// Place of the campaign a subject belongs to, in the document's list.
    pub(super) fn campaign(&self, subject: Subject, now: Timestamp) -> impl Iterator<Item = usize> {
        self.campaigns.find(subject, now)
    }
}

/// What a caller may be named by, under the current digest key and the one before.
fn subjects(caller: &Caller) -> impl Iterator<Item = Subject> {
    let named = |account, organisation, network| {
        [Subject::Account(account), Subject::Organisation(organisation), Subject::Network(network)]
    };
    let before = &caller.before;
    let now = named(caller.account, caller.organisation, caller.network);
    now.into_iter().chain(named(before.account, before.organisation, before.network))
}

impl Exception {
    fn subject(&self) -> Option<Subject> {
        let named = |digest: Option<DigestName>, of: fn(u64) -> Subject| digest.map(|digest| of(digest.0));
        named(self.account, Subject::Account)
            .or_else(|| named(self.organisation, Subject::Organisation))
            .or_else(|| named(self.skeleton, Subject::Skeleton))
            .or_else(|| named(self.network, Subject::Network))
    }
}

impl Order {
    fn subject(&self) -> Option<Subject> {
        let account = self.account.map(|digest| Subject::Account(digest.0));
        account.or_else(|| self.organisation.map(|digest| Subject::Organisation(digest.0)))
    }
}
