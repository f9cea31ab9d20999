//! `azeotrope digest`: under which digest logs and rules know somebody.

use super::{Failure, Outcome, print, read};
use azeotrope_engine::digest::key::{DigestKey, Domain};
use azeotrope_engine::rules::DigestName;
use azeotrope_engine::rules::names::Secret;
use clap::Args as ClapArgs;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Longest secret read from a file or standard input: larger than any credential that fits in a request's headers.
const MAX_SECRET: usize = 64 * 1024;

/// Print the digest under which logs and rules know an account or an organisation
///
/// What a command line holds, other users of the machine can see: give secrets as `-` (standard input), or the key as
/// a file. Exit codes: 0: printed; 2: wrong usage, or an input could not be read.
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
    /// Print JSON instead: {"kind", "digest"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
#[group(required = true, multiple = false)]
struct Who {
    /// The account's credential as a request carries it (an API key; a bearer token without `Bearer`); `-`: from
    /// standard input
    #[arg(long, value_name = "TOKEN")]
    account: Option<String>,
    /// The organisation as its header names it; `-`: from standard input
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let (kind, domain, value) = match (self.who.account, self.who.organisation) {
            (Some(account), _) => ("account", Domain::Account, account),
            (None, Some(organisation)) => ("organisation", Domain::Organisation, organisation),
            (None, None) => return Err(Failure::Usage("--account or --organisation is needed".to_owned())),
        };
        if self.key.as_deref() == Some("-") && value == "-" {
            return Err(Failure::Usage("only one secret can come from standard input".to_owned()));
        }
        let key = match (self.key, self.key_file) {
            (Some(key), _) => digest_key(&secret(key)?)?,
            (None, Some(file)) => digest_key(&from(&file)?)?,
            (None, None) => DigestKey::default(),
        };
        let value = secret(value)?;
        let digest = DigestName::new(key.digest(domain, value.as_bytes()));
        let digest = digest.ok_or_else(|| Failure::Usage(format!("the {kind} is empty")))?.to_string();
        let line = if self.json { json!({ "kind": kind, "digest": digest }).to_string() } else { digest };
        print(&format!("{line}\n"))?;
        Ok(Outcome::Well)
    }
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
