//! JSON strings in pieces: unescaped as they come, whatever falls between two pieces.

use memchr::memchr2;

/// Where in a string a piece ended.
#[derive(Clone, Copy, Debug, Default)]
enum At {
    #[default]
    Plain,
    /// After a backslash.
    Escape,
    /// Within the four digits after `\u`.
    Digits { seen: u8, value: u32 },
}

/// A string that is being unescaped.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    at: At,
    /// The first half of a surrogate pair whose second is yet to come; 0: none.
    high: u32,
}

impl Text {
    /// Gives what `bytes` say to `out` and returns what stands after the closing quote, where that came. As in
    /// [`crate::json::Reader::string`], lone surrogates become U+FFFD.
    pub(super) fn feed<'b>(&mut self, mut bytes: &'b [u8], out: &mut dyn FnMut(&[u8])) -> Option<&'b [u8]> {
        loop {
            if matches!(self.at, At::Plain) {
                let found = memchr2(b'"', b'\\', bytes);
                let (plain, rest) = bytes.split_at_checked(found.unwrap_or(bytes.len()))?;
                if !plain.is_empty() {
                    self.lone(out);
                    out(plain);
                }
                bytes = rest;
            }
            let (&byte, rest) = bytes.split_first()?;
            bytes = rest;
            match self.at {
                At::Plain if byte == b'"' => {
                    self.lone(out);
                    return Some(rest);
                }
                At::Plain => self.at = At::Escape,
                At::Escape => self.escape(byte, out),
                At::Digits { seen, value } => self.digit(byte, seen, value, out),
            }
        }
    }

    fn escape(&mut self, byte: u8, out: &mut dyn FnMut(&[u8])) {
        self.at = At::Plain;
        if byte == b'u' {
            self.at = At::Digits { seen: 0, value: 0 };
            return;
        }
        self.lone(out);
        out(&[match byte {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            other => other,
        }]);
    }

    fn digit(&mut self, byte: u8, seen: u8, value: u32, out: &mut dyn FnMut(&[u8])) {
        // What is no digit spoils the character, nothing else.
        let value = value << 4 | char::from(byte).to_digit(16).unwrap_or(0);
        if seen < 3 {
            self.at = At::Digits { seen: seen.saturating_add(1), value };
            return;
        }
        self.at = At::Plain;
        let pair = self.high != 0 && (0xDC00..0xE000).contains(&value);
        let point = match pair {
            true => ((self.high & 0x3FF) << 10 | (value & 0x3FF)).saturating_add(0x1_0000),
            false => {
                self.lone(out);
                value
            }
        };
        self.high = 0;
        match char::from_u32(point) {
            None if (0xD800..0xDC00).contains(&point) => self.high = point,
            point => put(point.unwrap_or(char::REPLACEMENT_CHARACTER), out),
        }
    }

    fn lone(&mut self, out: &mut dyn FnMut(&[u8])) {
        if std::mem::take(&mut self.high) != 0 {
            put(char::REPLACEMENT_CHARACTER, out);
        }
    }
}

fn put(character: char, out: &mut dyn FnMut(&[u8])) {
    out(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Reader;

    fn split(json: &str, at: usize) -> Option<Vec<u8>> {
        let (mut text, mut got) = (Text::default(), Vec::new());
        let (first, second) = json.as_bytes()[1..].split_at(at);
        let done = text.feed(first, &mut |piece| got.extend_from_slice(piece)).is_some();
        let done = done || text.feed(second, &mut |piece| got.extend_from_slice(piece)).is_some();
        done.then_some(got)
    }

    #[test]
    fn a_string_in_two_pieces_says_what_the_pull_reader_reads() {
        for json in [r#""a\"\\\/\n\té😀""#, r#""\u00e9\ud83d\ude00x""#, r#""\ud83dx""#, r#""\ud83d\ud83d\ude00\ude00""#]
        {
            let whole = Reader::new(json).short().unwrap();
            for at in 0..json.len() {
                assert_eq!(split(json, at).as_deref(), Some(whole.as_bytes()), "{json} at {at}");
            }
        }
        assert_eq!(split("\"abc", 1), None);
    }
}
