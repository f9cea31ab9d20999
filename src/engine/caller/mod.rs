//! Who sends a request, as keyed digests: account, organisation, network, client.
//!
//! Header values are raw bytes and need not be UTF-8. Of a header that comes several times the first value that is not
//! blank counts; only `x-forwarded-for` is read as one list. Names match in any case. Of a credential the first
//! 8 KiB tell: two that differ only beyond them are one account.

mod account;
mod address;
mod credential;
mod query;

pub use account::Source;

use crate::dialect::Dialect;
use crate::digest::key::{DigestKey, Domain, Keys};

/// Header fields as a shell has them: names in lower case, values as raw bytes, pseudo-headers (`:path`) among them.
pub type Headers<'a> = [(&'a [u8], &'a [u8])];

/// Bytes of a value that are digested.
const MAX_VALUE: usize = 8 * 1024;

/// The sender of a request. No key, name or address gets past this: each field is a keyed 64-bit digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The account (API key, token subject); 0 where the request carries no credential.
    pub account: u64,
    /// The organisation, where the authentication layer names one; else 0.
    pub organisation: u64,
    /// The client's network: /24 of IPv4, /48 of IPv6; 0 where unknown.
    pub network: u64,
    /// The client program: its user agent; 0 where there is none. The upper half names it whatever its version ([`product`]).
    pub agent: u64,
    /// The same under the digest key before this one, while one is configured.
    pub before: Before,
}

/// A sender under the previous digest key; all 0 where none is configured.
///
/// While a key is being rotated, what the rules and the campaign feed say of an account, organisation or network is found
/// under either key, and an account's shape goes on from its old slot. [`Reading::before`](crate::digest::Reading::before)
/// does the same for templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Before {
    /// The account.
    pub account: u64,
    /// The organisation.
    pub organisation: u64,
    /// The network.
    pub network: u64,
    /// The client program.
    pub agent: u64,
}

impl Caller {
    /// The sender as the previous key names it.
    #[must_use]
    pub fn earlier(&self) -> Self {
        let Before { account, organisation, network, agent } = self.before;
        Self { account, organisation, network, agent, before: Before::default() }
    }
}

/// How senders are recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// Where an account is looked for, in this order; the first source that has a credential decides.
    ///
    /// Keep only what the authentication behind this filter really checks: who may add a header that nobody checks, and
    /// that comes earlier in the list, is a new account with every request.
    pub accounts: Vec<Source>,
    /// The header in which the authentication layer names the organisation. None by default: a header that clients can
    /// set must not be trusted. Configure one only where that layer overwrites what clients send.
    pub organisation: Option<String>,
    /// How many proxies between the client and this one append to `x-forwarded-for` and can be trusted.
    ///
    /// 0 (default): the client is the connection's peer. n: the n-th address from the right of `x-forwarded-for`, as
    /// with Envoy's `xff_num_trusted_hops`, and the peer where there are fewer. Never the leftmost as such: clients write
    /// that. Envoy reports its own idea of the trusted client as the peer and, with `use_remote_address`, appends the
    /// real peer to `x-forwarded-for` before any filter runs: there, set its options and leave this at 0. A trace whose
    /// `x-forwarded-for` holds the client alone is read with 1.
    pub trusted_hops: u32,
    /// The keys of the digests.
    pub keys: Keys,
}

/// Every built-in account source, no organisation, the peer's address, the built-in key.
impl Default for Callers {
    fn default() -> Self {
        Self { accounts: Source::built_in(), organisation: None, trusted_hops: 0, keys: Keys::default() }
    }
}

impl Callers {
    /// Whether the address of the connection's other end counts: hosts take as long to tell it as to hand out all headers.
    #[must_use]
    pub fn needs_peer(&self, headers: &Headers<'_>) -> bool {
        address::forwarded(headers, self.trusted_hops).is_none()
    }

    /// The sender of a request. `dialect`: what it speaks, where that is known, for providers look for credentials in different
    /// places; `peer`: the address of the connection's other end, with or without a port, where
    /// [that counts](Self::needs_peer); `claim`: the claim of a verified token that names the account, where the shell was
    /// configured to fetch one.
    #[must_use]
    pub fn identify(
        &self,
        dialect: Option<Dialect>,
        headers: &Headers<'_>,
        peer: &[u8],
        claim: Option<&[u8]>,
    ) -> Caller {
        let under = |key| self.identify_under(key, dialect, headers, peer, claim);
        let mut caller = under(&self.keys.current);
        if let Some(key) = &self.keys.previous {
            let Caller { account, organisation, network, agent, .. } = under(key);
            caller.before = Before { account, organisation, network, agent };
        }
        caller
    }

    fn identify_under(
        &self,
        key: &DigestKey,
        dialect: Option<Dialect>,
        headers: &Headers<'_>,
        peer: &[u8],
        claim: Option<&[u8]>,
    ) -> Caller {
        let named = |domain, name: &str| key.digest(domain, bounded(header(headers, name).unwrap_or_default()));
        Caller {
            account: account::digest(key, &self.accounts, dialect, headers, claim),
            organisation: self.organisation.as_deref().map_or(0, |name| named(Domain::Organisation, name)),
            network: address::client(headers, peer, self.trusted_hops)
                .map_or(0, |address| address::digest(key, address)),
            agent: agent(key, bounded(header(headers, "user-agent").unwrap_or_default())),
            before: Before::default(),
        }
    }
}

/// A user agent: the upper half is the digest of what comes before its first digit, a product's name as a rule (RFC 9110,
/// 10.1.5: its version follows), the lower half that of all of it. OpenAI's and Anthropic's SDKs for Python go by two names, one
/// with `Async` before it: one product.
fn agent(key: &DigestKey, value: &[u8]) -> u64 {
    const UPPER: u64 = !0 << 32;
    let name = value.split(u8::is_ascii_digit).next().unwrap_or_default();
    let name = name.strip_prefix(b"Async").unwrap_or(name);
    key.digest(Domain::Agent, name) & UPPER | key.digest(Domain::Agent, value) & !UPPER
}

/// What the releases of one client program have in common.
#[must_use]
pub const fn product(agent: u64) -> u64 {
    agent >> 32
}

/// The first value of a header that is not blank, without white space around it.
fn header<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a [u8]> {
    let values = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
    values.map(|(_, value)| value.trim_ascii()).find(|value| !value.is_empty())
}

/// As much of a value as is digested. Cut after it was taken apart: padding must not push a credential out of sight.
fn bounded(value: &[u8]) -> &[u8] {
    value.get(..MAX_VALUE).unwrap_or(value)
}

#[cfg(test)]
mod tests;
