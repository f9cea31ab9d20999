//! `azeotrope train`: the content model from labelled traces.

use super::format::Format;
use super::{Failure, Outcome, input, output, read, writable};
use crate::terminal::progress::Steps;
use crate::train::fit::Linear;
use crate::train::report::{self, FOLDS, hold_out};
use crate::train::samples::Samples;
use azeotrope_engine::rules::document::{Content, Document};
use azeotrope_engine::rules::names::Weights;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Train the content model from labelled traces and print how it does on repositories held out whole
///
/// Prompts are read, features kept, nothing else. Exit codes: 0: written; 2: wrong usage, or a file could not be read or
/// written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Traces, and after each its labels: TRACE LABELS [TRACE LABELS]...
    #[arg(required = true, num_args = 2.., value_name = "TRACE LABELS")]
    traces: Vec<PathBuf>,
    /// Where the rules document with the new model goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Rules document that the model is put into; absent: the built-in rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Write the model's bytes instead of a rules document
    #[arg(long)]
    raw: bool,
    /// Use only what this file names: kind, tab, source, one a line (`#` begins a comment)
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
    /// Most requests of one source
    #[arg(long, default_value_t = 400)]
    most: usize,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let (pairs, odd) = self.traces.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(Failure::Usage("each trace needs its labels after it".to_owned()));
        }
        writable(&self.out, &self.traces)?;
        let only = self.sources.as_deref().map(sources).transpose()?.unwrap_or_default();
        let mut samples = Samples::default();
        for [trace, labels] in pairs {
            eprintln!("reading {}", trace.display());
            samples.read(trace, labels, self.most, &only)?;
        }
        if !samples.all.iter().any(|sample| sample.harvest) || samples.all.iter().all(|sample| sample.harvest) {
            return Err(Failure::Usage("training needs requests of both sides, harvest and benign".to_owned()));
        }
        let steps = Steps::new(FOLDS + 1);
        let progress = |part| steps.begin(&format!("training without part {} of {FOLDS}", part + 1));
        let held = hold_out(&samples, &progress);
        steps.begin("training on everything");
        let model = Linear::fit(&samples, &|_| true).quantise(held.slope, held.offset);
        let bytes = match self.raw {
            true => model.to_bytes(),
            false => {
                let document = Document { content: Some(Content { weights: Weights(model) }), ..self.document()? };
                format!("{:#}\n", document.to_json()).into_bytes()
            }
        };
        let mut file = output(Some(&self.out))?;
        file.write_all(&bytes)
            .and_then(|()| file.flush())
            .map_err(|error| Failure::Io(self.out.display().to_string(), error))?;
        drop(steps);
        if held.slope <= 0.0 {
            eprintln!(
                "warning: on repositories held out the wording tells nothing; a model of these traces is worth nothing"
            );
        }
        self.format.print(|| report::json(&samples, &held), || report::table(&samples, &held))?;
        Ok(Outcome::Well)
    }

    fn document(&self) -> Result<Document, Failure> {
        let Some(path) = &self.rules else { return Ok(Document::default()) };
        let rules = Rules::parse(&read(path, MAX_BYTES)?).map_err(|problems| {
            let listed: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::Usage(format!("{}: {}", path.display(), listed.join("; ")))
        })?;
        Ok(rules.document)
    }
}

fn sources(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let lines = BufReader::new(input(path)?).lines().collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| Failure::Io(path.display().to_string(), error))?;
    let named = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(named.map(str::to_owned).collect())
}
