//! What the sidecar publishes: rules, corpus filters and the campaign feed, signed, versioned, and for a time.
//!
//! A bundle is a [`Manifest`] that is signed with Ed25519 (RFC 8032) and names its parts by their SHA-256; so a part is
//! fetched once however often the manifest changes, and whoever has the manifest can tell that a part is the right one.
//! Nothing of a bundle is used before all of it was verified.

mod keys;
mod manifest;
mod package;
mod running;

pub use keys::{PublicKey, TrustedKeys};
pub use manifest::{KeyId, MAGIC, MAX_PARTS, Manifest, Part, PartKind, Signature};
pub use package::{Contents, Package};
pub use running::Running;

use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of a part: its name.
pub type Hash = [u8; 32];

/// The name of a part.
#[must_use]
pub fn hash(part: &[u8]) -> Hash {
    Sha256::digest(part).into()
}

/// Why a bundle is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No bundle, or cut short.
    Damaged,
    /// Signed with a key that is not trusted here.
    UnknownKey,
    /// Not what the key's owner signed.
    BadSignature,
    /// Its time is over.
    Expired,
    /// Below the version in force; that one.
    Older(u64),
    /// A part is missing, or another one.
    Part(usize),
    /// A part is not what its kind must be; why.
    Content(usize, String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => to.write_str("no bundle, or cut short"),
            Self::UnknownKey => to.write_str("signed with a key that `public_keys` does not have"),
            Self::BadSignature => to.write_str("its signature does not fit"),
            Self::Expired => to.write_str("expired"),
            Self::Older(version) => write!(to, "older than version {version}, which is in force"),
            Self::Part(index) => write!(to, "part {index} is missing or another one"),
            Self::Content(index, reason) => write!(to, "part {index}: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests;
