//! How far something is, on standard error; only where that is a terminal.

use crate::commands::{Failure, input};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::path::Path;

/// Opens a file, or standard input for `-`, and shows how much of it is read. `printing`: standard output is written to
/// meanwhile; where that is a terminal, too, a bar would stand between its lines.
pub(crate) fn reading(path: &Path, printing: bool) -> Result<Box<dyn Read>, Failure> {
    let source = input(path)?;
    if !std::io::stderr().is_terminal() || (printing && std::io::stdout().is_terminal()) {
        return Ok(source);
    }
    let length = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    let bar = match length {
        Some(length) => {
            styled(ProgressBar::new(length), "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left")
        }
        None => styled(ProgressBar::new_spinner(), "{msg} {spinner} {bytes} {binary_bytes_per_sec}"),
    };
    bar.set_message(path.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned()));
    Ok(Box::new(bar.wrap_read(source)))
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_finish(ProgressFinish::AndClear)
}

/// Steps of something that takes long: a bar in a terminal, a line each elsewhere.
pub(crate) struct Steps {
    bar: Option<ProgressBar>,
}

impl Steps {
    /// So many steps lie ahead.
    pub(crate) fn new(steps: usize) -> Self {
        let bar = std::io::stderr().is_terminal();
        let bar = bar.then(|| styled(ProgressBar::new(steps as u64), "{msg} {wide_bar} {pos}/{len} {elapsed}"));
        Self { bar }
    }

    /// One of them begins.
    pub(crate) fn begin(&self, what: &str) {
        match &self.bar {
            None => eprintln!("{what}"),
            Some(bar) => {
                bar.set_message(what.to_owned());
                bar.inc(1);
            }
        }
    }
}
