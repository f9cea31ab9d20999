//! Labelled samples out of traces.

use crate::commands::{Failure, input};
use crate::terminal::progress::reading;
use crate::trace::{Exchange, Lines};
use azeotrope_engine::digest;
use azeotrope_engine::evidence::wording::Features;
use azeotrope_engine::route::Routes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What one request is to the model.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Buckets of its words.
    pub(crate) words: Vec<u16>,
    /// Its shape features.
    pub(crate) shapes: u64,
    /// Whether a harvester sent it as part of the harvest.
    pub(crate) harvest: bool,
    /// Place of its source in [`Samples::sources`].
    pub(crate) source: usize,
}

/// Samples and where they come from.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// All samples.
    pub(crate) all: Vec<Sample>,
    /// Kind and name of each source.
    pub(crate) sources: Vec<(String, String)>,
    places: BTreeMap<(bool, String, String), usize>,
    counts: Vec<usize>,
}

/// Who sent an exchange, by the labels.
pub(crate) struct Label {
    /// No campaign's.
    pub(crate) benign: bool,
    kind: String,
    source: String,
}

/// Kinds of a campaign's exchanges that are no harvest: covers are people's prompts, blobs carry no wording of their own.
const NO_HARVEST: &[&str] = &["cover", "blob_replay"];

impl Samples {
    /// Takes in at most `most` samples of each source of a trace; `only`: the sources that may be used, all when empty.
    pub(crate) fn read(
        &mut self,
        trace: &Path,
        labels: &Path,
        most: usize,
        only: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let labels = read_labels(labels)?;
        let routes = Routes::default();
        let name = trace.display().to_string();
        let mut lines = Lines::new(reading(trace, false)?);
        while let Some((number, line)) = lines.next().map_err(|error| Failure::Io(name.clone(), error))? {
            let exchange =
                Exchange::parse(line).map_err(|reason| Failure::Usage(format!("{name}:{number}: {reason}")))?;
            let Some(label) = labels.get(&exchange.id) else {
                return Err(Failure::Usage(format!("{name}:{number}: exchange {} has no label", exchange.id)));
            };
            let Some(source) = self.wanted(label, most, only) else { continue };
            let Some(route) = routes.find(exchange.method.as_bytes(), exchange.path.as_bytes()) else { continue };
            let features = digest::features(&azeotrope_engine::dialect::read(&route, exchange.body()));
            self.add(&features, !label.benign, source);
        }
        Ok(())
    }

    fn wanted(&mut self, label: &Label, most: usize, only: &BTreeSet<String>) -> Option<usize> {
        if !label.benign && NO_HARVEST.contains(&label.kind.as_str())
            || !only.is_empty() && !only.contains(&format!("{}\t{}", label.kind, label.source))
        {
            return None;
        }
        let key = (label.benign, label.kind.clone(), label.source.clone());
        let place = *self.places.entry(key).or_insert_with(|| {
            self.sources.push((label.kind.clone(), label.source.clone()));
            self.counts.push(0);
            self.sources.len() - 1
        });
        let count = self.counts.get_mut(place)?;
        *count += 1;
        (*count <= most).then_some(place)
    }

    fn add(&mut self, features: &Features, harvest: bool, source: usize) {
        self.all.push(Sample { words: features.words().to_vec(), shapes: features.shapes(), harvest, source });
    }
}

/// The labels of a trace, by exchange.
pub(crate) fn read_labels(path: &Path) -> Result<HashMap<u64, Label>, Failure> {
    let name = path.display().to_string();
    let mut labels = HashMap::new();
    let mut columns: Option<[usize; 4]> = None;
    for (number, line) in BufReader::new(input(path)?).lines().enumerate() {
        let line = line.map_err(|error| Failure::Io(name.clone(), error))?;
        let fields: Vec<&str> = line.split('\t').collect();
        let Some(of) = columns else {
            let place = |column| {
                let found = fields.iter().position(|field| *field == column);
                found.ok_or_else(|| Failure::Usage(format!("{name}: no column {column:?} in its first line")))
            };
            columns = Some([place("id")?, place("actor")?, place("kind")?, place("source")?]);
            continue;
        };
        let [id, actor, kind, source] = of.map(|column| fields.get(column).copied().unwrap_or(""));
        let id = id.parse().map_err(|_| Failure::Usage(format!("{name}:{}: {id:?} is no number", number + 1)))?;
        labels.insert(id, Label { benign: actor == "benign", kind: kind.to_owned(), source: source.to_owned() });
    }
    match columns {
        Some(_) => Ok(labels),
        None => Err(Failure::Usage(format!("{name}: it is empty; its first line names columns"))),
    }
}
