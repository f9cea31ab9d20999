//! The key that bundles are signed with: Ed25519 (RFC 8032), kept in a file that only its owner can read.

use azeotrope_engine::bundle::{Manifest, PublicKey, hash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_compact::{KeyPair, Seed};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Signs bundles.
#[derive(Clone)]
pub(crate) struct Signer(KeyPair);

impl std::fmt::Debug for Signer {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Signer({})", self.public().text())
    }
}

impl Signer {
    /// A new key.
    pub(crate) fn generate() -> Self {
        Self(KeyPair::from_seed(Seed::new(rand::random())))
    }

    /// Reads the file that [`Signer::write`] wrote: base64 of 32 bytes, white space around it ignored.
    ///
    /// # Errors
    /// What is wrong with it; never what is in it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let at = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{at}: {error}"))?;
        let seed = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let seed = seed.filter(|seed| *seed != [0; 32]);
        let seed =
            seed.ok_or_else(|| format!("{at}: no key: base64 of 32 bytes is expected (`azeotrope rules keygen`)"))?;
        Ok(Self(KeyPair::from_seed(Seed::new(seed))))
    }

    /// Writes the key to a new file that only its owner can read.
    ///
    /// # Errors
    /// The file exists already, or cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        writeln!(file, "{}", STANDARD.encode(*self.0.sk.seed()))?;
        file.sync_all()
    }

    /// What filters need to verify.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::new(*self.0.pk)
    }

    /// What a number is called where others read it: the same by all who have the key, and nobody can go back.
    pub(crate) fn alias(&self, number: u64) -> u64 {
        let hash = hash(&[b"alias of a number", &self.0.sk.seed()[..], &number.to_le_bytes()].concat());
        hash.first_chunk().map_or(0, |alias| u64::from_le_bytes(*alias))
    }

    /// Signs a manifest.
    pub(crate) fn seal(&self, manifest: &Manifest) -> Vec<u8> {
        manifest.seal(self.public().id(), |bytes| *self.0.sk.sign(bytes, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use azeotrope_engine::bundle::TrustedKeys;

    #[test]
    fn a_key_that_was_written_signs_what_its_public_half_verifies() {
        let directory = Directory::new();
        let path = directory.0.join("key");
        let signer = Signer::generate();
        signer.write(&path).unwrap();
        assert!(signer.write(&path).is_err(), "a key is never written over");
        let sealed = Signer::read(&path).unwrap().seal(&Manifest { version: 1, ..Manifest::default() });
        assert!(Manifest::open(&sealed, &TrustedKeys(vec![signer.public()])).is_ok());
        std::fs::write(&path, "nonsense").unwrap();
        assert!(Signer::read(&path).unwrap_err().contains("no key"));
    }

    #[test]
    fn a_number_has_one_alias_under_a_key_and_another_under_another() {
        let (one, other) = (Signer::generate(), Signer::generate());
        assert_eq!(one.alias(7), one.clone().alias(7));
        assert!(![7, one.alias(8), other.alias(7)].contains(&one.alias(7)));
    }
}
