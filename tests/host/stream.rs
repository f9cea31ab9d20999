//! One exchange as the host keeps it.

use std::collections::BTreeMap;

/// Header fields in order.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The first value of a header.
#[must_use]
pub fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
}

/// A local reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// Which of the header maps and buffers can be reached now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) request: bool,
    pub(crate) request_body: bool,
    pub(crate) response: bool,
    pub(crate) response_body: bool,
}

/// One exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pub(crate) request: Headers,
    pub(crate) response: Headers,
    /// The body bytes that the module is shown.
    pub(crate) body: Vec<u8>,
    pub(crate) reach: Reach,
    /// What was set with `proxy_set_property`.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What was set with `set_envoy_filter_state`.
    pub(crate) filter_state: BTreeMap<String, String>,
    pub(crate) reply: Option<Reply>,
    /// `proxy_continue_stream` was called.
    pub(crate) resumed: bool,
    /// When it began, where the clock stands still.
    pub(crate) began: u64,
    /// The address of the connection's other end.
    pub(crate) peer: Vec<u8>,
}

impl Stream {
    /// A header map by its number, if it can be reached.
    pub(crate) fn map(&mut self, kind: u32) -> Option<&mut Headers> {
        match kind {
            0 if self.reach.request => Some(&mut self.request),
            2 if self.reach.response => Some(&mut self.response),
            _ => None,
        }
    }

    /// A buffer by its number, if it can be reached.
    pub(crate) fn buffer(&mut self, kind: u32) -> Option<&mut Vec<u8>> {
        let reached = matches!(
            (kind, self.reach),
            (0, Reach { request_body: true, .. }) | (1, Reach { response_body: true, .. })
        );
        reached.then_some(&mut self.body)
    }
}

/// Headers as the ABI serialises them.
pub(crate) fn serialise(headers: &Headers) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend_from_slice(&number(name.len()));
        bytes.extend_from_slice(&number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    bytes
}

/// Reads what [`serialise`] writes; `None` if it is cut or lies about sizes.
pub(crate) fn deserialise(bytes: &[u8]) -> Option<Headers> {
    let number = |at: usize| {
        let four = bytes.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*four) as usize)
    };
    let count = if bytes.is_empty() { 0 } else { number(0)? };
    let mut at = 4 + 8 * count;
    let mut text = |size: usize| {
        let text = bytes.get(at..at.checked_add(size)?)?.to_vec();
        at += size + 1;
        Some(text)
    };
    (0..count).map(|n| Some((text(number(4 + 8 * n)?)?, text(number(8 + 8 * n)?)?))).collect()
}
