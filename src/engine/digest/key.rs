//! Keyed digests: what is left of a credential, an address or a text.
//!
//! SipHash-2-4 under a 128-bit key: 64 bits, not invertible and not to be steered without the key, so nobody outside
//! can work out whose digest one is, find two inputs that meet, or aim at a page of a [`crate::sketch::table`]. With
//! 10 million live inputs of one domain, two share a digest with a probability of 3 in a million.

use siphasher::sip::SipHasher24;
use std::fmt;
use std::hash::Hasher as _;

/// What is digested. Equal bytes of two domains have unrelated digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Domain {
    /// A credential or token subject.
    Account = 1,
    /// An organisation's name.
    Organisation = 2,
    /// A client's network.
    Network = 3,
    /// A user agent.
    Agent = 4,
    /// The exact text of a request.
    Content = 5,
    /// The beginning of a conversation.
    Prefix = 6,
    /// An opaque reasoning blob.
    Blob = 7,
    /// A skeleton, or a band of one.
    Skeleton = 8,
    /// The id of an answer.
    Conversation = 9,
    /// A system prompt.
    System = 10,
    /// A tool's schema.
    Tool = 11,
    /// A model's name.
    Model = 12,
    /// The payload of a request without its template.
    Payload = 13,
    /// A client program's parameters.
    Settings = 14,
    /// A campaign's name.
    Campaign = 15,
    /// Which request of a batch is read.
    Batch = 16,
}

/// Bytes, with the domain's, that are digested at once.
const SHORT: usize = 32;

/// A 128-bit key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestKey(u64, u64);

impl DigestKey {
    /// The key written in a configuration: 32 hexadecimal digits are the key itself, anything else is a passphrase.
    ///
    /// A passphrase is stretched by nothing: it should be long and random. `openssl rand -hex 16` makes a key.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self::from_hex(secret).unwrap_or_else(|| Self::derive(secret))
    }

    fn from_hex(digits: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(digits).ok()?;
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let key = u128::from_str_radix(text, 16).ok()?.to_be_bytes();
        let (first, second) = key.split_first_chunk::<8>()?;
        Some(Self(u64::from_le_bytes(*first), u64::from_le_bytes(*second.first_chunk()?)))
    }

    /// Both halves are SipHash digests of the passphrase under fixed, different keys.
    fn derive(passphrase: &[u8]) -> Self {
        let half = |tag: u64| {
            let mut hasher = SipHasher24::new_with_keys(u64::from_le_bytes(*b"azeotrop"), tag);
            hasher.write(passphrase);
            hasher.finish()
        };
        Self(half(1), half(2))
    }

    /// The digest of `bytes`: 0 for none, else never 0.
    #[must_use]
    pub fn digest(&self, domain: Domain, bytes: &[u8]) -> u64 {
        // Most of what is digested is short, and all at once takes half of what it takes in pieces.
        let mut all = [0; SHORT];
        if !bytes.is_empty()
            && let Some((first, rest)) = all.split_first_mut()
            && let Some(place) = rest.get_mut(..bytes.len())
        {
            *first = domain as u8;
            place.copy_from_slice(bytes);
            let all = all.get(..=bytes.len()).unwrap_or_default();
            return SipHasher24::new_with_keys(self.0, self.1).hash(all).max(1);
        }
        let mut digester = self.digester(domain);
        digester.write(bytes);
        digester.finish()
    }

    /// The digest of a byte and a number, little-endian, which is [`DigestKey::digest`] of all nine: in one piece from the start.
    #[must_use]
    pub fn tagged(&self, domain: Domain, tag: u8, number: u64) -> u64 {
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        SipHasher24::new_with_keys(self.0, self.1).hash(&[domain as u8, tag, a, b, c, d, e, f, g, h]).max(1)
    }

    /// A digest in pieces: equals [`DigestKey::digest`] of the pieces joined. Where their borders matter, write lengths.
    #[must_use]
    pub fn digester(&self, domain: Domain) -> Digester {
        let mut hasher = SipHasher24::new_with_keys(self.0, self.1);
        hasher.write(&[domain as u8]);
        Digester { hasher, empty: true }
    }
}

/// The built-in key, for a configuration that names none. It is public: digests under it hide nothing from who can
/// guess the input (an API key cannot be guessed, an address or a name can), and tables can be flooded on purpose. Fit
/// for a trial; a deployment sets its own.
impl Default for DigestKey {
    fn default() -> Self {
        Self::derive(b"azeotrope built-in key: set your own")
    }
}

/// Tells nothing of the key.
impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(..)")
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Digester {
    hasher: SipHasher24,
    empty: bool,
}

impl Digester {
    /// Goes on with `bytes`.
    pub fn write(&mut self, bytes: &[u8]) {
        self.empty &= bytes.is_empty();
        self.hasher.write(bytes);
    }

    /// The digest of everything written: 0 for nothing, else never 0.
    #[must_use]
    pub fn finish(&self) -> u64 {
        if self.empty { 0 } else { self.hasher.finish().max(1) }
    }
}

/// Tells nothing of the key.
impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester(..)")
    }
}

/// The key in force and, while a new one is brought in, the one before.
///
/// Under the new key every account, network and text is a new one. To bridge that, keep the old key as `previous` for as
/// long as it takes those who matter to be seen again (a week or two), and then drop it: until then requests are digested
/// under both, what was counted by old names still speaks, and the second tier calls what it knows by its new name
/// (`campaign::rotation`). Blobs, conversations and refused bodies begin anew: they are evidence for hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Digests that are written are made with this key.
    pub current: DigestKey,
    /// Digests of before may still be found with this one.
    pub previous: Option<DigestKey>,
}

impl Keys {
    /// The digest under the current key.
    #[must_use]
    pub fn digest(&self, domain: Domain, bytes: &[u8]) -> u64 {
        self.current.digest(domain, bytes)
    }

    /// The digest under the current key and, where there is one, under the previous key.
    #[must_use]
    pub fn both(&self, domain: Domain, bytes: &[u8]) -> (u64, Option<u64>) {
        (self.digest(domain, bytes), self.previous.map(|key| key.digest(domain, bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_the_key_of_the_reference_vectors() {
        // SipHash-2-4 of 00 01 02 … 0e under the key 00 01 … 0f (Aumasson and Bernstein, appendix A).
        let DigestKey(first, second) = DigestKey::new(b"000102030405060708090a0b0c0d0e0F");
        let mut hasher = SipHasher24::new_with_keys(first, second);
        hasher.write(&(0..15).collect::<Vec<u8>>());
        assert_eq!(hasher.finish(), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn keys_and_domains_separate() {
        let (a, b) = (DigestKey::new(b"a"), DigestKey::new(b"b"));
        assert_ne!(a.digest(Domain::Account, b"x"), b.digest(Domain::Account, b"x"));
        assert_ne!(a.digest(Domain::Account, b"x"), a.digest(Domain::Agent, b"x"));
        assert_ne!(a, DigestKey::default());
        assert_ne!(
            DigestKey::new(b"+0102030405060708090a0b0c0d0e0f0"),
            DigestKey::new(b"00102030405060708090a0b0c0d0e0f0")
        );
    }

    #[test]
    fn a_byte_and_a_number_have_the_digest_of_their_bytes() {
        let key = DigestKey::new(b"a");
        for (tag, number) in [(0, 0), (7, 1), (255, u64::MAX), (1, 0x0102_0304_0506_0708)] {
            let bytes = [&[tag][..], &number.to_le_bytes()].concat();
            assert_eq!(key.tagged(Domain::Skeleton, tag, number), key.digest(Domain::Skeleton, &bytes));
        }
    }

    #[test]
    fn digests_do_not_change_from_host_to_host_or_build_to_build() {
        assert_eq!(DigestKey::default().digest(Domain::Account, b"sk-test"), 14_052_464_784_762_124_127);
    }

    #[test]
    fn nothing_is_zero_and_pieces_join() {
        let key = DigestKey::default();
        assert_eq!(key.digest(Domain::Content, b""), 0);
        let mut digester = key.digester(Domain::Content);
        digester.write(b"");
        assert_eq!(digester.finish(), 0);
        digester.write(b"dis");
        digester.write(b"til");
        assert_eq!(digester.finish(), key.digest(Domain::Content, b"distil"));
        for size in 1..2 * SHORT {
            let bytes = vec![7; size];
            let mut digester = key.digester(Domain::Content);
            bytes.chunks(5).for_each(|piece| digester.write(piece));
            assert_eq!(digester.finish(), key.digest(Domain::Content, &bytes), "{size}");
        }
    }

    #[test]
    fn the_previous_key_bridges_a_rotation() {
        let old = Keys { current: DigestKey::new(b"old"), previous: None };
        let new = Keys { current: DigestKey::new(b"new"), previous: Some(old.current) };
        let (now, before) = new.both(Domain::Account, b"x");
        assert_eq!(before, Some(old.digest(Domain::Account, b"x")));
        assert_ne!(Some(now), before);
        assert_eq!(old.both(Domain::Account, b"x").1, None);
    }

    #[test]
    fn debug_output_keeps_the_key_secret() {
        let shown = format!("{:?} {:?}", Keys::default(), DigestKey::default().digester(Domain::Account));
        assert_eq!(shown, "Keys { current: DigestKey(..), previous: None } Digester(..)");
    }
}
