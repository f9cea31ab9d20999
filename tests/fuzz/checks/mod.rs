//! One file a group of readers.

pub(crate) mod answer;
pub(crate) mod bundle;
pub(crate) mod caller;
pub(crate) mod degrade;
pub(crate) mod documents;
pub(crate) mod encoding;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod pages;
pub(crate) mod request;
pub(crate) mod wire;

use azeotrope_engine::dialect::Dialect;
use azeotrope_engine::engine::Engine;
use azeotrope_engine::route::Route;
use std::rc::Rc;

/// Rules that have every kind of knob in use: enforcing, budgets, degradation, a campaign, lists.
const FULL: &[u8] = include_bytes!("full.json");

thread_local! {
    static BUILT_IN: Rc<Engine> = compiled(b"{}");
    static ENFORCING: Rc<Engine> = compiled(FULL);
}

fn compiled(configuration: &[u8]) -> Rc<Engine> {
    let engine = Engine::new(configuration);
    assert!(engine.is_ok(), "{engine:?}");
    Rc::new(engine.unwrap_or_else(|_| std::process::abort()))
}

/// An engine as `{}` configures it.
fn built_in() -> Rc<Engine> {
    BUILT_IN.with(Rc::clone)
}

/// An engine of [`FULL`].
fn enforcing() -> Rc<Engine> {
    ENFORCING.with(Rc::clone)
}

/// A route of a dialect, with its model in the path where it has one there.
fn route(dialect: Dialect) -> Route {
    let model = if matches!(dialect, Dialect::Gemini | Dialect::Converse) { "model-of-the-path" } else { "" };
    Route { dialect, model: model.to_owned(), stream: false }
}

/// Whether a strict parser takes this for a JSON document.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
