//! `azeotrope replay` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
mod traces;

use common::azeotrope;
use serde_json::{Value, json};
use traces::{Folder, exchange, harvest, lines, words};

fn verdicts(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_same_trace_gives_the_same_verdicts_byte_for_byte() {
    let folder = Folder::new("replay-same");
    let trace = folder.write("trace.jsonl", harvest());
    for options in [&[][..], &["--proxies", "3"], &["--no-sidecar"]] {
        let run = |out: &str| {
            let out = folder.path(out);
            let arguments = [&["replay", "--verdicts", &out], options, &[&trace]].concat();
            assert_eq!(azeotrope(&arguments, "").code, 0);
        };
        run("first");
        run("second");
        assert!(folder.read("first") == folder.read("second"), "{options:?}");
    }
}

#[test]
fn a_dash_is_standard_output_and_what_is_read_is_not_written_over() {
    let folder = Folder::new("replay-out");
    let trace = folder.write("trace.jsonl", harvest());
    let run = azeotrope(&["replay", "--verdicts", "-", &trace], "");
    assert_eq!((run.code, verdicts(&run.out).len()), (0, 1_200));
    assert!(!std::path::Path::new("-").exists());
    let same = folder.path("./trace.jsonl");
    let run = azeotrope(&["replay", "--verdicts", &same, &trace], "");
    assert_eq!((run.code, run.err), (2, format!("azeotrope: {same}: is read, so it cannot be written\n")));
    assert!(folder.read("trace.jsonl") == harvest().into_bytes());
}

#[test]
fn every_exchange_has_one_verdict_in_order() {
    let run = azeotrope(&["replay", "-"], &harvest());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let verdicts = verdicts(&run.out);
    let ids: Vec<u64> = verdicts.iter().map(|verdict| verdict["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..1_200).collect::<Vec<_>>());
    // The harvest is found, whoever came before it is let alone.
    assert!(verdicts[..600].iter().all(|verdict| verdict["action"] == "allow" && verdict["campaign"].is_null()));
    let refused = verdicts[600..].iter().filter(|verdict| verdict["id"].as_u64().unwrap() % 2 == 0);
    assert!(refused.filter(|verdict| verdict["action"] != "allow").count() > 200);
    assert!(verdicts.iter().filter(|verdict| verdict["id"].as_u64().unwrap() % 2 == 1).all(|v| v["action"] == "allow"));
}

#[test]
fn several_proxies_still_find_the_harvest() {
    let run = azeotrope(&["replay", "--proxies", "3", "-"], &harvest());
    let campaigns = verdicts(&run.out).iter().filter(|verdict| verdict["campaign"].is_string()).count();
    assert!(campaigns > 150, "{campaigns}");
    for number in ["0", "2000", "x"] {
        assert_eq!(azeotrope(&["replay", "--proxies", number, "-"], "").code, 2);
    }
}

#[test]
fn ids_are_kept_as_they_are_and_blank_lines_skipped() {
    let one = |id: u64| exchange(id, id % 7, 0, "x", "y").to_string();
    let run = azeotrope(&["replay", "-"], &format!("{}\n\n{}\n", one(9), one(4)));
    let ids: Vec<Value> = verdicts(&run.out).into_iter().map(|verdict| verdict["id"].clone()).collect();
    assert_eq!(ids, [json!(9), json!(4)]);
    assert_eq!(azeotrope(&["replay", "-"], "").out, "");
}

#[test]
fn a_bad_line_is_refused_with_its_number() {
    let good = exchange(0, 1, 0, "x", "y").to_string();
    let mut no_time = exchange(1, 1, 0, "x", "y");
    no_time["t"] = json!(-5);
    for bad in ["{", "[]", r#"{"id":1}"#, r#"{"id":"x","t":1,"path":"/","body":{}}"#, &no_time.to_string()] {
        let run = azeotrope(&["replay", "-"], &format!("{good}\n{bad}\n"));
        assert_eq!(run.code, 2, "{bad}");
        assert!(run.err.contains("-:2: "), "{}", run.err);
    }
    assert_eq!(azeotrope(&["replay", "no/such/file"], "").code, 2);
    assert_eq!(azeotrope(&["replay", "--rules", "no/such/file", "-"], "").code, 2);
}

#[test]
fn what_is_no_llm_call_passes() {
    let mut other = exchange(0, 1, 0, "x", "y");
    other["path"] = json!("/health");
    let run = azeotrope(&["replay", "-"], &lines([other].into_iter()));
    assert_eq!(verdicts(&run.out)[0]["action"], "allow");
}

/// A thief of reasoning blobs: one account earns each, two others send it back. `ban`: the earners are blocked by rules.
fn replayed_blobs(ban: bool) -> Vec<Value> {
    let folder = Folder::new(if ban { "replay-banned" } else { "replay-blobs" });
    let message = |id: u64, n: u64, blob: Option<&str>, given: Option<&str>| {
        let think = |blob: &str| json!([{ "type": "thinking", "thinking": "s", "signature": blob }]);
        let mut sent = exchange(id, n, 0, "x", "y");
        sent["path"] = json!("/v1/messages");
        sent["headers"]["x-api-key"] = json!(format!("sk-{n:040}"));
        sent["headers"].as_object_mut().unwrap().remove("authorization");
        let mut messages = vec![json!({ "role": "user", "content": words(900 + id / 4, 20) })];
        if let Some(blob) = blob {
            messages.push(json!({ "role": "assistant", "content": think(blob) }));
            messages.push(json!({ "role": "user", "content": words(id, 12) }));
        }
        sent["body"] = json!({ "model": "claude-opus-4", "max_tokens": 100, "messages": messages });
        sent["response"]["body"] = json!({ "type": "message", "content": think(given.unwrap_or("none")) });
        sent
    };
    let mut trace = Vec::new();
    for n in 0..30_u64 {
        let blob = words(n, 20).replace(' ', "");
        trace.push(message(4 * n, 100 + n, None, Some(&blob)));
        trace.extend((1..4).map(|k| message(4 * n + k, 1_000 + 3 * (n % 4) + k, Some(&blob), None)));
    }
    let mut arguments = vec!["replay".to_owned()];
    if ban {
        let deny: Vec<Value> = (0..30)
            .map(|n| {
                let secret = format!("sk-{:040}", 100 + n);
                let digest = azeotrope(&["digest", "--account", &secret], "").out.trim().to_owned();
                json!({ "account": digest, "action": "block" })
            })
            .collect();
        let rules = json!({ "format": 1, "version": 1, "deny": deny });
        arguments.extend(["--rules".to_owned(), folder.write("rules.json", rules.to_string())]);
    }
    arguments.push(folder.write("trace.jsonl", lines(trace.into_iter())));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = azeotrope(&arguments, "");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    verdicts(&run.out)
}

#[test]
fn a_refused_exchange_teaches_nothing() {
    let theft = |verdict: &&Value| verdict["reasons"].as_array().unwrap().contains(&json!("blob_provenance"));
    assert!(replayed_blobs(false).iter().filter(theft).count() > 40);
    // Whoever is blocked is given no blob, so nobody can have taken it from him.
    let banned = replayed_blobs(true);
    assert!(banned.iter().step_by(4).all(|verdict| verdict["action"] == "block"));
    assert_eq!(banned.iter().filter(theft).count(), 0);
}
