//! `azeotrope calibrate`: thresholds for a false-positive budget, from what honest accounts really score.

use super::format::Format;
use super::setup::{Setting, each};
use super::{Failure, Outcome};
use crate::tail::Tail;
use crate::terminal::table::Columns;
use crate::train::samples::read_labels;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::nats::in_nats;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Work out thresholds for a false-positive budget from labelled traces
///
/// Replays each trace and takes down the most that ever spoke against each honest account, acted upon or not. The scores
/// of the few highest fall off exponentially; the fit says from which score on a share of accounts within the budget is
/// left. Prints the thresholds as a fragment of a rules document. Exit codes: 0: done; 1: too few honest accounts score
/// anything for a fit, and no thresholds are printed; 2: wrong usage, no honest account, or a file could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setting: Setting,
    /// Share of honest accounts that may be observed
    #[arg(long, default_value_t = 1e-3, value_parser = share)]
    observe: f64,
    /// Share of honest accounts that may be throttled
    #[arg(long, default_value_t = 1e-4, value_parser = share)]
    throttle: f64,
    /// Share of honest accounts that may be blocked
    #[arg(long, default_value_t = 1e-5, value_parser = share)]
    block: f64,
    /// Traces, and after each its labels: TRACE LABELS [TRACE LABELS]...
    #[arg(required = true, num_args = 2.., value_name = "TRACE LABELS")]
    traces: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (1e-9..=0.5).contains(&share) { Ok(share) } else { Err("a share is 0.000000001 to 0.5".to_owned()) }
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let (pairs, odd) = self.traces.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(Failure::Usage("each trace needs its labels after it".to_owned()));
        }
        let engine = self.setting.engine()?;
        let mut scores = Vec::new();
        for [trace, labels] in pairs {
            eprintln!("replaying {}", trace.display());
            scores.extend(honest(&engine, &self.setting, trace, labels)?);
        }
        if scores.is_empty() {
            return Err(Failure::Usage("the labels name no honest account (actor `benign`) of the traces".to_owned()));
        }
        scores.sort_unstable_by(|a, b| b.cmp(a));
        let Some(tail) = Tail::fit(&scores, scores.len(), usize::MAX) else {
            let above = scores.iter().filter(|&&score| score > 0).count();
            let json = || json!({ "accounts": scores.len(), "scoring": above, "thresholds": null });
            let text = || format!("{above} of {} honest accounts score anything: too few for a fit\n", scores.len());
            self.format.print(json, text)?;
            return Ok(Outcome::Problems);
        };
        let budgets = [("observe", self.observe), ("throttle", self.throttle), ("block", self.block)];
        let rungs = rungs(&scores, &tail, &budgets);
        self.format.print(|| fitted(scores.len(), &tail, &rungs), || table(scores.len(), &tail, &rungs))?;
        Ok(Outcome::Well)
    }
}

/// The most that spoke against each honest account of a trace.
fn honest(engine: &Engine, setting: &Setting, trace: &Path, labels: &Path) -> Result<Vec<i32>, Failure> {
    let labels = read_labels(labels)?;
    let mut fleet = setting.fleet(engine, true);
    let mut accounts: BTreeMap<u64, i32> = BTreeMap::new();
    each(trace, false, |exchange| {
        let verdict = fleet.exchange(exchange);
        if labels.get(&exchange.id).is_some_and(|label| label.benign) {
            let most = accounts.entry(fleet.account(exchange)).or_default();
            *most = verdict.score.max(*most);
        }
        Ok(true)
    })?;
    fleet.end();
    Ok(accounts.into_iter().map(|(account, most)| fleet.standing(account).max(most)).collect())
}

/// Where an action begins.
struct Rung<'a> {
    action: &'a str,
    budget: f64,
    /// Nats.
    threshold: f64,
    /// Honest accounts above it.
    above: usize,
}

fn rungs<'a>(scores: &[i32], tail: &Tail, budgets: &[(&'a str, f64); 3]) -> Vec<Rung<'a>> {
    let mut least = 0.0_f64;
    let rung = |&(action, budget): &(&'a str, f64)| {
        // Below the tail the fit says nothing; fewer score there than the budget allows.
        least = tail.threshold(budget).max(tail.from).max(least).min(100.0);
        let above = scores.iter().filter(|&&score| in_nats(score) >= least).count();
        Rung { action, budget, threshold: (least * 100.0).ceil() / 100.0, above }
    };
    budgets.iter().map(rung).collect()
}

/// The thresholds as a fragment of a rules document.
fn thresholds(rungs: &[Rung<'_>]) -> Value {
    rungs.iter().map(|rung| (rung.action.to_owned(), json!(rung.threshold))).collect::<serde_json::Map<_, _>>().into()
}

fn fitted(accounts: usize, tail: &Tail, rungs: &[Rung<'_>]) -> Value {
    let listed = rungs.iter().map(|rung| json!({ "action": rung.action, "budget": rung.budget, "above": rung.above }));
    json!({
        "accounts": accounts, "tail": { "from": tail.from, "mean": tail.mean },
        "actions": listed.collect::<Vec<_>>(), "thresholds": thresholds(rungs),
    })
}

fn table(accounts: usize, tail: &Tail, rungs: &[Rung<'_>]) -> String {
    let mut table = Columns::new(&["action", "budget>", "threshold>", "honest accounts above>"]);
    for rung in rungs {
        let (budget, threshold) = (format!("{:.0e}", rung.budget), format!("{:.2}", rung.threshold));
        table.row([rung.action.to_owned(), budget, threshold, rung.above.to_string()]);
    }
    format!(
        "{accounts} honest accounts; above {:.2} nats the share falls by e every {:.2} nats\n\n{}\n{:#}\n",
        tail.from,
        tail.mean,
        table.text(),
        json!({ "thresholds": thresholds(rungs) })
    )
}
