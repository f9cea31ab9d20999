//! Small fixed-size summaries, and the fixed number of pages they live in.
//!
//! Everything here works in place on little-endian bytes, never grows, never allocates by traffic, and gives the same
//! numbers on every host: integers, or `f64` additions and multiplications in a fixed order, no library functions.
//! Bytes are never trusted: any content of a slot is a valid (if wrong) sketch, and a slice that is too short reads as
//! zero and drops what is written. An all-zero slice is every sketch's empty state.
//!
//! | sketch | bytes | keeps | loses |
//! |---|---|---|---|
//! | [`decay::DecayingCounter`] | 8 | events, weighted by how recent they are | when each happened; up to 2.2% |
//! | [`hll::Hll`] | 12, 48 | how many distinct things; exactly up to 3, 15 | which; about 30%, 13% beyond |
//! | [`table::Table`] | by configuration | a slot for each of the heaviest and latest keys | light old keys under pressure |
//!
//! A table's slot is laid out by its user; [`fields::Fields`] reads and writes the parts.

pub mod decay;
pub mod fields;
pub mod hll;
mod page;
pub mod table;
