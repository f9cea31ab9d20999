//! `azeotrope man`: the manual pages.

use super::{Failure, Outcome};
use clap::CommandFactory;
use std::io::Write;
use std::path::PathBuf;

/// Print the manual page, or write those of all commands
///
/// `azeotrope man | man -l -` shows it; `azeotrope man --out /usr/local/share/man/man1` installs one for each command
/// (`man azeotrope-rules-publish`). Exit codes: 0: done; 2: wrong usage, or a file could not be written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder that the pages of all commands go to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run<Cli: CommandFactory>(&self) -> Result<Outcome, Failure> {
        match &self.out {
            Some(folder) => {
                let failed = |error| Failure::Io(folder.display().to_string(), error);
                std::fs::create_dir_all(folder).map_err(failed)?;
                clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
            }
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Failure::output)?;
                std::io::stdout().write_all(&page).map_err(Failure::output)?;
            }
        }
        Ok(Outcome::Well)
    }
}
