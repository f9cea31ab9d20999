//! A bundle in one piece, for files and for configurations; and what becomes of its parts.

use super::{Hash, Manifest, PartKind, Refusal, TrustedKeys, hash};
use crate::campaign::Change;
use crate::corpus::Corpus;
use crate::rules::Rules;

/// A manifest and all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The manifest, verified.
    pub manifest: Manifest,
    /// Its parts, in its order.
    pub parts: Vec<Vec<u8>>,
}

/// What parts are, read.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Rules.
    Rules(Box<Rules>),
    /// A corpus filter.
    Corpus(Corpus),
    /// Changes of the campaign feed.
    Feed(Vec<Change>),
}

impl Package {
    /// A manifest as it was sealed, and its parts behind it.
    #[must_use]
    pub fn pack(sealed: &[u8], parts: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let mut bytes = sealed.to_vec();
        parts.iter().for_each(|part| bytes.extend_from_slice(part.as_ref()));
        bytes
    }

    /// Reads what [`Package::pack`] wrote.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn unpack(bytes: &[u8], keys: &TrustedKeys) -> Result<Self, Refusal> {
        let (manifest, mut rest) = Manifest::open(bytes, keys)?;
        let mut parts = Vec::with_capacity(manifest.parts.len());
        for (index, part) in manifest.parts.iter().enumerate() {
            let size = usize::try_from(part.size).map_err(|_| Refusal::Damaged)?;
            let (bytes, after) = rest.split_at_checked(size).ok_or(Refusal::Part(index))?;
            if hash(bytes) != part.hash {
                return Err(Refusal::Part(index));
            }
            parts.push(bytes.to_vec());
            rest = after;
        }
        if rest.is_empty() { Ok(Self { manifest, parts }) } else { Err(Refusal::Damaged) }
    }
}

impl Contents {
    /// Reads a part. `index`: its place in the manifest, for messages; `name`: the hash that it must have.
    ///
    /// # Errors
    /// Why it is not used.
    pub fn read(kind: PartKind, index: usize, name: &Hash, bytes: &[u8]) -> Result<Self, Refusal> {
        if hash(bytes) != *name {
            return Err(Refusal::Part(index));
        }
        match kind {
            PartKind::Rules => Rules::parse(bytes).map(|rules| Self::Rules(Box::new(rules))).map_err(|problems| {
                Refusal::Content(index, problems.first().map(ToString::to_string).unwrap_or_default())
            }),
            PartKind::Corpus => {
                Corpus::from_bytes(bytes).map(Self::Corpus).map_err(|reason| Refusal::Content(index, reason.to_owned()))
            }
            PartKind::Feed => Change::read_all(bytes)
                .map(Self::Feed)
                .ok_or_else(|| Refusal::Content(index, "no changes of a feed".to_owned())),
        }
    }
}
