//! What remains of a request: keyed digests and small numbers.

pub mod key;

use crate::{route::Route, rules::Config};

/// A request, digested.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The body could not be read (no JSON, unknown codec).
    pub unread: bool,
    /// Only its beginning was read.
    pub truncated: bool,
}

impl Reading {
    /// Reads and digests a body.
    #[must_use]
    pub fn of(_route: &Route, _body: &[u8], whole: bool, _config: &Config) -> Self {
        Self { unread: false, truncated: !whole }
    }
}
