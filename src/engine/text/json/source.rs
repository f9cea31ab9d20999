//! From the bytes of a body to the bytes of a document.

use std::borrow::Cow;

/// The bytes of a body as a [`super::Reader`] takes them: a byte-order mark is dropped. Copies only UTF-16.
///
/// UTF-16 is recognised as Python's `json.loads` does it, by its mark or by the zero byte beside the first character:
/// servers built on that take such a body, and a prompt must not slip past in it.
#[must_use]
pub fn source(body: &[u8]) -> Cow<'_, [u8]> {
    match body {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0, next, ..] if *next != 0 => wide(body, u16::from_be_bytes),
        [first, 0, third, ..] if *first != 0 && *third != 0 => wide(body, u16::from_le_bytes),
        _ => Cow::Borrowed(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)),
    }
}

#[cold]
fn wide(body: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, [u8]> {
    let units = body.chunks_exact(2).map(|pair| unit(pair.try_into().unwrap_or_default()));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}
