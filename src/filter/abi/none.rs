//! In place of `state`, for hosts that keep nothing between requests (`--no-default-features`): the module asks nothing of
//! them that they do not have, and what it would have asked is answered here.

use super::{Kind, Status};

/// No such function.
pub(crate) fn foreign(_name: &str, _argument: &[u8]) -> Result<Vec<u8>, Status> {
    Err(Status::NOT_FOUND)
}

/// No shared data: every value is one that does not exist.
pub(crate) fn shared(_key: &str) -> Result<(Vec<u8>, u32), Status> {
    Err(Status::NOT_FOUND)
}

/// No shared data to write to.
pub(crate) fn set_shared(_key: &str, _value: &[u8], _cas: u32) -> Result<(), Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No other services.
pub(crate) fn call(_cluster: &str, _headers: &[u8], _body: &[u8], _timeout: u32) -> Result<u32, Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No timer, so headers are not held to find out whether they can be.
pub(crate) fn set_tick(_period: u32) -> Result<(), Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No other contexts.
pub(crate) fn enter(_context: u32) -> Result<(), Status> {
    Err(Status::NOT_FOUND)
}

/// Nothing that a timer would let go of.
pub(crate) fn resume_request() -> Result<(), Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No metrics.
pub(crate) fn define(_kind: Kind, _name: &str) -> Result<u32, Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No metrics.
pub(crate) fn record(_id: u32, _value: u64) -> Result<(), Status> {
    Err(Status::UNIMPLEMENTED)
}

/// No metrics.
pub(crate) fn increment(_id: u32, _by: i64) -> Result<(), Status> {
    Err(Status::UNIMPLEMENTED)
}
