//! The account: the first credential found in a configured list of places.

use super::credential::Credential;
use super::{Headers, bounded, header, query};
use crate::dialect::Dialect;
use crate::digest::key::{DigestKey, Domain};
use crate::route::{plain, segments};

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

    /// Whether it is where a provider looks: what else a client sends along there nobody checks, so it could name a new account
    /// with every request.
    fn is_asked(&self, by: Provider) -> bool {
        match self {
            Self::Claim => true,
            Self::Authorization => false,
            Self::Query(_) => by == Provider::Google,
            Self::Header(name) => match name.as_str() {
                "x-api-key" => by == Provider::Anthropic,
                "x-goog-api-key" => by == Provider::Google,
                "api-key" => by == Provider::Azure,
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

/// Providers that look for a credential elsewhere than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    /// An API key where there is one (its clients send one along with a token if both are set), else a token in `authorization`.
    Anthropic,
    Google,
    Azure,
    Other,
}

impl Provider {
    /// Whose API a call is of: its dialect says so, and its path. A query does not count: there a client may put what it likes.
    fn of(dialect: Option<Dialect>, path: &[u8]) -> Self {
        if let Some(Dialect::Gemini | Dialect::Interactions) = dialect {
            return Self::Google;
        }
        let path = plain(path);
        let path = segments(&path);
        match dialect {
            _ if is_azures(&path) => Self::Azure,
            Some(Dialect::Messages) if !is_another_s(&path) => Self::Anthropic,
            _ => Self::Other,
        }
    }
}

fn is_azures(path: &[&str]) -> bool {
    let is = |pair: &[&str]| matches!(pair, [a, b] if a.eq_ignore_ascii_case("openai") && b.eq_ignore_ascii_case("deployments"));
    path.windows(2).any(is)
}

/// Anthropic's models are called through Bedrock and Vertex too, which look at `authorization` alone.
fn is_another_s(path: &[&str]) -> bool {
    let calls = ["invoke", "invoke-with-response-stream", ":rawPredict", ":streamRawPredict"];
    path.last().is_some_and(|last| calls.iter().any(|call| last.eq_ignore_ascii_case(call)))
}

/// The account's digest; 0 where no source has a credential. Sources where the provider looks come before the others.
pub(super) fn digest(
    key: &DigestKey,
    sources: &[Source],
    dialect: Option<Dialect>,
    headers: &Headers<'_>,
    claim: Option<&[u8]>,
) -> u64 {
    credential(sources, dialect, headers, claim).map_or(0, |credential| {
        let mut digester = key.digester(Domain::Account);
        digester.write(&[credential.kind()]);
        digester.write(bounded(credential.bytes()));
        digester.finish()
    })
}

fn credential<'a>(
    sources: &[Source],
    dialect: Option<Dialect>,
    headers: &Headers<'a>,
    claim: Option<&'a [u8]>,
) -> Option<Credential<'a>> {
    let mut found: Option<(&Source, Credential<'a>)> = None;
    let mut provider = None;
    for source in sources {
        let Some(credential) = source.find(headers, claim) else { continue };
        let Some((before, _)) = &found else {
            found = Some((source, credential));
            continue;
        };
        // Whose API it is matters only to who shows several.
        let by = *provider.get_or_insert_with(|| Provider::of(dialect, header(headers, ":path").unwrap_or_default()));
        if source.is_asked(by) && !before.is_asked(by) {
            found = Some((source, credential));
        }
    }
    found.map(|(_, credential)| credential)
}
