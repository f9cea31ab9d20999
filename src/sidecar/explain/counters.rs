//! What the proxy that judged had counted itself.

use super::words::{count, digest, nats, share};
use crate::fleet::Examined;
use azeotrope_engine::nats::in_nats;
use azeotrope_engine::rules::Document;
use serde::Serialize;

/// The counters, told.
#[derive(Debug, Serialize)]
pub(crate) struct Counters {
    pub(crate) account: Option<Shape>,
    pub(crate) groups: Vec<Group>,
    pub(crate) words: Vec<String>,
}

/// How an account behaves.
#[derive(Debug, Serialize)]
pub(crate) struct Shape {
    pub(crate) requests: u32,
    pub(crate) first_hour: u32,
    pub(crate) last_day: u32,
    pub(crate) busiest_hour: u32,
    pub(crate) active_hours: u32,
    pub(crate) networks: u64,
    pub(crate) client_programs: u64,
    pub(crate) skeletons: u64,
}

/// Who else sent a key.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) key: String,
    pub(crate) parties: u32,
    /// Parties that take what this exchange takes.
    pub(crate) taking: u32,
    pub(crate) contents: u32,
    /// Nats.
    pub(crate) focus: f64,
    pub(crate) wording: f64,
    /// Whether it is large, varied and focused enough to count.
    pub(crate) counts: bool,
}

impl Counters {
    pub(crate) fn of(examined: &Examined, document: &Document) -> Self {
        let (view, families) = (&examined.view, &document.families);
        let account = view.account.map(|account| Shape {
            requests: account.requests,
            first_hour: account.first_hour,
            last_day: account.day.0,
            busiest_hour: account.day.1,
            active_hours: account.day.2,
            networks: account.networks,
            client_programs: account.agents,
            skeletons: account.skeletons,
        });
        let mut words = vec![match &account {
            None => "This proxy had not counted the account before.".to_owned(),
            Some(shape) => format!(
                "The account: {} lately, {} in its first hour (0 once it is a day old), {} in the last 24 hours over {}, \
                 {} in the busiest; today from {} with {} and {}.",
                count(u64::from(shape.requests), "request", "requests"),
                shape.first_hour,
                shape.last_day,
                count(u64::from(shape.active_hours), "hour", "hours"),
                shape.busiest_hour,
                count(shape.networks, "network", "networks"),
                count(shape.client_programs, "client program", "client programs"),
                count(shape.skeletons, "skeleton", "skeletons"),
            ),
        }];
        let mut groups = Vec::new();
        for (key, group) in &view.groups {
            let (worth, counts) = (group.worth(&view.everybody, families), group.counts(view.target, families));
            words.push(format!(
                "Key {}: {} sent it, {} of them for what this request takes ({} of everybody do), about {} contents; focus {}, \
                 wording {} nats{}.",
                digest(*key),
                count(u64::from(group.parties()), "unrelated party", "unrelated parties"),
                group.taking(view.target),
                share(view.everybody.ln_share(view.target)),
                group.contents(),
                nats(worth.focus),
                nats(worth.wording),
                if counts { "" } else { "; too few, too alike or too mixed to count" },
            ));
            groups.push(Group {
                key: digest(*key),
                parties: group.parties(),
                taking: group.taking(view.target),
                contents: group.contents(),
                focus: in_nats(worth.focus),
                wording: in_nats(worth.wording),
                counts,
            });
        }
        words.push(format!(
            "This request's own wording, by the content model: {} nats.",
            nats(examined.reading.wording)
        ));
        Self { account, groups, words }
    }
}
