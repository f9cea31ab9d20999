//! Changes of the rules: only by who may ([`access`]), each in the audit trail. And what rules would do, which changes
//! nothing.

use super::access::{self, Peer, bounded};
use super::ask::{self, Kind, Question};
use super::candidate::{self, Accepted, Submission, Turn};
use super::files;
use super::hold;
use super::http::refused;
use super::metrics;
use super::ruling::ended;
use super::shared::Shared;
use super::unknown;
use crate::clock::now;
use crate::store::{Audit, Unavailable};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the sidecar that has the duty may take to consider rules.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time between two looks at what becomes of them.
const LOOK: Duration = Duration::from_millis(50);
/// How long a change waits for those before it.
const TURN: Duration = Duration::from_secs(10);
/// Longest note, and longest name of who changes something, in characters.
const LONGEST: usize = 256;

type App = State<Arc<Shared>>;

/// What comes with a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wish {
    note: String,
    who: String,
    force: bool,
    /// The rules to go back to, 0 the built-in ones; none: those before the ones in force.
    to: Option<u64>,
}

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/rules", axum::routing::put(publish))
        .route("/v1/rules/rollback", post(rollback))
        .route("/v1/campaigns/release", post(release))
}

/// What may be asked by who may read.
pub(super) fn questions() -> Router<Arc<Shared>> {
    Router::new().route("/v1/rules/what-if", post(what_if))
}

/// Why a change was not made, or a question not answered.
pub(super) enum No {
    Store(Unavailable),
    Because(StatusCode, String),
    /// In an answer of its own.
    Problems(Box<Response>),
}

impl From<Unavailable> for No {
    fn from(error: Unavailable) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        match self {
            Self::Store(error) => refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
            Self::Because(status, reason) => refused(status, &reason),
            Self::Problems(answer) => *answer,
        }
    }
}

/// Who may change something, through what, and what comes with the change.
struct Admitted {
    who: String,
    through: &'static str,
    wish: Wish,
}

/// Lets in who may change something. A token without a name takes its holder's word for who that is.
impl FromRequestParts<Arc<Shared>> for Admitted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        let Query(wish) = Query::<Wish>::try_from_uri(&parts.uri).map_err(IntoResponse::into_response)?;
        let peer = parts.extensions.get::<Peer>().copied();
        let person = access::may_change(&shared.access, &parts.headers, peer).map_err(|(status, reason)| {
            metrics::add(&shared.metrics.changes_refused, 1);
            refused(status, reason)
        })?;
        let said = bounded(&wish.who, LONGEST);
        let who = [person.name, said].into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "admin".to_owned());
        Ok(Self { who, through: access::through(&parts.headers), wish })
    }
}

async fn publish(State(shared): App, admitted: Admitted, headers: HeaderMap, sent: Body) -> Response {
    let sent = match shared.rooms.changes.read(sent, MAX_BYTES).await {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let seen = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    in_turn(shared, move |shared, turn| {
        if let Some(seen) = seen {
            let number = candidate::in_force(&*shared.store)?.map_or(0, |rules| rules.number);
            if seen.trim_matches('"') != number.to_string() {
                let reason = format!("rules {number} are in force; these were made from {seen}");
                return Err(No::Because(StatusCode::PRECONDITION_FAILED, reason));
            }
        }
        submit(shared, turn, admitted, &sent.bytes, None)
    })
    .await
}

async fn rollback(State(shared): App, Admitted { who, through, wish }: Admitted) -> Response {
    in_turn(shared, move |shared, turn| {
        let store = &*shared.store;
        let current = candidate::in_force(store)?.unwrap_or_default();
        let missing = |reason: String| No::Because(StatusCode::NOT_FOUND, reason);
        let none = || match current.origin() {
            0 => missing("the built-in rules are in force: there are none before".to_owned()),
            _ => missing("no rules are kept from before; to 0 goes back to the built-in ones".to_owned()),
        };
        let to = match wish.to {
            Some(to) => to,
            None => candidate::before(store, &current)?.ok_or_else(none)?,
        };
        let old = candidate::document(store, to)?.filter(|_| to < current.number);
        let old = old.ok_or_else(|| missing(format!("rules {to} are not kept")))?;
        if let Some(reason) = ended(&old.document).filter(|_| !wish.force) {
            return Err(No::Because(StatusCode::CONFLICT, format!("rules {to}: {reason}")));
        }
        let note = format!("rollback to {to}{}{}", if wish.note.is_empty() { "" } else { ": " }, wish.note);
        // Going back is what one does in trouble: it is compared, and not refused.
        let wish = Wish { note, force: true, ..wish };
        submit(shared, turn, Admitted { who, through, wish }, old.document.as_bytes(), Some(old.origin()))
    })
    .await
}

/// Lets go of campaigns that are held back.
async fn release(State(shared): App, Admitted { who, through, wish }: Admitted) -> Response {
    away(shared, move |shared| {
        let store = &*shared.store;
        let held = hold::release(store)?;
        let held = held.ok_or_else(|| No::Because(StatusCode::NOT_FOUND, "no campaign is held back".to_owned()))?;
        let (which, note) = (held.words(), bounded(&wish.note, LONGEST));
        let what = format!("let go of campaigns that were held back ({which}) {note}");
        let (what, through) = (what.trim_end().to_owned(), through.to_owned());
        store.audit(&Audit { at: now(), who, what, through, ..Audit::default() })?;
        // What those that began anew link was not counted.
        let accounts = (!held.began_anew()).then_some(held.accounts);
        Ok(axum::Json(json!({ "released": true, "campaigns": held.campaigns, "accounts": accounts })).into_response())
    })
    .await
}

/// Works away from the threads that serve.
async fn away(shared: Arc<Shared>, work: impl FnOnce(&Shared) -> Result<Response, No> + Send + 'static) -> Response {
    let done = tokio::task::spawn_blocking(move || work(&shared)).await;
    match done {
        Ok(Ok(response)) => response,
        Ok(Err(no)) => no.into_response(),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "a bug"),
    }
}

/// Changes rules, one after the other: what is in force when a change is made is so still when it is considered.
async fn in_turn(
    shared: Arc<Shared>,
    work: impl FnOnce(&Shared, &Turn<'_>) -> Result<Response, No> + Send + 'static,
) -> Response {
    let begun = Instant::now();
    let Ok(Ok(line)) = tokio::time::timeout(TURN, Arc::clone(&shared.turns.change).acquire_owned()).await else {
        return busy().into_response();
    };
    away(shared, move |shared| {
        let _line = line;
        loop {
            if let Some(turn) = Turn::take(&*shared.store)? {
                return work(shared, &turn);
            }
            if begun.elapsed() > TURN {
                return Err(busy());
            }
            std::thread::sleep(LOOK);
        }
    })
    .await
}

fn busy() -> No {
    let reason = "other rules are on their way; nothing was submitted: look at `azeotrope status`, and try again";
    No::Because(StatusCode::SERVICE_UNAVAILABLE, reason.to_owned())
}

/// Submits a document and waits for what becomes of it.
fn submit(
    shared: &Shared,
    turn: &Turn<'_>,
    admitted: Admitted,
    document: &[u8],
    back_to: Option<u64>,
) -> Result<Response, No> {
    let store = &*shared.store;
    let Admitted { who, through, wish } = admitted;
    let through = through.to_owned();
    let text = match checked(document) {
        Ok(text) => text,
        Err(problems) => {
            let what = "rules with problems refused".to_owned();
            store.audit(&Audit { at: now(), who, what, through, ..Audit::default() })?;
            return Ok(*problems);
        }
    };
    let note = bounded(&wish.note, LONGEST);
    let (id, at, force, document) = (rand::random(), now(), wish.force, text);
    let submission = Submission { id, at, who, note, through, force, back_to, document };
    let unknown = unknown::campaigns(store, &submission.document)?;
    turn.submit(&submission)?;
    let accepted = wait(shared, submission.id)?;
    match &accepted.reason {
        Some(reason) => {
            let answer = json!({ "error": reason, "comparison": accepted.comparison });
            Ok((StatusCode::CONFLICT, axum::Json(answer)).into_response())
        }
        None => {
            let warnings = [unknown, files::follow(shared, &submission.document)];
            let warning = warnings.into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
            Ok(axum::Json(json!({
                "number": accepted.number, "comparison": accepted.comparison, "back_to": back_to, "warning": warning,
            }))
            .into_response())
        }
    }
}

/// A document without problems, or the answer that names them.
fn checked(document: &[u8]) -> Result<String, Box<Response>> {
    if let Err(problems) = Rules::parse(document) {
        let listed: Vec<_> =
            problems.iter().map(|found| json!({ "path": found.path, "reason": found.reason })).collect();
        let answer = json!({ "error": "the document has problems", "problems": listed });
        return Err((StatusCode::BAD_REQUEST, axum::Json(answer)).into_response().into());
    }
    std::str::from_utf8(document)
        .map(ToOwned::to_owned)
        .map_err(|_| refused(StatusCode::BAD_REQUEST, "the document is no UTF-8").into())
}

/// Whom rules would have acted upon over recent traffic. Who may read may ask; nothing is changed.
async fn what_if(
    State(shared): App,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Response> {
    let may = access::may_ask(&shared.access, &headers, peer.map(|Extension(peer)| peer));
    may.map_err(|(status, reason)| refused(status, reason))?;
    // Before anything of the document is read: who may read may be everybody.
    let place = ask::place(&shared, Kind::WhatIf).map_err(IntoResponse::into_response)?;
    let sent = shared.rooms.questions.read(sent, MAX_BYTES).await?;
    let question = move || checked(&sent.bytes).map(Question::WhatIf).map_err(No::Problems);
    match ask::answered(shared, place, question).await {
        Ok(value) => Ok(axum::Json(value).into_response()),
        Err(no) => Err(no.into_response()),
    }
}

fn wait(shared: &Shared, id: u64) -> Result<Accepted, No> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(outcome) = candidate::outcome(&*shared.store)?.filter(|outcome| outcome.id == id) {
            return Ok(outcome);
        }
        std::thread::sleep(LOOK);
    }
    let reason = "submitted, but no sidecar has considered it in time; `azeotrope status` tells when it is in force";
    Err(No::Because(StatusCode::GATEWAY_TIMEOUT, reason.to_owned()))
}
