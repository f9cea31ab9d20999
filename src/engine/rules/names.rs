//! Strings of a document that must have a form: digests, campaign names, header names, model weights, secrets.

use super::reader::{Reader, Value, quoted};
use super::tree::Node;
use crate::base64;
use crate::bundle::PublicKey;
use crate::evidence::wording::{BYTES, FEATURES, Model};
use serde_json::{Value as Json, json};
use std::fmt;

/// Reads a string that `form` accepts.
fn formed<T>(node: &Node, what: &str, reader: &mut Reader, form: impl Fn(&str) -> Option<T>) -> Option<T> {
    let Node::Text(text) = node else { return reader.expected(what, node) };
    let value = form(text);
    if value.is_none() {
        reader.problem(format!("{} is not {what}", quoted(text)));
    }
    value
}

/// A keyed digest as logs, labels and rules write it: 16 lower-case hexadecimal digits. Never 0, which stands for
/// "unknown": a rule about it would be one about everybody who is not recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestName(pub u64);

impl DigestName {
    /// The name of a digest; `None` for 0.
    #[must_use]
    pub fn new(digest: u64) -> Option<Self> {
        (digest != 0).then_some(Self(digest))
    }

    /// Reads 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let formed = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        formed.then(|| u64::from_str_radix(text, 16).ok()).flatten().and_then(Self::new)
    }
}

impl fmt::Display for DigestName {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:016x}", self.0)
    }
}

impl Value for DigestName {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(node, "a digest: 16 lower-case hexadecimal digits, not all 0", reader, Self::parse)
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "pattern": "^[0-9a-f]{16}$", "not": { "const": "0000000000000000" } })
    }

    fn show(&self) -> Json {
        self.to_string().into()
    }
}

/// The name of a campaign: 1 to 64 of `a-z 0-9 . _ -`, a letter or digit first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CampaignName(String);

impl CampaignName {
    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        (first && rest && text.len() <= 64).then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for CampaignName {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(
            node,
            "a campaign name: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first",
            reader,
            Self::parse,
        )
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" })
    }

    fn show(&self) -> Json {
        self.0.as_str().into()
    }
}

/// A header's name in lower case (RFC 9110 token), at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(pub String);

impl HeaderName {
    fn parse(text: &str) -> Option<Self> {
        let token = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'z') || b"!#$%&'*+.^_`|~-".contains(&b);
        ((1..=64).contains(&text.len()) && text.bytes().all(token)).then(|| Self(text.to_owned()))
    }
}

impl Value for HeaderName {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(node, "a header name in lower case, at most 64 characters", reader, Self::parse)
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "pattern": "^[0-9a-z!#$%&'*+.^_`|~-]{1,64}$" })
    }

    fn show(&self) -> Json {
        self.0.as_str().into()
    }
}

/// A secret of 16 to 256 characters; [`fmt::Debug`] does not tell it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret of a fit length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (16..=256).contains(&text.chars().count()).then(|| Self(text.to_owned()))
    }

    /// The secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Secret")
    }
}

impl Value for Secret {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        let what = "a secret of 16 to 256 characters";
        let Node::Text(text) = node else { return reader.expected(what, node) };
        let secret = Self::parse(text);
        if secret.is_none() {
            // The message must not repeat it.
            reader.problem(format!("expected {what}, found {}", text.chars().count()));
        }
        secret
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "minLength": 16, "maxLength": 256 })
    }

    fn show(&self) -> Json {
        "(secret)".into()
    }
}

/// A bundle in a configuration: base64 (RFC 4648 section 4) of [`crate::bundle::Package::pack`].
#[derive(Clone, PartialEq, Eq)]
pub struct Bundled(pub Vec<u8>);

impl fmt::Debug for Bundled {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Bundled({} bytes)", self.0.len())
    }
}

impl Value for Bundled {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(node, "base64 of a bundle", reader, |text| base64::exact(text).map(Self))
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "contentEncoding": "base64" })
    }

    fn show(&self) -> Json {
        base64::encode(&self.0).into()
    }
}

impl Value for PublicKey {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(node, "an Ed25519 public key: 44 characters of base64", reader, Self::parse)
    }

    fn schema((): &()) -> Json {
        json!({ "type": "string", "contentEncoding": "base64", "minLength": 44, "maxLength": 44 })
    }

    fn show(&self) -> Json {
        self.text().into()
    }
}

/// A trained model of wording, as base64 (RFC 4648 section 4) of what [`Model::to_bytes`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights(pub Model);

impl Weights {
    fn parse(text: &str) -> Option<Self> {
        let bytes = (text.len() <= base64_length(BYTES)).then(|| base64::exact(text))??;
        Model::from_bytes(&bytes).ok().map(Self)
    }
}

/// Characters of the base64 of so many bytes.
const fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

impl Value for Weights {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        formed(node, "base64 of a model that `azeotrope train` of this version wrote", reader, Self::parse)
    }

    fn schema((): &()) -> Json {
        let length = base64_length(BYTES);
        // Five characters are whole bytes of the version, and a part of the last of them, which is 0.
        let version = base64::encode(&FEATURES.to_le_bytes());
        let pattern = format!("^{}", version.get(..5).unwrap_or_default());
        json!({
            "type": "string", "contentEncoding": "base64", "minLength": length, "maxLength": length, "pattern": pattern
        })
    }

    fn show(&self) -> Json {
        base64::encode(&self.0.to_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling_and_is_never_nobody() {
        assert_eq!(DigestName::parse("00000000000000ff"), Some(DigestName(255)));
        for wrong in ["", "ff", "00000000000000FF", "0000000000000000", "+0000000000000ff", "00000000000000fff"] {
            assert_eq!(DigestName::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_model_has_one_length() {
        let model = Model { words: vec![1; 1 << 14], shapes: vec![2; 64], bound: 1, ..Model::default() };
        let text = base64::encode(&model.to_bytes());
        assert_eq!(Weights::parse(&text), Some(Weights(model)));
        assert_eq!(Weights::parse(&base64::encode(&[0; 300])), None);
        assert_eq!(Weights::parse("?"), None);
    }

    #[test]
    fn a_secret_is_told_neither_in_problems_nor_in_logs() {
        let mut reader = Reader::new();
        Secret::read(&Node::Text("hunter2".into()), &(), &mut reader);
        assert!(!format!("{:?}", reader.finish(Some(()))).contains("hunter2"));
        assert_eq!(format!("{:?}", Secret::parse("0123456789abcdef").unwrap()), "Secret");
    }

    #[test]
    fn header_names_are_lower_case_tokens() {
        assert!(HeaderName::parse("x-api-key").is_some());
        for wrong in ["", "X-Api-Key", "a b", "a:b", "é"] {
            assert!(HeaderName::parse(wrong).is_none(), "{wrong}");
        }
    }
}
