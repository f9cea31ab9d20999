//! `azeotrope replay`: both tiers over a recorded trace, with the trace's own clock.

use super::{Failure, Outcome, input, output, read};
use crate::fleet::Fleet;
use crate::trace::{Exchange, Lines, write_verdict};
use azeotrope_engine::corpus::{self, Corpus};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::rules::{self, Config};
use std::path::PathBuf;

/// What every replay is set up with.
#[derive(Debug, clap::Args)]
pub(crate) struct Setting {
    /// Rules document, or a whole plugin configuration; absent: the built-in rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Separate proxies that the exchanges are dealt to in turn; one sidecar joins them
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    proxies: u16,
    /// Corpus filter made by `azeotrope corpus index`; may be given several times
    #[arg(long, value_name = "FILE")]
    corpus: Vec<PathBuf>,
}

/// Run both tiers over a trace, in enforce mode, and write a verdict for each exchange
///
/// A verdict uses only what came before its exchange. An exchange that is not let through is taken as never answered.
/// Exit codes: 0: done; 1: the rules have problems; 2: wrong usage, or a file could not be read or written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setting: Setting,
    /// Where verdicts go; absent: standard output
    #[arg(long, value_name = "OUT")]
    verdicts: Option<PathBuf>,
    /// Leave the sidecar out: what filters see alone
    #[arg(long)]
    no_sidecar: bool,
    /// Trace: one JSON exchange a line; `-`: standard input
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let engine = self.setting.engine()?;
        let mut fleet = Fleet::new(&engine, self.setting.proxies(), !self.no_sidecar);
        let name = self.trace.display().to_string();
        let mut lines = Lines::new(input(&self.trace)?);
        let mut out = output(self.verdicts.as_deref())?;
        while let Some((number, line)) = lines.next().map_err(|error| Failure::Io(name.clone(), error))? {
            let exchange =
                Exchange::parse(line).map_err(|reason| Failure::Usage(format!("{name}:{number}: {reason}")))?;
            let verdict = fleet.exchange(&exchange);
            write_verdict(&mut out, exchange.id, &verdict)?;
        }
        out.flush().map_err(Failure::output)?;
        Ok(Outcome::Well)
    }
}

impl Setting {
    /// How many proxies there are.
    pub(crate) fn proxies(&self) -> usize {
        usize::from(self.proxies)
    }

    /// The engine of all of them.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        Ok(Engine::of(self.config()?))
    }

    /// The configuration of the proxies: enforcing, behind one hop as traces are recorded.
    fn config(&self) -> Result<Config, Failure> {
        let document = self.rules.as_deref().map(|path| read(path, rules::MAX_BYTES)).transpose()?;
        let mut config = Config::for_replay(document.as_deref()).map_err(|problems| {
            let listed: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::Usage(format!("rules refused:\n{}", listed.join("\n")))
        })?;
        for path in &self.corpus {
            let file = read(path, corpus::LARGEST)?;
            let corpus =
                Corpus::from_bytes(&file).map_err(|reason| Failure::Usage(format!("{}: {reason}", path.display())))?;
            config.corpora.push(corpus);
        }
        Ok(config)
    }
}
