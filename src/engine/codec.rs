//! (being built)

/// A decoded body.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What came out.
    pub body: Vec<u8>,
    /// Nothing was left out.
    pub whole: bool,
}

/// Decodes a body.
#[must_use]
pub fn decode(_encoding: &[u8], _body: &[u8], _max_out: usize) -> Option<Decoded> {
    None
}
