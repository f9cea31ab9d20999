//! The plugin configuration as it is written; [`super::Config`] is what becomes of it.

use super::Mode;
use super::document::Document;
use super::names::{Bundled, HeaderName, Secret};
use super::reader::Reader;
use super::section::{choice, section};
use crate::bundle::{Package, PublicKey, TrustedKeys};
use crate::caller::{Callers, Source};
use crate::dialect::Dialect;
use crate::digest::key::{DigestKey, Keys};
use crate::route::{Anchor, RouteRule, Routes};

section! {
    /// Plugin configuration of the Azeotrope filter.
    pub struct Configuration {
        /// Whether verdicts act.
        mode: Mode = Mode::Observe, ();
        /// The rules document; absent: the built-in rules.
        rules: Document = Document::default(), ();
        /// Whether request headers are held until the verdict, so that upstream is told; auto: where the host can.
        headers: Headers = Headers::Auto, ();
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
        /// Whether Envoy's rate-limit filter behind this one counts the tokens that a request may cost (filter state
        /// envoy.ratelimit.hits_addend); where request headers are held.
        ratelimit_tokens: bool = false, ();
        /// Public keys that bundles of rules may be signed with; several, so that they can be rotated.
        public_keys: Vec<PublicKey> = Vec::new(), (0..=8, ());
        /// A bundle of rules that comes with this configuration; base64.
        bundle: Option<Bundled> = None, ();
        /// The sidecar that hears of traffic and publishes rules; absent: what one proxy process sees decides.
        sidecar: Option<Sidecar> = None, ();
        /// Whom a refused caller may turn to: an address or a link, told in replies.
        contact: Option<String> = None, 1..=256;
    }
    check Configuration::consistent
}

section! {
    /// Where the sidecar is, and how it is spoken to.
    pub struct Sidecar {
        /// Envoy's cluster of the sidecar.
        cluster: Option<String> = None, 1..=256;
        /// The host that requests to it name.
        authority: String = "azeotrope".to_owned(), 1..=256;
        /// What the paths of its interface begin with.
        path_prefix: String = String::new(), 0..=256;
        /// What the filter shows it to be let in.
        token: Option<Secret> = None, ();
        /// How often rules are asked for.
        poll_seconds: u32 = 1, 1..=60, "seconds";
        /// How often observations are sent.
        flush_milliseconds: u32 = 500, 100..=10_000, "milliseconds";
        /// Observations that may wait, in each worker; twice that while a batch is on its way.
        queue_bytes: u32 = 1_048_576, 16_384..=4_000_000, "bytes";
    }
    required ["cluster"]
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
        /// The header authorization: the token of Bearer, the user of Basic, the access key of AWS Signature Version 4.
        bearer: Option<Authorization> = None, ();
        /// A query parameter.
        query: Option<String> = None, 1..=64;
        /// A claim that the JWT filter verified: the metadata key of the payload, then names in it.
        jwt_claim: Option<Vec<String>> = None, (2..=8, 1..=128);
    }
    exactly_one ["header", "bearer", "query", "jwt_claim"]
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
        account_pages: u32 = 5_120, 1..=262_144, "pages";
        /// Pages for skeletons.
        skeleton_pages: u32 = 8_192, 1..=262_144, "pages";
        /// Pages for blobs, conversations and refused bodies.
        provenance_pages: u32 = 2_048, 1..=262_144, "pages";
        /// Pages for budgets; taken only where the rules have any.
        budget_pages: u32 = 256, 1..=262_144, "pages";
    }
}

/// The one header that holds credentials of several schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// `authorization`.
    Authorization,
}

choice!(Authorization { Authorization = "authorization" });

/// Whether the filter holds request headers until the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Headers {
    /// Learned from the host's behaviour.
    #[default]
    Auto,
    /// Held: the host is set up for it (Envoy: `allow_on_headers_stop_iteration: true`); elsewhere requests would hang.
    Held,
    /// Not held: upstream is not told the verdict.
    Streamed,
}

choice!(Headers { Auto = "auto", Held = "held", Streamed = "streamed" });
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
    /// Gemini Interactions.
    Interactions,
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
    Interactions = "gemini-interactions",
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
            Self::Interactions => Dialect::Interactions,
            Self::None => return None,
        })
    }
}

/// Where the official SDKs of the dialects put their credential: [`Source::built_in`] but for the claim, which has no
/// place before it is configured.
fn default_accounts() -> Vec<AccountSource> {
    let none = AccountSource::default;
    let written = |source| match source {
        Source::Claim => None,
        Source::Authorization => Some(AccountSource { bearer: Some(Authorization::Authorization), ..none() }),
        Source::Header(name) => Some(AccountSource { header: Some(HeaderName(name)), ..none() }),
        Source::Query(name) => Some(AccountSource { query: Some(name), ..none() }),
    };
    Source::built_in().into_iter().filter_map(written).collect()
}

impl AccountSource {
    /// The source as the engine asks it.
    fn source(&self) -> Option<Source> {
        let header = self.header.as_ref().map(|name| Source::Header(name.0.clone()));
        let bearer = || self.bearer.map(|Authorization::Authorization| Source::Authorization);
        let query = || self.query.clone().map(Source::Query);
        header.or_else(bearer).or_else(query).or_else(|| self.jwt_claim.as_ref().map(|_| Source::Claim))
    }
}

impl PathRule {
    /// The path as the engine matches it.
    fn rule(&self) -> Option<RouteRule> {
        let (anchor, pattern) = match (&self.exact, &self.prefix, &self.suffix) {
            (Some(path), _, _) => (Anchor::Exact, path),
            (_, Some(path), _) => (Anchor::Prefix, path),
            (_, _, Some(path)) => (Anchor::Suffix, path),
            (None, None, None) => return None,
        };
        Some(RouteRule { pattern: pattern.clone(), anchor, dialect: self.dialect.dialect(), stream: self.stream })
    }
}

impl Configuration {
    /// What single members cannot say. One claim names the account: the shell fetches it before anything else is known.
    fn consistent(&self, reader: &mut Reader) {
        if self.public_keys.is_empty() && (self.bundle.is_some() || self.sidecar.is_some()) {
            reader.problem("`public_keys` is missing: rules of a bundle or a sidecar must be signed");
        } else if let Some(bundle) = &self.bundle {
            let keys = TrustedKeys(self.public_keys.clone());
            if let Err(refusal) = Package::unpack(&bundle.0, &keys) {
                reader.member("bundle", |reader| reader.problem(refusal.to_string()));
            }
        }
        let claims = self.accounts.iter().filter(|source| source.jwt_claim.is_some()).count();
        if claims > 1 {
            reader.member("accounts", |reader| reader.problem(format!("{claims} `jwt_claim`; one is allowed")));
        }
    }

    /// How senders are recognised.
    pub(super) fn callers(&self) -> Callers {
        Callers {
            accounts: self.accounts.iter().filter_map(AccountSource::source).collect(),
            organisation: self.organisation.as_ref().and_then(|source| Some(source.header.as_ref()?.0.clone())),
            trusted_hops: self.trusted_hops,
            keys: DigestKeys::keys(self.digest_key.as_ref()),
        }
    }

    /// Which path speaks which dialect.
    pub(super) fn routes(&self) -> Routes {
        Routes::with(self.paths.iter().filter_map(PathRule::rule).collect())
    }

    /// Where a JWT claim names the account.
    pub(super) fn claim(&self) -> Option<Vec<String>> {
        self.accounts.iter().find_map(|source| source.jwt_claim.clone())
    }
}
