//! Answers as they pass: held by the event, never longer.

use super::Changes;
use super::answer::silenced;
use crate::answer::frames::{PRELUDE, TRAILER, crc32, lengths};
use crate::answer::{Framing, is_over};
use crate::base64;
use crate::json::{Reader, Token};
use memchr::memchr2;

/// Bytes of an event, or of an answer that is not streamed, that are held; a longer one passes as it is.
pub const MAX_HELD: usize = 1 << 20;

/// Takes the text of reasoning out of an answer.
///
/// What it is given must be without `content-encoding`, and what it gives has another length: the shell takes
/// `content-length` away.
#[derive(Debug)]
pub struct Rewriter {
    cutter: Cutter,
    held: Vec<u8>,
    most: usize,
    /// The event is too long: it passes as it comes.
    passing: bool,
    changes: Changes,
    untouched: u32,
}

/// Where events end, a byte at a time.
#[derive(Debug)]
enum Cutter {
    /// A document, or the items of an array of them: depth, within a string, after a backslash, in an array.
    Json { depth: u32, string: bool, escaped: bool, array: bool },
    /// Lines: length of the one that is open, and whether a carriage return was last.
    Events { line: usize, returned: bool },
    /// Messages: the prelude, how much of it is here, bytes that are left.
    Frames { prelude: [u8; PRELUDE], begun: usize, left: u32 },
    /// No more: what follows passes.
    Lost,
}

impl Rewriter {
    /// Begins an answer. At most `most` bytes are held ([`MAX_HELD`] where nothing speaks against it).
    #[must_use]
    pub fn new(framing: Framing, most: usize) -> Self {
        let cutter = match framing {
            Framing::Json => Cutter::Json { depth: 0, string: false, escaped: false, array: false },
            Framing::Events => Cutter::Events { line: 0, returned: false },
            Framing::Frames => Cutter::Frames { prelude: [0; PRELUDE], begun: 0, left: 0 },
        };
        Self { cutter, held: Vec::new(), most, passing: false, changes: Changes::default(), untouched: 0 }
    }

    /// Takes the next bytes and appends to `out` what can be passed on by now.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            self.held.push(byte);
            if self.cutter.ends(byte) {
                self.release(out);
            } else if self.held.len() >= self.most || matches!(self.cutter, Cutter::Lost) {
                self.untouched = self.untouched.saturating_add(u32::from(!self.passing));
                self.passing = true;
            }
            if self.passing {
                out.append(&mut self.held);
            }
        }
    }

    /// Appends to `out` what is still held: the answer is over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.release(out);
    }

    /// What was changed so far.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.changes
    }

    /// Events that passed as they were because they were too long, or the stream made no sense.
    #[must_use]
    pub fn untouched(&self) -> u32 {
        self.untouched
    }

    /// Bytes that it occupies.
    #[must_use]
    pub fn occupies(&self) -> usize {
        self.held.capacity()
    }

    /// Holds no more than so many bytes from now on, at most [`MAX_HELD`].
    pub fn bound(&mut self, bytes: usize) {
        self.most = bytes.min(MAX_HELD);
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let passing = std::mem::take(&mut self.passing);
        let changed = match self.cutter {
            _ if passing || held.is_empty() => None,
            Cutter::Json { .. } => item(&held),
            Cutter::Events { .. } => event(&held),
            Cutter::Frames { .. } => message(&held),
            Cutter::Lost => None,
        };
        match changed {
            Some((event, changes)) => {
                self.changes.join(changes);
                out.extend_from_slice(&event);
            }
            None => out.extend_from_slice(&held),
        }
        // The place is used again.
        self.held = held;
        self.held.clear();
    }
}

impl Cutter {
    /// Whether an event ends with this byte.
    fn ends(&mut self, byte: u8) -> bool {
        match self {
            Self::Json { depth, string, escaped, array } => {
                if std::mem::take(escaped) {
                    return false;
                }
                match byte {
                    b'\\' if *string => *escaped = true,
                    b'"' => *string = !*string,
                    _ if *string => {}
                    b'[' if *depth == 0 && !*array => *array = true,
                    b'{' | b'[' => *depth = depth.saturating_add(1),
                    b'}' | b']' => {
                        *depth = depth.saturating_sub(1);
                        return *depth == 0;
                    }
                    _ => {}
                }
                false
            }
            Self::Events { line, returned } => {
                if std::mem::replace(returned, byte == b'\r') && byte == b'\n' {
                    return false;
                }
                if !matches!(byte, b'\r' | b'\n') {
                    *line = line.saturating_add(1);
                    return false;
                }
                std::mem::take(line) == 0
            }
            Self::Frames { prelude, begun, left } => {
                let Some(place) = prelude.get_mut(*begun) else {
                    *left = left.saturating_sub(1);
                    let over = *left == 0;
                    if over {
                        *begun = 0;
                    }
                    return over;
                };
                *place = byte;
                *begun = begun.saturating_add(1);
                if *begun == PRELUDE {
                    match lengths(prelude) {
                        Some((message, _)) => *left = message.saturating_sub(PRELUDE as u32),
                        None => *self = Self::Lost,
                    }
                }
                false
            }
            Self::Lost => false,
        }
    }
}

type Changed = Option<(Vec<u8>, Changes)>;

/// A document, or an item of an array of them with what stands before it.
fn item(held: &[u8]) -> Changed {
    let start = held.iter().position(|byte| *byte == b'{')?;
    let (before, document) = held.split_at_checked(start)?;
    let (document, changes) = silenced(document)?;
    Some(([before, &document].concat(), changes))
}

/// The lines of an event, each with its end.
fn lines(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let found = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
        let pair = bytes.get(found..)?.starts_with(b"\r\n");
        let end = found.saturating_add(1 + usize::from(pair)).min(bytes.len());
        let (line, rest) = bytes.split_at_checked(end)?;
        bytes = rest;
        (!line.is_empty()).then_some(line)
    })
}

/// An event, with the lines that are no data and the ends of lines as they are. Data in several lines becomes one.
fn event(held: &[u8]) -> Changed {
    const DATA: &[u8] = b"data:";
    let data: Vec<_> = lines(held).filter_map(|line| line.strip_prefix(DATA)).collect();
    // Several lines that are one document end it with the last.
    if let Some((_, before)) = data.split_last()
        && is_over(&before.concat())
    {
        return each(held);
    }
    let (mut document, changes) = silenced(data.concat().trim_ascii_end())?;
    // Ends of lines between its pieces: blanks to JSON.
    document.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    let (mut out, mut document) = (Vec::with_capacity(held.len()), Some(document));
    for line in lines(held) {
        if !line.starts_with(DATA) {
            out.extend_from_slice(line);
        } else if let Some(document) = document.take() {
            let end = line.get(line.trim_ascii_end().len()..).unwrap_or(b"");
            out.extend([DATA, &document, end].concat());
        }
    }
    Some((out, changes))
}

/// Events of a server that leaves blank lines out: each line of data is one.
fn each(held: &[u8]) -> Changed {
    let (mut out, mut changes) = (Vec::with_capacity(held.len()), Changes::default());
    for line in lines(held) {
        match event(line) {
            Some((event, made)) => {
                out.extend(event);
                changes.join(made);
            }
            None => out.extend_from_slice(line),
        }
    }
    (!changes.is_empty()).then_some((out, changes))
}

/// A message of the AWS event stream, with the headers that it had.
fn message(held: &[u8]) -> Changed {
    let (message, headers) = lengths(held.first_chunk()?)?;
    let begin = PRELUDE.saturating_add(headers as usize);
    let end = (message as usize).saturating_sub(TRAILER);
    let payload = held.get(begin..end)?;
    let (payload, changes) = silenced(payload).or_else(|| carried(payload))?;
    let length = u32::try_from(payload.len().saturating_add(begin).saturating_add(TRAILER)).ok()?;
    let mut out = [length.to_be_bytes(), headers.to_be_bytes()].concat();
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(held.get(PRELUDE..begin)?);
    out.extend_from_slice(&payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    Some((out, changes))
}

/// An event that Bedrock's InvokeModelWithResponseStream carries.
fn carried(payload: &[u8]) -> Changed {
    let text = std::str::from_utf8(payload).ok()?;
    let mut reader = Reader::new(text);
    let _ = reader.object();
    while let Some(key) = reader.key() {
        if key == "bytes" && reader.peek() == Token::String {
            let from = reader.place().saturating_add(1);
            let mut event = Vec::new();
            base64::decode(reader.short()?.as_bytes(), &mut event);
            let (event, changes) = silenced(&event)?;
            let (before, rest) = (text.get(..from)?, text.get(reader.past().checked_sub(1)?..)?);
            let event = base64::encode(&event);
            return Some(([before.as_bytes(), event.as_bytes(), rest.as_bytes()].concat(), changes));
        }
    }
    None
}
