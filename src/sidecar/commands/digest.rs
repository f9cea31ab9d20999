//! `azeotrope digest`: under which digest logs and rules know somebody, or a template.

use super::format::Format;
use super::{Failure, Outcome, read};
use azeotrope_engine::caller::{Caller, Callers, Source};
use azeotrope_engine::digest::Reading;
use azeotrope_engine::digest::key::{DigestKey, Keys};
use azeotrope_engine::route::Routes;
use azeotrope_engine::rules::names::Secret;
use azeotrope_engine::rules::{Config, DigestName};
use clap::Args as ClapArgs;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Longest request body read.
const MAX_BODY: usize = 16 << 20;

/// Longest secret read from a file or standard input: larger than any credential that fits in a request's headers.
const MAX_SECRET: usize = 64 * 1024;

/// Print the digest under which logs and rules know an account, an organisation, a network or a template
///
/// What a command line holds, other users of the machine can see: any value may be `-`, which reads it from standard
/// input, and the key may come from a file. Exit codes: 0: printed; 2: wrong usage, or an input could not be read.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// `digest_key.current` of the plugin configuration; `-`: from standard input. Without it: the built-in key
    #[arg(long, value_name = "KEY", conflicts_with = "key_file")]
    key: Option<String>,
    /// A file that holds the key, and nothing else but white space around it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    who: Who,
    /// With --skeleton: the path that the request is sent to
    #[arg(long, value_name = "PATH", default_value = "/v1/chat/completions")]
    path: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
struct Who {
    /// An account's API key or token as a request carries it; a `Bearer` before it is left out
    #[arg(long, value_name = "TOKEN")]
    account: Option<String>,
    /// An account by the claim that `jwt_claim` names
    #[arg(long, value_name = "CLAIM")]
    claim: Option<String>,
    /// An account by its AWS access key id
    #[arg(long, value_name = "ID")]
    access_key: Option<String>,
    /// An organisation as its header names it
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// The network of an IP address: its /24 or /48
    #[arg(long, value_name = "ADDRESS")]
    network: Option<String>,
    /// The template of a request: a file with its body. Every key that the template has, and what of it that is made from;
    /// rules may name any of them
    #[arg(long, value_name = "FILE")]
    skeleton: Option<PathBuf>,
}

/// How a request would name somebody, and which of its digests is asked for.
struct Named {
    kind: &'static str,
    given: String,
    identify: fn(&Callers, &[u8]) -> u64,
}

impl Who {
    fn named(self) -> Option<Named> {
        let named = |kind, given: Option<String>, identify| given.map(|given| Named { kind, given, identify });
        named("account", self.account, |callers, token| with_token(callers, token).account)
            .or_else(|| {
                named("account", self.claim, |callers, claim| callers.identify(None, &[], b"", Some(claim)).account)
            })
            .or_else(|| named("account", self.access_key, |callers, id| with_access_key(callers, id).account))
            .or_else(|| {
                named("organisation", self.organisation, |callers, name| with_header(callers, name).organisation)
            })
            .or_else(|| named("network", self.network, |callers, peer| callers.identify(None, &[], peer, None).network))
    }
}

/// The header that stands for all others: digests do not tell in which header something came.
const HEADER: &str = "x-name";

fn with_header(callers: &Callers, value: &[u8]) -> Caller {
    callers.identify(None, &[(HEADER.as_bytes(), value)], b"", None)
}

/// A token by itself, or with the scheme that stands before it where it was copied from.
fn with_token(callers: &Callers, value: &[u8]) -> Caller {
    let scheme = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    match scheme.eq_ignore_ascii_case(b"bearer") {
        true => callers.identify(None, &[(b"authorization", value)], b"", None),
        false => with_header(callers, value),
    }
}

fn with_access_key(callers: &Callers, id: &[u8]) -> Caller {
    let value = [b"AWS4-HMAC-SHA256 Credential=", id].concat();
    callers.identify(None, &[(b"authorization", &value)], b"", None)
}

impl Args {
    pub(crate) fn run(mut self) -> Result<Outcome, Failure> {
        let missing = || Failure::Usage("nobody is named".to_owned());
        let body = self.who.skeleton.take();
        let named = self.who.named();
        let given = body.as_deref().map_or_else(|| named.as_ref().map(|named| named.given.as_str()), Path::to_str);
        if self.key.as_deref() == Some("-") && given == Some("-") {
            return Err(Failure::Usage("only one secret can come from standard input".to_owned()));
        }
        let current = match (self.key, self.key_file) {
            (Some(key), _) => digest_key(&secret(key)?)?,
            (None, Some(file)) => digest_key(&from(&file)?)?,
            (None, None) => DigestKey::default(),
        };
        if let Some(file) = body {
            skeleton(&file, &self.path, current, self.format)?;
            return Ok(Outcome::Well);
        }
        let Named { kind, given, identify } = named.ok_or_else(missing)?;
        let callers = Callers {
            accounts: vec![Source::Claim, Source::Header(HEADER.to_owned()), Source::Authorization],
            organisation: Some(HEADER.to_owned()),
            trusted_hops: 0,
            keys: Keys { current, previous: None },
        };
        let digest = DigestName::new(identify(&callers, secret(given)?.as_bytes()));
        let digest = digest.ok_or_else(|| Failure::Usage(format!("this names no {kind}")))?.to_string();
        self.format.print(|| json!({ "kind": kind, "digest": digest }), || format!("{digest}\n"))?;
        Ok(Outcome::Well)
    }
}

/// Prints the keys of a request's template.
fn skeleton(file: &Path, path: &str, key: DigestKey, format: Format) -> Result<(), Failure> {
    let route = Routes::default().find(b"POST", path.as_bytes());
    let route = route.ok_or_else(|| Failure::Usage(format!("{path}: no LLM call")))?;
    let mut config = Config::default();
    config.callers.keys.current = key;
    let reading = Reading::of(&route, &read(file, MAX_BODY)?, true, &config);
    if reading.skeleton.keys.is_empty() {
        return Err(Failure::Usage("the request has no template: too little text".to_owned()));
    }
    let keys = reading.skeleton.keys.iter().map(|&(place, key)| (format!("{place:?}"), DigestName(key).to_string()));
    let keys: Vec<_> = keys.collect();
    let entry = |(place, digest): &(String, String)| json!({ "place": place, "digest": digest });
    let line = |(place, digest): &(String, String)| format!("{digest} {place}\n");
    format.print(|| keys.iter().map(entry).collect(), || keys.iter().map(line).collect())
}

/// The key as a configuration would take it.
fn digest_key(text: &str) -> Result<DigestKey, Failure> {
    let secret = Secret::parse(text);
    let secret = secret.ok_or_else(|| Failure::Usage("a key has 16 to 256 characters".to_owned()))?;
    Ok(DigestKey::new(secret.reveal().as_bytes()))
}

/// What was given, or for `-` what standard input holds.
fn secret(given: String) -> Result<String, Failure> {
    if given == "-" { from(Path::new("-")) } else { Ok(given) }
}

fn from(file: &Path) -> Result<String, Failure> {
    let bytes = read(file, MAX_SECRET)?;
    if bytes.len() > MAX_SECRET {
        return Err(Failure::Usage(format!("{}: more than {MAX_SECRET} bytes", file.display())));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{}: no UTF-8", file.display())))?;
    Ok(text.trim().to_owned())
}
