//! `azeotrope campaigns`: what the sidecar has named by the end of a replay.

use super::setup::Setup;
use super::{Failure, Outcome, print};
use crate::explain::{campaign::Told, text};

/// List the campaigns that are named by the end of a replay, and how they came to be
///
/// Exit codes: 0: listed; 2: wrong usage, or a file could not be read.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: Setup,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let engine = self.setup.engine()?;
        let mut fleet = self.setup.fleet(&engine);
        self.setup.each(|exchange| {
            fleet.exchange(exchange);
            Ok(true)
        })?;
        let criteria = azeotrope_engine::campaign::Criteria::of(&engine.config().rules.document);
        let campaigns = fleet.sidecar().map_or(&[][..], |sidecar| sidecar.campaigns());
        let told: Vec<Told> = campaigns.iter().map(|campaign| Told::of(campaign, &criteria)).collect();
        match self.json {
            true => print(&format!("{:#}\n", serde_json::json!({ "campaigns": told })))?,
            false => print(&text::campaigns(&told))?,
        }
        Ok(Outcome::Well)
    }
}
