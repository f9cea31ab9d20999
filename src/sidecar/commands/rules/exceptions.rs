//! Exceptions: whom rules let alone. One entry a subject, as the console writes them, too.

use super::edit::{Place, member};
use super::losses::is_same;
use crate::clock;
use crate::commands::{Failure, Outcome};
use serde_json::{Map, Value, json};

/// Longest note of an entry, in characters.
const NOTE: usize = 256;

/// Who is let alone, or no longer.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Subject {
    /// Digest of the account (the `case` of a verdict, `azeotrope digest`)
    #[arg(long, value_name = "DIGEST")]
    account: Option<String>,
    /// Digest of the organisation
    #[arg(long, value_name = "DIGEST")]
    organisation: Option<String>,
    /// Digest of the network
    #[arg(long, value_name = "DIGEST")]
    network: Option<String>,
    /// Digest of a skeleton's key
    #[arg(long, value_name = "DIGEST")]
    skeleton: Option<String>,
}

impl Subject {
    /// An entry that names it and nothing else.
    fn entry(self) -> Map<String, Value> {
        let subjects = [
            ("account", self.account),
            ("organisation", self.organisation),
            ("network", self.network),
            ("skeleton", self.skeleton),
        ];
        subjects.into_iter().filter_map(|(name, digest)| Some((name.to_owned(), json!(digest?)))).collect()
    }
}

/// Makes an exception; one that is there of the same subject gives way, so that it can be made shorter.
pub(super) fn allow(subject: Subject, days: Option<u64>, place: &Place) -> Result<Outcome, Failure> {
    let mut entry = subject.entry();
    let note: String = place.note().chars().take(NOTE).collect();
    if !note.is_empty() {
        entry.insert("note".to_owned(), json!(note));
    }
    if let Some(days) = days {
        entry.insert("until".to_owned(), json!(clock::seconds() + days * 86_400));
    }
    let entry = Value::Object(entry);
    place.change(|document| {
        let allow = exceptions(document)?;
        allow.retain(|other| !is_same(other, &entry));
        allow.push(entry);
        Ok(None)
    })
}

/// Takes an exception back.
pub(super) fn disallow(subject: Subject, place: &Place) -> Result<Outcome, Failure> {
    let entry = Value::Object(subject.entry());
    place.change(|document| {
        let allow = exceptions(document)?;
        let before = allow.len();
        allow.retain(|other| !is_same(other, &entry));
        Ok((allow.len() == before)
            .then(|| format!("there is no exception {entry}: `azeotrope rules show` prints them")))
    })
}

fn exceptions(document: &mut Value) -> Result<&mut Vec<Value>, Failure> {
    let allow = member(document, "allow", json!([]))?;
    allow.as_array_mut().ok_or_else(|| Failure::Usage("`allow` is no list".to_owned()))
}
