//! Questions that only the sidecar with the duty can answer: asked through any of them, by way of the store.
//!
//! There is one place for each kind of question. Who finds another's question there waits, and asks again where its own
//! was written over: it takes longer then, and is not lost.

use super::admin::No;
use super::shared::Shared;
use crate::store::{Outcome, Store, get_json, set_json};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Questions of a kind that wait in one sidecar; more are turned away.
const WAITING: usize = 16;
/// Time between two looks for the answer.
const LOOK: Duration = Duration::from_millis(25);
/// Time after which a question that was written over is asked again.
const AGAIN: Duration = Duration::from_millis(400);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(25);
/// Places for answers.
const PLACES: u64 = 16;

/// A kind of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What is known: answered at once.
    Look,
    /// What rules would do: takes a while, beside the duty.
    WhatIf,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::WhatIf => "what-if",
        }
    }

    fn question(self) -> String {
        format!("question.{}", self.name())
    }

    /// Its id, apart: it is looked at ten times a second, and the question may be large.
    fn newest(self) -> String {
        format!("question.{}.id", self.name())
    }

    fn answer(self, id: u64) -> String {
        format!("answer.{}.{}", self.name(), id % PLACES)
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// A campaign, with a page of its accounts.
    Campaign { name: String, sort: Sort, offset: usize, limit: usize },
    /// An account.
    Account(u64),
    /// What a rules document would have done to recent traffic.
    WhatIf(String),
}

/// In what order accounts are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    /// Those last linked first.
    #[default]
    Linked,
    /// The least sure first.
    Doubtful,
    /// Those that sent the most first.
    Requests,
}

impl Question {
    fn kind(&self) -> Kind {
        match self {
            Self::WhatIf(_) => Kind::WhatIf,
            Self::Campaign { .. } | Self::Account(_) => Kind::Look,
        }
    }
}

/// A question that was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) id: u64,
    pub(super) question: Question,
}

/// What there is to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    Told(Value),
    /// There is no such thing.
    Unknown(String),
}

#[derive(Serialize, Deserialize)]
struct Answer {
    id: u64,
    reply: Reply,
}

/// Who may ask at once.
pub(super) struct Turns {
    look: Line,
    what_if: Line,
    /// Who may change rules: the others of this sidecar wait in line.
    pub(super) change: Arc<Semaphore>,
}

/// Those who ask questions of a kind: so many wait, and one has its turn.
struct Line {
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

impl Default for Line {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(WAITING)), turn: Arc::new(Semaphore::new(1)) }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self { look: Line::default(), what_if: Line::default(), change: Arc::new(Semaphore::new(1)) }
    }
}

impl Turns {
    fn line(&self, kind: Kind) -> &Line {
        match kind {
            Kind::Look => &self.look,
            Kind::WhatIf => &self.what_if,
        }
    }
}

/// A place among those who wait.
pub(super) struct Place {
    kind: Kind,
    _place: OwnedSemaphorePermit,
}

fn busy() -> No {
    No::Because(StatusCode::SERVICE_UNAVAILABLE, "many ask just now; try again".to_owned())
}

/// A place, if one is free.
pub(super) fn place(shared: &Shared, kind: Kind) -> Result<Place, No> {
    let place = Arc::clone(&shared.turns.line(kind).places).try_acquire_owned();
    place.map(|place| Place { kind, _place: place }).map_err(|_| busy())
}

/// Asks, and waits for the answer.
pub(super) async fn ask(shared: Arc<Shared>, question: Question) -> Result<Value, No> {
    let place = place(&shared, question.kind())?;
    answered(shared, place, move || Ok(question)).await
}

/// Asks what `question` makes of itself once it is its turn, away from the threads that serve; and waits for the answer.
pub(super) async fn answered(
    shared: Arc<Shared>,
    place: Place,
    question: impl FnOnce() -> Result<Question, No> + Send + 'static,
) -> Result<Value, No> {
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(&shared.turns.line(place.kind).turn).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(busy()) };
    let answered = tokio::task::spawn_blocking(move || {
        let _turn = (turn, place);
        let asked = Asked { id: rand::random(), question: question()? };
        Ok(shared.heed(wait(&*shared.store, &asked))?)
    })
    .await;
    match answered {
        Ok(Ok(Some(Reply::Told(value)))) => Ok(value),
        Ok(Ok(Some(Reply::Unknown(what)))) => Err(No::Because(StatusCode::NOT_FOUND, what)),
        Ok(Ok(None)) => Err(No::Because(StatusCode::GATEWAY_TIMEOUT, "no sidecar has answered in time".to_owned())),
        Ok(Err(no)) => Err(no),
        Err(_) => Err(No::Because(StatusCode::INTERNAL_SERVER_ERROR, "a bug".to_owned())),
    }
}

fn wait(store: &dyn Store, asked: &Asked) -> Outcome<Option<Reply>> {
    let (kind, begun) = (asked.question.kind(), Instant::now());
    put(store, asked)?;
    let mut last = Instant::now();
    while begun.elapsed() < PATIENCE {
        std::thread::sleep(LOOK);
        let answer: Option<Answer> = get_json(store, &kind.answer(asked.id))?;
        if let Some(Answer { reply, .. }) = answer.filter(|answer| answer.id == asked.id) {
            return Ok(Some(reply));
        }
        if last.elapsed() > AGAIN {
            last = Instant::now();
            if get_json::<u64>(store, &kind.newest())? != Some(asked.id) {
                put(store, asked)?;
            }
        }
    }
    Ok(None)
}

fn put(store: &dyn Store, asked: &Asked) -> Outcome<()> {
    let kind = asked.question.kind();
    set_json(store, &kind.question(), asked)?;
    set_json(store, &kind.newest(), &asked.id)
}

/// What was asked and is not among those that were answered.
pub(super) fn asked(store: &dyn Store, kind: Kind, answered: &[u64]) -> Outcome<Option<Asked>> {
    match get_json::<u64>(store, &kind.newest())? {
        Some(id) if !answered.contains(&id) => {
            Ok(get_json::<Asked>(store, &kind.question())?.filter(|asked| asked.id == id))
        }
        _ => Ok(None),
    }
}

/// Answers.
pub(super) fn answer(store: &dyn Store, kind: Kind, id: u64, reply: Reply) -> Outcome<()> {
    set_json(store, &kind.answer(id), &Answer { id, reply })
}
