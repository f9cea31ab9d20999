//! Strings: skipped fast, or unescaped straight into the caller's arena.

use super::{Reader, Token};
use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// What stands after a backslash.
enum Escape {
    Char(char),
    /// The document ends within it.
    Cut,
}

impl<'a> Reader<'a> {
    /// Appends a string, unescaped, to `out`; `false`, taking nothing, where the next value is none. Lone surrogates
    /// become U+FFFD. A string that the end of the document cuts is appended as far as it goes.
    pub fn string(&mut self, out: &mut String) -> bool {
        if self.peek() != Token::String {
            return false;
        }
        self.owed = false;
        self.at = self.at.saturating_add(1);
        loop {
            let rest = self.rest();
            let found = memchr2(b'"', b'\\', rest);
            let end = self.at.saturating_add(found.unwrap_or(rest.len()));
            out.push_str(self.text.get(self.at..end).unwrap_or(""));
            let Some(mark) = self.text.as_bytes().get(end) else {
                self.fail();
                return true;
            };
            self.at = end.saturating_add(1);
            if *mark == b'"' {
                return true;
            }
            match self.escape() {
                Escape::Char(c) => out.push(c),
                Escape::Cut => {
                    self.fail();
                    return true;
                }
            }
        }
    }

    /// Takes a string that is compared rather than kept: borrowed unless it has escapes in it; `None`, taking nothing,
    /// where the next value is none.
    pub fn short(&mut self) -> Option<Cow<'a, str>> {
        if self.peek() != Token::String {
            return None;
        }
        let start = self.at.saturating_add(1);
        let inside = self.text.get(start..)?;
        let end = memchr2(b'"', b'\\', inside.as_bytes());
        if let Some(end) = end.filter(|&end| inside.as_bytes().get(end) == Some(&b'"')) {
            self.owed = false;
            self.at = start.saturating_add(end).saturating_add(1);
            return inside.get(..end).map(Cow::Borrowed);
        }
        let mut out = String::new();
        self.string(&mut out);
        Some(Cow::Owned(out))
    }

    /// Skips a string; the reader stands on its opening quote.
    pub(super) fn skip_string(&mut self) {
        self.at = self.at.saturating_add(1);
        loop {
            let rest = self.rest();
            let Some(quote) = memchr(b'"', rest) else {
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

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Escape {
        let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return Escape::Cut;
        };
        self.at = self.at.saturating_add(c.len_utf8());
        Escape::Char(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => return self.unicode(),
            // `"`, `\`, `/`; and what JSON does not know stands for itself.
            other => other,
        })
    }

    /// Reads the four digits after `\u`, and the second half of a surrogate pair where one follows.
    fn unicode(&mut self) -> Escape {
        let Some(high) = self.hex(self.at) else {
            return if self.rest().len() < 4 { Escape::Cut } else { Escape::Char(char::REPLACEMENT_CHARACTER) };
        };
        self.at = self.at.saturating_add(4);
        if !(0xD800..0xDC00).contains(&high) {
            return Escape::Char(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let rest = self.rest();
        if rest.len() < 6 && (rest.starts_with(b"\\u") || b"\\u".starts_with(rest)) {
            let digits = rest.get(2..).unwrap_or(&[]);
            if digits.iter().all(u8::is_ascii_hexdigit) {
                return Escape::Cut;
            }
        }
        let low = if rest.starts_with(b"\\u") { self.hex(self.at.saturating_add(2)) } else { None };
        let Some(low) = low.filter(|low| (0xDC00..0xE000).contains(low)) else {
            return Escape::Char(char::REPLACEMENT_CHARACTER);
        };
        self.at = self.at.saturating_add(6);
        let point = ((high & 0x3FF) << 10 | (low & 0x3FF)).saturating_add(0x1_0000);
        Escape::Char(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(at..at.checked_add(4)?)?;
        digits.iter().try_fold(0u32, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
    }
}
