//! `content-encoding`, undone within a limit.
//!
//! Every codec is a feature of this crate (added size of the wasm module, `opt-level = 3`, before wasm-opt): `deflate`
//! for gzip and deflate, 15 KiB; `zstd`, 75 KiB; `brotli`, 206 KiB, most of it brotli's dictionary and therefore not
//! on by default; the work of undoing it is bounded by its output alone.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "deflate")]
mod inflate;
mod passing;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "deflate", feature = "zstd"))]
mod work;
#[cfg(feature = "zstd")]
mod zstd;

pub use passing::Passing;

use std::borrow::Cow;

/// What a body was put through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Nothing.
    #[default]
    Plain,
    /// `gzip`.
    Gzip,
    /// `deflate`.
    Deflate,
    /// `zstd`.
    Zstd,
    /// `br`.
    Brotli,
    /// What is not known, or several, one inside the other: real clients send one, and of two the inner one could be packed a
    /// thousandfold by the outer.
    Other,
}

impl Encoding {
    /// All that are known, by their names.
    const NAMES: [(&'static str, Self); 5] = [
        ("gzip", Self::Gzip),
        ("x-gzip", Self::Gzip),
        ("deflate", Self::Deflate),
        ("zstd", Self::Zstd),
        ("br", Self::Brotli),
    ];

    /// What all values of `content-encoding` together say; each may name several. Nothing of them is kept: a client may write as
    /// much there as there is room for in its headers, on every stream that it opens.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let names = values.into_iter().flat_map(|value| value.split(|byte| *byte == b','));
        let mut names = names.map(<[u8]>::trim_ascii).filter(|name| !identity(name));
        match (names.next(), names.next()) {
            (None, _) => Self::Plain,
            (Some(name), None) => {
                let known = Self::NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
                known.map_or(Self::Other, |&(_, encoding)| encoding)
            }
            _ => Self::Other,
        }
    }

    /// A name that [`Encoding::of`] reads as the same again.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Other => "other",
            known => Self::NAMES.iter().find(|(_, of)| *of == known).map_or("", |&(name, _)| name),
        }
    }

    /// What undoes it; `None` where this build has nothing that does.
    fn codec(self) -> Option<fn(&[u8], usize) -> Output> {
        match self {
            #[cfg(feature = "deflate")]
            Self::Gzip => Some(inflate::gzip),
            #[cfg(feature = "deflate")]
            Self::Deflate => Some(inflate::deflate),
            #[cfg(feature = "zstd")]
            Self::Zstd => Some(zstd::zstd),
            #[cfg(feature = "brotli")]
            Self::Brotli => Some(brotli::brotli),
            _ => None,
        }
    }
}

/// A body without its content encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The body can be read.
    Body {
        /// Its bytes; borrowed where there was no encoding to undo.
        bytes: Cow<'a, [u8]>,
        /// They are only the beginning: the limit was reached, the work was too much for so little text, or the input ended early
        /// or is corrupt from there on.
        truncated: bool,
    },
    /// An encoding that is unknown or left out of this build, or several.
    Unsupported,
}

/// What one codec gives: bytes, and whether they are only the beginning.
type Output = (Vec<u8>, bool);

/// Undoes `encoding`, giving at most `max_out` bytes, never holding much more, and for no more work than real bodies take. A body
/// without encoding passes through whole.
///
/// A body that is plain JSON in spite of its header passes through too: many servers never look at the header.
#[must_use]
pub fn decode(encoding: Encoding, body: &[u8], max_out: usize) -> Decoded<'_> {
    let plain = Decoded::Body { bytes: Cow::Borrowed(body), truncated: false };
    if encoding == Encoding::Plain {
        return plain;
    }
    let decoded = encoding.codec().map(|codec| codec(body, max_out));
    match decoded {
        // Bare deflate and brotli find something in any bytes, but hardly ever a proper end.
        Some((bytes, false)) => Decoded::Body { bytes: Cow::Owned(bytes), truncated: false },
        _ if looks_like_json(body) => plain,
        Some((bytes, truncated)) => Decoded::Body { bytes: Cow::Owned(bytes), truncated },
        None => Decoded::Unsupported,
    }
}

fn identity(name: &[u8]) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case(b"identity")
}

/// An object's opening and its first key, which no compressed stream starts with but by chance.
fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    body.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""))
}
