//! What is wrong with a document.

use crate::commands::format::Format;
use crate::commands::{Failure, Outcome, print, read};
use azeotrope_engine::rules::{Kind, MAX_CONFIGURATION, Problem, check};
use serde_json::{Value, json};
use std::path::Path;

/// What a document is that is asked for.
pub(super) fn kind(configuration: bool) -> Kind {
    if configuration { Kind::Configuration } else { Kind::Rules }
}

/// Prints JSON.
pub(super) fn pretty(value: &Value) -> Result<Outcome, Failure> {
    print(&format!("{value:#}\n"))?;
    Ok(Outcome::Well)
}

/// Says what is wrong with a file.
pub(super) fn file(path: &Path, format: Format) -> Result<Outcome, Failure> {
    let (kind, problems) = match check(&read(path, MAX_CONFIGURATION)?) {
        Ok(kind) => (kind, Vec::new()),
        Err(found) => found,
    };
    format.print(|| as_json(kind, &problems), || as_text(path, kind, &problems))?;
    Ok(if problems.is_empty() { Outcome::Well } else { Outcome::Problems })
}

fn as_text(file: &Path, kind: Kind, problems: &[Problem]) -> String {
    let kind = match kind {
        Kind::Rules => "rules",
        Kind::Configuration => "plugin configuration",
    };
    let file = file.display();
    if problems.is_empty() {
        return format!("{file}: {kind}: ok\n");
    }
    problems.iter().map(|problem| format!("{file}: {problem}\n")).collect()
}

fn as_json(kind: Kind, problems: &[Problem]) -> Value {
    let kind = match kind {
        Kind::Rules => "rules",
        Kind::Configuration => "configuration",
    };
    let listed: Vec<_> = problems.iter().map(|found| json!({ "path": found.path, "reason": found.reason })).collect();
    json!({ "kind": kind, "ok": problems.is_empty(), "problems": listed })
}
