//! `azeotrope completions`: what a shell needs to complete this program's command lines.

use super::{Failure, Outcome};
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use std::io::Write;

/// Print completions for a shell
///
/// bash: `azeotrope completions bash > /etc/bash_completion.d/azeotrope`; zsh: into a folder of `$fpath` as `_azeotrope`;
/// fish: into `~/.config/fish/completions/azeotrope.fish`. Exit codes: 0: printed; 2: wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(crate) fn run<Cli: CommandFactory>(&self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "azeotrope", &mut script);
        std::io::stdout().write_all(&script).map_err(Failure::output)?;
        Ok(Outcome::Well)
    }
}
