//! What people and their tools ask for: health, metrics, who runs what, campaigns, rules.

use super::candidate;
use super::duty::{CAMPAIGNS, DUTY};
use super::hold;
use super::http::refused;
use super::metrics;
use super::shared::Shared;
use crate::clock::now;
use crate::store::{Outcome, Seen};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

/// Milliseconds after which a filter that is not heard of is no longer listed.
const GONE: u64 = 60_000;
/// Milliseconds that filters have to take a bundle over.
const PROMPT: u64 = 5_000;

type App = State<Arc<Shared>>;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|state| answer(state, ready)))
        .route("/metrics", get(|state| answer(state, prometheus)))
        .route("/v1/status", get(|state| answer(state, status)))
        .route("/v1/campaigns", get(|state| answer(state, campaigns)))
        .route("/v1/rules/history", get(|state| answer(state, history)))
        .route("/v1/audit", get(|state| answer(state, audit)))
}

/// The rules in force; changed under the same path.
pub(super) async fn rules_in_force(state: App) -> Response {
    answer(state, rules).await
}

/// Asks the store, away from the threads that serve.
async fn answer(State(shared): App, ask: fn(&Shared) -> Outcome<Response>) -> Response {
    let asked = tokio::task::spawn_blocking(move || shared.heed(ask(&shared))).await;
    match asked {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "a bug"),
    }
}

fn json(value: &Value) -> Response {
    axum::Json(value).into_response()
}

/// Ready: the store answers.
fn ready(shared: &Shared) -> Outcome<Response> {
    shared.store.waiting().map(|_| "ready\n".into_response())
}

fn prometheus(shared: &Shared) -> Outcome<Response> {
    // Told also while the store is away: that it is away is what they tell.
    if let Ok(waiting) = shared.store.waiting() {
        metrics::set(&shared.metrics.waiting, waiting);
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], shared.metrics.text()).into_response())
}

fn status(shared: &Shared) -> Outcome<Response> {
    let at = now();
    let current = shared.store.current()?;
    let (requests, accounts) = shared.store.today(at)?;
    let duty: Value = stored(shared, DUTY)?;
    let rules = candidate::in_force(&*shared.store)?;
    let last = candidate::outcome(&*shared.store)?;
    let version = current.as_ref().map_or(0, |edition| edition.version);
    let published = current.as_ref().map_or(0, |edition| edition.at);
    let behind = |seen: &Seen| seen.rules < version && at.saturating_sub(published) > PROMPT;
    let filters: Vec<Value> = shared
        .store
        .senders(at.saturating_sub(GONE))?
        .iter()
        .map(|seen| {
            json!({
                "name": seen.name, "process": format!("{:016x}", seen.process), "worker": format!("{:016x}", seen.sender),
                "version": seen.rules, "lost": seen.lost, "heard_seconds_ago": at.saturating_sub(seen.at) / 1_000,
                "behind": behind(seen),
            })
        })
        .collect();
    Ok(json(&json!({
        "sidecar": shared.name, "public_key": shared.public_key(),
        "bundle": {
            "version": version, "published": published, "note": current.map(|edition| edition.note),
            "expires": shared.served().map(|served| served.manifest.expires),
        },
        "rules": rules.map(|rules| json!({ "number": rules.number, "by": rules.who, "note": rules.note, "at": rules.at })),
        "last_submission": last, "held_back": hold::held(&*shared.store)?,
        "duty": duty, "batches_waiting": shared.store.waiting()?,
        "today": { "requests": requests, "accounts": accounts },
        "filters": filters,
    })))
}

fn stored(shared: &Shared, key: &str) -> Outcome<Value> {
    Ok(shared.store.get(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null))
}

fn campaigns(shared: &Shared) -> Outcome<Response> {
    let told = stored(shared, CAMPAIGNS)?;
    Ok(json(&json!({ "campaigns": if told.is_null() { json!([]) } else { told } })))
}

/// The rules in force, as they were written.
fn rules(shared: &Shared) -> Outcome<Response> {
    let Some(rules) = candidate::in_force(&*shared.store)? else {
        let built_in = azeotrope_engine::rules::Kind::Rules.defaults();
        return Ok(([(header::ETAG, "\"0\"".to_owned())], axum::Json(built_in)).into_response());
    };
    let headers =
        [(header::ETAG, format!("\"{}\"", rules.number)), (header::CONTENT_TYPE, "application/json".to_owned())];
    Ok((headers, rules.document).into_response())
}

fn history(shared: &Shared) -> Outcome<Response> {
    let entries: Vec<Value> = candidate::history(&*shared.store)?
        .iter()
        .map(|entry| json!({ "number": entry.number, "at": entry.at, "by": entry.who, "note": entry.note }))
        .collect();
    Ok(json(&json!({ "rules": entries })))
}

fn audit(shared: &Shared) -> Outcome<Response> {
    const MOST: usize = 1_000;
    let entries: Vec<Value> = shared
        .store
        .audits(MOST)?
        .iter()
        .map(|entry| json!({ "at": entry.at, "who": entry.who, "what": entry.what }))
        .collect();
    Ok(json(&json!({ "audit": entries })))
}
