//! What a replay runs with: rules, corpora, proxies, a trace.

use super::{Failure, read};
use crate::fleet::Fleet;
use crate::terminal::progress::reading;
use crate::trace::{Exchange, Lines};
use azeotrope_engine::corpus::{Corpus, LARGEST};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::rules::{self, Config};
use std::path::{Path, PathBuf};

/// The options that decide what the proxies are.
#[derive(Debug, clap::Args)]
pub(crate) struct Setting {
    /// Rules document, or a whole plugin configuration; absent: the built-in rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Separate proxies that the exchanges are dealt to in turn; one sidecar joins what each tells it twice a second
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    proxies: u16,
    /// Corpus filter made by `azeotrope corpus index`; may be given several times
    #[arg(long, value_name = "FILE")]
    corpus: Vec<PathBuf>,
}

/// The options that decide what the verdicts are.
#[derive(Debug, clap::Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    pub(super) setting: Setting,
    /// Leave the sidecar out: what filters see alone
    #[arg(long)]
    pub(super) no_sidecar: bool,
    /// Trace: one JSON exchange a line; `-`: standard input
    #[arg(value_name = "TRACE")]
    pub(crate) trace: PathBuf,
}

/// A corpus file: its bytes, and what they are.
pub(in crate::commands) fn corpus(path: &Path) -> Result<(Vec<u8>, Corpus), Failure> {
    let bytes = read(path, LARGEST)?;
    let corpus =
        Corpus::from_bytes(&bytes).map_err(|reason| Failure::Usage(format!("{}: {reason}", path.display())))?;
    Ok((bytes, corpus))
}

impl Setting {
    /// The engine of the proxies: enforcing, behind one hop as traces are recorded.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        let document = self.rules.as_deref().map(|path| read(path, rules::MAX_BYTES)).transpose()?;
        let mut config = Config::for_replay(document.as_deref()).map_err(|problems| {
            let listed: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::Usage(format!("rules refused:\n{}", listed.join("\n")))
        })?;
        for path in &self.corpus {
            config.corpora.push(corpus(path)?.1);
        }
        Ok(Engine::of(config))
    }

    /// As many proxies as asked for, before the first exchange.
    pub(crate) fn fleet<'a>(&self, engine: &'a Engine, sidecar: bool) -> Fleet<'a> {
        Fleet::new(engine, usize::from(self.proxies), sidecar)
    }
}

impl Setup {
    /// The engine of the proxies.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        self.setting.engine()
    }

    /// The proxies and their sidecar, before the first exchange.
    pub(crate) fn fleet<'a>(&self, engine: &'a Engine) -> Fleet<'a> {
        self.setting.fleet(engine, !self.no_sidecar)
    }

    /// Hands out the exchanges of the trace in order, until `take` answers that it has seen enough (`false`). `printing`:
    /// it writes to standard output.
    pub(crate) fn each(
        &self,
        printing: bool,
        take: impl FnMut(&Exchange<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        each(&self.trace, printing, take)
    }
}

/// Hands out the exchanges of a trace in order, until `take` answers that it has seen enough (`false`). `printing`: it
/// writes to standard output.
pub(crate) fn each(
    trace: &Path,
    printing: bool,
    mut take: impl FnMut(&Exchange<'_>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let name = trace.display().to_string();
    let mut lines = Lines::new(reading(trace, printing)?);
    while let Some((number, line)) = lines.next().map_err(|error| Failure::Io(name.clone(), error))? {
        let exchange = Exchange::parse(line).map_err(|reason| Failure::Usage(format!("{name}:{number}: {reason}")))?;
        if !take(&exchange)? {
            break;
        }
    }
    Ok(())
}
