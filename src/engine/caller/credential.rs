//! What names an account within a credential, apart from how it is wrapped.

use crate::base64;
use std::borrow::Cow;

/// The part of a credential that stays the same from request to request. Its kind goes into the digest: an access key
/// ID or a user name is no secret, and must not be one account with a token of the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// A token or API key. The same wherever it is sent: `authorization: Bearer k` and `x-api-key: k` are one account.
    Secret(Cow<'a, [u8]>),
    /// The user of HTTP Basic authentication.
    User(Vec<u8>),
    /// The access key ID of AWS Signature Version 4.
    AccessKey(Cow<'a, [u8]>),
    /// A verified claim.
    Claim(&'a [u8]),
}

impl<'a> Credential<'a> {
    /// Reads the value of an `authorization` header. A scheme that is not known is left out like `Bearer`.
    pub(super) fn of_authorization(value: &'a [u8]) -> Option<Self> {
        let border = value.iter().position(u8::is_ascii_whitespace);
        let (scheme, rest) = border.and_then(|at| value.split_at_checked(at)).unwrap_or((value, b""));
        let rest = rest.trim_ascii();
        if rest.is_empty() {
            // A scheme alone is no credential; any other single word is a bare key.
            let alone = [&b"bearer"[..], b"basic"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
            return (!alone && !scheme.is_empty()).then_some(Self::Secret(scheme.into()));
        }
        let special = if scheme.eq_ignore_ascii_case(b"basic") {
            user(rest).map(Self::User)
        } else if scheme.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"aws4-")) {
            access_key(rest).map(|key| Self::AccessKey(key.into()))
        } else {
            rest.strip_prefix(BEDROCK).and_then(signer).map(|key| Self::AccessKey(key.into()))
        };
        Some(special.unwrap_or(Self::Secret(rest.into())))
    }

    /// What the credential is, as a byte of the digest.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Secret(_) => 1,
            Self::User(_) => 2,
            Self::AccessKey(_) => 3,
            Self::Claim(_) => 4,
        }
    }

    /// What names the account.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Secret(bytes) | Self::AccessKey(bytes) => bytes,
            Self::User(bytes) => bytes,
            Self::Claim(bytes) => bytes,
        }
    }
}

/// What short-term API keys of Amazon Bedrock begin with.
const BEDROCK: &[u8] = b"bedrock-api-key-";

/// Who signed a short-term key of Bedrock, a presigned URL in base64: whoever has an access key makes as many of these as he
/// likes, and asks nobody.
fn signer(encoded: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"X-Amz-Credential=";
    let mut url = Vec::new();
    base64::decode(super::bounded(encoded), &mut url);
    let begin = url.windows(NAME.len()).position(|window| window == NAME)?;
    let value = url.get(begin.saturating_add(NAME.len())..)?;
    let end = value.iter().position(|byte| matches!(byte, b'/' | b'%' | b'&')).unwrap_or(value.len());
    value.get(..end).filter(|key| !key.is_empty()).map(<[u8]>::to_vec)
}

/// The user of `base64(user:password)`, padded or not; all of it where the user is empty, as some send a key.
fn user(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    base64::decode(super::bounded(encoded), &mut decoded);
    match decoded.iter().position(|byte| *byte == b':') {
        Some(0) | None => {}
        Some(colon) => decoded.truncate(colon),
    }
    (!decoded.is_empty()).then_some(decoded)
}

/// The access key ID of `Credential=ID/date/region/service/aws4_request, SignedHeaders=…, Signature=…`: date and
/// signature change, the ID stays (temporary credentials have a new one with each session).
fn access_key(parameters: &[u8]) -> Option<&[u8]> {
    let mut parameters = parameters.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let scope = parameters.find_map(|parameter| parameter.strip_prefix(b"Credential="))?;
    scope.split(|byte| *byte == b'/').next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Credential<'_>> {
        Credential::of_authorization(value.as_bytes())
    }

    fn secret(text: &str) -> Option<Credential<'_>> {
        Some(Credential::Secret(text.as_bytes().into()))
    }

    #[test]
    fn a_bearer_token_is_the_token_however_it_is_spelled() {
        for value in ["Bearer sk-1", "bearer   sk-1", "BEARER\tsk-1", "Token sk-1", "sk-1"] {
            assert_eq!(read(value), secret("sk-1"), "{value}");
        }
        assert_eq!([read("Bearer"), read("basic"), read("")], [None, None, None]);
    }

    #[test]
    fn basic_authentication_is_the_user_whatever_the_password_and_padding() {
        let ada = Some(Credential::User(b"ada".to_vec()));
        assert_eq!(read("Basic YWRhOng="), ada); // ada:x
        assert_eq!(read("basic YWRhOng"), ada);
        assert_eq!(read("Basic YWRhOnl5"), ada); // ada:yy
        assert_eq!(read("Basic OmtleQ=="), Some(Credential::User(b":key".to_vec())));
        assert_eq!(read("Basic ???"), secret("???"));
    }

    #[test]
    fn signature_version_4_is_the_access_key_and_not_the_signature() {
        let sign = |date: &str, signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{date}/us-east-1/bedrock/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            )
        };
        for value in [sign("20260101", "5d67"), sign("20260102", "aa01"), sign("20260102", "x").replace(", ", ",")] {
            assert_eq!(read(&value), Some(Credential::AccessKey(b"AKIDEXAMPLE".as_slice().into())));
        }
        assert_eq!(read("AWS4-HMAC-SHA256 Signature=5d67"), secret("Signature=5d67"));
    }
}
