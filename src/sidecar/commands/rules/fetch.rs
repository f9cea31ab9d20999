//! The bundle that a sidecar has in force, for proxies that cannot ask for it themselves.

use crate::clock;
use crate::commands::{Failure, Outcome, output, read};
use crate::remote::Sidecar;
use azeotrope_engine::bundle::{Manifest, Package, Part, PublicKey, Refusal, TrustedKeys};
use azeotrope_engine::rules::MAX_CONFIGURATION;
use azeotrope_engine::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;

/// Bytes that a manifest never has.
const MANIFEST: u64 = 4_096;

/// What is wanted.
pub(super) struct Order {
    pub(super) public_key: String,
    pub(super) plugin: Option<PathBuf>,
    pub(super) limit: usize,
    pub(super) out: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) sidecar: Sidecar,
}

pub(super) fn fetch(order: &Order) -> Result<Outcome, Failure> {
    let key = PublicKey::parse(&order.public_key);
    let key = key.ok_or_else(|| Failure::Usage("--public-key: base64 of 32 bytes is expected".to_owned()))?;
    let token = order
        .token_file
        .as_ref()
        .map(|path| std::fs::read_to_string(path).map_err(|error| Failure::Io(path.display().to_string(), error)));
    let token = token.transpose()?;
    let token = token.as_deref().map(str::trim);
    let keys = TrustedKeys(vec![key]);
    let sealed = order.sidecar.bytes("/v1/bundle", token, MANIFEST)?;
    let manifest = match Manifest::open(&sealed, &keys) {
        Ok((manifest, _)) if manifest.holds(Timestamp(clock::now())) => manifest,
        Ok(_) => return refused(&Refusal::Expired.to_string()),
        Err(refusal) => return refused(&refusal.to_string()),
    };
    let bytes: u64 = manifest.parts.iter().map(|part| u64::from(part.size)).sum();
    if bytes > order.limit as u64 {
        return refused(&too_large(bytes, order.limit));
    }
    let part = |part: &Part| order.sidecar.bytes(&path(part), token, u64::from(part.size));
    let parts: Vec<Vec<u8>> = manifest.parts.iter().map(part).collect::<Result<_, _>>()?;
    let package = Package::pack(&sealed, &parts);
    if let Err(refusal) = Package::unpack(&package, &keys) {
        return refused(&refusal.to_string());
    }
    let text = configured(order, STANDARD.encode(package))?;
    if text.len() > order.limit {
        return refused(&too_large(text.len() as u64, order.limit));
    }
    let mut out = output(order.out.as_deref())?;
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::output)?;
    Ok(Outcome::Well)
}

/// The plugin configuration with the bundle in it, or the bundle alone.
fn configured(order: &Order, bundle: String) -> Result<String, Failure> {
    let Some(path) = &order.plugin else { return Ok(bundle) };
    let wrong = |reason: String| Failure::Usage(format!("{}: {reason}", path.display()));
    let read = read(path, MAX_CONFIGURATION)?;
    let mut plugin: serde_json::Value = serde_json::from_slice(&read).map_err(|error| wrong(error.to_string()))?;
    let members = plugin.as_object_mut().ok_or_else(|| wrong("no JSON object".to_owned()))?;
    members.insert("bundle".to_owned(), bundle.into());
    Ok(plugin.to_string())
}

fn path(part: &Part) -> String {
    let digits: String = part.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/v1/parts/{digits}")
}

fn too_large(bytes: u64, limit: usize) -> String {
    format!("{bytes} bytes; {limit} are allowed. Corpora are the largest part: publish to edges from a sidecar without")
}

fn refused(reason: &str) -> Result<Outcome, Failure> {
    eprintln!("refused: {reason}");
    Ok(Outcome::Problems)
}
