//! Evidence, one file a family: what it sees, what it needs, and how many nats it is worth.

pub mod content;
