//! How much of a request body is awaited and read, and whether that is all of it.
//!
//! Where headers are held, the host holds the body too and the module takes it over in one piece when it decides: a slow
//! client costs the module no memory. Where they are streamed on, so is the body, because a host that is asked to hold
//! more than its buffer limit refuses the request; its beginning is copied as it passes, and the last piece is not let go
//! before the verdict.

use crate::share::{BODIES, Share};

/// Pieces become one up to so many bytes; larger ones stay as they came, for what grows asks for twice of what it has.
const PIECE: usize = 16 << 10;

/// The beginning of a body, as far as it was copied while it passed: its pieces, none of them empty.
#[derive(Debug)]
pub(crate) struct Copied {
    pieces: Vec<Vec<u8>>,
    share: Share,
}

impl Default for Copied {
    fn default() -> Self {
        Self { pieces: Vec::new(), share: Share::new(&BODIES) }
    }
}

impl Copied {
    fn add(&mut self, bytes: Vec<u8>) {
        self.share.add(bytes.len());
        match self.pieces.last_mut() {
            _ if bytes.is_empty() => {}
            Some(last) if last.len().saturating_add(bytes.len()) <= PIECE => last.extend_from_slice(&bytes),
            _ => self.pieces.push(bytes),
        }
    }

    /// All in one piece.
    fn joined(&mut self) -> &[u8] {
        if self.pieces.len() > 1 {
            self.pieces = vec![self.pieces.concat()];
        }
        self.pieces.first().map_or(&[], Vec::as_slice)
    }
}

/// Where a body is while it is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// With the host, all that came so far, and the headers too.
    Held,
    /// With the host, though the headers have gone.
    Gathered,
    /// On its way upstream.
    Streamed,
}

/// The body of one request as it arrives.
#[derive(Debug)]
pub(crate) struct Body {
    /// Bytes that are inspected at most.
    limit: usize,
    /// What `content-length` announces.
    length: Option<usize>,
    /// Bytes that have come so far.
    come: usize,
    copied: Copied,
}

/// What to do about a piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Bytes to read from the beginning of what the host shows now, and to give to [`Body::keep`].
    pub(crate) read: usize,
    /// Decide now; `whole`: what was kept then is all there is.
    pub(crate) decide: Option<Whole>,
}

/// Whether what was kept of a body is all of it.
pub(crate) type Whole = bool;

impl Body {
    /// A body of which `limit` bytes are inspected at most and `length` are announced.
    pub(crate) fn new(limit: usize, length: Option<usize>) -> Self {
        Self { limit, length, come: 0, copied: Copied::default() }
    }

    /// A piece has come. `size`: bytes that the host shows, of a streamed body of this piece only; `ended`: nothing follows.
    pub(crate) fn arrived(&mut self, size: usize, ended: bool, at: At) -> Step {
        let streamed = at == At::Streamed;
        let before = if streamed { self.come } else { 0 };
        self.come = before.saturating_add(size);
        // The end of stream may come as an empty piece of its own, after upstream has had every byte.
        let complete = ended || self.length.is_some_and(|length| self.come >= length);
        let read = size.min(self.limit.saturating_sub(before));
        let crowded = streamed && !self.copied.share.fits(read);
        let decided = complete || crowded || self.come >= self.limit;
        Step {
            read: if decided || streamed { read } else { 0 },
            decide: decided.then_some(complete && self.come <= self.limit),
        }
    }

    /// Trailers have come: nothing follows.
    pub(crate) fn ended(&self, at: At) -> Step {
        let read = match at {
            At::Held => self.come.min(self.limit),
            // Its pieces may have come to others, who would have decided at the limit.
            At::Gathered => self.limit,
            At::Streamed => 0,
        };
        Step { read, decide: Some(self.come <= self.limit) }
    }

    /// Keeps what was read.
    pub(crate) fn keep(&mut self, bytes: Vec<u8>) {
        self.copied.add(bytes);
    }

    /// What was kept.
    pub(crate) fn bytes(&mut self) -> &[u8] {
        self.copied.joined()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::MOST;

    const HELD: At = At::Held;
    const GATHERED: At = At::Gathered;
    const STREAMED: At = At::Streamed;

    fn wait(read: usize) -> Step {
        Step { read, decide: None }
    }

    fn decide(read: usize, whole: bool) -> Step {
        Step { read, decide: Some(whole) }
    }

    #[test]
    fn a_held_body_is_read_once_when_it_ends() {
        let mut body = Body::new(100, None);
        assert_eq!(body.arrived(10, false, HELD), wait(0));
        assert_eq!(body.arrived(60, false, HELD), wait(0));
        assert_eq!(body.arrived(60, true, HELD), decide(60, true));
    }

    #[test]
    fn a_streamed_body_is_copied_as_it_passes() {
        let mut body = Body::new(100, None);
        assert_eq!(body.arrived(10, false, STREAMED), wait(10));
        assert_eq!(body.arrived(60, false, STREAMED), wait(60));
        assert_eq!(body.arrived(0, true, STREAMED), decide(0, true));
    }

    #[test]
    fn the_last_announced_byte_is_not_let_go_before_the_verdict() {
        let mut body = Body::new(100, Some(70));
        assert_eq!(body.arrived(10, false, STREAMED), wait(10));
        assert_eq!(body.arrived(60, false, STREAMED), decide(60, true));
        assert_eq!(Body::new(100, Some(70)).arrived(70, false, HELD), decide(70, true));
    }

    #[test]
    fn a_big_body_is_judged_as_soon_as_the_limit_is_there() {
        let mut body = Body::new(100, Some(5_000));
        assert_eq!(body.arrived(99, false, HELD), wait(0));
        assert_eq!(body.arrived(250, false, HELD), decide(100, false));
        let mut body = Body::new(100, Some(5_000));
        assert_eq!(body.arrived(99, false, STREAMED), wait(99));
        assert_eq!(body.arrived(250, false, STREAMED), decide(1, false));
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_whole_only_if_it_ended() {
        assert_eq!(Body::new(100, None).arrived(100, true, HELD), decide(100, true));
        assert_eq!(Body::new(100, None).arrived(100, false, HELD), decide(100, false));
        assert_eq!(Body::new(100, None).arrived(101, true, HELD), decide(100, false));
    }

    #[test]
    fn trailers_end_a_body() {
        assert_eq!(Body::new(100, None).ended(HELD), decide(0, true));
        let mut body = Body::new(100, None);
        body.arrived(42, false, HELD);
        assert_eq!(body.ended(HELD), decide(42, true));
        let mut body = Body::new(100, None);
        body.arrived(42, false, STREAMED);
        assert_eq!(body.ended(STREAMED), decide(0, true));
        let mut body = Body::new(100, None);
        assert_eq!(body.arrived(42, false, GATHERED), wait(0));
        assert_eq!(body.ended(GATHERED), decide(100, true), "all that the host shows");
    }

    #[test]
    fn what_was_kept_is_in_order_whatever_its_pieces_were() {
        for sizes in [&[][..], &[0], &[1, 0, 2], &[PIECE, 1, 0, PIECE - 1, 1, 3 * PIECE, 5], &[7; 10_000]] {
            let (mut body, mut all) = (Body::new(usize::MAX, None), Vec::new());
            for (size, mark) in sizes.iter().zip((0..=u8::MAX).cycle()) {
                body.keep(vec![mark; *size]);
                all.extend(vec![mark; *size]);
            }
            // Few pieces, however many came.
            assert!(body.copied.pieces.len() <= 1 + 2 * all.len() / PIECE);
            assert_eq!((body.bytes(), BODIES.get()), (&all[..], all.len()));
            drop(body);
            assert_eq!(BODIES.get(), 0);
        }
    }

    #[test]
    fn all_copies_together_stay_within_their_bound() {
        let piece = MOST / 4;
        let mut bodies: Vec<_> = (0..4).map(|_| Body::new(usize::MAX, None)).collect();
        for body in &mut bodies {
            assert_eq!(body.arrived(piece, false, STREAMED).decide, None);
            body.keep(vec![0; piece]);
        }
        assert_eq!(Body::new(100, None).arrived(1, false, STREAMED), decide(1, false));
        drop(bodies);
        assert_eq!(Body::new(100, None).arrived(1, false, STREAMED), wait(1));
    }
}
