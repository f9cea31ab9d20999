//! `azeotrope rules`: check, schema, defaults.

use super::{Failure, Outcome, print, read};
use azeotrope_engine::rules::{Kind, MAX_BYTES, Problem, check};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Check rules, print their schema and their defaults
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is wrong with a rules document or a whole plugin configuration
    ///
    /// A document with `format`, `version`, `thresholds` or `families` at its top is taken for rules, any other for a
    /// plugin configuration. Exit codes: 0: nothing wrong; 1: problems found; 2: wrong usage, or the file could not be
    /// read.
    Check {
        /// The document; `-`: standard input
        file: PathBuf,
        /// Print JSON instead: {"kind", "ok", "problems": [{"path", "reason"}]}
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema (draft 2020-12) of rules documents
    Schema {
        /// Of plugin configurations instead
        #[arg(long)]
        configuration: bool,
    },
    /// Print the built-in rules: every knob with its default
    #[command(visible_alias = "show-defaults")]
    Defaults {
        /// The default plugin configuration instead
        #[arg(long)]
        configuration: bool,
    },
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            Command::Check { file, json } => check_file(&file, json),
            Command::Schema { configuration } => pretty(&kind(configuration).schema()),
            Command::Defaults { configuration } => pretty(&kind(configuration).defaults()),
        }
    }
}

fn kind(configuration: bool) -> Kind {
    if configuration { Kind::Configuration } else { Kind::Rules }
}

fn pretty(value: &Value) -> Result<Outcome, Failure> {
    print(&format!("{value:#}\n"))?;
    Ok(Outcome::Well)
}

fn check_file(file: &Path, json: bool) -> Result<Outcome, Failure> {
    let (kind, problems) = match check(&read(file, MAX_BYTES)?) {
        Ok(kind) => (kind, Vec::new()),
        Err(found) => found,
    };
    let report = if json { as_json(kind, &problems) } else { as_text(file, kind, &problems) };
    print(&report)?;
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

fn as_json(kind: Kind, problems: &[Problem]) -> String {
    let kind = match kind {
        Kind::Rules => "rules",
        Kind::Configuration => "configuration",
    };
    let listed: Vec<_> = problems.iter().map(|found| json!({ "path": found.path, "reason": found.reason })).collect();
    format!("{}\n", json!({ "kind": kind, "ok": problems.is_empty(), "problems": listed }))
}
