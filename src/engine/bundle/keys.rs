//! The public keys that bundles may be signed with.

use super::Refusal;
use super::manifest::{KeyId, Signature};
use crate::base64;

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of its 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64 (RFC 4648 section 4) of 32 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 44 {
            return None;
        }
        base64::exact(text)?.try_into().ok().map(Self)
    }

    /// What [`PublicKey::parse`] reads.
    #[must_use]
    pub fn text(&self) -> String {
        base64::encode(&self.0)
    }

    /// What manifests call it: its first eight bytes.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

/// The keys that are trusted; several, so that they can be rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedKeys(pub Vec<PublicKey>);

impl TrustedKeys {
    /// Whether the owner of a trusted key signed this.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`] or [`Refusal::BadSignature`].
    pub fn verify(&self, id: &KeyId, signed: &[u8], signature: &Signature) -> Result<(), Refusal> {
        let key = self.0.iter().find(|key| key.id() == *id).ok_or(Refusal::UnknownKey)?;
        let signature = ed25519_compact::Signature::new(*signature);
        ed25519_compact::PublicKey::new(key.0).verify(signed, &signature).map_err(|_| Refusal::BadSignature)
    }
}
