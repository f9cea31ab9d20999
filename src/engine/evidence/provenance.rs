//! Who was given what: reasoning blobs, conversations, refused bodies. Finds what changes hands.
//!
//! * **Blob provenance**: a blob belongs to the party whose answer carried it; another party that sends it back was never
//!   given it.
//! * **Prefix continuity**: the request before this one of the same conversation was sent by one other party only, and
//!   this account never sent it. Examples that an app puts before each conversation are sent by every user, so they do
//!   not count. A client that compacts or edits its context goes on from a parent that nobody has sent: it is not found. Who
//!   goes on from such parents as often as from those of others has dialogues that were published, and was handed none.
//! * **Failover echo**: a body that was refused comes again, to the letter, from another party within seconds, with the
//!   same system prompt and tools: what is typed into somebody's service comes back as that sends it. The
//!   honest retry comes from the same one. To the second tier it is all one whether upstream refused it or a proxy; a proxy
//!   notes what upstream refused, for what it refuses itself must not fill its pages.
//!
//! Both tiers hold to what is here; the second keeps its own memory ([`crate::campaign::ledger`]), a proxy a slot a thing
//! in its store ([`slot`]).

mod proxy;
pub mod slot;

pub use proxy::{given, look, settle};

use crate::caller::Caller;
use crate::digest::skeleton::Place;
use crate::digest::words::mix;
use crate::digest::{DRAWN, Reading};
use crate::rules::{Families, Family, Migrations};
use crate::time::{HOUR, SECOND, Timestamp};
use serde::{Deserialize, Serialize};

/// Bytes of text from which a conversation is unlike anybody else's: "hi" is everybody's.
pub const DISTINCT: u32 = 48;

/// An account and what it is related by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// The account.
    pub account: u64,
    /// Half the digest of its organisation; 0: none named.
    pub organisation: u32,
    /// Half the digest of its network; 0: unknown.
    pub network: u32,
}

impl Hand {
    /// The sender of a request.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        let short = super::spread::short;
        Self { account: caller.account, organisation: short(caller.organisation), network: short(caller.network) }
    }

    /// Whether two senders are one party: one account, one organisation or one network.
    #[must_use]
    pub fn related(&self, other: &Self) -> bool {
        self.account == other.account
            || (self.organisation != 0 && self.organisation == other.organisation)
            || (self.network != 0 && self.network == other.network)
    }
}

/// Something seen in one hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Whose it is.
    pub by: Hand,
    /// When it was last seen there.
    pub at: Timestamp,
    /// More than one party had it: it is nobody's.
    pub shared: bool,
}

/// What is held against what: how long the families remember, and who is one party by declaration.
#[derive(Clone, Copy, Debug)]
pub struct Custody<'a> {
    /// The families of the rules.
    pub families: &'a Families,
    /// Declared migrations.
    pub migrations: &'a Migrations,
}

impl Custody<'_> {
    /// For how many milliseconds a family remembers; 0: it does not count.
    #[must_use]
    #[inline(never)]
    pub fn remembers(&self, family: Family) -> u64 {
        let families = self.families;
        match family {
            _ if !families.worth(family).enabled => 0,
            Family::BlobProvenance => u64::from(families.blob_provenance.remember_hours) * HOUR,
            Family::PrefixContinuity => u64::from(families.prefix_continuity.remember_hours) * HOUR,
            Family::FailoverEcho => u64::from(families.failover_echo.within_seconds) * SECOND,
            _ => 0,
        }
    }

    /// Whether a family has forgotten something by now.
    #[must_use]
    pub fn over(&self, family: Family, held: &Held, now: Timestamp) -> bool {
        now.since(held.at) >= self.remembers(family)
    }

    /// Whether two senders are one party, by themselves or by declaration.
    #[must_use]
    #[inline(never)] // Seldom asked, and the module must stay small.
    pub fn one_party(&self, a: &Hand, b: &Hand, now: Timestamp) -> bool {
        a.related(b) || self.migrations.one_party(a.account, b.account, now)
    }

    /// Whether what `hand` has is another party's.
    #[must_use]
    pub fn foreign(&self, family: Family, held: &Held, hand: &Hand, now: Timestamp) -> bool {
        !held.shared && !self.over(family, held, now) && !self.one_party(&held.by, hand, now)
    }

    /// What is known of something after `by` had it.
    #[must_use]
    pub fn noted(&self, family: Family, held: Option<Held>, by: Hand, now: Timestamp) -> Held {
        match held {
            // What was everybody's once stays so; but whom an outage refuses is told anew the next time.
            Some(held) if self.over(family, &held, now) && (!held.shared || family == Family::FailoverEcho) => {
                Held { by, at: now, shared: false }
            }
            Some(held) => Held { at: now, shared: held.shared || !self.one_party(&held.by, &by, now), ..held },
            None => Held { by, at: now, shared: false },
        }
    }

    /// Whether a body that was refused to `from` is sent by others anyhow: an echo of it proves nothing. `whole` is what
    /// is known of the body's conversation.
    #[must_use]
    pub fn common(&self, whole: Option<&Held>, from: &Hand, now: Timestamp) -> bool {
        whole.is_some_and(|whole| whole.shared || !self.one_party(&whole.by, from, now))
    }
}

/// The things of a request that another party may have had: families and keys, 0 for none. Of its blobs the first and
/// the last are looked at: a replay sends one or two.
#[must_use]
pub fn sought(reading: &Reading) -> [(Family, u64); 4] {
    let first = reading.blobs.first().copied().unwrap_or(0);
    let last = reading.blobs.last().copied().filter(|last| *last != first).unwrap_or(0);
    [
        (Family::BlobProvenance, first),
        (Family::BlobProvenance, last),
        (Family::PrefixContinuity, parent(reading).unwrap_or(0)),
        (Family::FailoverEcho, body(reading).unwrap_or(0)),
    ]
}

/// The conversation that a request goes on with, where it is long enough to be anybody's.
#[must_use]
pub fn parent(reading: &Reading) -> Option<u64> {
    let conversation = &reading.conversation;
    (conversation.parent_bytes >= DISTINCT && conversation.parent != 0).then_some(conversation.parent)
}

/// The conversation that a request leaves in its sender's hands, where it is long enough to be anybody's.
#[must_use]
pub fn conversation(reading: &Reading) -> Option<u64> {
    let conversation = &reading.conversation;
    (conversation.bytes >= DISTINCT && conversation.whole != 0).then_some(conversation.whole)
}

/// The body to the letter: what is asked, in which conversation, with which system prompt and tools. Who types another's text
/// into a firm's service has the firm send another body. Model and settings are none of it: a pool's next account may have its own.
/// `None` where it is too short to tell. It is found on the page of its conversation (see [`crate::sketch::table`]), which is read
/// and written anyhow.
#[must_use]
pub fn body(reading: &Reading) -> Option<u64> {
    let whole = conversation(reading).filter(|_| !matches!(reading.content, 0 | DRAWN))?;
    let [system, tools] = [Place::System, Place::Tools].map(|place| reading.skeleton.key(place).unwrap_or(0));
    let hash = mix(mix(reading.content ^ system) ^ tools);
    Some(whole ^ (hash & u64::from(u32::MAX)))
}
