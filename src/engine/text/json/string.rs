//! Strings: found fast, and unescaped only where somebody reads them.

use super::{Reader, Token};
use crate::blocks::BYTES;
use crate::scan::{before_escape, escape, quote};
use std::borrow::Cow;
use std::ops::Range;

impl Reader<'_> {
    /// Takes a string and gives the place of what is between its quotes, as it stands in the document: [`unescaped`] reads
    /// that. `None`, taking nothing, where the next value is none. One that the end of the document cuts goes as far as
    /// that.
    pub fn string(&mut self) -> Option<Range<usize>> {
        if self.peek() != Token::String {
            return None;
        }
        self.owed = false;
        let start = self.at.saturating_add(1);
        self.skip_string();
        // The closing quote is no part of it; where the document ends there is none.
        let end = if self.truncated { self.at } else { self.at.saturating_sub(1) };
        Some(start..end.max(start))
    }

    /// Skips a string; the reader stands on its opening quote.
    pub(super) fn skip_string(&mut self) {
        self.at = self.at.saturating_add(1);
        loop {
            let rest = self.rest();
            let Some(quote) = quote(rest) else {
                self.fail();
                return;
            };
            self.at = self.at.saturating_add(quote).saturating_add(1);
            // An odd number of backslashes before it makes it a quote inside the string.
            let slashes = rest.get(..quote).unwrap_or(&[]).iter().rev().take_while(|b| **b == b'\\').count();
            if slashes & 1 == 0 {
                return;
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Takes a string that is compared rather than kept: borrowed unless it has escapes in it; `None`, taking nothing,
    /// where the next value is none.
    pub fn short(&mut self) -> Option<Cow<'a, str>> {
        let place = self.string()?;
        Some(unescaped(self.text.get(place).unwrap_or(&[]), self.truncated))
    }
}

/// What is between the quotes of a string, without its escapes; borrowed where it has none. Lone surrogates and what is no
/// UTF-8 become U+FFFD. `cut`: it may end within an escape or a character, which is left out then.
#[must_use]
pub fn unescaped(raw: &[u8], cut: bool) -> Cow<'_, str> {
    if escape(raw).is_none()
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (Vec::with_capacity(raw.len() + BYTES), raw);
    while let Some(escaped) = plain_into(&mut out, rest) {
        let mut escapes = Escapes { rest: escaped, cut };
        match escapes.next() {
            Some(character) if character.is_ascii() => out.push(character as u8),
            Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => {}
        }
        rest = escapes.rest;
    }
    // Text all of it, or else looked at piece by piece.
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|_| mended(raw, cut)))
}

/// Takes what stands before the next backslash; what follows that, if there is one. A block at once: escapes stand close
/// together, and less than a call takes is between them.
#[inline]
fn plain_into<'a>(out: &mut Vec<u8>, mut raw: &'a [u8]) -> Option<&'a [u8]> {
    while let Some((block, rest)) = raw.split_first_chunk::<BYTES>() {
        let before = before_escape(*block);
        out.extend_from_slice(block);
        if before < BYTES {
            out.truncate(out.len() + before - BYTES);
            return raw.get(before + 1..);
        }
        raw = rest;
    }
    let end = raw.iter().position(|byte| *byte == b'\\');
    out.extend_from_slice(raw.get(..end.unwrap_or(raw.len())).unwrap_or(&[]));
    raw.get(end? + 1..)
}

/// What [`unescaped`] makes of what is not all UTF-8.
fn mended(raw: &[u8], cut: bool) -> String {
    let (mut out, mut rest) = (String::with_capacity(raw.len()), raw);
    while let Some(at) = escape(rest) {
        let (plain, escaped) = rest.split_at_checked(at).unwrap_or((rest, b""));
        let mut escapes = Escapes { rest: escaped.get(1..).unwrap_or(b""), cut };
        append(plain, false, &mut out);
        out.extend(escapes.next());
        rest = escapes.rest;
    }
    append(rest, cut, &mut out);
    out
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD. `cut`: they may end within a character, which is left out then.
#[must_use]
pub fn plain(bytes: &[u8], cut: bool) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    append(bytes, cut, &mut out);
    Cow::Owned(out)
}

/// The first place from `at` on where neither an escape nor a character of `raw` is torn.
#[must_use]
pub fn resume(raw: &[u8], at: usize) -> usize {
    // An odd number of backslashes before a place makes what is there a part of an escape.
    let escaped = |place: usize| {
        let before = raw.get(..place).unwrap_or(raw);
        before.iter().rev().take_while(|byte| **byte == b'\\').count() & 1 == 1
    };
    let mut at = at.min(raw.len());
    let digits = (1..=4).find(|&back| {
        let place = at.checked_sub(back);
        place.is_some_and(|place| raw.get(place) == Some(&b'u') && escaped(place))
    });
    if let Some(back) = digits {
        at = at.saturating_add(5).saturating_sub(back);
    } else if escaped(at) {
        at = at.saturating_add(if raw.get(at) == Some(&b'u') { 5 } else { 1 });
    }
    let rest = raw.get(at..).unwrap_or(&[]);
    at.saturating_add(rest.iter().take_while(|byte| **byte & 0xC0 == 0x80).count()).min(raw.len())
}

/// Appends bytes as text.
fn append(bytes: &[u8], cut: bool, out: &mut String) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        out.push_str(text);
        return;
    }
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        out.push_str(chunk.valid());
        let invalid = chunk.invalid();
        let end = chunks.peek().is_none() && std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
        if !(invalid.is_empty() || cut && end) {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Reads what follows backslashes.
struct Escapes<'a> {
    rest: &'a [u8],
    cut: bool,
}

impl Escapes<'_> {
    /// The character that is meant; `None` where there is none: the string is cut, or the character is not ASCII and stands
    /// for itself.
    fn next(&mut self) -> Option<char> {
        let (&first, rest) = self.rest.split_first()?;
        if !first.is_ascii() {
            return None;
        }
        self.rest = rest;
        Some(match first {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.unicode(),
            // `"`, `\`, `/`; and what JSON does not know stands for itself.
            other => char::from(other),
        })
    }

    /// Reads the four digits after `\u`, and the second half of a surrogate pair where one follows.
    fn unicode(&mut self) -> Option<char> {
        let Some(high) = hex(self.rest) else {
            if self.cut && self.rest.len() < 4 {
                self.rest = b"";
                return None;
            }
            return Some(char::REPLACEMENT_CHARACTER);
        };
        self.rest = self.rest.get(4..).unwrap_or(b"");
        if !(0xD800..0xDC00).contains(&high) {
            return Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let rest = self.rest;
        if self.cut && rest.len() < 6 && (rest.starts_with(b"\\u") || b"\\u".starts_with(rest)) {
            let digits = rest.get(2..).unwrap_or(&[]);
            if digits.iter().all(u8::is_ascii_hexdigit) {
                self.rest = b"";
                return None;
            }
        }
        let low = rest.strip_prefix(b"\\u").and_then(hex);
        let Some(low) = low.filter(|low| (0xDC00..0xE000).contains(low)) else {
            return Some(char::REPLACEMENT_CHARACTER);
        };
        self.rest = rest.get(6..).unwrap_or(b"");
        let point = ((high & 0x3FF) << 10 | (low & 0x3FF)).saturating_add(0x1_0000);
        Some(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0u32, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}
