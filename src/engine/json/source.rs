//! From the bytes of a body to the text of a document.

use std::borrow::Cow;

/// The text of a body: a byte-order mark is dropped, invalid UTF-8 becomes U+FFFD, and a character that the end of the
/// body cuts is left out. Copies only a body that is no valid UTF-8.
#[must_use]
pub fn source(body: &[u8]) -> Cow<'_, str> {
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
fn lossy(body: &[u8]) -> Cow<'_, str> {
    let mut text = String::with_capacity(body.len());
    let mut chunks = body.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let cut =
            chunks.peek().is_none() && std::str::from_utf8(chunk.invalid()).is_err_and(|e| e.error_len().is_none());
        if !chunk.invalid().is_empty() && !cut {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(text)
}
