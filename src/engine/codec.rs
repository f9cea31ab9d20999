//! (being built)

use std::borrow::Cow;

/// A body without its content encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The body can be read.
    Body {
        /// Its bytes; borrowed where there was no encoding to undo.
        bytes: Cow<'a, [u8]>,
        /// They are only the beginning.
        truncated: bool,
    },
    /// An encoding that is unknown.
    Unsupported,
}

/// Undoes `encoding`.
#[must_use]
pub fn decode<'a>(encoding: &[u8], body: &'a [u8], _max_out: usize) -> Decoded<'a> {
    if encoding.is_empty() {
        Decoded::Body { bytes: Cow::Borrowed(body), truncated: false }
    } else {
        Decoded::Unsupported
    }
}
