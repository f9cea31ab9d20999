//! `azeotrope explain`: the evidence behind a verdict of a replay, in words with the numbers.

use super::format::Format;
use super::setup::Setup;
use super::{Failure, Outcome, input};
use crate::explain::{Explanation, text};
use crate::trace::{Lines, unquoted, verdict_line};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Explain a verdict of a replay: what was decided, by which evidence, and what would have changed it
///
/// Runs the replay again up to the exchange; with the same options the verdict is the same, byte for byte. Prints digests
/// only, never prompts. Exit codes: 0: explained; 1: the recorded verdict is another; 2: wrong usage, no such exchange, or
/// a file could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: Setup,
    /// The exchange: its id in the trace
    #[arg(long, value_name = "EXCHANGE")]
    id: u64,
    /// Verdicts that `azeotrope replay` wrote: check that they say the same
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let recorded = self.verdicts.as_deref().map(|path| recorded(path, self.id)).transpose()?;
        let engine = self.setup.engine()?;
        let mut fleet = self.setup.fleet(&engine);
        let mut found = None;
        self.setup.each(false, |exchange| {
            if exchange.id != self.id {
                fleet.exchange(exchange);
                return Ok(true);
            }
            let examined = fleet.examine(exchange);
            let mut explanation = Explanation::of(&engine, &fleet, exchange, examined);
            // What is explained is what a replay writes.
            explanation.line = verdict_line(exchange.id, &fleet.exchange(exchange));
            found = Some(explanation);
            Ok(false)
        })?;
        let Some(mut explanation) = found else {
            return Err(Failure::Usage(format!("{}: no exchange has id {}", self.setup.trace.display(), self.id)));
        };
        explanation.recorded = recorded;
        self.format.print(|| explanation.to_json(), || text::explanation(&explanation))?;
        Ok(if explanation.reproduced() == Some(false) { Outcome::Problems } else { Outcome::Well })
    }
}

/// The recorded verdict of an exchange, as it stands.
fn recorded(path: &Path, id: u64) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Line {
        id: u64,
    }
    let name = path.display();
    let mut lines = Lines::new(input(path)?);
    while let Some((number, line)) = lines.next().map_err(|error| Failure::Io(name.to_string(), error))? {
        let read: Line = serde_json::from_slice(line)
            .map_err(|error| Failure::Usage(format!("{name}:{number}: {}", unquoted(&error))))?;
        if read.id == id {
            return Ok(String::from_utf8_lossy(line).into_owned());
        }
    }
    Err(Failure::Usage(format!("{name}: no verdict has id {id}")))
}
