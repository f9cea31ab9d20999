//! `azeotrope explain` and `azeotrope campaigns` as their users run them.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
mod traces;

use common::azeotrope;
use serde_json::Value;
use traces::{Folder, harvest, words};

/// A replay's trace and verdicts, and the last exchange that was blocked.
fn replayed(name: &str) -> (Folder, String, String, String) {
    let folder = Folder::new(name);
    let (trace, verdicts) = (folder.write("trace.jsonl", harvest()), folder.path("verdicts.jsonl"));
    assert_eq!(azeotrope(&["replay", "--proxies", "2", "--verdicts", &verdicts, &trace], "").code, 0);
    let read = String::from_utf8(folder.read("verdicts.jsonl")).unwrap();
    let blocked = read.lines().rfind(|line| line.contains(r#""block""#)).unwrap();
    let id = serde_json::from_str::<Value>(blocked).unwrap()["id"].to_string();
    (folder, trace, verdicts, id)
}

#[test]
fn a_block_is_explained_and_reproduced() {
    let (_folder, trace, verdicts, id) = replayed("explain-block");
    let run = azeotrope(&["explain", "--proxies", "2", "--id", &id, "--verdicts", &verdicts, &trace], "");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for part in [
        "reproduced byte for byte",
        "Decision: block",
        "campaign_member",
        "Campaign c-",
        "unrelated parties",
        "`allow`",
    ] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(run.out.lines().filter(|line| !line.contains('{')).all(|line| line.chars().count() <= 100));
    // Digests and numbers only: nothing of the prompt.
    let prompt = words(id.parse().unwrap(), 30);
    assert!(prompt.split(' ').all(|word| !run.out.contains(word)) && !run.out.contains("step by step"));
}

#[test]
fn json_has_the_same_numbers() {
    let (_folder, trace, verdicts, id) = replayed("explain-json");
    let run = azeotrope(&["explain", "--proxies", "2", "--id", &id, "--verdicts", &verdicts, "--json", &trace], "");
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&report["reproduced"], &report["decision"]["action"]), (&true.into(), &"block".into()));
    let adds = report["decision"]["reasons"].as_array().unwrap().iter().map(|reason| reason["adds"].as_f64().unwrap());
    assert!((adds.sum::<f64>() - report["decision"]["score"].as_f64().unwrap()).abs() < 0.002);
    assert_eq!(report["campaign"]["taking"], report["campaign"]["parties"]);
}

#[test]
fn the_exception_it_offers_lets_the_exchange_through() {
    let (folder, trace, _, id) = replayed("explain-allow");
    let run = azeotrope(&["explain", "--proxies", "2", "--id", &id, "--json", &trace], "");
    let entry = serde_json::from_str::<Value>(&run.out).unwrap()["allow"][0].clone();
    let rules = serde_json::json!({ "format": 1, "version": 1, "allow": [entry] });
    let rules = folder.write("rules.json", rules.to_string());
    let run = azeotrope(&["explain", "--proxies", "2", "--rules", &rules, "--id", &id, &trace], "");
    assert!(run.out.contains("Decision: allow") && run.out.contains("operator_allow"), "{}", run.out);
}

#[test]
fn a_verdict_that_cannot_be_reproduced_is_told() {
    let (folder, trace, verdicts, id) = replayed("explain-other");
    let altered = String::from_utf8(folder.read("verdicts.jsonl")).unwrap().replace(r#""block""#, r#""observe""#);
    let altered = folder.write("altered.jsonl", altered);
    let run = azeotrope(&["explain", "--proxies", "2", "--id", &id, "--verdicts", &altered, &trace], "");
    assert_eq!(run.code, 1);
    assert!(run.out.contains("ANOTHER"), "{}", run.out);
    // Another replay is another verdict.
    let run = azeotrope(&["explain", "--no-sidecar", "--id", &id, "--verdicts", &verdicts, &trace], "");
    assert_eq!(run.code, 1);
}

#[test]
fn an_exchange_that_is_not_there_is_told() {
    let folder = Folder::new("explain-missing");
    let (trace, empty) = (folder.write("trace.jsonl", harvest()), folder.write("empty", ""));
    for arguments in [
        &["explain", "--id", "99999", &trace][..],
        &["explain", "--id", "1", "--verdicts", &empty, &trace],
        &["explain", "--id", "x", &trace],
        &["explain", &trace],
    ] {
        let run = azeotrope(arguments, "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
    }
}

#[test]
fn an_allowed_exchange_is_explained_too() {
    let run = azeotrope(&["explain", "--id", "3", "-"], &harvest());
    assert!(run.out.contains("Decision: allow") && run.out.contains("Nothing to let off"), "{}", run.out);
}

#[test]
fn campaigns_are_listed() {
    let run = azeotrope(&["campaigns", "--json", "-"], &harvest());
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["campaigns"].as_array().unwrap().len(), 1);
    assert!(report["campaigns"][0]["accounts"].as_u64().unwrap() > 50);
    let run = azeotrope(&["campaigns", "-"], &harvest());
    assert!(run.out.contains(report["campaigns"][0]["name"].as_str().unwrap()));
    assert!(run.out.lines().all(|line| line.chars().count() <= 100));
    assert_eq!(azeotrope(&["campaigns", "-"], "").out, "No campaign was named.\n");
}
