//! Rules into force: those that were submitted, and thresholds that keep themselves.

use super::candidate::{self, Accepted, Caution, InForce, Submission};
use super::duty::Duty;
use super::metrics;
use super::shared::Shared;
use crate::clock::now;
use crate::compare::{self, Comparison};
use crate::differences::differences;
use crate::explain::words::moment;
use crate::store::{Audit, Outcome, Store};
use azeotrope_engine::campaign::Criteria;
use azeotrope_engine::rules::{Document, Rules};
use azeotrope_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Time between two looks at the thresholds.
const KEEP: Duration = Duration::from_secs(60);
/// Knobs that the audit trail lists of a change.
const KNOBS: usize = 12;
/// Thresholds that were worked out, over those that are written.
const KEPT: &str = "rules.kept";

/// Thresholds worked out from traffic, in thousandths of a nat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The document they belong to.
    number: u64,
    thresholds: Option<[i32; 3]>,
}

impl Kept {
    /// Those that hold.
    pub(super) fn of(store: &dyn Store) -> Outcome<Self> {
        Ok(store.get(KEPT)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }
}

/// The document that is published: what was written, with the thresholds that were worked out.
pub(super) fn document(rules: &InForce, kept: &Kept) -> Document {
    let mut document = Rules::parse(rules.document.as_bytes()).map(|rules| rules.document).unwrap_or_default();
    if let Some([observe, throttle, block]) = kept.thresholds
        && document.keep.enabled
        && kept.number == rules.number
    {
        let of = &mut document.thresholds;
        (of.observe.0, of.throttle.0, of.block.0) = (observe, throttle, block);
    }
    document
}

/// Why a document is of no use any more: it has ended, and filters would observe by the built-in rules.
pub(super) fn ended(document: &str) -> Option<String> {
    let expires = Rules::parse(document.as_bytes()).ok()?.document.expires?;
    let end = Timestamp(expires.saturating_mul(1_000));
    (end.0 <= now()).then(|| {
        format!("they have ended ({}): filters would only observe, by the built-in rules, unless forced", moment(end))
    })
}

/// In what two documents differ: the first few knobs.
fn changes(before: &str, after: &str) -> Vec<String> {
    let named = |text: &str| Rules::parse(text.as_bytes()).map(|rules| rules.document).unwrap_or_default().to_json();
    let found = differences(&named(before), &named(after));
    let mut lines: Vec<String> = found.iter().take(KNOBS).map(|knob| knob.line().trim_end().to_owned()).collect();
    let more = found.len().saturating_sub(KNOBS);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

impl Duty {
    /// Considers rules that were submitted.
    pub(super) fn consider(&mut self, shared: &Shared, caution: Caution) -> Outcome<()> {
        let store = &*shared.store;
        let Some(submission) = candidate::submitted(store)? else { return self.keep(shared, caution) };
        let (verdict, before) = (self.weigh(&submission, caution), self.rules.clone());
        let id = submission.id;
        let (what, outcome) = match verdict {
            Err((reason, comparison)) => {
                metrics::add(&shared.metrics.rules_refused, 1);
                let what = format!("rules refused: {reason}");
                (what, Accepted { id, number: None, reason: Some(reason), comparison: comparison.map(|of| *of) })
            }
            Ok(comparison) => {
                self.rules = candidate::accept(store, &submission)?;
                self.follow();
                let number = self.rules.number;
                let comparison = Some(comparison);
                (format!("rules {number} in force"), Accepted { id, number: Some(number), reason: None, comparison })
            }
        };
        let note = if submission.note.is_empty() { String::new() } else { format!(": {}", submission.note) };
        shared.say(&format!("{what} (by {}{note})", submission.who));
        if let (Some(_), Some(comparison)) = (outcome.number, &outcome.comparison) {
            shared.say(comparison.text.trim_end());
        }
        store.audit(&Audit {
            at: now(),
            who: submission.who.clone(),
            what: format!("{what}{note}"),
            through: submission.through.clone(),
            before: Some(before.number),
            after: outcome.number,
            changes: changes(&before.document, &submission.document),
        })?;
        candidate::conclude(store, &outcome)
    }

    /// Runs submitted rules in shadow, over recent traffic.
    fn weigh(
        &self,
        submission: &Submission,
        caution: Caution,
    ) -> Result<Comparison, (String, Option<Box<Comparison>>)> {
        let rules = Rules::parse(submission.document.as_bytes())
            .map_err(|problems| (problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), None))?;
        if let Some(reason) = ended(&submission.document).filter(|_| !submission.force) {
            return Err((reason, None));
        }
        let mut new = self.config.clone();
        new.rules = rules;
        let comparison = compare::compare(&self.config, &new, &self.feed, &self.recent);
        match comparison.refuses(caution.per_mille, caution.few).filter(|_| !submission.force) {
            Some(reason) => Err((reason, Some(Box::new(comparison)))),
            None => Ok(comparison),
        }
    }

    /// Works thresholds out anew, when it is time. They are held back like any other rules.
    fn keep(&mut self, shared: &Shared, caution: Caution) -> Outcome<()> {
        let document = &self.config.rules.document;
        if !document.keep.enabled || self.kept_at.elapsed() < KEEP {
            return Ok(());
        }
        self.kept_at = Instant::now();
        let Some(proposal) = self.keeper.thresholds(&document.keep, &document.thresholds) else { return Ok(()) };
        let mut new = self.config.clone();
        new.rules.document.thresholds = proposal.thresholds.clone();
        let comparison = compare::compare(&self.config, &new, &self.feed, &self.recent);
        if let Some(reason) = comparison.refuses(caution.per_mille, caution.few) {
            shared.say(&format!("thresholds stay as they are: {reason}"));
            return Ok(());
        }
        let of = &proposal.thresholds;
        self.kept = Kept { number: self.rules.number, thresholds: Some([of.observe.0, of.throttle.0, of.block.0]) };
        shared.store.set(KEPT, &serde_json::to_vec(&self.kept).unwrap_or_default())?;
        self.follow();
        let what = format!("thresholds kept: {}", proposal.reasons.join("; "));
        shared.say(&what);
        let through = "sidecar".to_owned();
        shared.store.audit(&Audit { at: now(), who: "keeper".to_owned(), what, through, ..Audit::default() })
    }

    /// Takes over the rules in force.
    pub(super) fn follow(&mut self) {
        let document = document(&self.rules, &self.kept);
        self.joiner.follow(Criteria::of(&document));
        self.publisher.rules(document.to_json().to_string().as_bytes());
        self.config.rules = Rules::from(document);
    }
}
