//! `azeotrope campaigns`: what the sidecar has named by the end of a replay.

use super::format::Format;
use super::setup::{Setting, Setup};
use super::{Failure, Outcome};
use crate::explain::{campaign::Told, text};
use crate::remote::{HERE, Sidecar, at, reason, usual};
use crate::terminal::plain;
use std::path::PathBuf;

/// List the campaigns that are named by the end of a replay, or that a sidecar has named, and how they came to be
///
/// Exit codes: 0: listed, or let go; 1: nothing is held back; 2: wrong usage, or a file could not be read; 3: no answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ask a sidecar instead: what it has named so far. Without a URL, or without a TRACE: that of AZEOTROPE_SIDECAR; the one
    /// on this machine where that is not set
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    #[allow(clippy::option_option, reason = "not given, given without a URL, given with one")]
    sidecar: Option<Option<String>>,
    /// Let go of campaigns that the sidecar holds back, for they would act on very many accounts at once
    #[arg(long)]
    release: bool,
    /// File with the admin token, to let go
    #[arg(long, value_name = "FILE", env = "AZEOTROPE_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<PathBuf>,
    #[command(flatten)]
    setting: Setting,
    /// Leave the sidecar of the replay out: what filters see alone
    #[arg(long)]
    no_sidecar: bool,
    /// Trace: one JSON exchange a line; `-`: standard input
    #[arg(value_name = "TRACE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        if let Some(url) = self.asked() {
            return self.live(&url);
        }
        let Some(trace) = self.trace else {
            return Err(Failure::Usage("a TRACE or --sidecar is needed".to_owned()));
        };
        let setup = Setup { setting: self.setting, no_sidecar: self.no_sidecar, trace };
        let engine = setup.engine()?;
        let mut fleet = setup.fleet(&engine);
        setup.each(false, |exchange| {
            fleet.exchange(exchange);
            Ok(true)
        })?;
        fleet.end();
        let criteria = azeotrope_engine::campaign::Criteria::of(&engine.config().rules.document);
        let told = fleet.sidecar().map(|sidecar| Told::all(sidecar, &criteria)).unwrap_or_default();
        self.format.print(|| serde_json::json!({ "campaigns": told }), || text::campaigns(&told))?;
        Ok(Outcome::Well)
    }

    /// The sidecar that is asked, if one is. The variable alone does not make a replay a question.
    fn asked(&self) -> Option<String> {
        let usual = usual();
        match &self.sidecar {
            Some(Some(url)) => Some(url.clone()),
            Some(None) => Some(usual.unwrap_or_else(|| HERE.to_owned())),
            None if self.release => Some(usual.unwrap_or_else(|| HERE.to_owned())),
            None => usual.filter(|_| self.trace.is_none()),
        }
    }

    fn live(&self, url: &str) -> Result<Outcome, Failure> {
        let sidecar = Sidecar::at(url, self.admin_token_file.clone());
        if self.release {
            let answer = sidecar.post("/v1/campaigns/release", &[])?;
            let nothing = answer.refuses(&[404]);
            let told = if nothing { answer.json() } else { answer.telling("/released")? };
            let said = || if nothing { format!("{}\n", reason(&answer)) } else { released(&told) };
            self.format.print(|| told.clone(), said)?;
            return Ok(if nothing { Outcome::Problems } else { Outcome::Well });
        }
        let answer = sidecar.get("/v1/campaigns")?.telling("/campaigns")?;
        let told: Vec<Told> = serde_json::from_value(at(&answer, "/campaigns").clone())
            .map_err(|error| Failure::Sidecar(format!("{url}: another version's answer: {error}")))?;
        self.format.print(|| answer.clone(), || text::campaigns(&told))?;
        Ok(Outcome::Well)
    }
}

/// What a sidecar let go of; one of another version does not say.
fn released(told: &serde_json::Value) -> String {
    let names = names(told);
    match at(told, "/accounts").as_u64() {
        Some(accounts) => format!("let go: {names}, with {accounts} accounts\n"),
        None => "let go\n".to_owned(),
    }
}

/// The campaigns that are held back.
pub(super) fn names(held: &serde_json::Value) -> String {
    let listed = at(held, "/campaigns").as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = listed.iter().filter_map(|name| name.as_str().map(plain)).collect();
    if names.is_empty() { "campaigns".to_owned() } else { names.join(", ") }
}
