//! The evidence behind a verdict, collected for people: digests and numbers, never a prompt's text.

pub(crate) mod campaign;
mod counters;
mod decision;
mod group;
mod link;
pub(crate) mod text;
pub(crate) mod words;

use crate::fleet::{Examined, Fleet};
use crate::trace::Exchange;
use azeotrope_engine::campaign::Criteria;
use azeotrope_engine::engine::Engine;
use campaign::Told;
use counters::Counters;
use decision::Decision;
use link::Link;
use serde::Serialize;
use serde_json::Value;

/// A verdict, explained.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    pub(crate) id: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) time: u64,
    /// The verdict's line as a replay writes it.
    pub(crate) line: String,
    /// The same as it was recorded.
    pub(crate) recorded: Option<String>,
    /// Digests of who sent it; absent for what is no LLM call.
    pub(crate) caller: Option<Caller>,
    pub(crate) decision: Option<Decision>,
    pub(crate) campaign: Option<Told>,
    pub(crate) link: Option<Link>,
    pub(crate) counters: Option<Counters>,
    /// Entries for the rules' `allow`, each of which would have let it through.
    pub(crate) allow: Vec<Value>,
}

/// Who sent an exchange.
#[derive(Debug, Serialize)]
pub(crate) struct Caller {
    pub(crate) account: Option<String>,
    pub(crate) organisation: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) client_program: Option<String>,
}

impl Explanation {
    /// Explains what is about to be decided of an exchange.
    pub(crate) fn of(engine: &Engine, fleet: &Fleet<'_>, exchange: &Exchange<'_>, examined: Option<Examined>) -> Self {
        let mut explanation = Self {
            id: exchange.id,
            time: exchange.time().0,
            line: String::new(),
            recorded: None,
            caller: None,
            decision: None,
            campaign: None,
            link: None,
            counters: None,
            allow: Vec::new(),
        };
        let Some(examined) = examined else { return explanation };
        let name = |digest: u64| (digest != 0).then(|| words::digest(digest));
        let sender = &examined.caller;
        let caller = Caller {
            account: name(sender.account),
            organisation: name(sender.organisation),
            network: name(sender.network),
            client_program: name(sender.agent),
        };
        let rules = engine.config().in_force(exchange.time()).rules;
        explanation.allow = exceptions(&caller, exchange.id);
        explanation.caller = Some(caller);
        explanation.decision = Some(Decision::of(&rules.document, &examined.assessment));
        explanation.counters = Some(Counters::of(&examined, &rules.document));
        if let (Some(member), Some(sidecar)) = (&examined.assessment.member, fleet.sidecar()) {
            let criteria = Criteria::of(&rules.document);
            let named = sidecar.find(&member.campaign);
            explanation.campaign = named.map(|campaign| Told::of(sidecar, campaign, &criteria));
            explanation.link = Some(Link::of(member, sidecar.account(sender.account)));
        }
        explanation
    }

    /// Whether the recorded verdict is this one, byte for byte.
    pub(crate) fn reproduced(&self) -> Option<bool> {
        self.recorded.as_ref().map(|recorded| *recorded == self.line)
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("reproduced".to_owned(), self.reproduced().into());
        }
        value
    }
}

/// What would have let the exchange through: its account's exception, or its organisation's, or else its network's.
fn exceptions(caller: &Caller, id: u64) -> Vec<Value> {
    let entry = |what: &str, digest: &Option<String>| {
        let digest = digest.as_ref()?;
        Some(serde_json::json!({ what: digest, "note": format!("explained for exchange {id}") }))
    };
    let known = [entry("account", &caller.account), entry("organisation", &caller.organisation)];
    let known: Vec<Value> = known.into_iter().flatten().collect();
    match known.is_empty() {
        true => entry("network", &caller.network).into_iter().collect(),
        false => known,
    }
}
