//! Small changes of rules, in a file or in force, and pins.

use super::live::{self, Change, InForce};
use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, named, print, read};
use crate::file;
use crate::remote::at;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Thresholds, the lowest first.
const RUNGS: [&str; 3] = ["observe", "throttle", "block"];

/// Where the rules are that are changed.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// A rules document on disk (`-`: from standard input to standard output); absent: what the sidecar has in force
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    file: Option<PathBuf>,
    #[command(flatten)]
    change: Change,
    /// Put them into force however many accounts they act on, and though they have ended
    #[arg(long)]
    force: bool,
}

impl Place {
    /// Why they are changed.
    pub(super) fn note(&self) -> &str {
        &self.change.note
    }

    /// Changes the rules there; not where `edit` says why not.
    pub(super) fn change(
        &self,
        edit: impl FnOnce(&mut Value) -> Result<Option<String>, Failure>,
    ) -> Result<Outcome, Failure> {
        let (text, tag) = match &self.file {
            Some(path) => (String::from_utf8_lossy(&read(path, MAX_BYTES)?).into_owned(), String::new()),
            None => {
                let InForce { tag, text } = InForce::of(&self.change.sidecar)?;
                (text, tag)
            }
        };
        checked(&text)?;
        let mut document: Value = serde_json::from_str(&text).map_err(|error| Failure::Usage(error.to_string()))?;
        if let Some(reason) = edit(&mut document)? {
            return live::refused(&reason, &[], self.change.format);
        }
        let text = format!("{document:#}\n");
        checked(&text)?;
        match &self.file {
            Some(path) => write(path, &text, self.change.format),
            None => live::put(&self.change, &tag, &text, self.force),
        }
    }
}

/// The thresholds to write so that one stays where it is: beside those that are kept it might be out of order by itself.
fn thresholds(place: &Place, rung: &str) -> Result<Vec<(String, Value)>, Failure> {
    let body = place.change.sidecar.get("/v1/status")?.body;
    let status: Value = serde_json::from_str(&body).map_err(|error| Failure::Sidecar(error.to_string()))?;
    let is_kept = at(&status, "/thresholds/kept").as_bool() == Some(true);
    let rungs = RUNGS.into_iter().filter(|other| is_kept || *other == rung);
    let found = rungs.map(|rung| (rung.to_owned(), at(&status, &format!("/thresholds/{rung}")).clone()));
    Ok(found.filter(|(_, value)| value.is_number()).collect())
}

fn checked(text: &str) -> Result<(), Failure> {
    Rules::parse(text.as_bytes())
        .map(drop)
        .map_err(|problems| Failure::Usage(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// Replaces a file all at once; what came from standard input goes on to standard output.
fn write(path: &Path, text: &str, format: Format) -> Result<Outcome, Failure> {
    if named(Some(path)).is_none() {
        return print(text).map(|()| Outcome::Well);
    }
    file::replace(path, text).map_err(|error| Failure::Io(path.display().to_string(), error))?;
    let name = path.display();
    format.print(|| json!({ "file": name.to_string() }), || format!("{name}: written\n"))?;
    Ok(Outcome::Well)
}

/// A member that is there from now on.
pub(super) fn member<'a>(of: &'a mut Value, name: &str, default: Value) -> Result<&'a mut Value, Failure> {
    let object = of.as_object_mut().ok_or_else(|| Failure::Usage(format!("`{name}` has no place there")))?;
    Ok(object.entry(name).or_insert(default))
}

/// Holds a threshold.
pub(super) fn pin(wish: &str, place: &Place) -> Result<Outcome, Failure> {
    let (rung, value) = match wish.split_once('=') {
        Some((rung, value)) => (rung, Some(value)),
        None => (wish, None),
    };
    if !RUNGS.contains(&rung) {
        return Err(Failure::Usage(format!("{rung}: one of observe, throttle, block is expected")));
    }
    let value =
        value.map(|text| text.parse::<f64>().map_err(|_| Failure::Usage(format!("{text}: no number")))).transpose()?;
    let written = match value {
        Some(value) => vec![(rung.to_owned(), json!(value))],
        None if place.file.is_none() => thresholds(place, rung)?,
        None => Vec::new(),
    };
    place.change(|document| {
        for (rung, value) in written {
            *member(member(document, "thresholds", json!({}))?, &rung, Value::Null)? = value;
        }
        let pinned = member(member(document, "keep", json!({}))?, "pinned", json!([]))?;
        let pinned = pinned.as_array_mut().ok_or_else(|| Failure::Usage("`keep.pinned` is no list".to_owned()))?;
        if !pinned.contains(&json!(rung)) {
            pinned.push(json!(rung));
        }
        Ok(None)
    })
}
