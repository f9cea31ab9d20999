//! How much of a request body is awaited, and whether what was read is all of it.
//!
//! Nothing is copied while a body arrives: the host holds it (Envoy within its buffer limit) and the module takes it over
//! in one piece when it decides. A slow or idle client therefore costs the module no memory, which in wasm would never be
//! given back.

/// The body of one request as it arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    /// Bytes that are inspected at most.
    limit: usize,
    /// Bytes the host holds so far.
    held: usize,
}

/// What to do about a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Not enough yet: hold it.
    Wait,
    /// Read the first `size` bytes and decide. `whole`: that is all there is.
    Read {
        /// Bytes to read.
        size: usize,
        /// Nothing follows them.
        whole: bool,
    },
}

impl Body {
    /// A body of which `limit` bytes are inspected at most.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, held: 0 }
    }

    /// The host holds `held` bytes now (all so far, not just the last chunk); `ended`: nothing follows.
    pub(crate) fn arrived(&mut self, held: usize, ended: bool) -> Next {
        self.held = held;
        if ended || held >= self.limit { self.read(ended) } else { Next::Wait }
    }

    /// As [`Body::arrived`], but nothing more can be awaited.
    pub(crate) fn arrived_last(&mut self, held: usize, ended: bool) -> Next {
        self.held = held;
        self.read(ended)
    }

    /// Trailers have come: nothing follows what is held.
    pub(crate) fn ended(&self) -> Next {
        self.read(true)
    }

    fn read(&self, ended: bool) -> Next {
        Next::Read { size: self.held.min(self.limit), whole: ended && self.held <= self.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_body_is_read_once_when_it_ends() {
        let mut body = Body::new(100);
        assert_eq!(body.arrived(10, false), Next::Wait);
        assert_eq!(body.arrived(60, false), Next::Wait);
        assert_eq!(body.arrived(60, true), Next::Read { size: 60, whole: true });
    }

    #[test]
    fn a_big_body_is_read_as_soon_as_the_limit_is_there() {
        let mut body = Body::new(100);
        assert_eq!(body.arrived(99, false), Next::Wait);
        assert_eq!(body.arrived(250, false), Next::Read { size: 100, whole: false });
        assert_eq!(Body::new(100).arrived(250, true), Next::Read { size: 100, whole: false });
    }

    #[test]
    fn a_body_of_exactly_the_limit_is_whole_only_if_it_ended() {
        assert_eq!(Body::new(100).arrived(100, true), Next::Read { size: 100, whole: true });
        assert_eq!(Body::new(100).arrived(100, false), Next::Read { size: 100, whole: false });
    }

    #[test]
    fn trailers_end_a_body() {
        let mut body = Body::new(100);
        assert_eq!(body.ended(), Next::Read { size: 0, whole: true });
        assert_eq!(body.arrived(42, false), Next::Wait);
        assert_eq!(body.ended(), Next::Read { size: 42, whole: true });
    }
}
