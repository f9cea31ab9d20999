//! Logistic regression, calibration, quantisation.

use super::samples::{Sample, Samples};
use azeotrope_engine::evidence::wording::{Model, SHAPES, WORDS};

/// Passes over the samples.
const EPOCHS: usize = 12;
/// AdaGrad's first step.
const RATE: f32 = 0.4;
/// Pull of each weight towards 0, a step.
const DECAY: f32 = 2e-5;
/// What a shape feature is worth beside a word: switches are few and fire each time.
const SHAPE: f32 = 0.15;
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

/// Slope and offset that turn held-out margins into log-odds (Platt, 1999), each side and source weighing the same.
pub(crate) fn calibrate(margins: &[(f32, bool, f32)]) -> (f32, f32) {
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..2_000 {
        let (mut by_slope, mut by_offset, mut total) = (0.0, 0.0, 0.0);
        for &(margin, harvest, weight) in margins {
            let (margin, weight) = (f64::from(margin), f64::from(weight));
            let error = 1.0 / (1.0 + (-(slope * margin + offset)).exp()) - f64::from(u8::from(harvest));
            by_slope += error * margin * weight;
            by_offset += error * weight;
            total += weight;
        }
        slope -= 0.3 * by_slope / total.max(1.0);
        offset -= 0.3 * by_offset / total.max(1.0);
    }
    #[allow(clippy::cast_possible_truncation)]
    (slope.clamp(0.0, 4.0) as f32, offset as f32)
}

/// Weights of samples for [`calibrate`].
pub(crate) fn weights(samples: &Samples) -> Vec<f32> {
    importance(&samples.all.iter().collect::<Vec<_>>(), samples.sources.len())
}
