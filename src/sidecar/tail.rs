//! The upper tail of scores, fitted: from which score on a share of accounts is left.

use azeotrope_engine::nats::in_nats;

/// Accounts above a score that a tail is fitted to; with fewer it would be a guess.
pub(crate) const TAIL: usize = 20;

/// The upper tail of scores: exponential above a score (Pickands 1975, with shape 0: log-odds fall off so).
pub(crate) struct Tail {
    /// The score it begins at, in nats.
    pub(crate) from: f64,
    share: f64,
    /// Nats in which the share falls by e.
    pub(crate) mean: f64,
}

impl Tail {
    /// Fits the highest scores; `scores` in falling order, thousandths of a nat. `all`: how many accounts they are of;
    /// `most`: how many the fit looks at at most, though never fewer than [`TAIL`].
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn fit(scores: &[i32], all: usize, most: usize) -> Option<Self> {
        let above = scores.iter().take_while(|&&score| score > 0).count();
        // Half of what scores anything at all, so that the fit sees the tail and not the body.
        let taken = (above / 2).min(most).max(TAIL);
        let from = in_nats(*scores.get(taken).filter(|_| above > taken)?);
        let excess: f64 = scores.iter().take(taken).map(|&score| in_nats(score) - from).sum();
        Some(Self { from, share: taken as f64 / all as f64, mean: (excess / taken as f64).max(0.05) })
    }

    /// The score above which a share of accounts is left.
    pub(crate) fn threshold(&self, share: f64) -> f64 {
        self.from + self.mean * (self.share / share).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_tail_is_found_again() {
        // 100,000 accounts, one in a hundred of which scores, falling by e every 1.5 nats.
        let scores: Vec<i32> = (1..=100_000)
            .map(|rank| if rank <= 1000 { (1500.0 * (1000.0 / f64::from(rank)).ln()) as i32 } else { 0 })
            .collect();
        let tail = Tail::fit(&scores, scores.len(), usize::MAX).unwrap();
        assert!((tail.mean - 1.5).abs() < 0.1, "{}", tail.mean);
        assert!((tail.threshold(1e-4) - 1.5 * 100.0_f64.ln()).abs() < 0.3, "{}", tail.threshold(1e-4));
    }

    #[test]
    fn too_few_scores_are_no_tail() {
        assert!(Tail::fit(&[5000, 3000, 0, 0, 0, 0], 6, usize::MAX).is_none());
        assert!(Tail::fit(&[], 0, usize::MAX).is_none());
    }
}
