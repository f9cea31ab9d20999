//! What ties the accounts of a campaign, and a picture of some of them with it.

use super::Known;
use crate::explain::words::digest;
use azeotrope_engine::campaign::account::{Account, Link};
use azeotrope_engine::campaign::generations::DigestMap;
use azeotrope_engine::campaign::population::Frequencies;
use serde::Serialize;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Ties of a kind that are told.
const TIES: usize = 8;
/// Ties in the picture.
const DRAWN_TIES: usize = 9;
/// The same of one kind.
const DRAWN_ALIKE: usize = 3;
/// Accounts in the picture.
pub(super) const DRAWN: usize = 48;

/// What several accounts of a campaign have in common.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tie {
    kind: &'static str,
    digest: String,
    /// Accounts of the campaign that have it.
    accounts: u32,
    /// Share of the campaign's accounts, and of everybody's.
    here: f64,
    elsewhere: Option<f64>,
    #[serde(skip)]
    value: u64,
}

/// The attributes of a client, by which accounts are tied.
const ATTRIBUTES: [&str; 4] = ["target", "settings", "client", "network"];

/// What an account has of each.
pub(super) fn attributes(account: &Account) -> [u64; 4] {
    let client = &account.client;
    [client.target, client.settings, client.agent, client.network]
}

impl Known<'_> {
    /// What ties its accounts, the commonest of each kind first.
    pub(super) fn ties(&self, index: u32, members: &[(u64, &Account, Link)]) -> Vec<Tie> {
        let all = f64::from(u32::try_from(members.len()).unwrap_or(u32::MAX)).max(1.0);
        let mut groups: Vec<Tie> = self
            .joiner
            .groups()
            .filter(|(_, group)| group.campaign == Some(index))
            .map(|(key, group)| {
                let sent = f64::from(group.linked) + f64::from(group.others);
                Tie {
                    kind: "key",
                    digest: digest(key),
                    accounts: group.parties(),
                    here: (f64::from(group.parties()) / all).min(1.0),
                    elsewhere: (sent > 0.0).then(|| f64::from(group.others) / sent),
                    value: key,
                }
            })
            .collect();
        groups.sort_by_key(|tie| (Reverse(tie.accounts), tie.value));
        groups.truncate(TIES);
        let population = self.joiner.population();
        let everybody: [&Frequencies; 4] =
            [&population.targets, &population.settings, &population.agents, &population.networks];
        for (place, (kind, frequencies)) in ATTRIBUTES.into_iter().zip(everybody).enumerate() {
            let mut counts: DigestMap<u32> = DigestMap::default();
            for (_, known, _) in members {
                let value = attributes(known).get(place).copied().unwrap_or(0);
                *counts.entry(value).or_default() += 1;
            }
            let mut counts: Vec<(u64, u32)> =
                counts.into_iter().filter(|(value, count)| *value != 0 && *count > 1).collect();
            counts.sort_by_key(|(value, count)| (Reverse(*count), *value));
            groups.extend(counts.into_iter().take(TIES).map(|(value, count)| Tie {
                kind,
                digest: digest(value),
                accounts: count,
                here: f64::from(count) / all,
                elsewhere: Some(f64::from(frequencies.count(value)) / f64::from(frequencies.total().max(1))),
                value,
            }));
        }
        groups
    }

    /// Some accounts and what ties them: `{"ties": [places in "ties"], "accounts": [{"account", "ties": [places]}]}`.
    pub(super) fn picture(&self, index: u32, members: &[(u64, &Account, Link)], ties: &[Tie]) -> Value {
        let mut order: Vec<usize> = (0..ties.len()).collect();
        // What many have here and few elsewhere tells the most.
        let telling = |tie: &Tie| tie.here - tie.elsewhere.unwrap_or(0.0);
        order.sort_by(|a, b| {
            let of = |place: &usize| ties.get(*place).map_or(0.0, telling);
            of(b).total_cmp(&of(a)).then(a.cmp(b))
        });
        let mut drawn: HashMap<&str, usize> = HashMap::new();
        order.retain(|place| {
            let alike = ties.get(*place).map(|tie| drawn.entry(tie.kind).or_default());
            alike.is_some_and(|alike| {
                *alike += 1;
                *alike <= DRAWN_ALIKE
            })
        });
        order.truncate(DRAWN_TIES);
        order.sort_unstable();
        let keys: HashMap<u64, Vec<u64>> = self
            .joiner
            .groups()
            .filter(|(key, group)| group.campaign == Some(index) && ties.iter().any(|tie| tie.value == *key))
            .map(|(key, group)| (key, group.accounts().collect()))
            .collect();
        let tied = |account: u64, known: &Account| -> Vec<usize> {
            let own = attributes(known);
            let has = |tie: &Tie| match ATTRIBUTES.iter().position(|kind| *kind == tie.kind) {
                Some(place) => own.get(place) == Some(&tie.value),
                None => keys.get(&tie.value).is_some_and(|of| of.contains(&account)),
            };
            order.iter().copied().filter(|place| ties.get(*place).is_some_and(has)).collect()
        };
        let mut drawn: Vec<(u64, Vec<usize>)> =
            members.iter().map(|(account, known, _)| (*account, tied(*account, known))).collect();
        drawn.sort_by_key(|(account, ties)| (Reverse(ties.len()), *account));
        drawn.truncate(DRAWN);
        let accounts: Vec<Value> =
            drawn.iter().map(|(account, ties)| json!({ "account": digest(*account), "ties": ties })).collect();
        json!({ "ties": order, "accounts": accounts })
    }
}
