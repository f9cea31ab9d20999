//! Evidence: what each family sees, what it needs, and how many nats it is worth.
//!
//! | family | on a proxy | in the second tier ([`crate::campaign`]) |
//! |---|---|---|
//! | `blob_provenance`, `prefix_continuity`, `failover_echo` | [`provenance`] | `ledger`, and `naming` for what it proves |
//! | `skeleton_spread` | [`spread`] | `group`, by the keys of [`crate::digest::skeleton`] |
//! | `corpus_sweep` | the campaign's, told by the feed | `group::worth`, `linking` |
//! | `cohort_synchrony` | [`cohort`], of which both tiers take the statistics; [`population`] | `group::worth`, `kin`, `rhythm` |
//! | `account_shape` | [`shape`] | – |
//! | `harvest_content` | [`wording`] | `group::worth`, `account` |
//! | `technique_search` | [`search`] | `group`, by payloads |

pub mod cohort;
pub mod population;
pub mod provenance;
pub mod search;
pub mod shape;
pub mod spread;
pub mod state;
mod template;
pub mod view;
pub mod wording;

use crate::caller::Caller;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::{Config, Families, Family, Rules};
use crate::sketch::table::Slot;
use crate::store::{Get, Store};
use crate::time::Timestamp;
use crate::verdict::Reason;
use provenance::Custody;
use shape::Account;
use spread::Group;
use state::Tables;
use template::Sight;

/// What speaks for or against an exchange: reasons, and what each is worth in thousandths of a nat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(Vec<(Reason, MilliNats)>);

impl Evidence {
    /// Adds a reason; one that is there already keeps the greater worth.
    pub fn add(&mut self, reason: Reason, milli: MilliNats) {
        match self.0.iter_mut().find(|(of, _)| *of == reason) {
            Some((_, most)) => *most = milli.max(*most),
            None => self.0.push((reason, milli)),
        }
    }

    /// All reasons, in the order in which they were found.
    #[must_use]
    pub fn all(&self) -> &[(Reason, MilliNats)] {
        &self.0
    }

    /// What a reason is worth, where it was found.
    #[must_use]
    pub fn worth(&self, reason: Reason) -> Option<MilliNats> {
        self.0.iter().find(|(of, _)| *of == reason).map(|&(_, milli)| milli)
    }

    /// What all of it is worth together, each family by its weight and within its bound.
    #[must_use]
    pub fn score(&self, families: &Families) -> MilliNats {
        let worth = |&(reason, milli): &(Reason, MilliNats)| {
            reason.family().map_or(0, |family| families.worth(family).of(milli))
        };
        self.0.iter().map(worth).fold(0, MilliNats::saturating_add)
    }

    /// A reason that was found is worth nothing more here.
    pub fn discount(&mut self, reason: Reason) {
        self.0.iter_mut().filter(|(of, _)| *of == reason).for_each(|(_, milli)| *milli = 0);
    }

    /// Adds all of another's reasons.
    pub fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|&(reason, milli)| self.add(reason, milli));
    }

    /// The families that contributed, each once.
    pub fn families(&self) -> impl Iterator<Item = Family> + '_ {
        let family = |place: usize| self.0.get(place).and_then(|(reason, _)| reason.family());
        (0..self.0.len())
            .filter_map(move |place| family(place).filter(|of| (0..place).all(|before| family(before) != Some(*of))))
    }
}

/// What the proxy's own counters say of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What its account does, and what of it was in other hands.
    pub alone: Evidence,
    /// What others say that are like it. Where a sidecar sees all of them, and names no campaign, it is nothing: users of one app are
    /// alike, too.
    pub group: Evidence,
    /// Whether the template was this caller's before it was anybody else's.
    pub own: bool,
}

impl Seen {
    /// All of it.
    #[must_use]
    pub fn all(&self) -> Evidence {
        let mut all = self.alone.clone();
        all.extend(&self.group);
        all
    }
}

/// Bound of what the wording of the request itself takes from what its group is worth, in thousandths of a nat.
const OWN_WORDING: MilliNats = 4_000;

/// What the proxy's own counters say, of what was counted before: `local` reads, [`count`] writes.
///
/// Reads at most five pages: of the account, of three keys, and of everybody where a key's parties are many; for what
/// changes hands one to five more ([`provenance::look`]); while the digest key is rotated, of three keys and of who was there
/// before more.
pub fn local(
    config: &Config,
    rules: &Rules,
    store: &impl Get,
    caller: &Caller,
    reading: &Reading,
    now: Timestamp,
) -> Seen {
    let families = &rules.document.families;
    let tables = Tables::of(&config.state);
    let mut seen = Seen::default();
    // While the digest key is rotated an account's shape goes on from its old slot.
    let shape = |account| tables.accounts.peek(store, account, |slot| Account::of(slot, now));
    let account = shape(caller.account).or_else(|| shape(caller.before.account).filter(|_| caller.before.account != 0));
    let wording = if families.harvest_content.enabled { reading.wording } else { 0 };
    if let Some(account) = account {
        if families.account_shape.enabled {
            account.evidence(&families.account_shape, wording, &mut seen.alone);
        }
        if families.technique_search.enabled {
            search::evidence(account.refused, &families.technique_search, &mut seen.alone);
        }
    }
    if caller.account == 0 || reading.unread {
        return seen;
    }
    provenance::look(&tables.provenance, custody(rules), store, caller, reading, now, &mut seen.alone);
    let sight = Sight::of(&tables, store, caller, reading);
    let earlier = Sight::earlier(&tables, store, caller, reading);
    // Parts are of a template and its payload: only its ends tell whose it is.
    let [first, last, _] = sight.own(earlier.as_ref());
    let worth = |of: &Sight, other| of.of_others().strongest(other, &tables, store, families, now);
    let before = earlier.as_ref().and_then(|earlier| worth(earlier, Some(&sight)));
    let strongest = worth(&sight, earlier.as_ref()).into_iter().chain(before).max_by_key(|worth| worth.total());
    if let Some(worth) = strongest {
        company(worth, wording, rules, &mut seen.group);
    }
    seen.own = first || last;
    seen
}

/// What a group says of a request in it whose own wording is worth `own`: one that reads like a person's is probably that, and
/// how the others word it says no more of it than its own wording does.
fn company(worth: spread::Worth, own: MilliNats, rules: &Rules, evidence: &mut Evidence) {
    let families = &rules.document.families;
    let most = own.max(0).saturating_mul(cohort::WORDING_FACTOR);
    let worth = spread::Worth { wording: worth.wording.min(most), ..worth };
    let prior = families.cohort_synchrony.prior.0;
    let surplus = worth.total().saturating_add(own.clamp(-OWN_WORDING, 0)).saturating_sub(prior);
    if surplus < rules.document.thresholds.observe.0 {
        return;
    }
    // One finding, of which template and target are two sides, and wording a third where it speaks for it.
    let wording = worth.wording.clamp(0, surplus / 2);
    let half = surplus.saturating_sub(wording) / 2;
    evidence.add(Reason::SkeletonSpread, half);
    if families.cohort_synchrony.enabled {
        evidence.add(Reason::CohortSynchrony, half);
    }
    if wording > 0 {
        evidence.add(Reason::HarvestContent, wording);
    }
}

fn custody(rules: &Rules) -> Custody<'_> {
    Custody { families: &rules.document.families, migrations: rules.lists.migrations() }
}

/// Takes note of the blobs that an answer gave to a caller. Returns how many updates were lost.
pub fn given<S: Store>(
    config: &Config,
    rules: &Rules,
    store: &mut S,
    caller: &Caller,
    blobs: &[u64],
    now: Timestamp,
) -> u32 {
    let table = Tables::of(&config.state).provenance;
    provenance::given(&table, custody(rules), store, caller, blobs, now)
}

/// Takes note that the model refused a request that upstream had accepted. Returns how many updates were lost.
pub fn refused<S: Store>(config: &Config, store: &mut S, caller: &Caller, reading: &Reading, now: Timestamp) -> u32 {
    if caller.account == 0 || reading.payload == 0 {
        return 0;
    }
    let accounts = Tables::of(&config.state).accounts;
    let begin = |slot: &mut [u8]| shape::begin(slot, now);
    let noted = accounts.update(store, caller.account, now, begin, |slot| {
        shape::refused(slot.bytes_mut(), reading, now);
    });
    u32::from(noted.is_err())
}

/// Counts an exchange that upstream has answered, for the verdicts to come. Returns how many updates were lost.
///
/// Only what upstream accepted (2xx) counts; of what it refused for load the body is noted, so that it is known again in
/// other hands. Who is turned away there (401, 403) has not shown that the key, or the account it names, is theirs: such
/// requests must neither build a case against that account nor fill a template's group with accounts that do not exist. So
/// nothing is written before the answer and nothing has to be undone. What is refused here teaches nothing either.
///
/// Updates the account's page and the conversation's; where the account is new under a key, the key's; where it is new
/// here, everybody's.
pub fn count<S: Store>(
    config: &Config,
    rules: &Rules,
    store: &mut S,
    caller: &Caller,
    reading: &Reading,
    status: u16,
    now: Timestamp,
) -> u32 {
    if caller.account == 0 {
        return 0;
    }
    let tables = Tables::of(&config.state);
    let lost = provenance::settle(&tables.provenance, custody(rules), store, caller, reading, status, now);
    if !(200..300).contains(&status) {
        return lost;
    }
    let keys = if reading.unread { [0; spread::KEYS] } else { spread::keys(reading) };
    let counted = tables.accounts.update(
        store,
        caller.account,
        now,
        |slot| shape::begin(slot, now),
        |slot| {
            let fresh = slot.fresh();
            (fresh, shape::count(slot.bytes_mut(), caller, keys, now))
        },
    );
    lost + match counted {
        // Under every key it is a party, as it may have been before its slot was lost: groups know.
        Ok((fresh, new)) => gather(&tables, rules, store, (caller, reading), (fresh, new), now),
        Err(_) => 1,
    }
}

/// Counts an account under the keys that are new to it, and, where it is `fresh`, among everybody. A campaign must not
/// become its own normality: what a group speaks against is not everybody.
fn gather<S: Store>(
    tables: &Tables,
    rules: &Rules,
    store: &mut S,
    (caller, reading): (&Caller, &Reading),
    (fresh, keys): (bool, [u64; spread::KEYS]),
    now: Timestamp,
) -> u32 {
    let families = &rules.document.families;
    let mut lost = 0;
    let mut sight = Sight { party: spread::Party::of(caller, reading), ..Sight::default() };
    let party = sight.party;
    let news = fresh || keys.iter().any(|key| *key != 0);
    let earlier = if news { Sight::earlier(tables, store, caller, reading) } else { None };
    let begun = earlier.map(|earlier| earlier.begun()).unwrap_or_default();
    for ((key, group), begun) in keys.into_iter().zip(&mut sight.groups).zip(begun).filter(|((key, _), _)| *key != 0) {
        let begin = |slot: &mut [u8]| spread::begin(slot, now);
        let joined = tables.skeletons.update(store, key, now, begin, |slot| {
            if let Some(first) = begun {
                spread::inherit(slot.bytes_mut(), &party, first);
            }
            spread::join(slot.bytes_mut(), &party, families, now);
            Group::of(slot.bytes())
        });
        lost += u32::from(joined.is_err());
        *group = joined.ok();
    }
    if fresh {
        let worth = |of: &Sight, other| {
            of.strongest(other, tables, store, families, now).map_or(MilliNats::MIN, |worth| worth.total())
        };
        let before = earlier.as_ref().map_or(MilliNats::MIN, |earlier| worth(earlier, Some(&sight)));
        if worth(&sight, earlier.as_ref()).max(before) < families.cohort_synchrony.prior.0 {
            let add = |slot: &mut Slot<'_>| population::add(slot.bytes_mut(), party.target, now);
            lost += u32::from(tables.population.update(store, state::EVERYBODY, now, |_| (), add).is_err());
        }
    }
    lost
}

#[cfg(test)]
mod tests;
