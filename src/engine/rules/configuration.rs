//! The plugin configuration as it is written; [`super::Config`] is what becomes of it.

use super::Mode;
use super::document::Document;
use super::names::{HeaderName, Secret};
use super::section::{choice, section};
use crate::dialect::Dialect;
use crate::digest::key::{DigestKey, Keys};

section! {
    /// Plugin configuration of the Azeotrope filter.
    pub struct Configuration {
        /// Whether verdicts act.
        mode: Mode = Mode::Observe, ();
        /// The rules document; absent: the built-in rules.
        rules: Document = Document::default(), ();
        /// Whether request headers are held until the verdict (needs allow_on_headers_stop_iteration) or streamed on.
        headers: Headers = Headers::Streamed, ();
        /// Bytes of a request body that are inspected; a longer body is judged on its beginning.
        inspect_bytes: u32 = 262_144, 1_024..=1_048_576, "bytes";
        /// Keys of all digests; absent: a key that is the same everywhere, fit for trying out.
        digest_key: Option<DigestKeys> = None, ();
        /// Where a request names its account; the first that is present counts.
        accounts: Vec<AccountSource> = default_accounts(), (1..=16, ());
        /// Where the authentication layer names the organisation.
        organisation: Option<OrganisationSource> = None, ();
        /// Proxies in front that append to x-forwarded-for; 0: the address of the connection counts.
        trusted_hops: u32 = 0, 0..=10, "proxies";
        /// Paths that speak a dialect, before the built-in ones; the first that matches counts.
        paths: Vec<PathRule> = Vec::new(), (0..=256, ());
        /// Memory for counters.
        state: State = State::default(), ();
        /// Whom a refused caller may turn to: an address or a link, told in replies.
        contact: Option<String> = None, 1..=256;
    }
}

section! {
    /// Keys of all digests.
    pub struct DigestKeys {
        /// The key in use.
        current: Option<Secret> = None, ();
        /// The key before it, while counters made with it still matter.
        previous: Option<Secret> = None, ();
    }
    required ["current"]
}

impl DigestKeys {
    /// The keys; the built-in one where none is configured.
    #[must_use]
    pub fn keys(written: Option<&Self>) -> Keys {
        let key = |secret: &Option<Secret>| secret.as_ref().map(|secret| DigestKey::new(secret.reveal().as_bytes()));
        written.map_or_else(Keys::default, |written| Keys {
            current: key(&written.current).unwrap_or_default(),
            previous: key(&written.previous),
        })
    }
}

section! {
    /// Where a request names its account.
    pub struct AccountSource {
        /// A header whose whole value is the credential.
        header: Option<HeaderName> = None, ();
        /// A header that carries `Bearer` and the credential.
        bearer: Option<HeaderName> = None, ();
        /// A header with an AWS Signature Version 4: its access key id.
        sigv4: Option<HeaderName> = None, ();
        /// A query parameter.
        query: Option<String> = None, 1..=64;
        /// A claim in the metadata of the JWT filter, as the path to it: provider, then names.
        jwt_claim: Option<Vec<String>> = None, (2..=8, 1..=128);
    }
    exactly_one ["header", "bearer", "sigv4", "query", "jwt_claim"]
}

section! {
    /// Where the authentication layer names the organisation.
    pub struct OrganisationSource {
        /// A header that the authentication layer sets, and removes where a client sent it.
        header: Option<HeaderName> = None, ();
    }
    required ["header"]
}

section! {
    /// A path and what it speaks. `{model}` in it stands for the model: one or more segments.
    pub struct PathRule {
        /// How the path ends (the query string left out).
        suffix: Option<String> = None, 1..=256;
        /// How the path begins.
        prefix: Option<String> = None, 1..=256;
        /// The whole path (the query string left out).
        exact: Option<String> = None, 1..=256;
        /// Whether the path asks for a streamed answer.
        stream: bool = false, ();
        /// The dialect; none: no LLM call, passes untouched and uncounted.
        dialect: PathDialect = PathDialect::None, ();
    }
    required ["dialect"]
    exactly_one ["suffix", "prefix", "exact"]
}

section! {
    /// Memory for counters, in pages of at most 4 KiB; what is configured is never exceeded.
    pub struct State {
        /// Pages for accounts.
        account_pages: u32 = 4_096, 1..=262_144, "pages";
        /// Pages for skeletons.
        skeleton_pages: u32 = 4_096, 1..=262_144, "pages";
    }
}

/// What happens to request headers while the verdict is awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// Held back: the label reaches upstream. Needs `allow_on_headers_stop_iteration` (Envoy 1.35), without which
    /// requests with a body hang: so it is not the default.
    Held,
    /// Sent on: a refusal still works, the label is left out.
    #[default]
    Streamed,
}

choice!(Headers { Held = "held", Streamed = "streamed" });
choice!(Mode { Observe = "observe", Enforce = "enforce" });

/// What a configured path speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathDialect {
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Completions.
    Completions,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
    /// Gemini generateContent.
    Gemini,
    /// Bedrock Converse.
    Converse,
    /// No LLM call.
    None,
}

choice!(PathDialect {
    Chat = "openai-chat",
    Completions = "openai-completions",
    Responses = "openai-responses",
    Messages = "anthropic-messages",
    Gemini = "gemini",
    Converse = "bedrock-converse",
    None = "none",
});

impl PathDialect {
    /// The dialect; `None` for what is no LLM call.
    #[must_use]
    pub fn dialect(self) -> Option<Dialect> {
        Some(match self {
            Self::Chat => Dialect::ChatCompletions,
            Self::Completions => Dialect::Completions,
            Self::Responses => Dialect::Responses,
            Self::Messages => Dialect::Messages,
            Self::Gemini => Dialect::Gemini,
            Self::Converse => Dialect::Converse,
            Self::None => return None,
        })
    }
}

/// Where the official SDKs of the dialects put their credential. Those that cannot be mistaken come first.
fn default_accounts() -> Vec<AccountSource> {
    let header = |name: &str| Some(HeaderName(name.to_owned()));
    let none = AccountSource::default;
    vec![
        AccountSource { header: header("x-api-key"), ..none() },
        AccountSource { header: header("x-goog-api-key"), ..none() },
        AccountSource { header: header("api-key"), ..none() },
        AccountSource { sigv4: header("authorization"), ..none() },
        AccountSource { bearer: header("authorization"), ..none() },
        AccountSource { query: Some("key".to_owned()), ..none() },
    ]
}
