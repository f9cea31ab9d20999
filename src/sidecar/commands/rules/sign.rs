//! Keys, and bundles that need no sidecar.

use crate::clock;
use crate::commands::format::Format;
use crate::commands::setup::corpus;
use crate::commands::{Failure, Outcome, apart, output, read};
use crate::signing::Signer;
use azeotrope_engine::bundle::{MAX_PARTS, Manifest, Package, Part, PartKind, TrustedKeys};
use azeotrope_engine::rules::{MAX_BYTES, MAX_CONFIGURATION, Rules};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most corpora of a bundle: beside the rules.
const MOST: usize = MAX_PARTS - 1;

/// What is to be signed.
pub(super) struct Order {
    pub(super) file: PathBuf,
    pub(super) key: PathBuf,
    pub(super) corpus: Vec<PathBuf>,
    pub(super) expire_hours: Duration,
    pub(super) number: Option<u64>,
    pub(super) out: Option<PathBuf>,
    pub(super) format: Format,
}

/// Hours, with a fraction: from a second to a year.
pub(crate) fn hours(text: &str) -> Result<Duration, String> {
    const SECONDS: f64 = 3_600.0;
    let hours: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    let fits = (1.0 / SECONDS..=8_784.0).contains(&hours);
    fits.then(|| Duration::from_secs_f64(hours * SECONDS)).ok_or_else(|| "0.0003 to 8784 hours".to_owned())
}

pub(super) fn keygen(out: &Path, format: Format) -> Result<Outcome, Failure> {
    let signer = Signer::generate();
    signer.write(out).map_err(|error| Failure::Io(out.display().to_string(), error))?;
    tell_public(&signer, format)
}

pub(super) fn public_key(key: &Path, format: Format) -> Result<Outcome, Failure> {
    tell_public(&Signer::read(key).map_err(Failure::Usage)?, format)
}

fn tell_public(signer: &Signer, format: Format) -> Result<Outcome, Failure> {
    let key = signer.public().text();
    format.print(|| json!({ "public_key": key }), || format!("{key}\n"))?;
    Ok(Outcome::Well)
}

pub(super) fn sign(order: &Order) -> Result<Outcome, Failure> {
    let file = apart(order.out.as_deref(), [&order.file, &order.key].into_iter().chain(&order.corpus))?;
    let signer = Signer::read(&order.key).map_err(Failure::Usage)?;
    let rules = read(&order.file, MAX_BYTES)?;
    if let Err(problems) = Rules::parse(&rules) {
        problems.iter().for_each(|problem| eprintln!("{}: {problem}", order.file.display()));
        return Ok(Outcome::Problems);
    }
    if order.corpus.len() > MOST {
        return Err(Failure::Usage(format!("{} corpora; {MOST} fit a bundle", order.corpus.len())));
    }
    let mut parts = vec![(PartKind::Rules, rules)];
    for path in &order.corpus {
        parts.push((PartKind::Corpus, corpus(path)?.0));
    }
    let now = clock::seconds();
    let manifest = Manifest {
        version: order.number.unwrap_or(now),
        issued: now,
        expires: now + order.expire_hours.as_secs(),
        parts: parts.iter().map(|(kind, bytes)| Part::of(*kind, bytes)).collect(),
    };
    let bytes: Vec<Vec<u8>> = parts.into_iter().map(|(_, bytes)| bytes).collect();
    let package = Package::pack(&signer.seal(&manifest), &bytes);
    // As a filter will: what none opens is not worth a rollout.
    Package::unpack(&package, &TrustedKeys(vec![signer.public()]))
        .map_err(|refusal| Failure::Usage(format!("no filter would open this bundle: {refusal}")))?;
    let text = STANDARD.encode(package);
    if text.len() > MAX_CONFIGURATION {
        return Err(Failure::Usage(format!(
            "{} bytes; a plugin configuration may have {MAX_CONFIGURATION}",
            text.len()
        )));
    }
    let mut out = output(file)?;
    let told = json!({ "version": manifest.version, "expires": manifest.expires, "bundle": text });
    let line = if order.format.json() { format!("{told:#}") } else { text };
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Failure::output)?;
    Ok(Outcome::Well)
}
