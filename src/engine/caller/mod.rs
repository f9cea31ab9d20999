//! Who sends a request, as keyed digests: account, organisation, network, client.

/// The sender of a request. No key, name or address gets past this: each field is a keyed 64-bit digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The account (API key, token subject); 0 where the request carries no credential.
    pub account: u64,
    /// The organisation, where the authentication layer names one; else 0.
    pub organisation: u64,
    /// The client's network: /24 of IPv4, /48 of IPv6; 0 where unknown.
    pub network: u64,
    /// The client program: its user agent; 0 where there is none.
    pub agent: u64,
}

/// How senders are recognised.
#[derive(Clone, Debug, Default)]
pub struct Callers;

impl Callers {
    /// The sender of a request.
    #[must_use]
    pub fn identify(&self, _headers: &[(Vec<u8>, Vec<u8>)], _peer: &[u8], _claim: Option<&[u8]>) -> Caller {
        Caller::default()
    }
}
