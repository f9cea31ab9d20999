//! The second tier: joins accounts into named campaigns.

pub mod generations;
pub mod population;
