//! Every dialect, however it is cut: judged, told, refused; and what is no LLM call.

use crate::common::{DIALECTS, orders, worker};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::verdict::{Action, Label, Verdict};
use azeotrope_test_host::{Profile, Request, header};

const HELD: &str = r#"{"headers":"held"}"#;

#[test]
fn every_dialect_is_judged_and_passes_byte_for_byte() {
    let (mut worker, process) = worker(&Profile::envoy(), HELD);
    for dialect in &DIALECTS {
        for (which, body) in dialect.requests.iter().enumerate() {
            let outcome = worker.exchange(&dialect.request(which, "sk-someone")).unwrap();
            let label = Label::parse(outcome.label()).unwrap();
            assert_eq!((label.action, label.would), (Action::Allow, Action::Allow), "{}", dialect.name);
            let upstream = outcome.upstream.as_ref().unwrap();
            assert_eq!(upstream.header("x-azeotrope").as_deref(), Some(outcome.label()), "{}", dialect.name);
            assert!(upstream.whole && upstream.body == body.as_bytes(), "{}", dialect.name);
            assert_eq!(outcome.downstream.as_ref().unwrap().body, dialect.answer.as_bytes(), "{}", dialect.name);
            assert!(outcome.properties["azeotrope.usage"].contains("out="), "{}", dialect.name);
        }
        // Counts are told with the timer.
        worker.wait(1_500).unwrap();
        assert_eq!(process.metric(&format!("azeotrope.requests.{}_total", dialect.name)), Some(2));
    }
    assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
}

#[test]
fn however_a_request_is_cut_its_verdict_is_the_same() {
    for (profile, configuration) in
        [(Profile::envoy(), HELD), (Profile::envoy(), r#"{"headers":"streamed"}"#), (Profile::istio(), "{}")]
    {
        for dialect in &DIALECTS {
            let whole = dialect.request(0, "sk-someone");
            let cuts = [3, 100, 1_000_000].map(|size| whole.clone().in_pieces(size));
            let ends = |request: &Request| {
                let trailed = Request { trailers: Some(Vec::new()), ..request.clone() };
                let empty = Request { ends_with_last: false, ..request.clone() };
                let chunked = request.clone().without("content-length");
                [request.clone(), trailed, empty, chunked]
            };
            let (mut worker, _) = worker(&profile, configuration);
            let labels: Vec<_> = cuts
                .iter()
                .flat_map(ends)
                .map(|request| {
                    let outcome = worker.exchange(&request).unwrap();
                    assert_eq!(outcome.upstream.as_ref().unwrap().body, whole.chunks.concat(), "{}", dialect.name);
                    outcome.label().to_owned()
                })
                .collect();
            assert!(labels[0].starts_with("action=allow"), "{}: {}", dialect.name, labels[0]);
            assert!(labels.iter().all(|label| *label == labels[0]), "{}: {labels:?}", dialect.name);
        }
    }
}

#[test]
fn a_refusal_speaks_the_caller_s_dialect_and_upstream_never_gets_the_whole() {
    let accounts = [("sk-throttled", "throttle", 429), ("sk-blocked", "block", 403)];
    let named = accounts.map(|(key, action, _)| (key, action));
    for headers in ["held", "streamed"] {
        let configuration = orders("enforce", headers, &named);
        let engine = Engine::new(configuration.as_bytes()).unwrap();
        let (mut worker, _) = worker(&Profile::envoy(), &configuration);
        for dialect in &DIALECTS {
            for (key, action, status) in accounts {
                let request = dialect.request(0, key).in_pieces(64);
                let outcome = worker.exchange(&request).unwrap();
                assert_eq!((outcome.status(), outcome.replied), (status, true), "{}", dialect.name);
                assert!(outcome.upstream.as_ref().is_none_or(|upstream| !upstream.whole), "{}", dialect.name);
                assert_eq!(outcome.upstream.is_none(), headers == "held", "{}", dialect.name);
                assert!(outcome.label().starts_with(&format!("action={action}")), "{}", outcome.label());
                let label = Label::parse(outcome.label()).unwrap();
                let verdict = Verdict {
                    action: label.action,
                    would: label.would,
                    case: label.case,
                    retry_after: engine.config().rules.document.throttle.retry_after_seconds,
                    ..Verdict::default()
                };
                let route = engine.route(b"POST", dialect.path.as_bytes()).unwrap();
                let reply = engine.reply(&route, &verdict);
                let got = outcome.downstream.unwrap();
                assert_eq!(
                    String::from_utf8_lossy(&got.body),
                    String::from_utf8_lossy(&reply.body),
                    "{}",
                    dialect.name
                );
                for (name, value) in &reply.headers {
                    assert_eq!(got.header(name).as_ref(), Some(value), "{}", dialect.name);
                }
            }
            assert_eq!(worker.exchange(&dialect.request(0, "sk-other")).unwrap().status(), 200, "{}", dialect.name);
        }
    }
}

#[test]
fn an_answer_passes_unchanged_however_it_is_cut() {
    let (mut worker, _) = worker(&Profile::envoy(), HELD);
    for dialect in &DIALECTS {
        let usages: Vec<_> = [1, 3, 64, 100_000]
            .map(|size| {
                let mut request = dialect.request(0, "sk-someone");
                let mut answer = request.response.take().unwrap();
                answer.chunks = answer.chunks.concat().chunks(size).map(<[u8]>::to_vec).collect();
                let outcome = worker.exchange(&request.answered(answer)).unwrap();
                assert_eq!(outcome.downstream.as_ref().unwrap().body, dialect.answer.as_bytes(), "{}", dialect.name);
                outcome.properties["azeotrope.usage"].clone()
            })
            .into();
        assert!(usages.iter().all(|usage| *usage == usages[0]), "{}: {usages:?}", dialect.name);
    }
}

#[test]
fn what_is_no_llm_call_passes_uncounted_and_without_a_client_s_idea_of_our_header() {
    let (mut worker, process) = worker(&Profile::envoy(), HELD);
    worker.wait(1_500).unwrap();
    // All but how often it told.
    let counted =
        || process.metrics().into_iter().filter(|(name, _)| name != "azeotrope.told_total").collect::<Vec<_>>();
    let before = counted();
    let shared = process.shared().keys();
    for request in [Request::get("/"), Request::get("/v1/models"), Request::post("/v1/files", &[0xff; 5_000])] {
        let request = request.with("x-azeotrope", "action=allow").with("x-azeotrope", "twice").with("x-keep", "yes");
        let outcome = worker.exchange(&request).unwrap();
        let upstream = outcome.upstream.as_ref().unwrap();
        assert_eq!((upstream.header("x-azeotrope"), upstream.header("x-keep").as_deref()), (None, Some("yes")));
        assert_eq!((upstream.whole, &upstream.body), (true, &request.chunks.concat()));
        assert_eq!(outcome.label(), "");
    }
    worker.wait(1_500).unwrap();
    assert_eq!((counted(), process.shared().keys()), (before, shared));
}

#[test]
fn a_client_s_label_is_never_taken_for_ours() {
    for (profile, configuration) in [(Profile::envoy(), HELD), (Profile::istio(), r#"{"headers":"streamed"}"#)] {
        let (mut worker, _) = worker(&profile, configuration);
        let request = DIALECTS[0].request(0, "sk-someone").with("x-azeotrope", "spoofed");
        let upstream = worker.exchange(&request).unwrap().upstream.unwrap();
        assert!(upstream.header("x-azeotrope").is_none_or(|label| label.starts_with("action=")));
        assert_eq!(header(&upstream.headers, "user-agent"), Some(&b"suite/1"[..]));
    }
}

#[test]
fn the_empty_configuration_learns_whether_headers_can_be_held() {
    for (profile, held) in [(Profile::envoy(), true), (Profile::istio(), false)] {
        let (mut worker, _) = worker(&profile, "{}");
        worker.wait(50).unwrap();
        let outcomes: Vec<_> =
            (0..8).map(|_| worker.exchange(&DIALECTS[0].request(0, "sk-someone").in_pieces(500)).unwrap()).collect();
        assert!(outcomes.iter().all(|outcome| !outcome.hung && outcome.status() == 200), "{}", profile.name);
        let told = outcomes.iter().filter(|outcome| outcome.upstream.as_ref().unwrap().header("x-azeotrope").is_some());
        assert_eq!(told.count(), if held { 8 } else { 0 }, "{}", profile.name);
        let waited: Vec<_> = outcomes.iter().map(|outcome| outcome.waited).filter(|waited| *waited > 0).collect();
        assert!(waited.len() <= 3 && waited.iter().all(|waited| *waited <= 50), "{}: {waited:?}", profile.name);
        assert_eq!(waited.is_empty(), held, "{}", profile.name);
    }
}

#[test]
fn a_bad_configuration_is_refused_with_its_reason_and_the_one_before_stays() {
    let (mut worker, process) = worker(&Profile::envoy(), &orders("enforce", "held", &[("sk-blocked", "block")]));
    for bad in ["{", r#"{"no-such-key":1}"#, r#"{"mode":"maybe"}"#, r#"{"public_keys":["x"],"bundle":"AAAA"}"#] {
        assert!(!worker.configure(bad).unwrap());
    }
    assert_eq!(process.metric("azeotrope.config.refused_total"), Some(4));
    assert!(process.log().iter().any(|(_, line)| line.contains("no-such-key")));
    assert_eq!(worker.exchange(&DIALECTS[0].request(0, "sk-blocked")).unwrap().status(), 403);
    assert!(worker.configure(HELD).unwrap());
    assert_eq!(worker.exchange(&DIALECTS[0].request(0, "sk-blocked")).unwrap().status(), 200);
}
