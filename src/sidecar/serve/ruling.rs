//! Rules into force: those that were submitted, and thresholds that keep themselves.

use super::candidate::{self, Accepted, Caution, InForce, Submission};
use super::duty::Duty;
use super::metrics;
use super::shared::Shared;
use crate::clock::now;
use crate::compare::{self, Comparison};
use crate::differences::differences;
use crate::explain::words::moment;
use crate::store::{Audit, Outcome, Store, get_json, set_json};
use azeotrope_engine::campaign::Criteria;
use azeotrope_engine::rules::{Document, MAX_BYTES, Rules};
use azeotrope_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Time between two looks at the thresholds.
const KEEP: Duration = Duration::from_secs(60);
/// Knobs that the audit trail lists of a change.
const KNOBS: usize = 12;
/// Thresholds that were worked out, over those that are written.
const KEPT: &str = "rules.kept";

/// What rules would have done, and the thresholds that go on being kept.
type Weighed = (Comparison, Option<[i32; 3]>);

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
        Ok(get_json(store, KEPT)?.unwrap_or_default())
    }
}

/// The document that is published: what was written, with the thresholds that were worked out.
pub(super) fn document(rules: &InForce, kept: &Kept) -> Document {
    let mut document = Rules::parse(rules.document.as_bytes()).map(|rules| rules.document).unwrap_or_default();
    if document.keep.enabled && kept.number == rules.number {
        set(&mut document, kept.thresholds);
    }
    document
}

fn set(document: &mut Document, thresholds: Option<[i32; 3]>) {
    if let Some([observe, throttle, block]) = thresholds {
        let of = &mut document.thresholds;
        (of.observe.0, of.throttle.0, of.block.0) = (observe, throttle, block);
    }
}

/// Rules as they are published: every knob is named, so that filters of other versions go by the same ones; where that is
/// more than filters take, as they were written.
fn published(written: &str, document: &Document) -> String {
    let whole = document.to_json().to_string();
    if whole.len() <= MAX_BYTES {
        return whole;
    }
    let of = &document.thresholds;
    if Rules::parse(written.as_bytes()).is_ok_and(|rules| rules.document.thresholds == *of) {
        return written.to_owned();
    }
    let Ok(mut short) = serde_json::from_str::<Value>(written) else { return whole };
    if let Some(short) = short.as_object_mut() {
        let (observe, throttle, block) = (of.observe.number(), of.throttle.number(), of.block.number());
        short.insert("thresholds".to_owned(), json!({ "observe": observe, "throttle": throttle, "block": block }));
    }
    short.to_string()
}

/// Why rules cannot be published.
fn too_large(written: &str, document: &Document) -> Option<String> {
    let bytes = published(written, document).len();
    (bytes > MAX_BYTES).then(|| format!("{bytes} bytes as they are published; {MAX_BYTES} are allowed"))
}

/// The thresholds that were worked out under the rules before, for those that come: where both write the same ones, and as
/// long as they stay in order. What is gone back to holds as it was written.
fn carried(before: &InForce, kept: &Kept, next: &Submission, document: &Document) -> Option<[i32; 3]> {
    let [observe, throttle, block] = kept.thresholds.filter(|_| kept.number == before.number)?;
    let written = Rules::parse(before.document.as_bytes()).ok()?.document;
    if !(written.keep.enabled && document.keep.enabled) || next.back_to.is_some() {
        return None;
    }
    let (old, new) = (&written.thresholds, &document.thresholds);
    let of = |kept: i32, old: i32, new: i32| if old == new { kept } else { new };
    let found = [
        of(observe, old.observe.0, new.observe.0),
        of(throttle, old.throttle.0, new.throttle.0),
        of(block, old.block.0, new.block.0),
    ];
    found.is_sorted().then_some(found)
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
            Ok((comparison, thresholds)) => {
                self.rules = candidate::accept(store, &submission)?;
                if thresholds.is_some() {
                    self.kept = Kept { number: self.rules.number, thresholds };
                    set_json(store, KEPT, &self.kept)?;
                }
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

    /// Runs submitted rules in shadow, over recent traffic; with the thresholds that go on being kept.
    fn weigh(&self, submission: &Submission, caution: Caution) -> Result<Weighed, (String, Option<Box<Comparison>>)> {
        let mut rules = Rules::parse(submission.document.as_bytes())
            .map_err(|problems| (problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), None))?;
        if let Some(reason) = ended(&submission.document).filter(|_| !submission.force) {
            return Err((reason, None));
        }
        let thresholds = carried(&self.rules, &self.kept, submission, &rules.document);
        set(&mut rules.document, thresholds);
        if let Some(reason) = too_large(&submission.document, &rules.document) {
            return Err((reason, None));
        }
        let mut new = self.config.clone();
        new.rules = rules;
        let comparison = compare::compare(&self.config, &new, &self.feed, &self.recent);
        match comparison.refuses(caution.per_mille, caution.few).filter(|_| !submission.force) {
            Some(reason) => Err((reason, Some(Box::new(comparison)))),
            None => Ok((comparison, thresholds)),
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
        let refused = comparison.refuses(caution.per_mille, caution.few);
        if let Some(reason) = refused.or_else(|| too_large(&self.rules.document, &new.rules.document)) {
            shared.say(&format!("thresholds stay as they are: {reason}"));
            return Ok(());
        }
        let of = &proposal.thresholds;
        self.kept = Kept { number: self.rules.number, thresholds: Some([of.observe.0, of.throttle.0, of.block.0]) };
        set_json(&*shared.store, KEPT, &self.kept)?;
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
        self.publisher.rules(published(&self.rules.document, &document).as_bytes());
        self.config.rules = Rules::from(document);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Document {
        Rules::parse(text.as_bytes()).unwrap().document
    }

    #[test]
    fn what_is_accepted_is_published_in_a_form_that_filters_take() {
        let list = |count: u64, entry: &dyn Fn(u64) -> String| (1..=count).map(entry).collect::<Vec<_>>().join(",");
        let allow = list(8_192, &|n| format!(r#"{{"account":"{n:016x}"}}"#));
        let deny = list(8_192, &|n| format!(r#"{{"account":"{:016x}","action":"block"}}"#, n + 20_000));
        let accounts = list(14_000, &|n| format!(r#""{:016x}""#, n + 50_000));
        let text = format!(
            r#"{{"format":1,"version":1,"allow":[{allow}],"deny":[{deny}],"campaigns":[{{"id":"c-1","accounts":[{accounts}]}}]}}"#
        );
        let mut document = parsed(&text);
        assert!(document.to_json().to_string().len() > MAX_BYTES);
        assert_eq!(published(&text, &document), text);
        set(&mut document, Some([5_500, 9_000, 11_000]));
        let short = published(&text, &document);
        assert_eq!(parsed(&short).thresholds, document.thresholds);
        assert_eq!(parsed(&short).to_json(), document.to_json());
        assert_eq!(too_large(&text, &document), None);
        let long = format!("{text}{}", " ".repeat(MAX_BYTES - text.len()));
        assert_eq!(too_large(&long, &document), None);
        // Everything is named where there is room.
        assert_eq!(
            published(r#"{"format":1,"version":1}"#, &Document::default()),
            Document::default().to_json().to_string()
        );
    }

    #[test]
    fn thresholds_that_are_kept_outlast_changes_of_other_knobs() {
        let kept = Kept { number: 1, thresholds: Some([5_500, 9_000, 11_000]) };
        let document = r#"{"format":1,"version":1,"keep":{"enabled":true}}"#.to_owned();
        let before = InForce { number: 1, document, ..InForce::default() };
        let next = |document: &str, back_to| {
            let text = String::new;
            let (who, note, through, document) = (text(), text(), text(), document.to_owned());
            let next = Submission { id: 1, at: 1, who, note, through, force: false, back_to, document };
            carried(&before, &kept, &next, &parsed(&next.document))
        };
        let keep = r#""keep":{"enabled":true,"pinned":["throttle"]}"#;
        let with = |more: &str| format!(r#"{{"format":1,"version":1,{keep}{more}}}"#);
        assert_eq!(next(&with(""), None), kept.thresholds);
        assert_eq!(next(&with(r#","allow":[{"account":"00000000000000ff"}]"#), None), kept.thresholds);
        assert_eq!(next(&with(r#","thresholds":{"throttle":8}"#), None), Some([5_500, 8_000, 11_000]));
        assert_eq!(next(&with(r#","thresholds":{"throttle":5}"#), None), None);
        assert_eq!(next(&with(""), Some(1)), None);
        assert_eq!(next(r#"{"format":1,"version":1}"#, None), None);
    }
}
