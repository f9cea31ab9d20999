//! A pull reader for JSON that may be hostile or cut short.
//!
//! It builds no tree, never recurses and allocates nothing of its own but for a key or short string with escapes in it.
//! The caller walks the document with [`Reader::object`], [`Reader::key`], [`Reader::array`] and [`Reader::item`]; a
//! value that the caller does not take is skipped, whatever its depth, in one scan.
//!
//! - A document that ends early, or stops being JSON, ends every open object and array at that point and sets
//!   [`Reader::truncated`]; what was read stays, a string's beginning included.
//! - Missing and trailing commas are forgiven, and `NaN` and the like skipped: a server more lenient than this reader
//!   would otherwise see a prompt that we do not. [`Reader::fold_keys`] is for servers that do not mind the case of keys.
//! - A key that appears twice is reported twice. Scalars are overwritten by whoever takes them (the last wins, as in
//!   most servers); content is appended, so that no copy escapes notice.

mod number;
mod source;
mod string;
#[cfg(test)]
mod tests;

pub use source::source;
pub use string::{plain, resume, unescaped};

use std::borrow::Cow;
use std::ops::Range;

/// What the next value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A number, or a word that JSON does not know.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// The document is over.
    End,
}

/// A position in a document. Cloning it remembers a value to be read again later.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// A key or an item was announced and its value is not taken yet.
    owed: bool,
    truncated: bool,
    /// Where the last key stands.
    named: (usize, usize),
    folding: bool,
}

impl<'a> Reader<'a> {
    /// Reads `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::over(text.as_bytes())
    }

    /// Reads bytes, which [`source`] has prepared; what is no UTF-8 in them becomes U+FFFD in the strings that are taken.
    #[must_use]
    pub fn over(text: &'a [u8]) -> Self {
        Self { text, at: 0, owed: false, truncated: false, named: (0, 0), folding: false }
    }

    /// Gives keys in lower case from here on.
    pub fn fold_keys(&mut self) {
        self.folding = true;
    }

    /// The document ended early or was no JSON from some point on.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// What comes next; takes nothing.
    pub fn peek(&mut self) -> Token {
        match self.next_byte() {
            None => Token::End,
            Some(b'{') => Token::Object,
            Some(b'[') => Token::Array,
            Some(b'"') => Token::String,
            Some(b't') => Token::True,
            Some(b'f') => Token::False,
            Some(b'n') => Token::Null,
            Some(_) => Token::Number,
        }
    }

    /// Enters an object; `false`, taking nothing, where the next value is none.
    pub fn object(&mut self) -> bool {
        self.enter(b'{')
    }

    /// Enters an array; `false`, taking nothing, where the next value is none.
    pub fn array(&mut self) -> bool {
        self.enter(b'[')
    }

    /// The next key of the object entered last; `None` at its end. Skips the value before it if nobody took that.
    pub fn key(&mut self) -> Option<Cow<'a, str>> {
        if !self.advance(b'}') {
            return None;
        }
        let Some(place) = self.string() else {
            self.fail();
            return None;
        };
        self.named = (place.start, place.end);
        if self.next_byte() != Some(b':') {
            self.fail();
            return None;
        }
        self.at = self.at.saturating_add(1);
        self.owed = true;
        let mut key = unescaped(self.text.get(place).unwrap_or(&[]), false);
        if self.folding && key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            key.to_mut().make_ascii_lowercase();
        }
        Some(key)
    }

    /// Where the name of the last key stands in the document.
    #[must_use]
    pub fn named(&self) -> Range<usize> {
        self.named.0..self.named.1
    }

    /// Whether the array entered last has another item. Skips the item before it if nobody took that.
    pub fn item(&mut self) -> bool {
        let more = self.advance(b']');
        if more && matches!(self.next_byte(), Some(b'}' | b':')) {
            self.fail();
            return false;
        }
        self.owed = more;
        more
    }

    /// Takes a boolean; `None`, taking nothing, where the next value is none.
    pub fn boolean(&mut self) -> Option<bool> {
        let value = match self.peek() {
            Token::True => true,
            Token::False => false,
            _ => return None,
        };
        self.skip();
        Some(value)
    }

    /// Takes the value, whatever it is, in constant space.
    pub fn skip(&mut self) {
        self.owed = false;
        match self.peek() {
            Token::End => self.fail(),
            Token::Object | Token::Array => self.skip_nested(),
            Token::String => self.skip_string(),
            _ => {
                self.word();
            }
        }
    }

    /// Takes the value and gives its JSON as it stands in the document.
    pub fn raw(&mut self) -> &'a [u8] {
        let place = self.place();
        self.skip();
        self.text.get(place..self.at).unwrap_or(&[])
    }

    /// Where the next value begins, in bytes from the document's first; takes nothing.
    pub fn place(&mut self) -> usize {
        self.next_byte();
        self.at
    }

    /// Where the value ends that was taken last; skips the one that a key or an item announced if nobody took it.
    pub fn past(&mut self) -> usize {
        if self.owed {
            self.skip();
        }
        self.at
    }

    /// Gives the document up: everything open ends here.
    pub fn fail(&mut self) {
        self.at = self.text.len();
        self.owed = false;
        self.truncated = true;
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or(&[])
    }

    /// The first byte that is no white space; moves up to it.
    fn next_byte(&mut self) -> Option<u8> {
        let rest = self.rest();
        let blank = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.at = self.at.saturating_add(blank.unwrap_or(rest.len()));
        self.text.get(self.at).copied()
    }

    fn enter(&mut self, open: u8) -> bool {
        let found = self.next_byte() == Some(open);
        if found {
            self.at = self.at.saturating_add(1);
            self.owed = false;
        }
        found
    }

    /// Moves to the next member of the object or array that `close` ends.
    fn advance(&mut self, close: u8) -> bool {
        if self.owed {
            self.skip();
        }
        while self.next_byte() == Some(b',') {
            self.at = self.at.saturating_add(1);
        }
        match self.next_byte() {
            None => {
                self.fail();
                false
            }
            Some(byte) if byte == close => {
                self.at = self.at.saturating_add(1);
                false
            }
            Some(_) => true,
        }
    }

    /// Skips an object or array by counting brackets: the depth costs a counter, not a stack.
    fn skip_nested(&mut self) {
        let mut depth = 0usize;
        while let Some(found) = self.rest().iter().position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')) {
            self.at = self.at.saturating_add(found);
            match self.rest().first() {
                Some(b'"') => {
                    self.skip_string();
                    continue;
                }
                Some(b'{' | b'[') => depth = depth.saturating_add(1),
                _ => depth = depth.saturating_sub(1),
            }
            self.at = self.at.saturating_add(1);
            if depth == 0 {
                return;
            }
        }
        self.fail();
    }

    /// Takes a number or word. One that the end of the document may have cut is not given.
    fn word(&mut self) -> Option<&'a [u8]> {
        self.owed = false;
        let start = self.at;
        let rest = self.rest();
        let Some(length) =
            rest.iter().position(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.'))
        else {
            self.fail();
            return None;
        };
        if length == 0 {
            self.fail();
            return None;
        }
        self.at = start.saturating_add(length);
        self.text.get(start..self.at)
    }
}
