//! How well a model does on repositories it has not seen.

use super::fit::{Linear, calibrate, temper, weights};
use super::samples::{Sample, Samples};
use crate::terminal::table::Columns;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Parts that the repositories are dealt into; each is held out once.
pub(crate) const FOLDS: usize = 8;

/// Kinds whose sources share their templates: relays share the instruction, the others were copied from repository to
/// repository.
const COPIES: &[&str] = &["relay", "evol_instruct", "self_instruct"];

/// Margins of every sample by a model that has not seen its repository, and what they become.
pub(crate) struct HeldOut {
    /// What the wording of each sample is worth, in order: its tempered log-odds.
    pub(crate) scores: Vec<f32>,
    /// What a margin is worth.
    pub(crate) slope: f32,
    /// What each is given besides.
    pub(crate) offset: f32,
}

/// Trains [`FOLDS`] models, each without a part of the repositories, and scores that part.
pub(crate) fn hold_out(samples: &Samples, progress: &dyn Fn(usize)) -> HeldOut {
    let folds = folds(samples);
    let fold = |sample: &Sample| folds.get(sample.source).copied().unwrap_or(0);
    let mut margins = vec![0.0_f32; samples.all.len()];
    for part in 0..FOLDS {
        progress(part);
        let model = Linear::fit(samples, &|sample| fold(sample) != part);
        for (margin, sample) in margins.iter_mut().zip(&samples.all).filter(|(_, sample)| fold(sample) == part) {
            *margin = model.margin(sample);
        }
    }
    let weighed: Vec<_> = margins
        .iter()
        .zip(&samples.all)
        .zip(weights(samples))
        .map(|((&margin, sample), weight)| (margin, sample.harvest, weight))
        .collect();
    let (slope, offset) = temper(calibrate(&weighed));
    HeldOut { scores: margins.iter().map(|margin| slope * margin + offset).collect(), slope, offset }
}

/// The part each source is dealt into: all of a repository (what its name has before the first blank) into one, for they are of one
/// hand, and kinds whose sources copy one another's templates as well, or the copy would give the original away.
fn folds(samples: &Samples) -> Vec<usize> {
    let mut together: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parts = Vec::with_capacity(samples.sources.len());
    for (kind, source) in &samples.sources {
        let repository = source.split(' ').next().unwrap_or(source);
        let name = if COPIES.contains(&kind.as_str()) { kind } else { repository };
        let next = together.len();
        parts.push(*together.entry(name).or_insert(next) % FOLDS);
    }
    parts
}

/// How a model that has not seen a source's repository judges it.
struct Row<'a> {
    harvest: bool,
    kind: &'a str,
    source: &'a str,
    requests: usize,
    /// Mean of what its requests' wording is worth, in nats.
    mean: f32,
    /// Share of requests held for harvest rather than not.
    above: f32,
}

#[allow(clippy::cast_precision_loss)]
fn rows<'a>(samples: &'a Samples, held: &HeldOut) -> Vec<Row<'a>> {
    let mut rows: BTreeMap<(bool, &str, &str), Vec<f32>> = BTreeMap::new();
    for (sample, &score) in samples.all.iter().zip(&held.scores) {
        if let Some((kind, source)) = samples.sources.get(sample.source) {
            rows.entry((sample.harvest, kind, source)).or_default().push(score);
        }
    }
    let row = |((harvest, kind, source), scores): (_, Vec<f32>)| Row {
        harvest,
        kind,
        source,
        requests: scores.len(),
        mean: scores.iter().sum::<f32>() / scores.len() as f32,
        above: scores.iter().filter(|score| **score > 0.0).count() as f32 / scores.len() as f32,
    };
    rows.into_iter().map(row).collect()
}

fn side(row: &Row<'_>) -> &'static str {
    if row.harvest { "harvest" } else { "benign" }
}

/// The held-out scores by source, for people.
pub(crate) fn table(samples: &Samples, held: &HeldOut) -> String {
    let mut table = Columns::new(&["side", "kind", "source (held out)", "rows>", "mean>", "above 0 nats>"]);
    for row in rows(samples, held) {
        table.row([
            side(&row).to_owned(),
            row.kind.to_owned(),
            row.source.to_owned(),
            row.requests.to_string(),
            format!("{:.2}", row.mean),
            format!("{:.0}%", row.above * 100.0),
        ]);
    }
    let area = area(samples, held);
    format!("{}area under the curve, repositories held out, each source weighing the same: {area:.3}\n", table.text())
}

/// The same, for programs.
pub(crate) fn json(samples: &Samples, held: &HeldOut) -> Value {
    let told = |row: &Row<'_>| {
        json!({
            "side": side(row), "kind": row.kind, "source": row.source, "rows": row.requests, "mean": row.mean,
            "above_zero": row.above,
        })
    };
    let sources: Vec<_> = rows(samples, held).iter().map(told).collect();
    json!({ "sources": sources, "area": area(samples, held) })
}

/// Probability that a harvest scores above a benign request, each source weighing the same.
fn area(samples: &Samples, held: &HeldOut) -> f64 {
    let weights = weights(samples);
    let mut ranked: Vec<(f32, bool, f64)> = samples
        .all
        .iter()
        .zip(&held.scores)
        .zip(weights)
        .map(|((sample, &score), weight)| (score, sample.harvest, f64::from(weight)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut benign, mut harvest, mut above) = (0.0, 0.0, 0.0);
    for (_, is_harvest, weight) in ranked {
        if is_harvest {
            above += weight * benign;
            harvest += weight;
        } else {
            benign += weight;
        }
    }
    above / (benign * harvest).max(f64::MIN_POSITIVE)
}
