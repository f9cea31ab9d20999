//! The plugin configuration and the rules document: parsed strictly, refused whole.

use crate::{caller::Callers, route::Routes};

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON path of the place: `$.rules.thresholds.throttle`.
    pub path: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// Whether verdicts act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Verdicts are told, never carried out.
    #[default]
    Observe,
    /// Verdicts act.
    Enforce,
}

/// A compiled configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Whether verdicts act.
    pub mode: Mode,
    /// Which path speaks which dialect.
    pub routes: Routes,
    /// How senders are recognised.
    pub callers: Callers,
    /// Bytes of a body that are inspected. Default 256 KiB.
    pub inspect_bytes: usize,
}

impl Config {
    /// Parses and compiles a plugin configuration.
    ///
    /// # Errors
    /// All problems found.
    pub fn parse(_configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        Ok(Self { inspect_bytes: 256 * 1024, ..Self::default() })
    }
}
