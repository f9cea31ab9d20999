//! Answers, plain and streamed, read as they pass: what they cost, how they ended and which blobs they gave out.
//!
//! Nothing is held back or kept: a [`Reader`] takes pieces of any size, remembers where it is, and needs the same few
//! hundred bytes for an answer of any length. [`crate::dialect::read_answer`] reads the same of a whole document.

pub(crate) mod frames;
pub(crate) mod place;
mod scan;
mod sse;
mod taken;
mod text;

#[cfg(test)]
pub(crate) mod tests;

pub use taken::{BYTES_OF_A_TOKEN, Taken};

use crate::digest::key::DigestKey;
use frames::Frames;
use scan::Scanner;
use sse::Events;
use taken::Taking;

/// How an answer is cut into events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// One JSON document, or an array of them.
    #[default]
    Json,
    /// Server-sent events.
    Events,
    /// The AWS event stream.
    Frames,
}

impl Framing {
    /// The framing that a `content-type` names; what is unknown is taken for JSON.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Self {
        let begins = |name: &[u8]| content_type.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if begins(b"text/event-stream") {
            Self::Events
        } else if begins(b"application/vnd.amazon.eventstream") {
            Self::Frames
        } else {
            Self::Json
        }
    }
}

/// Whether a JSON document is over within `bytes`, as [`Reader`] takes it: what stands behind it is none of it.
pub(crate) fn is_over(bytes: &[u8]) -> bool {
    let mut scanner = Scanner::new(false);
    scanner.feed(bytes, &mut Taking::new(DigestKey::default()));
    scanner.whole()
}

/// Reads an answer as it passes.
#[derive(Debug)]
pub struct Reader {
    framing: Cutter,
    scanner: Scanner,
    taking: Taking,
    /// How much of `[DONE]` an event has been so far.
    done: usize,
}

#[derive(Debug)]
enum Cutter {
    Json,
    Events(Events),
    Frames(Frames),
}

/// What ends a stream of OpenAI's in place of an event.
const DONE: &[u8] = b"[DONE]";

impl Reader {
    /// Begins an answer, to be given as its client will read it: without `content-encoding`. `key`: the key of blobs'
    /// digests.
    #[must_use]
    pub fn new(framing: Framing, key: DigestKey) -> Self {
        let cutter = match framing {
            Framing::Json => Cutter::Json,
            Framing::Events => Cutter::Events(Events::default()),
            Framing::Frames => Cutter::Frames(Frames::default()),
        };
        Self { framing: cutter, scanner: Scanner::new(framing == Framing::Frames), taking: Taking::new(key), done: 0 }
    }

    /// Goes on with the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        let Self { framing, scanner, taking, done } = self;
        match framing {
            Cutter::Json => scanner.feed(bytes, taking),
            Cutter::Events(events) => events.feed(bytes, &mut |piece| match piece {
                // A document that was whole before this line: a server that leaves blank lines out.
                sse::Piece::Line if scanner.whole() => end(scanner, taking, done),
                sse::Piece::Line => {}
                sse::Piece::Data(data) => {
                    follow_done(done, data);
                    scanner.feed(data, taking);
                }
                sse::Piece::End => end(scanner, taking, done),
            }),
            Cutter::Frames(frames) => frames.feed(bytes, &mut |piece| match piece {
                frames::Piece::Data(data) => scanner.feed(data, taking),
                frames::Piece::End => end(scanner, taking, done),
            }),
        }
    }

    /// What was taken, at whatever point the answer ended.
    #[must_use]
    pub fn finish(mut self) -> Taken {
        let whole = match &self.framing {
            Cutter::Json => self.scanner.whole(),
            Cutter::Events(_) => self.taking.ended || self.done == DONE.len(),
            Cutter::Frames(frames) => {
                self.taking.taken.unread = self.taking.taken.unread.saturating_add(u32::from(frames.lost()));
                self.taking.ended && frames.between()
            }
        };
        self.taking.finish(whole)
    }
}

/// Ends an event.
fn end(scanner: &mut Scanner, taking: &mut Taking, done: &mut usize) {
    let over = *done == DONE.len();
    let fine = scanner.restart() || over;
    taking.ended |= over;
    taking.taken.unread = taking.taken.unread.saturating_add(u32::from(!fine));
    taking.event();
    *done = 0;
}

/// Goes on with how much of `[DONE]` an event is: all of it only once the event is over.
fn follow_done(done: &mut usize, data: &[u8]) {
    for byte in data {
        // One past the end: it is something else.
        *done = if DONE.get(*done) == Some(byte) { done.saturating_add(1) } else { usize::MAX };
    }
}
