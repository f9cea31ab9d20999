//! `content-encoding`, undone within a limit.
//!
//! Every codec is a feature of this crate (added size of the wasm module, `opt-level = 3`, before wasm-opt): `deflate`
//! for gzip and deflate, 15 KiB; `zstd`, 75 KiB; `brotli`, 206 KiB, most of it brotli's dictionary and therefore not
//! on by default.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "deflate")]
mod inflate;
mod passing;
#[cfg(test)]
mod tests;
#[cfg(feature = "zstd")]
mod zstd;

pub use passing::Passing;

use std::borrow::Cow;

/// Most encodings undone, one inside the other. Real clients send one.
pub const MAX_ENCODINGS: usize = 2;

/// A body without its content encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The body can be read.
    Body {
        /// Its bytes; borrowed where there was no encoding to undo.
        bytes: Cow<'a, [u8]>,
        /// They are only the beginning: the limit was reached, or the input ended early or is corrupt from there on.
        truncated: bool,
    },
    /// An encoding that is unknown or left out of this build, or too many of them.
    Unsupported,
}

/// What one codec gives: bytes, and whether they are only the beginning.
type Output = (Vec<u8>, bool);

/// Undoes `encoding`, the value of `content-encoding` (several joined by commas; empty: none), giving at most `max_out`
/// bytes and never holding much more. A body without encoding passes through whole.
///
/// A body that is plain JSON in spite of its header passes through too: many servers never look at the header.
#[must_use]
pub fn decode<'a>(encoding: &[u8], body: &'a [u8], max_out: usize) -> Decoded<'a> {
    let names = || encoding.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|name| !identity(name));
    let plain = Decoded::Body { bytes: Cow::Borrowed(body), truncated: false };
    if names().next().is_none() {
        return plain;
    }
    let decoded = if names().count() > MAX_ENCODINGS {
        Decoded::Unsupported
    } else {
        // The last one named was applied last.
        names().rev().fold(plain.clone(), |inner, name| undo(name, inner, max_out))
    };
    match decoded {
        // Bare deflate and brotli find something in any bytes, but hardly ever a proper end.
        Decoded::Body { truncated: false, .. } => decoded,
        _ if looks_like_json(body) => plain,
        _ => decoded,
    }
}

fn undo<'a>(name: &[u8], inner: Decoded<'a>, max_out: usize) -> Decoded<'a> {
    let Decoded::Body { bytes, truncated } = inner else {
        return Decoded::Unsupported;
    };
    match codec(name).map(|codec| codec(&bytes, max_out)) {
        Some((bytes, cut)) => Decoded::Body { bytes: Cow::Owned(bytes), truncated: truncated || cut },
        None => Decoded::Unsupported,
    }
}

fn identity(name: &[u8]) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case(b"identity")
}

fn codec(name: &[u8]) -> Option<fn(&[u8], usize) -> Output> {
    match name.to_ascii_lowercase().as_slice() {
        #[cfg(feature = "deflate")]
        b"gzip" | b"x-gzip" => Some(inflate::gzip),
        #[cfg(feature = "deflate")]
        b"deflate" => Some(inflate::deflate),
        #[cfg(feature = "zstd")]
        b"zstd" => Some(zstd::zstd),
        #[cfg(feature = "brotli")]
        b"br" => Some(brotli::brotli),
        _ => None,
    }
}

/// An object's opening and its first key, which no compressed stream starts with but by chance.
fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    body.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""))
}
