//! Server-sent events (WHATWG HTML, section 9.2.6), in pieces.

use memchr::memchr2;

/// Longest field name that is told apart: a byte-order mark and `data`.
const MAX_FIELD: usize = 7;

/// What a piece of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    /// A line of data begins.
    Line,
    /// A piece of such a line.
    Data(&'b [u8]),
    /// An event is over.
    End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Within the name of a field.
    #[default]
    Name,
    /// After `data:`, where one blank is dropped.
    Blank,
    Data,
    /// Within a comment or another field.
    Other,
}

/// A stream of events.
#[derive(Debug, Default)]
pub(super) struct Events {
    state: State,
    name: [u8; MAX_FIELD],
    length: usize,
    /// The last byte was a carriage return: a line feed belongs to it.
    returned: bool,
}

impl Events {
    /// Gives each piece of `bytes` to `out`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(Piece<'_>)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.returned) && byte == b'\n' {
                bytes = rest;
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                self.returned = byte == b'\r';
                self.end_of_line(out);
                bytes = rest;
                continue;
            }
            if self.state == State::Name {
                self.named(byte, out);
                bytes = rest;
                continue;
            }
            if self.state == State::Blank {
                self.state = State::Data;
                if byte == b' ' {
                    bytes = rest;
                    continue;
                }
            }
            let end = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
            let Some((line, rest)) = bytes.split_at_checked(end) else { return };
            if self.state == State::Data {
                out(Piece::Data(line));
            }
            bytes = rest;
        }
    }

    fn named(&mut self, byte: u8, out: &mut dyn FnMut(Piece<'_>)) {
        if byte == b':' {
            let name = self.name.get(..self.length).unwrap_or(&[]);
            // The mark can only stand at the very beginning; elsewhere no server writes it.
            self.state = match name.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(name) {
                b"data" => State::Blank,
                _ => State::Other,
            };
            if self.state == State::Blank {
                out(Piece::Line);
            }
            return;
        }
        match self.name.get_mut(self.length) {
            Some(place) => *place = byte,
            None => self.state = State::Other,
        }
        self.length = self.length.saturating_add(1);
    }

    fn end_of_line(&mut self, out: &mut dyn FnMut(Piece<'_>)) {
        if self.state == State::Name && self.length == 0 {
            out(Piece::End);
        }
        self.state = State::Name;
        self.length = 0;
    }
}
