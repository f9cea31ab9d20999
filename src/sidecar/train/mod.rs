//! Training of the content model: samples in, a calibrated and quantised [`Model`] out.
//!
//! Logistic regression by AdaGrad (Duchi, Hazan and Singer, 2011) over the engine's own features. Every source weighs the
//! same and both sides weigh the same, so that a score is a log-likelihood ratio: what the wording says, before how
//! common harvests are. Calibrated (Platt, 1999) on repositories that were held out whole: rows of one template leak into
//! each other, templates of one hand, too, and a model judged on what it has half seen believes itself. Then tempered: requests of one
//! template are no independent witnesses.
//!
//! [`Model`]: azeotrope_engine::evidence::wording::Model

pub(crate) mod fit;
pub(crate) mod report;
pub(crate) mod samples;
