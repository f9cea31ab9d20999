//! A host that denies, fails or lies: the module never traps, and traffic passes.

use crate::common::{DIALECTS, worker};
use azeotrope_test_host::{Failure, Fault, Module, NAMES, Process, Profile, Request, Response, STATUSES, Worker};
use std::collections::BTreeMap;

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A configuration that uses everything that the module has: a sidecar, budgets, degradation, the rate limiter.
fn everything() -> String {
    format!(
        r#"{{"mode":"enforce","ratelimit_tokens":true,"public_keys":["{KEY}"],"sidecar":{{"cluster":"side"}},
        "organisation":{{"header":"x-org"}},"accounts":[{{"jwt_claim":["payload","sub"]}},{{"bearer":"authorization"}}],
        "rules":{{"format":1,"version":1}}}}"#
    )
}

fn one(name: &'static str, fault: Fault) -> BTreeMap<&'static str, Fault> {
    BTreeMap::from([(name, fault)])
}

/// Exchanges of every kind, a tick and answers of the sidecar.
fn everything_happens(worker: &mut Worker) -> Result<(), Failure> {
    let chat = &DIALECTS[0];
    let passed = worker.exchange(&chat.request(0, "sk-one").in_pieces(300))?;
    assert!(passed.replied || passed.hung || passed.upstream.is_some_and(|upstream| upstream.whole));
    let trailed = Request { trailers: Some(Vec::new()), ..DIALECTS[3].request(0, "sk-two") };
    worker.exchange(&trailed)?;
    let refused = Response::of(429, "application/json", b"{}");
    worker.exchange(&chat.request(1, "sk-one").answered(refused))?;
    worker.exchange(&Request::get("/v1/models").with("x-azeotrope", "spoofed"))?;
    worker.exchange(&Request { response: None, ..chat.request(0, "sk-gone") })?;
    worker.wait(1_200)?;
    for (call, status) in worker.dispatched().into_iter().zip([200, 0, 500].into_iter().cycle()) {
        worker.answer(call.token, status, b"nonsense")?;
    }
    Ok(())
}

#[test]
fn no_failing_host_function_traps_the_module_and_traffic_passes() {
    let (mut worker, _) = worker(&Profile::envoy(), &everything());
    worker.cluster("side");
    let imports = Module::full().unwrap().imports();
    let needed: Vec<_> = NAMES.iter().copied().filter(|name| imports.iter().any(|import| import == name)).collect();
    assert_eq!(needed.len(), imports.len(), "{imports:?}");
    for name in needed {
        for &status in STATUSES {
            worker.fail(&one(name, Fault::Status(status)));
            everything_happens(&mut worker).unwrap_or_else(|failure| panic!("{name} returns {status}: {failure}"));
        }
    }
    let all = |status| NAMES.iter().map(|name| (*name, Fault::Status(status))).collect();
    for &status in STATUSES {
        worker.fail(&all(status));
        everything_happens(&mut worker).unwrap_or_else(|failure| panic!("all return {status}: {failure}"));
    }
    // And it is none the worse for it.
    worker.fail(&BTreeMap::new());
    worker.wait(30_000).unwrap();
    let outcome = worker.exchange(&DIALECTS[0].request(0, "sk-new")).unwrap();
    assert!(outcome.label().starts_with("action=allow"), "{}", outcome.label());
    assert!(outcome.upstream.unwrap().whole);
}

#[test]
fn a_module_that_starts_on_a_failing_host_works_or_is_refused_but_never_traps() {
    let module = Module::full().unwrap();
    let profile = Profile::envoy();
    for name in module.imports() {
        let name = NAMES.iter().copied().find(|known| *known == name).unwrap();
        for status in [1, 8, 12, 4_711] {
            let faults = one(name, Fault::Status(status));
            match Worker::with_faults(&module, &Process::default(), &profile, &everything(), &faults) {
                Ok(mut worker) => everything_happens(&mut worker)
                    .unwrap_or_else(|failure| panic!("{name} returns {status}: {failure}")),
                Err(Failure::Refused) => assert_eq!(name, "proxy_get_buffer_bytes"),
                Err(failure) => panic!("{name} returns {status}: {failure}"),
            }
        }
    }
}

#[test]
fn whatever_bytes_a_host_gives_the_module_does_not_trap() {
    let (mut worker, _) = worker(&Profile::envoy(), &everything());
    worker.cluster("side");
    let liar = [[0xff; 8].to_vec(), vec![0xff; 64]].concat();
    let cut = [3_u32, 400_000, 5].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let garbage = [Vec::new(), vec![0], vec![0; 64], vec![0xff; 300], liar, cut, b"{\"model\":".to_vec()];
    let names = [
        "proxy_get_header_map_pairs",
        "proxy_get_header_map_value",
        "proxy_get_buffer_bytes",
        "proxy_get_property",
        "proxy_get_shared_data",
    ];
    for name in names {
        for bytes in &garbage {
            worker.fail(&one(name, Fault::Garbage(bytes.clone())));
            everything_happens(&mut worker).unwrap_or_else(|failure| panic!("{name} gives {bytes:?}: {failure}"));
        }
    }
}

#[test]
fn headers_and_bodies_need_not_be_text() {
    let (mut worker, process) = worker(&Profile::envoy(), "{}");
    worker.wait(50).unwrap();
    for name in ["authorization", "user-agent", "x-api-key", "x-forwarded-for", "content-encoding", "content-length"] {
        let request = DIALECTS[0].request(0, "sk-one").without(name).with(name, b"\xff\xfe\xc3\x28 \x80");
        assert!(worker.exchange(&request).unwrap().upstream.unwrap().whole, "{name}");
    }
    let request = Request::post("/v1/chat/\u{fffd}?key=%ff%00", &[0xff; 900]);
    assert!(worker.exchange(&request).unwrap().upstream.unwrap().whole);
    let request = Request::post("/v1/chat/completions", &[0xff; 900]);
    assert!(worker.exchange(&request).unwrap().label().contains("unread"));
    worker.wait(1_500).unwrap();
    assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
}

#[test]
fn a_client_that_sends_for_ever_costs_no_more_memory_than_one_that_does_not() {
    let (mut worker, _) = worker(&Profile::envoy(), r#"{"headers":"streamed"}"#);
    let body = vec![b' '; 2 << 20];
    let request = Request::post("/v1/chat/completions", &body).in_pieces(16 << 10);
    worker.exchange(&request).unwrap();
    let after = worker.memory();
    for _ in 0..20 {
        worker.exchange(&request).unwrap();
    }
    assert!(worker.memory() <= after + (256 << 10), "{} then {}", after, worker.memory());
    assert!(after < 16 << 20, "{after}");
}

#[test]
fn a_host_that_comes_back_with_a_stream_while_it_is_let_go_is_survived() {
    let profile = Profile { reenters: true, ..Profile::istio() };
    let (mut worker, process) = worker(&profile, "{}");
    worker.wait(50).unwrap();
    for _ in 0..8 {
        let outcome = worker.exchange(&DIALECTS[0].request(0, "sk-someone").in_pieces(500)).unwrap();
        assert!(!outcome.hung && outcome.label().starts_with("action=allow"), "{}", outcome.label());
    }
    worker.wait(1_500).unwrap();
    assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    assert!(process.log().iter().all(|(_, line)| !line.contains("panic")));
}
