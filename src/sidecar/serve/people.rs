//! What people and their tools ask for: health, metrics, who runs what, campaigns, rules.

use super::access::{Peer, Role};
use super::answering::PAGE;
use super::ask::{Question, Sort, ask};
use super::candidate;
use super::duty::{CAMPAIGNS, DUTY, TRAFFIC};
use super::hold;
use super::http::refused;
use super::metrics;
use super::ruling::{Kept, document};
use super::shared::Shared;
use super::traffic::{Step, Traffic};
use crate::clock::now;
use crate::store::{Audit, Outcome, Seen, get_json};
use axum::Router;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use azeotrope_engine::rules::DigestName;
use azeotrope_engine::time::{DAY, MINUTE, SECOND};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Milliseconds after which a filter that is not heard of is gone; it is told of for a day.
const GONE: u64 = MINUTE;
/// Milliseconds that filters have to take a bundle over.
const PROMPT: u64 = 5 * SECOND;

type App = State<Arc<Shared>>;

/// What needs no login ever: nothing in it is about anybody.
pub(super) fn open() -> Router<Arc<Shared>> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|state| answer(state, ready)))
        .route("/metrics", get(|state| answer(state, prometheus)))
        .route("/v1/session", get(session))
}

/// What may be read.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/status", get(|state| answer(state, status)))
        .route("/v1/traffic", get(traffic))
        .route("/v1/campaigns", get(|state| answer(state, campaigns)))
        .route("/v1/campaigns/{name}", get(campaign))
        .route("/v1/accounts/{account}", get(account))
        .route("/v1/rules", get(|state| answer(state, rules)))
        .route("/v1/rules/history", get(|state| answer(state, history)))
        .route("/v1/rules/history/{number}", get(kept))
        .route("/v1/audit", get(audit))
        .merge(super::admin::questions())
}

/// Asks the store, away from the threads that serve.
async fn answer(State(shared): App, ask: impl FnOnce(&Shared) -> Outcome<Response> + Send + 'static) -> Response {
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
    let duty: Option<Value> = get_json(&*shared.store, DUTY)?;
    let rules = candidate::in_force(&*shared.store)?;
    let last = candidate::outcome(&*shared.store)?;
    let version = current.as_ref().map_or(0, |edition| edition.version);
    let published = current.as_ref().map_or(0, |edition| edition.at);
    let behind = |seen: &Seen| seen.rules < version && at.saturating_sub(published) > PROMPT;
    let heard = shared.store.senders(at.saturating_sub(DAY))?;
    let filters: Vec<Value> = heard
        .iter()
        .filter(|seen| at.saturating_sub(seen.at) <= GONE)
        .map(|seen| {
            json!({
                "name": seen.name, "process": format!("{:016x}", seen.process),
                // Not the number that it sends under: who has that and the token could send in its place.
                "worker": format!("{:016x}", shared.signer.alias(seen.sender)),
                "version": seen.rules, "lost": seen.lost, "heard_seconds_ago": at.saturating_sub(seen.at) / 1_000,
                "behind": behind(seen),
            })
        })
        .collect();
    let document = document(&rules.clone().unwrap_or_default(), &Kept::of(&*shared.store)?);
    Ok(json(&json!({
        "now": at, "sidecar": shared.name, "public_key": shared.public_key(),
        "bundle": {
            "version": version, "published": published, "note": current.map(|edition| edition.note),
            "expires": shared.served().map(|served| served.manifest.expires),
        },
        "rules": rules.map(|rules| json!({ "number": rules.number, "by": rules.who, "note": rules.note, "at": rules.at })),
        "thresholds": {
            "observe": document.thresholds.observe.number(), "throttle": document.thresholds.throttle.number(),
            "block": document.thresholds.block.number(), "kept": document.keep.enabled,
        },
        "last_submission": last, "held_back": hold::held(&*shared.store)?,
        "duty": duty, "batches_waiting": shared.store.waiting()?,
        "today": { "requests": requests, "accounts": accounts },
        "filters": filters, "gone": gone(&heard, at),
    })))
}

/// Proxies of which no worker is heard of any more. Workers come and go with each start; a name stays.
fn gone(heard: &[Seen], now: u64) -> Vec<Value> {
    let mut last = BTreeMap::new();
    heard.iter().for_each(|seen| {
        let at = last.entry(seen.name.as_str()).or_insert(seen.at);
        *at = seen.at.max(*at);
    });
    let gone = last.into_iter().map(|(name, at)| (name, now.saturating_sub(at))).filter(|(_, ago)| *ago > GONE);
    gone.map(|(name, ago)| json!({ "name": name, "heard_seconds_ago": ago / 1_000 })).collect()
}

fn campaigns(shared: &Shared) -> Outcome<Response> {
    let told: Option<Value> = get_json(&*shared.store, CAMPAIGNS)?;
    Ok(json(&json!({ "campaigns": told.unwrap_or_else(|| json!([])) })))
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

/// A document that was in force.
async fn kept(state: App, Path(number): Path<u64>) -> Response {
    answer(state, move |shared| {
        Ok(match candidate::document(&*shared.store, number)? {
            Some(rules) => ([(header::CONTENT_TYPE, "application/json")], rules.document).into_response(),
            None => refused(StatusCode::NOT_FOUND, &format!("rules {number} are not kept")),
        })
    })
    .await
}

/// A page: what is left out before it, and how much is on it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Page {
    offset: usize,
    limit: Option<usize>,
    sort: Sort,
}

impl Page {
    fn limit(&self, otherwise: usize, most: usize) -> usize {
        self.limit.unwrap_or(otherwise).min(most)
    }
}

/// The audit trail, the newest first.
async fn audit(state: App, Query(page): Query<Page>) -> Response {
    /// Entries that are told at once unless fewer are asked for; and at most.
    const OTHERWISE: usize = 1_000;
    const MOST: usize = 10_000;
    answer(state, move |shared| {
        let limit = page.limit(OTHERWISE, MOST);
        let found = shared.store.audits(page.offset.saturating_add(limit).saturating_add(1).min(MOST))?;
        let more = found.len() > page.offset.saturating_add(limit);
        let entries: Vec<Value> = found
            .iter()
            .skip(page.offset)
            .take(limit)
            .map(|Audit { at, who, what, through, before, after, changes }| {
                json!({
                    "at": at, "who": who, "what": what, "through": through, "before": before, "after": after,
                    "changes": changes,
                })
            })
            .collect();
        Ok(json(&json!({ "audit": entries, "more": more })))
    })
    .await
}

/// Which traffic is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Span {
    step: Step,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    since: u64,
}

/// Traffic over time.
async fn traffic(state: App, Query(span): Query<Span>) -> Response {
    answer(state, move |shared| {
        let bytes = shared.store.get(TRAFFIC)?.unwrap_or_default();
        let traffic: Traffic = postcard::from_bytes(&bytes).unwrap_or_default();
        Ok(json(&json!({
            "now": now(), "step_milliseconds": span.step.milliseconds(),
            "columns": ["at", "allow", "observe", "throttle", "degrade", "block", "refused_upstream", "of_campaigns"],
            "rows": traffic.rows(span.step, span.since),
        })))
    })
    .await
}

/// A campaign with a page of its accounts.
async fn campaign(State(shared): App, Path(name): Path<String>, Query(page): Query<Page>) -> Response {
    let limit = page.limit(100, PAGE);
    told(ask(shared, Question::Campaign { name, sort: page.sort, offset: page.offset, limit }).await)
}

/// What is known of an account.
async fn account(State(shared): App, Path(account): Path<String>) -> Response {
    match DigestName::parse(&account) {
        Some(DigestName(account)) => told(ask(shared, Question::Account(account)).await),
        None => refused(StatusCode::BAD_REQUEST, "no digest: 16 lower-case hexadecimal digits"),
    }
}

fn told(answer: Result<Value, super::admin::No>) -> Response {
    answer.map_or_else(IntoResponse::into_response, |value| json(&value))
}

/// Who asks, and what they may.
async fn session(State(shared): App, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Response {
    let access = &shared.access;
    let person = access.person(&headers, peer.map(|Extension(peer)| peer));
    let may_read = !access.login || person.role >= Role::Reader;
    let answer = json!({
        "sidecar": shared.name, "user": person.name, "role": person.role, "by": person.by,
        "may_read": may_read, "may_change": person.role == Role::Admin, "changes": access.changes(),
    });
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_gone_once_none_of_its_workers_is_heard_of() {
        let seen = |name: &str, at| Seen { sender: at, process: 1, name: name.to_owned(), rules: 1, lost: 0, at };
        let now = 10 * MINUTE;
        let heard = [seen("restarted", now), seen("lost", now - 3 * MINUTE), seen("restarted", 1), seen("lost", 2)];
        assert_eq!(gone(&heard, now), [json!({ "name": "lost", "heard_seconds_ago": 180 })]);
    }
}
