//! The module for CDN edges, under each edge's profile.

use crate::common::{DIALECTS, Dialect, everything_fails, orders};
use azeotrope_engine::bundle::{Manifest, Package, Part, PartKind, PublicKey};
use azeotrope_engine::campaign::Change;
use azeotrope_engine::campaign::feed::{Linked, Profile as Campaign};
use azeotrope_engine::engine::Engine;
use azeotrope_engine::rules::{Family, FamilySet};
use azeotrope_engine::time::Timestamp;
use azeotrope_engine::verdict::{Action, Label};
use azeotrope_test_host::{Failure, Module, NAMES, Outcome, Process, Profile, Request, Response, Worker};
use base64::Engine as _;
use ed25519_compact::{KeyPair, Seed};

/// What every edge has; the module needs no other.
const OFFERED: &[&str] = &[
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_log",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_property",
];

fn edges() -> [Profile; 2] {
    [Profile::google(), Profile::fastedge()]
}

fn start(profile: &Profile, configuration: &str) -> Worker {
    let module = Module::edge().unwrap();
    Worker::start(&module, &Process::default(), profile, configuration).unwrap()
}

/// A configuration that orders something for accounts, reading 16 KiB of a body at most.
fn small(mode: &str, named: &[(&str, &str)]) -> String {
    let configuration = orders(mode, "auto", named);
    format!(r#"{{"inspect_bytes":16384,{}"#, &configuration[1..])
}

/// A request whose answer is short: where contexts are fresh, each of its pieces starts a VM.
fn request(dialect: &Dialect, which: usize, key: &str) -> Request {
    dialect.request(which, key).answered(Response::of(200, "application/json", b"{}"))
}

fn told(outcome: &Outcome) -> Label {
    let header = outcome.upstream.as_ref().unwrap().header("x-azeotrope").unwrap();
    Label::parse(&header).unwrap()
}

#[test]
fn the_edge_module_needs_nothing_that_an_edge_lacks_and_the_full_one_does() {
    let imports = Module::edge().unwrap().imports();
    let beyond: Vec<_> = imports.iter().filter(|name| !OFFERED.contains(&name.as_str())).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
    for profile in edges() {
        assert!(imports.iter().all(|name| !profile.missing.contains(&name.as_str())));
        let full = Worker::start(&Module::full().unwrap(), &Process::default(), &profile, "{}");
        assert!(matches!(full, Err(Failure::NotLoaded(_))), "{}", profile.name);
    }
}

#[test]
fn every_dialect_passes_byte_for_byte_and_the_tier_behind_is_told() {
    for profile in edges() {
        let mut worker = start(&profile, &small("observe", &[("sk-blocked", "block")]));
        for dialect in &DIALECTS {
            for (key, would) in [("sk-someone", Action::Allow), ("sk-blocked", Action::Block)] {
                let request = request(dialect, 0, key).in_pieces(700).with("x-azeotrope", "spoofed");
                let outcome = worker.exchange(&request).unwrap();
                assert_eq!(told(&outcome).would, would, "{} {}", profile.name, dialect.name);
                assert_eq!(Label::parse(outcome.label()).unwrap().would, would, "{} {}", profile.name, dialect.name);
                assert!(!outcome.label().contains("unread"), "{} {}: {}", profile.name, dialect.name, outcome.label());
                let upstream = outcome.upstream.unwrap();
                assert!(
                    upstream.whole && upstream.body == request.chunks.concat(),
                    "{} {}",
                    profile.name,
                    dialect.name
                );
                assert_eq!(outcome.downstream.unwrap().body, b"{}", "{}", profile.name);
            }
        }
    }
}

#[test]
fn who_is_refused_is_refused_before_the_body_comes() {
    for profile in edges() {
        let mut worker = start(&profile, &small("enforce", &[("sk-blocked", "block"), ("sk-throttled", "throttle")]));
        for dialect in &DIALECTS {
            for (key, status) in [("sk-blocked", 403), ("sk-throttled", 429)] {
                let outcome = worker.exchange(&request(dialect, 0, key)).unwrap();
                assert_eq!((outcome.status(), outcome.upstream.is_none()), (status, true), "{}", profile.name);
                let body: serde_json::Value = serde_json::from_slice(&outcome.downstream.unwrap().body).unwrap();
                assert!(body.is_object(), "{} {}", profile.name, dialect.name);
            }
        }
    }
}

#[test]
fn a_campaign_s_template_is_refused_once_the_body_was_read_however_it_comes() {
    let engine = Engine::new(br#"{"inspect_bytes":16384}"#).unwrap();
    let dialect = &DIALECTS[0];
    let route = engine.route(b"POST", dialect.path.as_bytes()).unwrap();
    let reading = engine.read(&route, dialect.requests[0].as_bytes(), true);
    let (_, key) = reading.skeleton.keys[0];
    let campaign = with_feed(0, &[key], u64::MAX / 2_000);
    for profile in edges() {
        for size in [100, 5_000, 1 << 20] {
            let mut worker = start(&profile, &campaign);
            let request = request(dialect, 0, "sk-someone").in_pieces(size);
            let outcome = worker.exchange(&request).unwrap();
            assert!(outcome.replied && outcome.status() == 403, "{} {size}: {}", profile.name, outcome.label());
            assert!(outcome.upstream.as_ref().is_none_or(|upstream| !upstream.whole), "{} {size}", profile.name);
            assert!(outcome.label().contains("campaign=\"c-feed\""), "{}", outcome.label());
            let other = Request::post(dialect.path, br#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#);
            assert_eq!(worker.exchange(&other).unwrap().status(), 200, "{}", profile.name);
        }
    }
}

/// A plugin configuration with a signed bundle: a campaign of so many accounts, told one by one, and of some templates.
fn with_feed(accounts: u64, templates: &[u64], expires: u64) -> String {
    let keys = KeyPair::from_seed(Seed::new([7; 32]));
    let until = Timestamp(u64::MAX);
    let families = FamilySet::of(&[Family::SkeletonSpread, Family::CohortSynchrony]);
    let profile = Campaign { name: "c-feed".to_owned(), confirmed: true, ..Campaign::default() };
    let linked = Linked { campaign: 0, score: 12_000, families, until };
    let engine = Engine::new(b"{}").unwrap();
    let digest = |n: u64| {
        let headers = [(b"authorization".to_vec(), format!("Bearer sk-{n}").into_bytes())];
        engine.caller(None, &headers, b"", None).account
    };
    let account = |n| Change::Account { account: digest(n), campaign: 0, score: linked.score, families, until };
    let template = |&key: &u64| Change::Key { key, campaign: 0, lift: linked.score, until };
    let changes: Vec<_> = std::iter::once(Change::Profile { campaign: 0, profile })
        .chain((0..accounts).map(account))
        .chain(templates.iter().map(template))
        .collect();
    let parts = [br#"{"format":1,"version":1}"#.to_vec(), Change::write_all(&changes)];
    let kinds = [PartKind::Rules, PartKind::Feed];
    let manifest = Manifest {
        version: 9,
        issued: 0,
        expires,
        parts: kinds.into_iter().zip(&parts).map(|(kind, bytes)| Part::of(kind, bytes)).collect(),
    };
    let public = PublicKey::new(*keys.pk);
    let sealed = manifest.seal(public.id(), |bytes| *keys.sk.sign(bytes, None));
    let bundle = base64::engine::general_purpose::STANDARD.encode(Package::pack(&sealed, &parts));
    let key = public.text();
    format!(r#"{{"mode":"enforce","inspect_bytes":16384,"public_keys":["{key}"],"bundle":"{bundle}"}}"#)
}

#[test]
fn campaigns_come_with_the_configuration_and_end_with_their_bundle() {
    for profile in edges() {
        let mut worker = start(&profile, &with_feed(200, &[], u64::MAX / 2_000));
        let outcome = worker.exchange(&request(&DIALECTS[3], 0, "sk-5")).unwrap();
        assert_eq!(outcome.status(), 403, "{}: {}", profile.name, outcome.label());
        assert!(outcome.label().contains("campaign=\"c-feed\"") && outcome.upstream.is_none(), "{}", outcome.label());
        assert_eq!(worker.exchange(&request(&DIALECTS[3], 0, "sk-500")).unwrap().status(), 200, "{}", profile.name);
        let mut late = start(&profile, &with_feed(200, &[], 1_000));
        assert_eq!(late.exchange(&request(&DIALECTS[3], 0, "sk-5")).unwrap().status(), 200, "{}", profile.name);
    }
}

#[test]
fn the_configuration_that_is_shipped_is_taken() {
    for profile in edges() {
        let mut worker = start(&profile, include_str!("../../../envoy/cdn/plugin.json"));
        assert_eq!(told(&worker.exchange(&request(&DIALECTS[0], 0, "sk-someone")).unwrap()).action, Action::Allow);
    }
}

#[test]
fn a_forged_bundle_is_refused() {
    let good = with_feed(3, &[], u64::MAX / 2_000);
    let at = good.find("bundle\":\"").unwrap() + 200;
    let mut forged = good.into_bytes();
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for profile in edges() {
        let started = Worker::start(&Module::edge().unwrap(), &Process::default(), &profile, &forged);
        assert!(matches!(started, Err(Failure::Refused)), "{}", profile.name);
    }
}

#[test]
fn a_callback_stays_within_a_millisecond_of_4_ghz() {
    let mut worker = start(&Profile::google(), &with_feed(20_000, &[], u64::MAX / 2_000));
    let text =
        "Compare the two proposals below, say which one you prefer, and why; then rank what follows. ".repeat(800);
    let body = serde_json::json!({ "model": "gpt-5", "messages": [{ "role": "user", "content": text }] }).to_string();
    assert!(body.len() > 64 << 10);
    for size in [1 << 10, 16 << 10, 1 << 20] {
        let outcome = worker.exchange(&Request::post("/v1/chat/completions", body.as_bytes()).in_pieces(size)).unwrap();
        assert!(outcome.label().contains("truncated"), "{}", outcome.label());
        let dearest = outcome.dearest().unwrap();
        println!("pieces of {size}: {} takes {} instructions", dearest.hook, dearest.instructions);
        // The profile would have ended a dearer one; half of it is left for what a processor makes of an instruction.
        assert!(dearest.instructions < 2_000_000, "{dearest:?}");
    }
    for dialect in &DIALECTS {
        let outcome = worker.exchange(&request(dialect, 1, "sk-someone").in_pieces(4_096)).unwrap();
        assert!(outcome.dearest().unwrap().instructions < 2_000_000, "{}: {:?}", dialect.name, outcome.dearest());
    }
    println!("memory with 20,000 accounts: {} KiB", worker.memory() / 1024);
    assert!(worker.memory() <= 16 << 20);
}

#[test]
fn a_thousand_requests_at_once_fit_into_16_mib() {
    let mut worker = start(&Profile::google(), &with_feed(20_000, &[], u64::MAX / 2_000));
    let request = request(&DIALECTS[0], 0, "sk-someone").in_pieces(100);
    let begun: Vec<u32> = (0..1_000).map(|_| worker.begin(&request).unwrap()).collect();
    println!("memory with 1,000 requests: {} KiB", worker.memory() / 1024);
    for id in begun {
        worker.abandon(id).unwrap();
    }
    assert!(worker.exchange(&request).unwrap().upstream.unwrap().whole);
    assert!(worker.memory() <= 16 << 20);
}

#[test]
fn module_and_configuration_must_fit_what_an_edge_loads() {
    let module = Module::edge().unwrap();
    println!("{} bytes", module.size);
    assert!(module.size + with_feed(100_000, &[], u64::MAX / 2_000).len() <= Profile::google().loaded);
    let large = with_feed(400_000, &[], u64::MAX / 2_000);
    let started = Worker::start(&module, &Process::default(), &Profile::google(), &large);
    assert!(matches!(started, Err(Failure::NotLoaded(_))));
}

#[test]
fn an_edge_that_hands_out_no_configuration_has_the_one_of_its_environment() {
    let profile = Profile { configures: false, ..Profile::fastedge() };
    let mut worker = start(&profile, &small("enforce", &[("sk-blocked", "block")]));
    assert_eq!(worker.exchange(&request(&DIALECTS[0], 0, "sk-blocked")).unwrap().status(), 403);
    assert_eq!(worker.exchange(&request(&DIALECTS[0], 0, "sk-other")).unwrap().status(), 200);
}

#[test]
fn nothing_of_a_key_or_an_address_is_kept_between_callbacks() {
    let mut worker = start(&Profile::fastedge(), &small("observe", &[]));
    // Its end never comes.
    let request = request(&DIALECTS[0], 0, "sk-secret").in_pieces(300).without("content-length");
    let outcome = worker.exchange(&Request { trailers: Some(Vec::new()), ..request }).unwrap();
    let kept = &outcome.properties["azeotrope.call"];
    assert!(!kept.is_empty() && !kept.contains("sk-secret") && !kept.contains("192.0.2"), "{kept}");
}

#[test]
fn no_failing_host_function_traps_the_edge_module() {
    for profile in edges() {
        let mut worker = start(&profile, &small("enforce", &[("sk-blocked", "block")]));
        let needed = Module::edge().unwrap().imports();
        for name in NAMES.iter().filter(|name| needed.iter().any(|import| import == *name)) {
            everything_fails(&mut worker, name, &profile);
        }
    }
}

#[test]
fn a_body_that_is_gathered_and_ends_with_trailers_is_read_and_judged_once() {
    let profile = Profile { trailers: true, ..Profile::fastedge() };
    let mut worker = start(&profile, &small("enforce", &[("sk-blocked", "block")]));
    for dialect in &DIALECTS {
        let plain = request(dialect, 0, "sk-someone").in_pieces(700);
        let trailed = Request { trailers: Some(Vec::new()), ..plain.clone() };
        for request in [trailed.clone(), trailed.clone().without("content-length")] {
            let outcome = worker.exchange(&request).unwrap();
            assert!(!outcome.label().contains("unread"), "{}: {}", dialect.name, outcome.label());
            assert_eq!(outcome.properties["azeotrope.call"], "", "{}", dialect.name);
            assert!(outcome.upstream.unwrap().body == plain.chunks.concat(), "{}", dialect.name);
        }
    }
}
