//! The account: the first credential found in a configured list of places.

use super::credential::Credential;
use super::{Headers, bounded, header, query};
use crate::digest::key::{DigestKey, Domain};

/// A place where an account's credential may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The claim of a token that the authentication layer has verified, handed over by the shell. Tokens of one subject
    /// change by the hour; their claim stays.
    Claim,
    /// The header `authorization`: the token of `Bearer`, the user of `Basic`, the access key of AWS Signature Version 4.
    Authorization,
    /// The whole value of the header of this name.
    Header(String),
    /// The parameter of this name in the query of `:path`.
    Query(String),
}

impl Source {
    /// What the APIs of OpenAI, Anthropic, Google, Azure and AWS use, a verified claim before all.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        let header = |name: &str| Self::Header(name.to_owned());
        vec![
            Self::Claim,
            Self::Authorization,
            header("x-api-key"),
            header("x-goog-api-key"),
            header("api-key"),
            Self::Query("key".to_owned()),
        ]
    }

    /// Whether it is where the provider of a path looks: what else a client sends along there nobody checks, so it could name a
    /// new account with every request.
    fn is_asked(&self, path: &[u8]) -> bool {
        let has = |part: &[u8]| path.windows(part.len()).any(|window| window == part);
        match self {
            Self::Claim => true,
            Self::Authorization => false,
            Self::Query(_) => has(GEMINI),
            Self::Header(name) => match name.as_str() {
                "x-goog-api-key" => has(GEMINI),
                "api-key" => has(b"/openai/deployments/"),
                _ => false,
            },
        }
    }

    fn find<'a>(&self, headers: &Headers<'a>, claim: Option<&'a [u8]>) -> Option<Credential<'a>> {
        match self {
            Self::Claim => claim.filter(|claim| !claim.is_empty()).map(Credential::Claim),
            Self::Authorization => Credential::of_authorization(header(headers, "authorization")?),
            Self::Header(name) => header(headers, name).map(|value| Credential::Secret(value.into())),
            Self::Query(name) => query::parameter(header(headers, ":path")?, name.as_bytes())
                .map(|value| Credential::Secret(value.into())),
        }
    }
}

/// What methods of Gemini end with, `generateContent` and `streamGenerateContent`.
const GEMINI: &[u8] = b"enerateContent";

/// The account's digest; 0 where no source has a credential. Sources where the provider looks come before the others.
pub(super) fn digest(key: &DigestKey, sources: &[Source], headers: &Headers<'_>, claim: Option<&[u8]>) -> u64 {
    let path = header(headers, ":path").unwrap_or_default();
    let asked = sources.iter().filter(|source| source.is_asked(path));
    asked.chain(sources).find_map(|source| source.find(headers, claim)).map_or(0, |credential| {
        let mut digester = key.digester(Domain::Account);
        digester.write(&[credential.kind()]);
        digester.write(bounded(credential.bytes()));
        digester.finish()
    })
}
