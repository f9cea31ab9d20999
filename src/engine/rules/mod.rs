//! The plugin configuration and the rules document: parsed strictly, refused whole.
//!
//! Every knob is one line in [`configuration`], [`document`], [`families`] or [`lists`]; parsing, defaults, the JSON
//! Schema and what `azeotrope rules defaults` prints are made from that line.

pub mod configuration;
pub mod document;
pub mod families;
pub mod lists;
pub mod migrations;
pub mod names;
mod reader;
mod schema;
mod section;
mod tree;
pub mod values;

#[cfg(test)]
mod tests;

pub use configuration::{AccountSource, Configuration, DigestKeys, Headers, PathRule, Sidecar, State};
pub use document::{Budget, Budgets, Content, Degrade, Document, Keep, Rung, Thresholds};
pub use families::{Families, Family, FamilySet, Nature, Worth};
pub use lists::{Campaign, Lists, Subject};
pub use migrations::Migrations;
pub use names::{Bundled, DigestName};
pub use reader::MAX_PROBLEMS;
pub use tree::MAX_DEPTH;
pub use values::Milli;

use crate::bundle::TrustedKeys;
use crate::corpus::Corpus;
use crate::evidence::wording::Features;
use crate::time::Timestamp;
use crate::{caller::Callers, route::Routes};
use reader::{Reader, Value};
use std::fmt;
use tree::Node;

/// Largest rules document, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Largest plugin configuration, in bytes: there may be a bundle in it.
pub const MAX_CONFIGURATION: usize = 8 << 20;

/// What is wrong in a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON path of the place: `$.rules.thresholds.throttle`.
    pub path: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.path, self.reason)
    }
}

/// Whether verdicts act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Verdicts are told, never carried out.
    #[default]
    Observe,
    /// Verdicts act.
    Enforce,
}

/// A rules document, compiled.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Rules {
    /// What was written.
    pub document: Document,
    /// Exceptions, orders and campaigns, found by digest.
    pub lists: Lists,
}

impl Rules {
    /// Log-odds of a request's wording being a harvest's; 0 without a model.
    #[must_use]
    pub fn wording(&self, features: &Features) -> i32 {
        self.document.content.as_ref().map_or(0, |content| content.weights.0.score(features))
    }

    /// Parses and compiles a rules document.
    ///
    /// # Errors
    /// All problems found.
    pub fn parse(document: &[u8]) -> Result<Self, Vec<Problem>> {
        read::<Document>(&tree(document, MAX_BYTES)?).map(Self::from)
    }

    /// The campaign that a subject belongs to; a confirmed one before others.
    #[must_use]
    pub fn campaign(&self, subject: Subject, now: Timestamp) -> Option<&Campaign> {
        let found = self.lists.campaign(subject, now).filter_map(|place| self.document.campaigns.get(place));
        found.min_by_key(|campaign| !campaign.confirmed)
    }

    /// Whether the operator has confirmed a campaign that the sidecar named.
    #[must_use]
    pub fn confirms(&self, name: &str, now: Timestamp) -> bool {
        let campaigns = self.document.campaigns.iter();
        campaigns
            .filter(|campaign| campaign.id.as_str() == name)
            .any(|one| one.confirmed && now < lists::end(one.until))
    }

    /// The campaign of the first of some subjects that belongs to one; nobody looks through them where no campaign is listed.
    #[must_use]
    pub fn campaign_of(&self, mut subjects: impl Iterator<Item = Subject>, now: Timestamp) -> Option<&Campaign> {
        if self.lists.has_campaigns() { subjects.find_map(|subject| self.campaign(subject, now)) } else { None }
    }
}

impl From<Document> for Rules {
    fn from(document: Document) -> Self {
        let lists = Lists::new(&document);
        Self { document, lists }
    }
}

/// A compiled configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether verdicts act; ask [`Config::in_force`], which knows whether the rules still hold.
    pub mode: Mode,
    /// Which path speaks which dialect.
    pub routes: Routes,
    /// How senders are recognised, and the keys of all digests.
    pub callers: Callers,
    /// Bytes of a body that are inspected. Default 256 KiB.
    pub inspect_bytes: usize,
    /// Whether request headers are held until the verdict: `"headers": "auto" | "held" | "streamed"`.
    pub headers: Headers,
    /// Indexed public prompt sets.
    pub corpora: Vec<Corpus>,
    /// Where a JWT claim names the account: the metadata key of the payload, then names in it.
    pub claim: Option<Vec<String>>,
    /// Version of the configured rules; 0: built-in.
    pub version: u64,
    /// Memory for counters.
    pub state: State,
    /// Whom a refused caller may turn to.
    pub contact: Option<String>,
    /// Whether a rate-limit filter behind this one is told what a request may cost.
    pub ratelimit_tokens: bool,
    /// Keys that bundles may be signed with.
    pub trusted: TrustedKeys,
    /// The bundle that came with the configuration, as [`crate::bundle::Package::pack`] wrote it.
    pub bundle: Option<Bundled>,
    /// The sidecar, where there is one.
    pub sidecar: Option<Sidecar>,
    /// The configured rules; ask [`Config::in_force`].
    pub rules: Rules,
    built_in: Rules,
}

/// The rules that hold at a moment, and whether verdicts act.
#[derive(Clone, Copy, Debug)]
pub struct InForce<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Whether verdicts act.
    pub mode: Mode,
    /// The configured rules have expired: these are the built-in ones.
    pub expired: bool,
}

impl Config {
    /// Parses and compiles a plugin configuration; empty bytes mean `{}`.
    ///
    /// # Errors
    /// All problems found.
    pub fn parse(configuration: &[u8]) -> Result<Self, Vec<Problem>> {
        if configuration.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        read::<Configuration>(&tree(configuration, MAX_CONFIGURATION)?).map(Self::from)
    }

    /// The configuration of a replay: enforcing, behind one hop as traces are recorded. `document` is a rules document
    /// or a whole plugin configuration; without one the built-in rules hold.
    ///
    /// # Errors
    /// All problems found.
    pub fn for_replay(document: Option<&[u8]>) -> Result<Self, Vec<Problem>> {
        let mut config = match document.map(|document| check(document).map(|kind| (kind, document))) {
            None => Self::default(),
            Some(Ok((Kind::Configuration, document))) => Self::parse(document)?,
            Some(Ok((Kind::Rules, document))) => Self { rules: Rules::parse(document)?, ..Self::default() },
            Some(Err((_, problems))) => return Err(problems),
        };
        config.mode = Mode::Enforce;
        config.callers.trusted_hops = config.callers.trusted_hops.max(1);
        Ok(config)
    }

    /// The rules that hold now: the configured ones, or, once they have expired, the built-in ones, which only observe.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> InForce<'_> {
        if now < lists::end(self.rules.document.expires) {
            InForce { rules: &self.rules, mode: self.mode, expired: false }
        } else {
            InForce { rules: &self.built_in, mode: Mode::Observe, expired: true }
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::from(Configuration::default())
    }
}

impl From<Configuration> for Config {
    fn from(written: Configuration) -> Self {
        Self {
            mode: written.mode,
            routes: written.routes(),
            callers: written.callers(),
            claim: written.claim(),
            version: written.rules.version,
            inspect_bytes: usize::try_from(written.inspect_bytes).unwrap_or(usize::MAX),
            headers: written.headers,
            corpora: Vec::new(),
            state: written.state,
            contact: written.contact,
            ratelimit_tokens: written.ratelimit_tokens,
            trusted: TrustedKeys(written.public_keys),
            bundle: written.bundle,
            sidecar: written.sidecar,
            rules: written.rules.into(),
            built_in: Rules::default(),
        }
    }
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rules document.
    Rules,
    /// A plugin configuration.
    Configuration,
}

impl Kind {
    /// JSON Schema (draft 2020-12) of such a document.
    #[must_use]
    pub fn schema(self) -> serde_json::Value {
        match self {
            Self::Rules => schema::document::<Document>("Azeotrope rules"),
            Self::Configuration => schema::document::<Configuration>("Azeotrope plugin configuration"),
        }
    }

    /// The document that says what holds where nothing is said.
    #[must_use]
    pub fn defaults(self) -> serde_json::Value {
        match self {
            Self::Rules => Document::default().show(),
            Self::Configuration => Configuration::default().show(),
        }
    }
}

/// Checks a document, after finding out what it is: rules have a `format`, `version`, `thresholds` or `families`.
///
/// # Errors
/// All problems found.
pub fn check(document: &[u8]) -> Result<Kind, (Kind, Vec<Problem>)> {
    let node = tree(document, MAX_CONFIGURATION).map_err(|problems| (Kind::Configuration, problems))?;
    let kind = match ["format", "version", "thresholds", "families"].iter().any(|key| node.has(key)) {
        true => Kind::Rules,
        false => Kind::Configuration,
    };
    let checked = match kind {
        Kind::Rules => within(document, MAX_BYTES).and_then(|()| read::<Document>(&node).map(drop)),
        Kind::Configuration => read::<Configuration>(&node).map(drop),
    };
    checked.map(|()| kind).map_err(|problems| (kind, problems))
}

fn read<T: Value<Limits = ()>>(node: &Node) -> Result<T, Vec<Problem>> {
    let mut reader = Reader::new();
    let value = T::read(node, &(), &mut reader);
    reader.finish(value)
}

fn tree(document: &[u8], limit: usize) -> Result<Node, Vec<Problem>> {
    within(document, limit)?;
    tree::parse(document).map_err(|error| whole(format!("no JSON: {error}")))
}

fn within(document: &[u8], limit: usize) -> Result<(), Vec<Problem>> {
    match document.len() {
        bytes if bytes > limit => Err(whole(format!("{bytes} bytes; {limit} are allowed"))),
        _ => Ok(()),
    }
}

/// What is wrong with a document as a whole.
fn whole(reason: String) -> Vec<Problem> {
    vec![Problem { path: "$".to_owned(), reason }]
}
