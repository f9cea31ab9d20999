//! Evidence, one file a family: what it sees, what it needs, and how many nats it is worth.

pub mod content;

use crate::caller::Caller;
use crate::digest::Reading;
use crate::nats::MilliNats;
use crate::rules::{Config, Family, Rules};
use crate::store::Store;
use crate::time::Timestamp;
use crate::verdict::Reason;

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

    /// The families that contributed, each once.
    pub fn families(&self) -> impl Iterator<Item = Family> + '_ {
        let family = |place: usize| self.0.get(place).and_then(|(reason, _)| reason.family());
        (0..self.0.len())
            .filter_map(move |place| family(place).filter(|of| (0..place).all(|before| family(before) != Some(*of))))
    }
}

/// What the proxy's own counters say.
pub fn local<S: Store>(
    _config: &Config,
    _rules: &Rules,
    _store: &mut S,
    _caller: &Caller,
    _reading: &Reading,
    _now: Timestamp,
    _evidence: &mut Evidence,
) {
}
