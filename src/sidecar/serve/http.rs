//! What filters ask for: observations in, bundles out.

use super::metrics;
use super::shared::Shared;
use super::{access, admin, console, people, refusals};
use crate::clock::now;
use crate::store::{Appended, Seen};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use azeotrope_engine::bundle::Hash;
use azeotrope_engine::observation::{Batch, Event, Fate, MAX_BATCH, MAX_NAME};
use std::sync::Arc;

/// Longest reason of a refusal that is not our own, in bytes.
const REASON: usize = 4_096;

type App = State<Arc<Shared>>;

/// All paths.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let told = middleware::from_fn_with_state(Arc::clone(&shared), refusals::told);
    Router::new()
        .route("/v1/observations", post(observations).layer(told))
        .route("/v1/bundle", get(bundle))
        .route("/v1/parts/{hash}", get(part))
        .merge(people::open())
        .merge(people::router().route_layer(middleware::from_fn_with_state(Arc::clone(&shared), access::readers)))
        .merge(admin::router())
        .merge(console::router())
        .fallback(|| async { refused(StatusCode::NOT_FOUND, "no such path") })
        .layer(middleware::map_response(worded))
        .with_state(shared)
}

/// An answer that says what is wrong.
pub(super) fn refused(status: StatusCode, reason: &str) -> Response {
    (status, axum::Json(serde_json::json!({ "error": reason }))).into_response()
}

/// What axum refuses by itself (a query that cannot be read, a method that there is none of) in the form of all refusals.
async fn worded(answer: Response) -> Response {
    let status = answer.status();
    let json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !status.is_client_error() || json {
        return answer;
    }
    let (parts, said) = answer.into_parts();
    let said = to_bytes(said, REASON).await.unwrap_or_default();
    let said = match said.is_empty() {
        true => status.canonical_reason().unwrap_or("refused").to_lowercase(),
        false => String::from_utf8_lossy(&said).into_owned(),
    };
    let mut worded = refused(status, &said);
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_LENGTH {
            worded.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    worded
}

fn let_in(shared: &Shared, headers: &HeaderMap) -> Result<(), Box<Response>> {
    if shared.access.is_filter(headers) {
        return Ok(());
    }
    metrics::add(&shared.metrics.refused, 1);
    Err(refused(StatusCode::UNAUTHORIZED, "no valid token").into())
}

async fn observations(State(shared): App, headers: HeaderMap, sent: Body) -> Response {
    if let Err(refusal) = let_in(&shared, &headers) {
        return *refusal;
    }
    let sent = match shared.rooms.batches.read(sent, MAX_BATCH).await {
        Ok(sent) => sent,
        Err(refusal) => {
            // Where there is no room it comes again.
            let refused = refusal.status() != StatusCode::SERVICE_UNAVAILABLE;
            metrics::add(&shared.metrics.refused, u64::from(refused));
            return refusal;
        }
    };
    let taken = tokio::task::spawn_blocking(move || take(&shared, &sent.bytes)).await;
    taken.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "a bug"))
}

/// Takes a batch: it is kept when the answer says so.
fn take(shared: &Shared, bytes: &[u8]) -> Response {
    let batch = match Batch::decode(bytes) {
        Ok(batch) => batch,
        Err(refusal) => {
            metrics::add(&shared.metrics.refused, 1);
            return refused(StatusCode::BAD_REQUEST, &refusal.to_string());
        }
    };
    let header = &batch.header;
    let kept = match batch.observations.is_empty() {
        true => Ok(Appended::New),
        false => shared.heed(shared.store.append(header.sender, header.sequence, now(), bytes)),
    };
    let status = match kept {
        Ok(Appended::New) => {
            metrics::add(&shared.metrics.batches, 1);
            metrics::add(&shared.metrics.observations, batch.observations.len() as u64);
            StatusCode::ACCEPTED
        }
        // Sent again because the answer was lost: a filter counts this one as taken.
        Ok(Appended::Duplicate) => {
            metrics::add(&shared.metrics.duplicates, 1);
            return refused(StatusCode::CONFLICT, "this batch was taken before");
        }
        // And these as lost.
        Ok(out_of_order @ (Appended::Late | Appended::Leap)) => {
            metrics::add(&shared.metrics.refused, 1);
            let reason = match out_of_order {
                Appended::Leap => "the number of this batch is far beyond the one before it of this sender",
                _ => "a later batch of this sender was taken before this one",
            };
            return refused(StatusCode::BAD_REQUEST, reason);
        }
        Err(error) => return refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    };
    // What is only for show may fail.
    let _ = shared.heed(report(shared, &batch));
    status.into_response()
}

fn report(shared: &Shared, batch: &Batch) -> crate::store::Outcome<()> {
    let header = &batch.header;
    let seen = Seen {
        sender: header.sender,
        process: header.process,
        // Shown to people: who posts it may be anybody.
        name: access::bounded(&header.name, MAX_NAME),
        rules: header.rules,
        lost: header.lost,
        at: now(),
    };
    let mut accounts: Vec<u64> = Vec::new();
    let mut requests = 0;
    for observation in &batch.observations {
        if let Event::Request { caller, fate, .. } = &observation.event {
            requests += 1;
            // The key of what upstream refused for load may be made up.
            accounts.extend((*fate != Fate::RefusedForLoad).then_some(caller.account));
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    shared.store.report(&seen, requests, &accounts)
}

async fn bundle(State(shared): App, headers: HeaderMap) -> Response {
    if let Err(refusal) = let_in(&shared, &headers) {
        return *refusal;
    }
    let Some(served) = shared.served() else {
        return refused(StatusCode::NOT_FOUND, "nothing was published yet");
    };
    let tag = format!("\"{}\"", served.manifest.version);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    metrics::add(&shared.metrics.fetched, 1);
    let tag = HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let kind = HeaderValue::from_static("application/octet-stream");
    ([(header::ETAG, tag), (header::CONTENT_TYPE, kind)], served.edition.manifest.clone()).into_response()
}

async fn part(State(shared): App, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if let Err(refusal) = let_in(&shared, &headers) {
        return *refusal;
    }
    let Some(hash) = hash(&name) else { return refused(StatusCode::BAD_REQUEST, "no SHA-256 in hexadecimal") };
    let known = shared.served().and_then(|served| served.parts.get(&hash).cloned());
    let found = match known {
        Some(bytes) => Some(bytes),
        // Of the bundle before, or of one that this sidecar has not seen yet.
        None => tokio::task::spawn_blocking(move || shared.heed(shared.store.part(&hash)).ok().flatten())
            .await
            .ok()
            .flatten()
            .map(Bytes::from),
    };
    match found {
        Some(bytes) => {
            let forever = [(header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
            (forever, [(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
        }
        None => refused(StatusCode::NOT_FOUND, "no such part"),
    }
}

/// 64 hexadecimal digits.
fn hash(name: &str) -> Option<Hash> {
    let mut hash = [0_u8; 32];
    let (pairs, odd) = name.as_bytes().as_chunks::<2>();
    if pairs.len() != hash.len() || !odd.is_empty() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        let digit = |of: u8| char::from(of).to_digit(16);
        let [high, low] = *pair;
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_refusal_says_why_in_json() {
        let plain = (StatusCode::BAD_REQUEST, [(header::ALLOW, "GET")], "unknown field `x`").into_response();
        let own = refused(StatusCode::NOT_FOUND, "no such path");
        for (answer, status, reason) in [
            (plain, 400, "unknown field `x`"),
            (StatusCode::METHOD_NOT_ALLOWED.into_response(), 405, "method not allowed"),
            (own, 404, "no such path"),
        ] {
            let worded = worded(answer).await;
            assert_eq!(
                (worded.status().as_u16(), worded.headers().contains_key(header::ALLOW)),
                (status, status == 400)
            );
            let body = to_bytes(worded.into_body(), REASON).await.unwrap();
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["error"], reason);
        }
        let page = worded((StatusCode::OK, "ok").into_response()).await;
        assert_eq!(to_bytes(page.into_body(), REASON).await.unwrap(), "ok");
    }

    #[test]
    fn a_part_has_a_name_of_64_digits() {
        assert_eq!(hash(&"0f".repeat(32)), Some([0x0f; 32]));
        for wrong in ["", "0f", &"0g".repeat(32), &"0f".repeat(33), &"é".repeat(32)] {
            assert_eq!(hash(wrong), None, "{wrong}");
        }
    }
}
