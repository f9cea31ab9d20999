//! What several tests send, and to whom.

use azeotrope_engine::engine::Engine;
use azeotrope_test_host::{Contexts, Failure, Fault, Module, Process, Profile, Request, Response, STATUSES, Worker};
use std::collections::BTreeMap;

/// One dialect: a path that speaks it, requests and an answer in it.
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) requests: [&'static str; 2],
    pub(crate) kind: &'static str,
    pub(crate) answer: &'static str,
}

macro_rules! dialect {
    ($name:literal, $path:literal) => {
        dialect!(
            $name,
            $path,
            "text/event-stream",
            include_str!(concat!("../../../src/engine/fixtures/", $name, "/stream.sse"))
        )
    };
    ($name:literal, $path:literal, $kind:literal, $answer:expr) => {
        Dialect {
            name: $name,
            path: $path,
            requests: [
                include_str!(concat!("../../../src/engine/fixtures/", $name, "/conversation.json")),
                include_str!(concat!("../../../src/engine/fixtures/", $name, "/fields.json")),
            ],
            kind: $kind,
            answer: $answer,
        }
    };
}

/// All of them.
pub(crate) const DIALECTS: [Dialect; 7] = [
    dialect!("chat_completions", "/v1/chat/completions"),
    dialect!("completions", "/v1/completions"),
    dialect!("responses", "/v1/responses"),
    dialect!("messages", "/v1/messages"),
    dialect!("gemini", "/v1beta/models/gemini-3:streamGenerateContent"),
    dialect!("interactions", "/v1beta/interactions"),
    dialect!("converse", "/model/some.model/converse", "application/json", CONVERSE),
];

/// An answer in one piece, as that dialect's streams are binary.
const CONVERSE: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Fine."}]}},"stopReason":"end_turn",
    "usage":{"inputTokens":9,"outputTokens":2,"totalTokens":11}}"#;

impl Dialect {
    /// A request of an account, answered in pieces of 40 bytes.
    pub(crate) fn request(&self, which: usize, key: &str) -> Request {
        let answer = Response::stream(self.kind, self.answer.as_bytes(), 40);
        Request::post(self.path, self.requests[which].as_bytes())
            .with("authorization", format!("Bearer {key}"))
            .with("user-agent", "suite/1")
            .answered(answer)
    }
}

/// Rules that order something for the accounts of keys.
pub(crate) fn orders(mode: &str, headers: &str, orders: &[(&str, &str)]) -> String {
    let engine = Engine::new(b"{}").unwrap();
    let deny = orders.iter().map(|(key, action)| {
        let headers = [(b"authorization".to_vec(), format!("Bearer {key}").into_bytes())];
        let account = engine.caller(None, &headers, b"", None).account;
        format!(r#"{{"account":"{account:016x}","action":"{action}"}}"#)
    });
    let deny = deny.collect::<Vec<_>>().join(",");
    format!(r#"{{"mode":"{mode}","headers":"{headers}","rules":{{"format":1,"version":7,"deny":[{deny}]}}}}"#)
}

/// A worker of a process of its own, with the module that Envoy loads.
pub(crate) fn worker(profile: &Profile, configuration: &str) -> (Worker, Process) {
    let process = Process::default();
    let worker = Worker::start(&Module::full().unwrap(), &process, profile, configuration).unwrap();
    (worker, process)
}

/// Exchanges while a host function returns every status that there is: only a trap is wrong.
pub(crate) fn everything_fails(worker: &mut Worker, name: &'static str, profile: &Profile) {
    // Where each callback starts a VM, some must do.
    let step = if profile.contexts == Contexts::Fresh { 6 } else { 1 };
    for &status in STATUSES.iter().step_by(step) {
        worker.fail(&BTreeMap::from([(name, Fault::Status(status))]));
        for dialect in &DIALECTS[..1] {
            for key in ["sk-one", "sk-blocked"] {
                match worker.exchange(&dialect.request(0, key).in_pieces(400).answered(Response::of(200, "a/b", b"{}")))
                {
                    Ok(_) | Err(Failure::Refused) => {}
                    Err(failure) => panic!("{}: {name} returns {status}: {failure}", profile.name),
                }
            }
        }
    }
}
