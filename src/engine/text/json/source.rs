//! From the bytes of a body to the text of a document.

use std::borrow::Cow;

/// The text of a body: a byte-order mark is dropped, what is invalid becomes U+FFFD, and a character that the end of the
/// body cuts is left out. Copies only a body that is no valid UTF-8.
///
/// UTF-16 is recognised as Python's `json.loads` does it, by its mark or by the zero byte beside the first character:
/// servers built on that take such a body, and a prompt must not slip past in it.
#[must_use]
pub fn source(body: &[u8]) -> Cow<'_, str> {
    match body {
        [0xFF, 0xFE, rest @ ..] => return wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => return wide(rest, u16::from_be_bytes),
        [0, next, ..] if *next != 0 => return wide(body, u16::from_be_bytes),
        [first, 0, third, ..] if *first != 0 && *third != 0 => return wide(body, u16::from_le_bytes),
        _ => {}
    }
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match std::str::from_utf8(body) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if error.error_len().is_none() => {
            let whole = body.get(..error.valid_up_to()).unwrap_or(&[]);
            Cow::Borrowed(std::str::from_utf8(whole).unwrap_or(""))
        }
        Err(_) => lossy(body),
    }
}

#[cold]
fn wide(body: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, str> {
    let units = body.chunks_exact(2).map(|pair| unit(pair.try_into().unwrap_or_default()));
    Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

#[cold]
fn lossy(body: &[u8]) -> Cow<'_, str> {
    let mut text = String::with_capacity(body.len());
    let mut chunks = body.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid();
        let cut = chunks.peek().is_none() && std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
        if !invalid.is_empty() && !cut {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(text)
}
