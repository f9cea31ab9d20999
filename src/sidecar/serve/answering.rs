//! Answers of the sidecar that has the duty to what was asked through any of them.

use super::ask::{self, Asked, Kind, Question, Reply};
use super::dossier::Known;
use super::duty::Duty;
use super::shared::Shared;
use crate::clock::now;
use crate::compare;
use crate::store::Outcome;
use azeotrope_engine::campaign::Criteria;
use azeotrope_engine::rules::Rules;
use azeotrope_engine::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Questions that are remembered as answered.
const REMEMBERED: usize = 8;
/// Accounts on a page, at most.
pub(super) const PAGE: usize = 500;

/// What was answered, and what is being answered.
#[derive(Default)]
pub(super) struct Answering {
    looked: Vec<u64>,
    compared: Vec<u64>,
    /// Rules that run in shadow beside the duty: one set at a time.
    shadow: Option<JoinHandle<()>>,
}

fn remember(ids: &mut Vec<u64>, id: u64) {
    ids.insert(0, id);
    ids.truncate(REMEMBERED);
}

impl Duty {
    /// Answers what was asked.
    pub(super) fn answer(&mut self, shared: &Arc<Shared>) -> Outcome<()> {
        let store = &*shared.store;
        if let Some(Asked { id, question }) = ask::asked(store, Kind::Look, &self.answering.looked)? {
            remember(&mut self.answering.looked, id);
            ask::answer(store, Kind::Look, id, self.reply(&question))?;
        }
        if self.answering.shadow.as_ref().is_some_and(|shadow| !shadow.is_finished()) {
            return Ok(());
        }
        if let Some(Asked { id, question: Question::WhatIf(document) }) =
            ask::asked(store, Kind::WhatIf, &self.answering.compared)?
        {
            remember(&mut self.answering.compared, id);
            self.answering.shadow = Some(self.compare(shared, id, document));
        }
        Ok(())
    }

    fn reply(&self, question: &Question) -> Reply {
        let criteria = Criteria::of(&self.config.rules.document);
        let known = Known {
            joiner: &self.joiner,
            traffic: &self.traffic,
            criteria: &criteria,
            rules: &self.config.rules,
            now: Timestamp(now()),
        };
        match question {
            Question::Campaign { name, sort, offset, limit } => {
                known.campaign(name, *sort, *offset, (*limit).min(PAGE))
            }
            Question::Account(account) => known.account(*account),
            Question::WhatIf(_) => Reply::Unknown("not here".to_owned()),
        }
    }

    /// Runs rules in shadow on a thread of its own: joining goes on.
    fn compare(&self, shared: &Arc<Shared>, id: u64, document: String) -> JoinHandle<()> {
        let (old, feed, recent) = (self.config.clone(), Arc::clone(&self.feed), self.recent.clone());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            let reply = match Rules::parse(document.as_bytes()) {
                Ok(rules) => {
                    let mut new = old.clone();
                    new.rules = rules;
                    let found = compare::what_if(&old, &new, &feed, &recent);
                    Reply::Told(serde_json::to_value(found).unwrap_or(Value::Null))
                }
                Err(problems) => {
                    Reply::Unknown(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
                }
            };
            let _ = shared.heed(ask::answer(&*shared.store, Kind::WhatIf, id, reply));
        })
    }
}
