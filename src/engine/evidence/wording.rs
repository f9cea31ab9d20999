//! Harvest content: a hashed linear model over words and request shape.
//!
//! Wording says little about one request (people do ask for step-by-step answers) and never acts by itself; over the
//! accounts of a group it adds up. Features are masked words and pairs of neighbours, hashed into [`WORDS`] buckets, each
//! counted once and divided by the square root of their number, plus one-hot sizes and switches. Weights are eight-bit,
//! arithmetic is integer: filter, replay and sidecar agree to the bit. Trained by `azeotrope train`, shipped with the
//! rules.

use crate::digest::shape::Shape;
use crate::nats::MilliNats;
pub use azeotrope_text::buckets::WORDS;

use azeotrope_text::buckets::Buckets;

/// Places of shape features.
pub const SHAPES: usize = 64;
/// Version of the features: which bucket a word falls into and what a shape's place means. Weights mean nothing to features of
/// another version, so a model says which it was trained on.
pub const FEATURES: i32 = 2;
/// Bytes before a model's weights: the version of its features, and the four numbers of its scale.
const HEADER: usize = 20;
/// Bytes of a model: its header, and a weight each.
pub const BYTES: usize = HEADER + WORDS + SHAPES;

/// A model gives one part in so many of a request's log-odds. Requests of one template are worded alike, so log-odds that are right
/// for one request say too much once a group of them is weighed (`tests/detection/README.md` has what each share serves, and whom it
/// hits).
pub const TEMPERED: MilliNats = 3;
/// What a model gives every request on top: a template like none that was trained on has log-odds around 0, and so have bare
/// questions, while what lies below 0.1 nats is held for people's, many times over (`evidence::cohort`).
pub const UNHEARD: MilliNats = 200;

/// What the wording of one account says, from the sum of what its `requests` are worth: the whole log-odds where they speak for a
/// harvest, for it is no group, and its requests are not held against each other. Where they speak for a person it stays with what a
/// model gives, for a campaign's own template may read like one's: three times that serves 6.6% of the harvests of blobs instead of
/// 1.7% (the shared scenario of that name, simulated).
#[must_use]
pub fn alone(sum: i64, requests: u32) -> i64 {
    let unheard = i64::from(UNHEARD).saturating_mul(requests.into());
    if sum < 0 { sum } else { sum.saturating_sub(unheard).max(0).saturating_mul(TEMPERED.into()) }
}

/// The features of one request.
#[derive(Clone, Debug, Default)]
pub struct Features {
    words: Buckets,
    shape: u64,
}

impl Features {
    /// Where its words go.
    pub fn buckets(&mut self) -> &mut Buckets {
        &mut self.words
    }

    /// Takes the shape.
    pub fn shape(&mut self, shape: &Shape) {
        let params = &shape.params;
        self.one_hot(0, 6, bits(shape.user).saturating_sub(5) / 2);
        self.one_hot(6, 5, bits(shape.system).saturating_sub(3) / 2);
        self.one_hot(11, 4, bits(shape.context).saturating_sub(7) / 2);
        self.one_hot(15, 4, u32::from(shape.answers.min(3)));
        self.one_hot(
            19,
            6,
            params.max_tokens.map_or(0, |tokens| bits(tokens).clamp(8, 14) - 8 + 1) / 2
                + u32::from(params.max_tokens.is_some()),
        );
        self.one_hot(
            26,
            5,
            params.temperature.map_or(0, |t| {
                if t <= 0 {
                    1
                } else if t <= 500 {
                    2
                } else if t < 1000 {
                    3
                } else {
                    4
                }
            }),
        );
        let switches = [
            shape.tools,
            shape.media,
            params.n.is_some_and(|n| n > 1),
            params.logprobs,
            params.logit_bias,
            params.stream,
            params.stop,
            params.structured,
            params.cache,
            params.penalty,
            params.thinking.is_some(),
            params.top_p.is_some(),
        ];
        for (place, on) in switches.into_iter().enumerate() {
            self.shape |= u64::from(on) << (32 + place);
        }
    }

    fn one_hot(&mut self, first: u32, places: u32, value: u32) {
        self.shape |= 1 << (first + value.min(places - 1)).min(31);
    }

    /// Buckets of the words, in order of appearance, each once.
    #[must_use]
    pub fn words(&self) -> &[u16] {
        self.words.met()
    }

    /// Bits of the shape features.
    #[must_use]
    pub fn shapes(&self) -> u64 {
        self.shape
    }
}

fn bits(value: u32) -> u32 {
    32 - value.leading_zeros()
}

/// A trained model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Weights of the word buckets.
    pub words: Vec<i8>,
    /// Weights of the shape features.
    pub shapes: Vec<i8>,
    /// Thousandths of a nat that one unit of word weight is worth, for a request of one word.
    pub word_scale: i32,
    /// Thousandths of a nat that one unit of shape weight is worth.
    pub shape_scale: i32,
    /// Thousandths of a nat added to each request.
    pub bias: i32,
    /// Bound of a score, in thousandths of a nat: one request's wording is never worth more.
    pub bound: i32,
}

impl Default for Model {
    /// A model that says nothing.
    fn default() -> Self {
        Self { words: Vec::new(), shapes: Vec::new(), word_scale: 0, shape_scale: 0, bias: 0, bound: 0 }
    }
}

impl Model {
    /// Log-odds that a request with these features is a harvest's, in thousandths of a nat.
    #[must_use]
    pub fn score(&self, features: &Features) -> i32 {
        if self.bound == 0 {
            return 0;
        }
        let weight = |of: &[i8], at: usize| of.get(at).copied().map_or(0, i64::from);
        let words: i64 = features.words().iter().map(|&bucket| weight(&self.words, usize::from(bucket))).sum();
        let shapes: i64 =
            (0..SHAPES).filter(|place| features.shape >> place & 1 == 1).map(|place| weight(&self.shapes, place)).sum();
        // Fixed point: the root is taken of 2^16 times the number, so a division keeps eight fractional bits.
        let root = ((features.words().len().max(1) as u64) << 16).isqrt() as i64;
        let score = words * 256 * i64::from(self.word_scale) / root
            + shapes * i64::from(self.shape_scale)
            + i64::from(self.bias);
        i32::try_from(score.clamp(-i64::from(self.bound), i64::from(self.bound))).unwrap_or(0)
    }

    /// The model as bytes: the version of its features and the numbers of its scale, little-endian, then the weights.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let numbers = [FEATURES, self.word_scale, self.shape_scale, self.bias, self.bound];
        let weights = self.words.iter().chain(&self.shapes).map(|weight| weight.cast_unsigned());
        numbers.iter().flat_map(|number| number.to_le_bytes()).chain(weights).collect()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let (numbers, weights) = bytes.split_at_checked(HEADER).ok_or("shorter than its header")?;
        let (words, shapes) = weights.split_at_checked(WORDS).ok_or("too few word weights")?;
        if shapes.len() != SHAPES {
            return Err("not as many shape weights as there are features");
        }
        let number = |at: usize| {
            numbers.get(at..).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |bytes| i32::from_le_bytes(*bytes))
        };
        if number(0) != FEATURES {
            return Err("trained on features of another version: it has to be trained anew");
        }
        let bound = number(16);
        if !(0..=100_000).contains(&bound) {
            return Err("its bound is outside 0 to 100,000 thousandths of a nat");
        }
        let signed = |weights: &[u8]| weights.iter().map(|weight| weight.cast_signed()).collect();
        Ok(Self {
            words: signed(words),
            shapes: signed(shapes),
            word_scale: number(4),
            shape_scale: number(8),
            bias: number(12),
            bound,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::words::Words;

    fn features(text: &str) -> Features {
        let mut features = Features::default();
        features.buckets().read(&Words::new(text).collect::<Vec<_>>());
        features
    }

    #[test]
    fn a_word_counts_once() {
        assert_eq!(features("reason reason reason").words().len(), 2);
    }

    #[test]
    fn a_score_is_bounded_and_independent_of_length() {
        let model = Model {
            words: vec![10; WORDS],
            shapes: vec![0; SHAPES],
            word_scale: 100,
            shape_scale: 0,
            bias: 0,
            bound: 3000,
        };
        assert_eq!(model.score(&features("explain every step of it")), 3000);
        let silent = Model::default();
        assert_eq!(silent.score(&features("explain every step of it")), 0);
    }

    #[test]
    fn of_one_account_the_whole_log_odds_count_where_they_speak_for_a_harvest() {
        assert_eq!([-4_000, -300, 0, 200, 300, 1_000].map(|sum| alone(sum, 1)), [-4_000, -300, 0, 0, 300, 2_400]);
        assert_eq!(
            [(300, 2), (1_000, 2), (0, 0), (i64::MAX, 1)].map(|(sum, of)| alone(sum, of)),
            [0, 1_800, 0, i64::MAX]
        );
    }

    #[test]
    fn bytes_round_trip_and_bad_ones_are_refused() {
        let model = Model {
            words: vec![-3; WORDS],
            shapes: vec![5; SHAPES],
            word_scale: 7,
            shape_scale: 9,
            bias: -4,
            bound: 6000,
        };
        assert_eq!(Model::from_bytes(&model.to_bytes()), Ok(model.clone()));
        assert!(Model::from_bytes(&model.to_bytes()[..100]).is_err());
        assert!(Model::from_bytes(&[]).is_err());
        let mut of_others = model.to_bytes();
        of_others[0] += 1;
        assert!(Model::from_bytes(&of_others).is_err_and(|wrong| wrong.contains("another version")));
    }
}
