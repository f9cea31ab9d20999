//! Answers for people, or for programs.

use super::{Failure, print};
use serde_json::Value;

/// How a command answers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Format {
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Prints an answer in one of its two forms; only that one is made.
    pub(crate) fn print(self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => print(&format!("{:#}\n", json())),
            false => print(&text()),
        }
    }

    /// Whether a program reads the answer.
    pub(crate) fn json(self) -> bool {
        self.json
    }
}
