//! In what two rules documents differ.

use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, read};
use crate::differences::{Difference, differences};
use crate::remote::Sidecar;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn run(old: &Path, new: Option<&Path>, sidecar: &Sidecar, format: Format) -> Result<Outcome, Failure> {
    let (before, after) = match new {
        Some(new) => (document(old)?, document(new)?),
        None => {
            let answer = sidecar.get("/v1/rules")?;
            answer.telling("/format")?;
            (parse(answer.body.as_bytes(), "the sidecar")?, document(old)?)
        }
    };
    let found = differences(&before, &after);
    let listed = || found.iter().map(Difference::to_json).collect::<Vec<_>>();
    format.print(|| json!({ "differences": listed() }), || found.iter().map(Difference::line).collect())?;
    Ok(if found.is_empty() { Outcome::Well } else { Outcome::Problems })
}

fn document(path: &Path) -> Result<Value, Failure> {
    parse(&read(path, MAX_BYTES)?, &path.display().to_string())
}

/// The document with every knob named, so that what is left to its default compares, too.
fn parse(bytes: &[u8], name: &str) -> Result<Value, Failure> {
    let rules = Rules::parse(bytes).map_err(|problems| {
        let listed: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
        Failure::Usage(listed.join("\n"))
    })?;
    Ok(rules.document.to_json())
}
