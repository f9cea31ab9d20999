//! Logistic regression, calibration, quantisation.

use super::samples::{Sample, Samples};
use azeotrope_engine::evidence::wording::{Model, SHAPES, TEMPERED, UNHEARD, WORDS};

/// Passes over the samples. More of them know the templates by heart.
const EPOCHS: usize = 4;
/// AdaGrad's first step.
const RATE: f32 = 0.4;
/// Pull of each weight towards 0, a step.
const DECAY: f32 = 2e-5;
/// What a shape feature is worth beside a word: switches are few and fire each time.
const SHAPE: f32 = 0.15;
/// Steps of the calibration, which stands still after some six.
const NEWTON: usize = 20;
/// Mean curvature below which all that can be told is told for certain.
const CERTAIN: f64 = 1e-4;
/// Most that one request's wording may say, in thousandths of a nat.
const BOUND: i32 = 4_000;

/// Weights in full precision.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    weights: Vec<f32>,
    bias: f32,
}

impl Linear {
    /// Fits the samples that `take` says yes to.
    pub(crate) fn fit(samples: &Samples, take: &dyn Fn(&Sample) -> bool) -> Self {
        let chosen: Vec<&Sample> = samples.all.iter().filter(|sample| take(sample)).collect();
        let importance = importance(&chosen, samples.sources.len());
        let mut linear = Self { weights: vec![0.0; WORDS + SHAPES], bias: 0.0 };
        let mut squares = vec![1e-3_f32; WORDS + SHAPES + 1];
        let mut order: Vec<usize> = (0..chosen.len()).collect();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..EPOCHS {
            shuffle(&mut order, &mut state);
            for &place in &order {
                let (Some(sample), Some(weight)) = (chosen.get(place), importance.get(place)) else { continue };
                linear.step(sample, *weight, &mut squares);
            }
        }
        linear
    }

    fn step(&mut self, sample: &Sample, importance: f32, squares: &mut [f32]) {
        let target = f32::from(u8::from(sample.harvest));
        let error = (1.0 / (1.0 + (-self.margin(sample)).exp()) - target) * importance;
        let scale = word_value(sample);
        let features = sample.words.iter().map(|&bucket| (usize::from(bucket), scale));
        for (place, value) in features.chain(shapes(sample)) {
            let (Some(weight), Some(square)) = (self.weights.get_mut(place), squares.get_mut(place)) else { continue };
            let gradient = error * value;
            *square += gradient * gradient;
            *weight -= RATE * gradient / square.sqrt() + DECAY * *weight;
        }
        if let Some(square) = squares.last_mut() {
            *square += error * error;
            self.bias -= RATE * error / square.sqrt();
        }
    }

    /// Uncalibrated log-odds.
    pub(crate) fn margin(&self, sample: &Sample) -> f32 {
        let weight = |place: usize| self.weights.get(place).copied().unwrap_or(0.0);
        let words: f32 = sample.words.iter().map(|&bucket| weight(usize::from(bucket))).sum();
        let shapes: f32 = shapes(sample).map(|(place, value)| weight(place) * value).sum();
        words * word_value(sample) + shapes + self.bias
    }

    /// The model in the engine's form, its margins turned into log-odds by `slope` and `offset`.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn quantise(&self, slope: f32, offset: f32) -> Model {
        let (words, shapes) = self.weights.split_at(WORDS);
        let (words, word_unit) = bytes(words);
        let (shapes, shape_unit) = bytes(shapes);
        let milli = |value: f32| (value * 1000.0).round() as i32;
        Model {
            words,
            shapes,
            word_scale: milli(word_unit * slope).max(1),
            shape_scale: milli(shape_unit * SHAPE * slope).max(1),
            bias: milli(self.bias * slope + offset),
            bound: BOUND,
        }
    }
}

/// Each source weighs the same, and so does each side.
fn importance(samples: &[&Sample], sources: usize) -> Vec<f32> {
    let mut counts = vec![0.0_f32; sources];
    let mut sides = [std::collections::BTreeSet::new(), std::collections::BTreeSet::new()];
    for sample in samples {
        if let Some(count) = counts.get_mut(sample.source) {
            *count += 1.0;
        }
        if let Some(side) = sides.get_mut(usize::from(sample.harvest)) {
            side.insert(sample.source);
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let weigh = |sample: &&Sample| {
        let of = counts.get(sample.source).copied().unwrap_or(1.0).max(1.0);
        let side = sides.get(usize::from(sample.harvest)).map_or(1, |side| side.len().max(1));
        samples.len() as f32 / (2.0 * side as f32 * of)
    };
    // A source of a handful of rows must not drown the rest.
    samples.iter().map(|sample| weigh(sample).min(8.0)).collect()
}

fn word_value(sample: &Sample) -> f32 {
    #[allow(clippy::cast_precision_loss)]
    let words = sample.words.len().max(1) as f32;
    1.0 / words.sqrt()
}

fn shapes(sample: &Sample) -> impl Iterator<Item = (usize, f32)> {
    let bits = sample.shapes;
    (0..SHAPES).filter(move |place| bits >> place & 1 == 1).map(|place| (WORDS + place, SHAPE))
}

/// Weights as signed bytes, and what one unit is worth. Clipped at six deviations: a single huge weight must not cost the
/// rest their precision.
fn bytes(weights: &[f32]) -> (Vec<i8>, f32) {
    #[allow(clippy::cast_precision_loss)]
    let deviation = (weights.iter().map(|weight| weight * weight).sum::<f32>() / weights.len().max(1) as f32).sqrt();
    let unit = (deviation * 6.0 / 127.0).max(1e-9);
    #[allow(clippy::cast_possible_truncation)]
    let byte = |weight: &f32| (weight / unit).round().clamp(-127.0, 127.0) as i8;
    (weights.iter().map(byte).collect(), unit)
}

/// Fisher and Yates, driven by a fixed xorshift: the same samples give the same model.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        order.swap(last, usize::try_from(*state % (last as u64 + 1)).unwrap_or(0));
    }
}

/// Slope and offset that turn held-out margins into log-odds (Platt, 1999), each side and source weighing the same: by Newton's
/// method, which does not hang on how large margins are. Sides that margins tell apart for certain would have no end of log-odds:
/// they have some beyond [`BOUND`]. 0 and 0 where the margins tell nothing, or the wrong way round.
pub(crate) fn calibrate(margins: &[(f32, bool, f32)]) -> (f32, f32) {
    let all: f64 = margins.iter().map(|(_, _, weight)| f64::from(*weight)).sum();
    let (mut slope, mut offset) = (0.0_f64, 0.0_f64);
    for _ in 0..NEWTON {
        let (mut by_slope, mut by_offset) = (0.0, 0.0);
        // The curvature, which is never 0, though all margins be the same.
        let (mut slopes, mut both, mut offsets) = (1e-9, 0.0, 1e-9);
        for &(margin, harvest, weight) in margins {
            let (margin, weight) = (f64::from(margin), f64::from(weight));
            let likely = 1.0 / (1.0 + (-(slope * margin + offset)).exp());
            let error = (likely - f64::from(u8::from(harvest))) * weight;
            by_slope += error * margin;
            by_offset += error;
            let curvature = likely * (1.0 - likely) * weight;
            slopes += curvature * margin * margin;
            both += curvature * margin;
            offsets += curvature;
        }
        if offsets < all * CERTAIN {
            break;
        }
        let determinant = slopes * offsets - both * both;
        slope -= (offsets * by_slope - both * by_offset) / determinant;
        offset -= (slopes * by_offset - both * by_slope) / determinant;
    }
    #[allow(clippy::cast_possible_truncation)]
    let found = (slope as f32, offset as f32);
    if found.0 > 0.0 && found.0.is_finite() && found.1.is_finite() { found } else { (0.0, 0.0) }
}

/// Slope and offset of what a request's wording is worth, from those of its log-odds ([`TEMPERED`], [`UNHEARD`]): nothing where
/// margins tell nothing.
pub(crate) fn temper((slope, offset): (f32, f32)) -> (f32, f32) {
    #[allow(clippy::cast_precision_loss)]
    let (share, unheard) = (1.0 / TEMPERED as f32, UNHEARD as f32 / 1_000.0);
    if slope > 0.0 { (slope * share, offset * share + unheard) } else { (0.0, 0.0) }
}

/// Weights of samples for [`calibrate`].
pub(crate) fn weights(samples: &Samples) -> Vec<f32> {
    importance(&samples.all.iter().collect::<Vec<_>>(), samples.sources.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Margins of a side each, overlapping, of this size.
    fn margins(size: f32) -> Vec<(f32, bool, f32)> {
        (0..200_u8).map(|n| (size * (f32::from(n % 10) - if n < 100 { 3.0 } else { 6.0 }), n < 100, 1.0)).collect()
    }

    #[test]
    fn margins_of_any_size_become_the_same_log_odds() {
        let odds = |size: f32| {
            let (slope, offset) = calibrate(&margins(size));
            slope * size + offset
        };
        let one = odds(1.0);
        assert!(one.is_finite() && (0.2..2.0).contains(&one), "{one}");
        for size in [0.01, 0.1, 10.0, 100.0] {
            assert!((odds(size) - one).abs() < 0.01, "{size}: {} for {one}", odds(size));
        }
    }

    #[test]
    fn sides_that_are_told_apart_for_certain_have_an_end_of_log_odds() {
        let apart: Vec<_> = (0..200).map(|n| (if n < 100 { 1.0 } else { -1.0 }, n < 100, 1.0)).collect();
        let (slope, offset) = calibrate(&apart);
        assert!((4.0..40.0).contains(&slope) && offset.abs() < 0.01, "{slope} {offset}");
    }

    #[test]
    fn margins_that_tell_nothing_or_the_wrong_way_round_are_worth_nothing() {
        let wrong: Vec<_> =
            margins(1.0).into_iter().map(|(margin, harvest, weight)| (-margin, harvest, weight)).collect();
        let same: Vec<_> = (0..200).map(|n| (1.0, n < 100, 1.0)).collect();
        assert_eq!((calibrate(&wrong), calibrate(&same).0 < 0.01), ((0.0, 0.0), true));
        assert_eq!(calibrate(&[]), (0.0, 0.0));
    }
}
