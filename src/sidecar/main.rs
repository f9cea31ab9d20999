//! The `azeotrope` program.

mod clock;
mod commands;
mod compare;
mod crash;
mod differences;
#[cfg(test)]
mod directory;
mod ecds;
mod explain;
mod file;
mod fleet;
mod keeper;
mod remote;
mod serve;
mod signing;
mod store;
mod tail;
mod terminal;
mod trace;
mod train;

use clap::{Parser, Subcommand};
use commands::{Failure, Outcome, campaigns, corpus, digest, replay, rules};
use std::process::ExitCode;

/// Detects distillation (model extraction) through LLM APIs.
///
/// Exit codes: 0: all well; 1: problems found, or refused; 2: wrong usage (a token that is not valid is one), or a file could not
/// be read or written; 3: the sidecar does not answer, or not with what was asked for: worth another try.
#[derive(Debug, Parser)]
#[command(version, about, long_about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What a command is stands at its `Args`.
#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Args),
    Serve(Box<commands::serve::Args>),
    Status(commands::status::Args),
    Top(commands::top::Args),
    Account(commands::account::Args),
    Explain(commands::explain::Args),
    Campaigns(campaigns::Args),
    Corpus(corpus::Args),
    Calibrate(commands::calibrate::Args),
    Train(commands::train::Args),
    Rules(rules::Args),
    Digest(digest::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

fn main() -> ExitCode {
    crash::hook_panics();
    let outcome = match Cli::parse().command {
        Command::Replay(args) => args.run(),
        Command::Serve(args) => args.run(),
        Command::Status(args) => args.run(),
        Command::Top(args) => args.run(),
        Command::Account(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Campaigns(args) => args.run(),
        Command::Corpus(args) => args.run(),
        Command::Calibrate(args) => args.run(),
        Command::Train(args) => args.run(),
        Command::Rules(args) => args.run(),
        Command::Digest(args) => args.run(),
        Command::Completions(args) => args.run::<Cli>(),
        Command::Man(args) => args.run::<Cli>(),
    };
    match outcome {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(1),
        Err(failure) => {
            if !matches!(failure, Failure::ClosedPipe) {
                eprintln!("azeotrope: {failure}");
            }
            ExitCode::from(failure.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
