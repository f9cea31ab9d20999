//! `azeotrope replay`: both tiers over a recorded trace, with the trace's own clock.

use super::setup::Setup;
use super::{Failure, Outcome, apart, output};
use crate::trace::write_verdict;
use std::path::PathBuf;

/// Run both tiers over a trace, in enforce mode, and write a verdict for each exchange
///
/// A verdict uses only what came before its exchange. An exchange that is not let through is taken as never answered.
/// Exit codes: 0: done; 2: wrong usage, the rules have problems, or a file could not be read or written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: Setup,
    /// Where verdicts go; absent, or `-`: standard output
    #[arg(long, value_name = "OUT")]
    verdicts: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let file = apart(self.verdicts.as_deref(), [&self.setup.trace])?;
        let engine = self.setup.engine()?;
        let mut fleet = self.setup.fleet(&engine);
        let mut out = output(file)?;
        self.setup.each(file.is_none(), |exchange| {
            let verdict = fleet.exchange(exchange);
            write_verdict(&mut out, exchange.id, &verdict)?;
            Ok(true)
        })?;
        out.flush().map_err(Failure::output)?;
        Ok(Outcome::Well)
    }
}
