//! What a sidecar says at one moment, and what changed since.

use crate::clock;
use crate::commands::Failure;
use crate::commands::status;
use crate::explain::{campaign::Told, text};
use crate::remote::{Sidecar, at};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Rates that are remembered: as many as a wide terminal shows.
const REMEMBERED: usize = 240;

/// What a sidecar says at one moment.
#[derive(Debug)]
pub(super) struct Look {
    /// Milliseconds since 1970-01-01T00:00:00Z, by this machine's clock.
    pub(super) at: u64,
    pub(super) status: Value,
    pub(super) campaigns: Vec<Told>,
}

impl Look {
    /// Asks the sidecar.
    pub(super) fn at(sidecar: &Sidecar) -> Result<Self, Failure> {
        let status = sidecar.get("/v1/status")?.telling("/bundle")?;
        let told = sidecar.get("/v1/campaigns")?.telling("/campaigns")?;
        let campaigns = serde_json::from_value(at(&told, "/campaigns").clone());
        let campaigns = campaigns.map_err(|error| Failure::Sidecar(format!("another version's answer: {error}")))?;
        let mut look = Self { at: clock::now(), status, campaigns };
        // What harvests now comes first.
        look.campaigns.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.name.cmp(&b.name)));
        Ok(look)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "at": self.at, "status": self.status, "campaigns": self.campaigns })
    }

    pub(super) fn text(&self) -> String {
        format!("{}\n{}", status::text(&self.status), text::campaigns(&self.campaigns))
    }

    fn requests(&self) -> u64 {
        at(&self.status, "/today/requests").as_u64().unwrap_or(0)
    }
}

/// The newest look, and what came before.
#[derive(Debug)]
pub(super) struct History {
    pub(super) look: Look,
    /// Requests a second between two looks, the newest last.
    pub(super) rates: VecDeque<u64>,
}

impl History {
    pub(super) fn new(look: Look) -> Self {
        Self { look, rates: VecDeque::new() }
    }

    /// A newer look.
    pub(super) fn push(&mut self, look: Look) {
        let milliseconds = look.at.saturating_sub(self.look.at).max(1);
        // At midnight the count begins anew.
        if let Some(more) = look.requests().checked_sub(self.look.requests()) {
            self.rates.push_back(more.saturating_mul(1_000) / milliseconds);
        }
        if self.rates.len() > REMEMBERED {
            self.rates.pop_front();
        }
        self.look = look;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64, requests: u64) -> Look {
        Look { at, status: json!({ "today": { "requests": requests } }), campaigns: Vec::new() }
    }

    #[test]
    fn rates_are_differences_and_midnight_is_none() {
        let mut history = History::new(look(0, 100));
        history.push(look(2_000, 300));
        history.push(look(4_000, 10));
        history.push(look(6_000, 10));
        assert_eq!(history.rates, [100, 0]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut history = History::new(look(0, 0));
        (1..2_000).for_each(|second| history.push(look(second * 1_000, second)));
        assert_eq!(history.rates.len(), REMEMBERED);
    }
}
