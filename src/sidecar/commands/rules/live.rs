//! Rules into force and back, through a sidecar.

use super::losses::{Loss, losses};
use crate::clock;
use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, read};
use crate::explain::words::moment;
use crate::remote::{Answer, Sidecar, at, reason};
use crate::serve::BUILT_IN;
use crate::terminal::table::Columns;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use azeotrope_engine::time::Timestamp;
use serde_json::{Value, json};
use std::path::Path;

/// Times that rules are looked at anew which others change meanwhile.
const AGAIN: usize = 3;

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

/// What a sidecar has in force.
pub(super) struct InForce {
    /// What it calls this state of the rules.
    pub(super) tag: String,
    /// The document.
    pub(super) text: String,
}

impl InForce {
    pub(super) fn of(sidecar: &Sidecar) -> Result<Self, Failure> {
        let answer = sidecar.get("/v1/rules")?;
        answer.telling("/format")?;
        let Answer { tag, body, .. } = answer;
        // What nobody wrote is not written now: the built-in rules go on going with the version.
        let text = if tag.trim_matches('"') == "0" { BUILT_IN.to_owned() } else { body };
        Ok(Self { tag, text })
    }

    fn number(&self) -> &str {
        self.tag.trim_matches('"')
    }
}

/// Prints the rules in force, or others that were; their number beside them, so that the output is a document.
pub(super) fn show(number: Option<u64>, sidecar: &Sidecar, format: Format) -> Result<Outcome, Failure> {
    let (number, text) = match number {
        Some(number) => {
            let answer = sidecar.get_or(&format!("/v1/rules/history/{number}"), &[404])?;
            if answer.refuses(&[404]) {
                return refused(&reason(&answer), &[], format);
            }
            answer.telling("/format")?;
            (number.to_string(), answer.body)
        }
        None => {
            let rules = InForce::of(sidecar)?;
            let number = rules.number().to_owned();
            let what = if number == "0" { "the built-in rules (`azeotrope rules defaults`)" } else { "these rules" };
            if !format.json() {
                eprintln!("{what} are in force: what is made from them goes into force with --from {number}");
            }
            (number, rules.text)
        }
    };
    let document = serde_json::from_str::<Value>(&text).unwrap_or(Value::Null);
    let told = || json!({ "number": number.parse::<u64>().ok(), "document": document });
    format.print(told, || format!("{}\n", text.trim_end()))?;
    Ok(Outcome::Well)
}

/// Puts a file into force. It was written when others were; what it takes back of theirs is told, and exceptions only where
/// whoever publishes knows of them: `from` are the rules that it was made from.
pub(super) fn publish(file: &Path, from: Option<u64>, change: &Change, force: bool) -> Result<Outcome, Failure> {
    let bytes = read(file, MAX_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{}: no UTF-8", file.display())))?;
    // What is wrong with it the sidecar tells.
    let document = Rules::parse(text.as_bytes()).ok().and_then(|_| serde_json::from_str::<Value>(&text).ok());
    let mut again = AGAIN;
    loop {
        let rules = InForce::of(&change.sidecar)?;
        let before = serde_json::from_str(&rules.text).unwrap_or(Value::Null);
        let lost = document.as_ref().map(|after| losses(&before, after, clock::seconds())).unwrap_or_default();
        let exceptions = lost.iter().filter(|loss| loss.is_exception()).count();
        if exceptions > 0 && from.is_none() && !force {
            let number = rules.number();
            let reason = format!(
                "this takes back or shortens {exceptions} exceptions of rules {number}, which are in force: begin with \
                 `azeotrope rules show` and publish with --from {number}; --force publishes all the same"
            );
            return refused(&reason, &lost, change.format);
        }
        let seen = from.map_or(rules.tag, |number| format!("\"{number}\""));
        let answer = sent(change, &seen, &text, force)?;
        again -= 1;
        if !(from.is_none() && again > 0 && answer.refuses(&[412])) {
            return told(&answer, &lost, change.format);
        }
    }
}

/// Says no before a sidecar does.
pub(super) fn refused(reason: &str, lost: &[Loss], format: Format) -> Result<Outcome, Failure> {
    let removed = || lost.iter().map(Loss::to_json).collect::<Vec<_>>();
    let lines = || lost.iter().map(Loss::line).collect::<String>();
    format.print(|| json!({ "error": reason, "removed": removed() }), || format!("{}refused: {reason}\n", lines()))?;
    Ok(Outcome::Problems)
}

/// Puts a document into force; `seen`: the rules it was made from.
pub(super) fn put(change: &Change, seen: &str, document: &str, force: bool) -> Result<Outcome, Failure> {
    told(&sent(change, seen, document, force)?, &[], change.format)
}

fn sent(change: &Change, seen: &str, document: &str, force: bool) -> Result<Answer, Failure> {
    let mut query = change.query();
    query.push(("force", if force { "true" } else { "false" }));
    change.sidecar.put("/v1/rules", &query, seen, document)
}

pub(super) fn rollback(to: Option<u64>, change: &Change, force: bool) -> Result<Outcome, Failure> {
    let to = to.map(|to| to.to_string());
    let mut query = change.query();
    query.push(("force", if force { "true" } else { "false" }));
    query.extend(to.as_deref().map(|to| ("to", to)));
    told(&change.sidecar.post("/v1/rules/rollback", &query)?, &[], change.format)
}

/// Says what became of it.
fn told(answer: &Answer, lost: &[Loss], format: Format) -> Result<Outcome, Failure> {
    let comparison = |json| at(json, "/comparison/text").as_str().unwrap_or_default().to_owned();
    if answer.refuses(&[400, 404, 409, 412, 413]) {
        let json = answer.json();
        let hint = if answer.status == 412 { ": begin again with them (`azeotrope rules show`)" } else { "" };
        format.print(|| json.clone(), || format!("{}refused: {}{hint}\n", comparison(&json), reason(answer)))?;
        return Ok(Outcome::Problems);
    }
    let mut json = answer.telling("/number")?;
    let warning = at(&json, "/warning").as_str().map(|warning| format!("warning: {warning}\n"));
    let warning = warning.unwrap_or_default();
    let lines: String = lost.iter().map(Loss::line).collect();
    let whose = match at(&json, "/back_to").as_u64() {
        None => String::new(),
        Some(0) => ": the built-in ones again".to_owned(),
        Some(number) => format!(": those of {number} again"),
    };
    let said = format!("{}{lines}rules {} are in force{whose}\n{warning}", comparison(&json), at(&json, "/number"));
    if let Some(json) = json.as_object_mut().filter(|_| !lost.is_empty()) {
        json.insert("removed".to_owned(), lost.iter().map(Loss::to_json).collect());
    }
    format.print(|| json, || said)?;
    Ok(Outcome::Well)
}

pub(super) fn history(sidecar: &Sidecar, format: Format) -> Result<Outcome, Failure> {
    let answer = sidecar.get("/v1/rules/history")?.telling("/rules")?;
    let entries = at(&answer, "/rules").as_array().map_or(&[][..], Vec::as_slice);
    let text = || {
        let mut table = Columns::new(&["rules>", "bundles>", "since", "by", "note"]);
        for entry in entries {
            let at = |key: &str| at(entry, &format!("/{key}"));
            let since = at("at").as_u64().unwrap_or(0);
            let word = |key: &str| at(key).as_str().unwrap_or("").to_owned();
            // Bundles go by the second in which they are published.
            let bundles = format!("{}…", since / 1_000);
            table.row([at("number").to_string(), bundles, moment(Timestamp(since)), word("by"), word("note")]);
        }
        table.text()
    };
    format.print(|| answer.clone(), text)?;
    Ok(Outcome::Well)
}
