//! `azeotrope corpus`: public prompt sets as filters.

use super::format::Format;
use super::{Failure, Outcome, output, writable};
use crate::terminal::progress::reading;
use crate::trace::{Lines, unquoted};
use azeotrope_engine::corpus::Corpus;
use azeotrope_engine::digest::content::{Content, SHORTEST};
use clap::Subcommand;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Most prompts of one filter: what keeps its file below the engine's 32 MiB.
const MOST: usize = 14_000_000;

/// Index public prompt sets
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a corpus filter from lines {"prompt": "..."}
    ///
    /// The filter holds digests only: about 18 bits a prompt, one false positive in 65,536. Prompts with fewer than 32
    /// letters and digits are left out: they are everybody's. Exit codes: 0: written; 2: wrong usage, a line that is no
    /// such object, or a file that could not be read or written.
    Index {
        /// Where the filter goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Lines {"prompt": "..."}; `-`: standard input
        #[arg(required = true, value_name = "PROMPTS")]
        prompts: Vec<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        match self.command {
            Command::Index { out, prompts, format } => index(&out, &prompts, format),
        }
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    prompt: Cow<'a, str>,
}

fn index(out: &Path, files: &[PathBuf], format: Format) -> Result<Outcome, Failure> {
    writable(out, files)?;
    let (mut digests, mut read) = (Vec::new(), 0_u64);
    for path in files {
        let name = path.display();
        let mut lines = Lines::new(reading(path, false)?);
        while let Some((number, line)) = lines.next().map_err(|error| Failure::Io(name.to_string(), error))? {
            let line: Line<'_> = serde_json::from_slice(line).map_err(|error| {
                Failure::Usage(format!("{name}:{number}: expected {{\"prompt\": \"...\"}}: {}", unquoted(&error)))
            })?;
            read += 1;
            digests.extend(Some(Content::of([&*line.prompt]).whole).filter(|&digest| digest != 0));
            if digests.len() > MOST {
                return Err(Failure::Usage(format!(
                    "{name}:{number}: more than {MOST} prompts: build several filters"
                )));
            }
        }
    }
    let corpus = Corpus::build(digests).map_err(|reason| Failure::Usage(reason.to_owned()))?;
    let bytes = corpus.to_bytes();
    let mut file = output(Some(out))?;
    file.write_all(&bytes)
        .and_then(|()| file.flush())
        .map_err(|error| Failure::Io(out.display().to_string(), error))?;
    let name = out.display();
    let json = || {
        serde_json::json!({
            "file": name.to_string(), "prompts": corpus.prompts(), "read": read, "bytes": bytes.len(),
        })
    };
    let short = format!("the rest repeat or have fewer than {SHORTEST} letters and digits");
    let text = || format!("{name}: {} of {read} prompts, {} bytes ({short})\n", corpus.prompts(), bytes.len());
    format.print(json, text)?;
    Ok(Outcome::Well)
}
