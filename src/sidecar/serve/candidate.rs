//! Rules on their way into force: submitted through any sidecar, considered by the one that has the duty.

use crate::compare::Comparison;
use crate::store::{Outcome, Store, get_json, set_json};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was submitted last.
const SUBMITTED: &str = "rules.submitted";
/// Its id, apart: it is looked at ten times a second, and the document may be large.
const NEWEST: &str = "rules.submitted.id";
/// What became of it.
const OUTCOME: &str = "rules.outcome";
/// What is in force.
const IN_FORCE: &str = "rules.in-force";
/// Numbers, authors and notes of what was in force.
const HISTORY: &str = "rules.history";
/// Documents that can be gone back to.
const KEPT: usize = 50;

/// The built-in rules, written as shortly as can be: what they leave out goes with the version of filter and sidecar.
pub(crate) const BUILT_IN: &str = r#"{"format":1,"version":1}"#;

/// The lease of who submits.
const TURN: &str = "rules";
/// How long a turn stays with who is not heard of: longer than whoever has one waits for what becomes of it.
const TURN_TTL: Duration = Duration::from_secs(30);

/// When new rules are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caution {
    /// Most accounts that may be newly acted on, in thousandths of those seen.
    pub(crate) per_mille: u32,
    /// Fewer than this many never matter.
    pub(crate) few: u32,
}

/// A rules document that somebody wants in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Tells it from others.
    pub(crate) id: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) at: u64,
    /// Who.
    pub(crate) who: String,
    /// Why.
    pub(crate) note: String,
    /// What it was asked through.
    #[serde(default)]
    pub(crate) through: String,
    /// Even where it would act on many accounts at once, or has ended.
    pub(crate) force: bool,
    /// The number of the rules that it goes back to.
    #[serde(default)]
    pub(crate) back_to: Option<u64>,
    /// The document.
    pub(crate) document: String,
}

/// What became of a submission.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Accepted {
    /// The submission.
    pub(crate) id: u64,
    /// The number under which it is in force; `None`: refused.
    pub(crate) number: Option<u64>,
    /// Why it was refused.
    pub(crate) reason: Option<String>,
    /// What it would have done to recent traffic, against the rules before.
    pub(crate) comparison: Option<Comparison>,
}

/// Rules that are or were in force.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct InForce {
    /// Grows with each document.
    pub(crate) number: u64,
    /// Since when, in milliseconds.
    pub(crate) at: u64,
    /// Who put them there.
    pub(crate) who: String,
    /// Why.
    pub(crate) note: String,
    /// The number of the rules that were gone back to.
    #[serde(default)]
    pub(crate) back_to: Option<u64>,
    /// The document; empty in the history.
    pub(crate) document: String,
}

impl InForce {
    /// The number under which this document first came into force.
    pub(super) fn origin(&self) -> u64 {
        self.back_to.unwrap_or(self.number)
    }
}

/// The rules that were in force, the newest first.
pub(crate) type History = Vec<InForce>;

/// The right to submit rules: one in a fleet has it at a time. There is one place for what is submitted, and what waits
/// there is not written over: until it was considered nobody gets a turn.
pub(super) struct Turn<'a> {
    store: &'a dyn Store,
    owner: u64,
}

impl<'a> Turn<'a> {
    /// A turn; `None`: another has it, or what was submitted before still waits.
    pub(super) fn take(store: &'a dyn Store) -> Outcome<Option<Self>> {
        let owner = rand::random();
        if submitted(store)?.is_some() || store.lease(TURN, owner, TURN_TTL)?.is_none() {
            return Ok(None);
        }
        let turn = Self { store, owner };
        // Whoever had it before may have submitted in between.
        Ok(submitted(store)?.is_none().then_some(turn))
    }

    /// Submits rules.
    pub(super) fn submit(&self, submission: &Submission) -> Outcome<()> {
        set_json(self.store, SUBMITTED, submission)?;
        set_json(self.store, NEWEST, &submission.id)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Where the store is away it ends by itself.
        let _ = self.store.release(TURN, self.owner);
    }
}

/// What was submitted and not considered yet.
pub(super) fn submitted(store: &dyn Store) -> Outcome<Option<Submission>> {
    let newest: Option<u64> = get_json(store, NEWEST)?;
    let considered = outcome(store)?.map(|outcome| outcome.id);
    if newest.is_none() || newest == considered {
        return Ok(None);
    }
    // A sidecar of a version without turns may have written between the two: what counts is what is there.
    Ok(get_json::<Submission>(store, SUBMITTED)?.filter(|found| Some(found.id) != considered))
}

/// What became of what was considered last.
pub(super) fn outcome(store: &dyn Store) -> Outcome<Option<Accepted>> {
    get_json(store, OUTCOME)
}

/// What is in force; `None`: the built-in rules.
pub(super) fn in_force(store: &dyn Store) -> Outcome<Option<InForce>> {
    get_json(store, IN_FORCE)
}

/// What was in force, the newest first, without the documents.
pub(super) fn history(store: &dyn Store) -> Outcome<History> {
    Ok(get_json(store, HISTORY)?.unwrap_or_default())
}

/// The number of the rules to go back to from these: those before them, past all that were gone back from. Before the first
/// that anybody wrote the built-in ones were in force.
pub(super) fn before(store: &dyn Store, rules: &InForce) -> Outcome<Option<u64>> {
    let origin = rules.origin();
    let kept = history(store)?.iter().map(|old| old.number).find(|number| *number < origin);
    Ok(kept.or((origin == 1).then_some(0)))
}

/// A document that was in force; 0: the built-in rules.
pub(super) fn document(store: &dyn Store, number: u64) -> Outcome<Option<InForce>> {
    if number == 0 {
        return Ok(Some(InForce { document: BUILT_IN.to_owned(), ..InForce::default() }));
    }
    Ok(get_json::<InForce>(store, &kept(number))?.filter(|kept| kept.number == number))
}

fn kept(number: u64) -> String {
    format!("rules.kept.{}", number % KEPT as u64)
}

/// Says what became of a submission. It comes last, when all else is written: who dies half-way leaves a submission that is
/// considered again.
pub(super) fn conclude(store: &dyn Store, outcome: &Accepted) -> Outcome<()> {
    set_json(store, OUTCOME, outcome)
}

/// Puts a submission into force.
pub(super) fn accept(store: &dyn Store, submission: &Submission) -> Outcome<InForce> {
    let Submission { at, who, note, back_to, document, .. } = submission.clone();
    // It is in force already where only the outcome was not written any more.
    let number =
        in_force(store)?.map_or(1, |before| before.number + u64::from(before.at != at || before.document != document));
    let accepted = InForce { number, at, who, note, back_to, document };
    set_json(store, &kept(number), &accepted)?;
    let mut history = history(store)?;
    history.retain(|entry| entry.number < number);
    history.insert(0, InForce { document: String::new(), ..accepted.clone() });
    history.truncate(KEPT);
    set_json(store, HISTORY, &history)?;
    set_json(store, IN_FORCE, &accepted)?;
    Ok(accepted)
}

/// Forgets rules that were in force no longer at that time; what is in force stays.
pub(super) fn forget(store: &dyn Store, before: u64) -> Outcome<()> {
    let mut history = history(store)?;
    // Each was in force until the next came.
    let ended = history.iter().skip(1).zip(&history).position(|(_, next)| next.at < before);
    for old in history.split_off(ended.map_or(history.len(), |place| place + 1)) {
        set_json(store, &kept(old.number), &InForce::default())?;
        set_json(store, HISTORY, &history)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    fn submission(id: u64) -> Submission {
        let text = String::new;
        let (who, note, through, document) = (text(), text(), text(), "{}".to_owned());
        Submission { id, at: id, who, note, through, force: false, back_to: None, document }
    }

    fn refuse(store: &dyn Store, id: u64) {
        conclude(store, &Accepted { id, number: None, reason: None, comparison: None }).unwrap();
    }

    #[test]
    fn what_others_without_turns_wrote_at_once_is_not_considered_for_ever() {
        let directory = Directory::new();
        let store = crate::store::open(None, Some(&directory.0)).unwrap();
        let (a, b) = (submission(1), submission(2));
        set_json(&*store, SUBMITTED, &a).unwrap();
        set_json(&*store, SUBMITTED, &b).unwrap();
        set_json(&*store, NEWEST, &b.id).unwrap();
        set_json(&*store, NEWEST, &a.id).unwrap();
        assert_eq!(submitted(&*store).unwrap().unwrap().id, 2);
        refuse(&*store, 2);
        assert!(submitted(&*store).unwrap().is_none());
    }

    #[test]
    fn one_submits_at_a_time_and_what_waits_is_not_written_over() {
        let directory = Directory::new();
        let store = crate::store::open(None, Some(&directory.0)).unwrap();
        let turn = Turn::take(&*store).unwrap().unwrap();
        assert!(Turn::take(&*store).unwrap().is_none());
        turn.submit(&submission(1)).unwrap();
        drop(turn);
        assert!(Turn::take(&*store).unwrap().is_none());
        assert_eq!(submitted(&*store).unwrap().unwrap().id, 1);
        refuse(&*store, 1);
        assert!(Turn::take(&*store).unwrap().is_some());
    }

    #[test]
    fn going_back_again_goes_further_back_and_never_to_what_was_gone_back_from() {
        let directory = Directory::new();
        let store = crate::store::open(None, Some(&directory.0)).unwrap();
        let mut at = 0;
        let mut accept = |back_to| {
            at += 1;
            super::accept(&*store, &Submission { back_to, ..submission(at) }).unwrap()
        };
        let back = |rules: &InForce| {
            let to = before(&*store, rules).unwrap()?;
            document(&*store, to).unwrap().map(|old| old.origin())
        };
        // 1 and 2 are good, 3 is bad: 4 is 2 again; 5 is bad: 6 is 2 again; 7 is 1 again, and before that nobody wrote any.
        accept(None);
        let second = accept(None);
        assert_eq!(back(&second), Some(1));
        let bad = accept(None);
        assert_eq!(back(&bad), Some(2));
        let again = accept(Some(2));
        assert_eq!(back(&again), Some(1));
        let bad = accept(None);
        assert_eq!(back(&bad), Some(2));
        assert_eq!(back(&accept(Some(2))), Some(1));
        assert_eq!(back(&accept(Some(1))), Some(0));
        assert_eq!(document(&*store, 0).unwrap().unwrap().document, BUILT_IN);
        assert_eq!(back(&accept(Some(0))), None);
        // What was before is no longer kept, and was not the built-in ones.
        set_json(&*store, HISTORY, &History::new()).unwrap();
        assert_eq!(back(&second), None);
    }
}
