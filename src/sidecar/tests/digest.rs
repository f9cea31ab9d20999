//! `azeotrope digest` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use azeotrope_engine::caller::{Caller, Callers};
use azeotrope_engine::digest::key::{DigestKey, Keys};
use azeotrope_engine::engine::Engine;
use common::azeotrope;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// The digests of a request under [`KEY`] and otherwise the default configuration.
fn caller(header: &str, value: &str) -> Caller {
    let configuration = format!(r#"{{"digest_key":{{"current":"{KEY}"}},"organisation":{{"header":"x-org-id"}}}}"#);
    let engine = Engine::new(configuration.as_bytes()).unwrap();
    engine.caller::<Vec<u8>>(None, &[(header.into(), value.into())], b"192.0.2.7:5000", None)
}

#[test]
fn prints_what_the_engine_makes_of_a_request() {
    let print = |option, value| azeotrope(&["digest", "--key", KEY, option, value], "").out;
    let line = |digest: u64| format!("{digest:016x}\n");
    let account = line(caller("authorization", "Bearer sk-test").account);
    for value in ["sk-test", "Bearer sk-test", "bearer  sk-test", "BEARER\tsk-test"] {
        assert_eq!(print("--account", value), account, "{value:?}");
    }
    assert_eq!(azeotrope(&["digest", "--account", "Bearer"], "").code, 2);
    assert_eq!(line(caller("x-api-key", "sk-test").account), account);
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/us-east-1/bedrock/aws4_request, Signature=0";
    assert_eq!(print("--access-key", "AKIA1"), line(caller("authorization", signed).account));
    assert_eq!(print("--organisation", "acme"), line(caller("x-org-id", "acme").organisation));
    assert_eq!(print("--network", "192.0.2.200"), line(caller("x", "y").network));
    let claim = DigestKey::new(KEY.as_bytes());
    let callers = Callers { keys: Keys { current: claim, previous: None }, ..Callers::default() };
    assert_eq!(print("--claim", "sub-1"), line(callers.identify(None, &[], b"", Some(b"sub-1")).account));
}

#[test]
fn prints_the_keys_of_a_template() {
    let body = |task: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":"Solve the task below and show every step of it. {task} Answer with one letter and nothing else at all."}}]}}"#
        )
    };
    let keys = |body: &str| azeotrope(&["digest", "--key", KEY, "--skeleton", "-", "--json"], body);
    let places = |run: common::Run| -> Vec<(String, String)> {
        let list: Vec<serde_json::Value> = serde_json::from_str(&run.out).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        list.iter().map(|entry| (text(&entry["place"]), text(&entry["digest"]))).collect()
    };
    let (one, other) = (places(keys(&body("Why is the sky blue?"))), places(keys(&body("Who wrote Faust?"))));
    let shared = |place: &str| {
        let of = |list: &[(String, String)]| list.iter().find(|(of, _)| of == place).cloned();
        assert!(of(&one).is_some());
        of(&one) == of(&other)
    };
    assert!(shared("Head") && shared("Tail"));
    assert!(one.iter().all(|(_, digest)| digest.len() == 16));
    assert_eq!(azeotrope(&["digest", "--skeleton", "-"], "{}").code, 2);
    assert_eq!(azeotrope(&["digest", "--skeleton", "-", "--path", "/v1/models"], &body("")).code, 2);
    let plain = azeotrope(&["digest", "--key", KEY, "--skeleton", "-"], &body("Why is the sky blue?")).out;
    assert!(plain.contains(&format!("{} {}\n", one[0].1, one[0].0)));
}

#[test]
fn secrets_come_from_standard_input_too() {
    let expected = azeotrope(&["digest", "--key", KEY, "--account", "sk-test"], "").out;
    // A trailing line end is the shell's, not the secret's.
    assert_eq!(azeotrope(&["digest", "--key", KEY, "--account", "-"], "sk-test\n").out, expected);
    assert_eq!(azeotrope(&["digest", "--key", "-", "--account", "sk-test"], &format!("{KEY}\n")).out, expected);
}

#[test]
fn accounts_organisations_and_keys_differ() {
    let account = azeotrope(&["digest", "--account", "acme"], "").out;
    let organisation = azeotrope(&["digest", "--organisation", "acme"], "").out;
    let keyed = azeotrope(&["digest", "--key", KEY, "--account", "acme"], "").out;
    assert!(account != organisation && account != keyed);
}

#[test]
fn answers_in_json() {
    let run = azeotrope(&["digest", "--organisation", "acme", "--json"], "");
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["kind"], "organisation");
    assert_eq!(report["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn wrong_usage_is_told_from_a_digest() {
    for arguments in [
        &["digest"][..],
        &["digest", "--account", "a", "--organisation", "b"],
        &["digest", "--key", "-", "--account", "-"],
        &["digest", "--key", "short", "--account", "a"],
        &["digest", "--key-file", "no/such/file", "--account", "a"],
        &["digest", "--account", "-"],
        &["digest", "--network", "nowhere"],
    ] {
        let run = azeotrope(arguments, "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!run.err.is_empty());
    }
}
