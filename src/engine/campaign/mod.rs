//! The second tier: joins accounts into named campaigns.
//!
//! It sees one observation an exchange, from all proxies. Accounts gather in [`group`]s by what they share: keys of
//! their skeletons, their client's settings, their prompts' membership in public sets, and, where nothing is shared by
//! more than a few, by being set up alike as those they meet (`kin`). A group whose evidence is strong
//! enough names a campaign ([`named`]); from then on each account is held against the campaign by naive Bayes over its
//! keys, client and wording, and linked as soon as that is sure. Groups in which linked accounts meet are attached to the
//! campaign, which is how it follows a template that changes. What changes hands ([`ledger`]) links directly.
//!
//! Every map is bounded ([`Limits`]); an observation costs a bounded number of steps; nothing is quadratic.

pub mod account;
mod codec;
pub mod criteria;
pub(crate) mod derived;
pub mod feed;
mod gathering;
pub mod generations;
pub mod group;
mod heard;
pub mod joiner;
mod kin;
pub mod ledger;
mod linking;
pub mod named;
mod naming;
pub mod population;
mod retention;
pub mod rhythm;
mod rotation;
pub mod union;

pub use criteria::{Criteria, LINK, TELLING, below_a_block};
pub use feed::{Change, Feed};
pub use joiner::{Joiner, Limits};

#[cfg(test)]
mod tests;
