//! One engine, two shells: the module and the engine, natively, give the same verdicts on the same exchanges.

use crate::common::{DIALECTS, worker};
use azeotrope_engine::bundle::Running;
use azeotrope_engine::dialect::Finish;
use azeotrope_engine::store::MemoryStore;
use azeotrope_engine::time::Timestamp;
use azeotrope_test_host::{Profile, Request, Response};
use std::collections::BTreeSet;

/// A template that spreads over accounts which take one model, among people who do not.
fn exchanges() -> Vec<(Request, u64)> {
    let mut exchanges = Vec::new();
    for n in 0..260_u64 {
        let harvest = n % 2 == 0;
        let model = if harvest { "gpt-5" } else { ["gpt-5-mini", "gpt-5", "o4", "gpt-4o", "gpt-4.1"][n as usize % 5] };
        let text = if harvest {
            format!(
                "You are generating training data for a student model. Explain your reasoning step by step, then give the \
                 final answer to problem number {n} in JSON with the fields thinking, answer and confidence."
            )
        } else {
            DIALECTS[0].requests[0].chars().skip(n as usize % 50).take(60 + n as usize).collect::<String>()
        };
        let body = serde_json::json!({
            "model": model,
            "temperature": if harvest { 1.0 } else { 0.2 },
            "messages": [{ "role": "user", "content": text }],
        });
        let account = if harvest { n / 4 } else { 1_000 + n };
        let peer = format!("198.{}.{}.7:50000", n % 90, account % 200);
        let request = Request::post("/v1/chat/completions", body.to_string().as_bytes())
            .with("authorization", format!("Bearer sk-{account}"))
            .with("user-agent", if harvest { "python-httpx/0.28".to_owned() } else { format!("app/{}", n % 40) });
        let status = if n % 17 == 0 { 429 } else { 200 };
        let request = Request { peer: peer.into_bytes(), ..request };
        exchanges.push((request.answered(Response::of(status, "application/json", b"{}")), 200 + n % 700));
    }
    exchanges
}

#[test]
fn the_module_and_the_engine_judge_alike_to_the_byte() {
    const CONFIGURATION: &str = r#"{"mode":"enforce","headers":"held"}"#;
    let (mut worker, process) = worker(&Profile::envoy(), CONFIGURATION);
    let running = Running::new(CONFIGURATION.as_bytes()).unwrap();
    let engine = running.engine();
    let mut store = MemoryStore::default();
    let mut seen = BTreeSet::new();
    for (n, (request, milliseconds)) in exchanges().into_iter().enumerate() {
        process.advance(milliseconds);
        let outcome = worker.exchange(&request).unwrap();
        let now = Timestamp(process.now() / 1_000_000);
        let route = engine.route(b"POST", b"/v1/chat/completions").unwrap();
        let caller = engine.caller(Some(route.dialect), &request.headers, &request.peer, None);
        let reading = engine.read(&route, &request.chunks.concat(), true);
        let verdict = engine.judge(&store, running.feed(), &caller, &reading, now);
        assert_eq!(outcome.label(), verdict.label(now), "exchange {n}");
        seen.insert(verdict.action.name());
        if verdict.action.refuses() {
            assert!(outcome.replied, "exchange {n}");
            continue;
        }
        let status = outcome.status();
        engine.settle(&mut store, &caller, &reading, status, now);
        engine.ended(&mut store, &caller, &reading, Finish::Unknown, now);
    }
    // It would prove little if all verdicts were the same.
    assert!(seen.len() > 1, "{seen:?}");
    assert_eq!(process.shared().keys(), store.len());
}
