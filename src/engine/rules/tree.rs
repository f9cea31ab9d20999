//! JSON (RFC 8259) as a tree that keeps what a map would lose: duplicate keys, and where it got too deep.
//!
//! A reader of its own: strict, bounded, and a fifth of the module's bytes that a general one takes. (The reader of
//! [`crate::json`] forgives what a request's body may lack; a configuration is not forgiven.)

use std::fmt;

/// Deepest nesting of a configuration. The deepest place that is defined lies at 7.
pub const MAX_DEPTH: usize = 32;
/// Deepest nesting that is read at all.
const BOTTOM: usize = 128;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A list or object below [`MAX_DEPTH`]: skipped.
    TooDeep,
}

impl Node {
    /// What a reader of a problem calls this value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::TooDeep => "nested too deeply",
        }
    }

    /// Whether this is an object with `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(members) if members.iter().any(|(name, _)| name == key))
    }
}

/// Why a document is no JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson {
    what: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for NotJson {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} at line {} column {}", self.what, self.line, self.column)
    }
}

/// Reads a whole document.
pub(crate) fn parse(document: &[u8]) -> Result<Node, NotJson> {
    let mut input = Input { bytes: document, at: 0 };
    if let Err(error) = std::str::from_utf8(document) {
        input.at = error.valid_up_to();
        return Err(input.wrong("no UTF-8"));
    }
    let read = input.value(0).and_then(|node| match input.peek() {
        None => Ok(node),
        Some(_) => Err("something follows the document"),
    });
    read.map_err(|what| input.wrong(what))
}

/// A document under reading; UTF-8.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl Input<'_> {
    fn wrong(&self, what: &'static str) -> NotJson {
        let before = self.bytes.get(..self.at).unwrap_or(self.bytes);
        let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        NotJson { what, line, column: before.len().saturating_sub(begin).saturating_add(1) }
    }

    /// The next byte that is no white space; it is not taken.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at = self.at.saturating_add(1);
        }
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    /// Takes this byte, if it is the next one that is no white space.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at = self.at.saturating_add(usize::from(found));
        found
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        match self.peek().ok_or("the document ends early")? {
            b'{' | b'[' if depth >= BOTTOM => Err("nested too deeply"),
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(Node::Text),
            b'-' | b'0'..=b'9' => self.number().map(Node::Number),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Read<Node> {
        self.take(b'[');
        let (mut list, kept) = (Vec::new(), depth < MAX_DEPTH);
        if !self.take(b']') {
            loop {
                let item = self.value(depth.saturating_add(1))?;
                if kept {
                    list.push(item);
                }
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err("expected `,` or `]`");
                }
            }
        }
        Ok(if kept { Node::List(list) } else { Node::TooDeep })
    }

    fn object(&mut self, depth: usize) -> Read<Node> {
        self.take(b'{');
        let (mut members, kept) = (Vec::new(), depth < MAX_DEPTH);
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err("expected a key in quotes");
                }
                let name = self.text()?;
                if !self.take(b':') {
                    return Err("expected `:`");
                }
                let value = self.value(depth.saturating_add(1))?;
                if kept {
                    members.push((name, value));
                }
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err("expected `,` or `}`");
                }
            }
        }
        Ok(if kept { Node::Object(members) } else { Node::TooDeep })
    }

    fn word(&mut self) -> Read<Node> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let words = [("true", Node::Bool(true)), ("false", Node::Bool(false)), ("null", Node::Null)];
        for (word, node) in words {
            if rest.starts_with(word.as_bytes()) {
                self.at = self.at.saturating_add(word.len());
                return Ok(node);
            }
        }
        Err("expected a value")
    }

    fn text(&mut self) -> Read<String> {
        self.take(b'"');
        let mut bytes = Vec::new();
        loop {
            match self.next().ok_or("a string does not end")? {
                b'"' => break,
                b'\\' => {
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1F => return Err("a control character in a string"),
                byte => bytes.push(byte),
            }
        }
        // The document is UTF-8 and is cut only at ASCII.
        String::from_utf8(bytes).map_err(|_| "no UTF-8")
    }

    fn escape(&mut self) -> Read<char> {
        Ok(match self.next() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let unit = self.unit()?;
                let mut code = u32::from(unit);
                if (0xD800..0xDC00).contains(&unit) && self.next() == Some(b'\\') && self.next() == Some(b'u') {
                    let low = self.unit()?;
                    let pair = char::decode_utf16([unit, low]).next().and_then(Result::ok);
                    code = pair.map_or(u32::MAX, u32::from);
                }
                char::from_u32(code).ok_or("half of a surrogate pair")?
            }
            _ => return Err("an unknown escape"),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Read<u16> {
        let mut unit = 0_u16;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or("an unknown escape")?;
            unit = unit << 4 | u16::try_from(digit).unwrap_or(0);
        }
        Ok(unit)
    }

    /// A number. 18 digits of it are kept; what a configuration may hold is exact.
    #[allow(clippy::cast_precision_loss)]
    fn number(&mut self) -> Read<f64> {
        const KEPT: u32 = 18;
        const WRONG: Read<f64> = Err("no number");
        let negative = self.take(b'-');
        let (mut mantissa, mut kept, mut exponent) = (0_u64, 0_u32, 0_i32);
        let mut digits = |input: &mut Self, fraction: bool| {
            let begin = input.at;
            while let Some(digit @ b'0'..=b'9') = input.bytes.get(input.at).copied() {
                input.at = input.at.saturating_add(1);
                if kept < KEPT {
                    mantissa = mantissa.saturating_mul(10).saturating_add(u64::from(digit & 15));
                    kept = kept.saturating_add(u32::from(mantissa > 0));
                    exponent = exponent.saturating_sub(i32::from(fraction));
                } else {
                    exponent = exponent.saturating_add(i32::from(!fraction));
                }
            }
            input.at.saturating_sub(begin)
        };
        let first = self.bytes.get(self.at).copied();
        let whole = digits(self, false);
        if whole == 0 || (first == Some(b'0') && whole > 1) {
            return WRONG;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at = self.at.saturating_add(1);
            if digits(self, true) == 0 {
                return WRONG;
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at = self.at.saturating_add(1);
            exponent = exponent.saturating_add(self.power().ok_or("no number")?);
        }
        let value = scaled(mantissa as f64, exponent);
        if !value.is_finite() {
            return Err("a number out of range");
        }
        Ok(if negative { -value } else { value })
    }

    /// What follows the `e` of a number.
    fn power(&mut self) -> Option<i32> {
        let negative = self.bytes.get(self.at) == Some(&b'-');
        if let Some(b'+' | b'-') = self.bytes.get(self.at) {
            self.at = self.at.saturating_add(1);
        }
        let (mut power, begin) = (0_i32, self.at);
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at).copied() {
            self.at = self.at.saturating_add(1);
            power = power.saturating_mul(10).saturating_add(i32::from(digit & 15));
        }
        (self.at > begin).then_some(if negative { power.saturating_neg() } else { power })
    }
}

/// A number times a power of ten; exact where both are (up to 2^53 and 10^22).
fn scaled(mut value: f64, exponent: i32) -> f64 {
    /// Beyond these nothing is left of any number, or it is infinite.
    const FAR: u32 = 400;
    let mut left = exponent.unsigned_abs().min(FAR);
    while left > 0 && value != 0.0 {
        let step = left.min(22);
        let power = (0..step).fold(1.0_f64, |power, _| power * 10.0);
        value = if exponent < 0 { value / power } else { value * power };
        left = left.saturating_sub(step);
    }
    value
}

#[cfg(test)]
mod tests;
