//! Rules into force and back, through a sidecar.

use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, read};
use crate::explain::words::moment;
use crate::remote::{Answer, Sidecar, at, reason};
use crate::terminal::table::Columns;
use azeotrope_engine::rules::MAX_BYTES;
use azeotrope_engine::time::Timestamp;
use std::path::Path;

/// A change, and who makes it.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) sidecar: Sidecar,
    /// Why, for the audit trail
    #[arg(long, default_value = "")]
    pub(super) note: String,
    /// Who, for the audit trail
    #[arg(long, env = "USER", default_value = "")]
    pub(super) who: String,
    #[command(flatten)]
    pub(super) format: Format,
}

impl Change {
    fn query(&self) -> Vec<(&str, &str)> {
        vec![("note", &self.note), ("who", &self.who)]
    }
}

pub(super) fn publish(file: &Path, change: &Change, force: bool) -> Result<Outcome, Failure> {
    let bytes = read(file, MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{}: no UTF-8", file.display())))?;
    put(change, "", &text, force)
}

/// Puts a document into force; `seen`: the rules it was made from.
pub(super) fn put(change: &Change, seen: &str, document: &str, force: bool) -> Result<Outcome, Failure> {
    let mut query = change.query();
    query.push(("force", if force { "true" } else { "false" }));
    told(&change.sidecar.put("/v1/rules", &query, seen, document)?, change.format)
}

pub(super) fn rollback(to: Option<u64>, change: &Change, force: bool) -> Result<Outcome, Failure> {
    let to = to.map(|to| to.to_string());
    let mut query = change.query();
    query.push(("force", if force { "true" } else { "false" }));
    query.extend(to.as_deref().map(|to| ("to", to)));
    told(&change.sidecar.post("/v1/rules/rollback", &query)?, change.format)
}

/// Says what became of it.
fn told(answer: &Answer, format: Format) -> Result<Outcome, Failure> {
    let comparison = |json| at(json, "/comparison/text").as_str().unwrap_or_default().to_owned();
    if answer.refuses(&[400, 404, 409, 412]) {
        let json = answer.json();
        format.print(|| json.clone(), || format!("{}refused: {}\n", comparison(&json), reason(answer)))?;
        return Ok(Outcome::Problems);
    }
    let json = answer.telling("/number")?;
    let warning = at(&json, "/warning").as_str().map(|warning| format!("warning: {warning}\n"));
    let warning = warning.unwrap_or_default();
    let said = || format!("{}rules {} are in force\n{warning}", comparison(&json), at(&json, "/number"));
    format.print(|| json.clone(), said)?;
    Ok(Outcome::Well)
}

pub(super) fn history(sidecar: &Sidecar, format: Format) -> Result<Outcome, Failure> {
    let answer = sidecar.get("/v1/rules/history")?.telling("/rules")?;
    let entries = at(&answer, "/rules").as_array().map_or(&[][..], Vec::as_slice);
    let text = || {
        let mut table = Columns::new(&["rules>", "since", "by", "note"]);
        for entry in entries {
            let since = moment(Timestamp(at(entry, "/at").as_u64().unwrap_or(0)));
            let word = |key: &str| at(entry, &format!("/{key}")).as_str().unwrap_or("").to_owned();
            table.row([at(entry, "/number").to_string(), since, word("by"), word("note")]);
        }
        table.text()
    };
    format.print(|| answer.clone(), text)?;
    Ok(Outcome::Well)
}
