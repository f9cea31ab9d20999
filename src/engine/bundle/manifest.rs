//! The signed part of a bundle: its version, its time, and its parts by their hashes.
//!
//! Bytes: [`MAGIC`], the key's id (8), the length of the body (u32, little endian), the body, the signature (64)
//! over all before it.

use super::{Hash, Refusal, TrustedKeys, hash};
use crate::rules::document::MAX_VERSION;
use crate::wire::{In, Out};

/// First bytes of a manifest.
pub const MAGIC: &[u8; 8] = b"AZBUND1\n";
/// Most parts of a bundle.
pub const MAX_PARTS: usize = 16;
/// Largest part, in bytes.
const MAX_PART: u32 = 32 << 20;
/// Largest bundle, in bytes.
const MAX_TOTAL: u64 = 64 << 20;
/// Bytes before the body.
const HEAD: usize = MAGIC.len() + 8 + 4;
/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// What a manifest calls the key that signed it.
pub type KeyId = [u8; 8];
/// An Ed25519 signature.
pub type Signature = [u8; SIGNATURE];

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// A rules document: JSON.
    Rules,
    /// A [`crate::corpus::Corpus`] file.
    Corpus,
    /// Changes of the campaign feed; several of them apply in order.
    Feed,
}

/// A part of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its bytes.
    pub size: u32,
    /// Its SHA-256.
    pub hash: Hash,
}

impl Part {
    /// The part that these bytes are.
    #[must_use]
    pub fn of(kind: PartKind, bytes: &[u8]) -> Self {
        Self { kind, size: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash: hash(bytes) }
    }
}

/// What is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Version of the bundle; only grows.
    pub version: u64,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub issued: u64,
    /// When it ends, likewise; from then on the built-in rules observe.
    pub expires: u64,
    /// Its parts; one of rules, then corpora, then the feed in order.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// The manifest with its signature, which `sign` makes.
    #[must_use]
    pub fn seal(&self, id: KeyId, sign: impl FnOnce(&[u8]) -> Signature) -> Vec<u8> {
        let body = self.body();
        let mut bytes = Vec::with_capacity(HEAD + body.len() + SIGNATURE);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&id);
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&body);
        let signature = sign(&bytes);
        bytes.extend_from_slice(&signature);
        bytes
    }

    /// Reads a manifest that stands at the beginning of `bytes`, once its signature is verified. Returns what follows it.
    ///
    /// # Errors
    /// Why it is not used. Whether its time is over is not looked at: [`Manifest::holds`].
    pub fn open<'a>(bytes: &'a [u8], keys: &TrustedKeys) -> Result<(Self, &'a [u8]), Refusal> {
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(Refusal::Damaged)?;
        let (id, rest) = rest.split_first_chunk::<8>().ok_or(Refusal::Damaged)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Refusal::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Refusal::Damaged)?;
        if magic != MAGIC || length > rest.len() {
            return Err(Refusal::Damaged);
        }
        let (body, rest) = rest.split_at_checked(length).ok_or(Refusal::Damaged)?;
        let (signature, rest) = rest.split_first_chunk::<SIGNATURE>().ok_or(Refusal::Damaged)?;
        keys.verify(id, bytes.get(..HEAD + length).ok_or(Refusal::Damaged)?, signature)?;
        let mut input = In(body);
        let manifest = Self::read(&mut input).ok_or(Refusal::Damaged)?;
        let total = manifest.parts.iter().map(|part| u64::from(part.size)).sum::<u64>();
        let fits = input.0.is_empty()
            && manifest.version != 0
            && manifest.version <= MAX_VERSION
            && manifest.parts.iter().all(|part| part.size <= MAX_PART)
            && total <= MAX_TOTAL;
        if fits { Ok((manifest, rest)) } else { Err(Refusal::Damaged) }
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.u64(self.version);
        out.u64(self.issued);
        out.u64(self.expires);
        out.count(self.parts.len());
        for part in &self.parts {
            out.u8(part.kind as u8);
            out.u32(part.size);
            out.0.extend_from_slice(&part.hash);
        }
        out.0
    }

    fn read(input: &mut In<'_>) -> Option<Self> {
        let part = |input: &mut In<'_>| {
            let kind = match input.u8()? {
                0 => PartKind::Rules,
                1 => PartKind::Corpus,
                2 => PartKind::Feed,
                _ => return None,
            };
            Some(Part { kind, size: input.u32()?, hash: input.hash()? })
        };
        let (version, issued, expires) = (input.u64()?, input.u64()?, input.u64()?);
        Some(Self { version, issued, expires, parts: input.list(MAX_PARTS, part)? })
    }

    /// Whether its time is not over. `now` in milliseconds since the epoch.
    #[must_use]
    pub fn holds(&self, now: crate::time::Timestamp) -> bool {
        now.0 / 1_000 < self.expires
    }
}
