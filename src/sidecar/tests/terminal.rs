//! What the program is in a terminal and for other programs: JSON, completions, manual, exit codes.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
#[allow(dead_code, reason = "no test here needs all of it")]
mod traces;

use common::azeotrope;
use serde_json::Value;
use traces::Folder;

/// A port on which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = azeotrope(&["completions", shell], "");
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        for word in ["rollback", "campaigns", "admin-token-file"] {
            assert!(run.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(azeotrope(&["completions", "cmd"], "").code, 2);
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = Folder::new("man");
    assert!(azeotrope(&["man"], "").out.contains(".TH azeotrope 1"));
    assert_eq!(azeotrope(&["man", "--out", &folder.path("man1")], "").code, 0);
    let silent = ["azeotrope-corpus", "azeotrope-rules", "azeotrope-rules-defaults", "azeotrope-rules-schema"];
    for page in std::fs::read_dir(folder.path("man1")).unwrap() {
        let page = page.unwrap().path();
        let (name, text) = (page.file_stem().unwrap().to_str().unwrap(), std::fs::read_to_string(&page).unwrap());
        assert!(text.contains("Exit codes") || silent.contains(&name), "{name}: {text}");
    }
}

#[test]
fn exit_codes_tell_a_wrong_line_from_a_sidecar_that_does_not_answer() {
    let folder = Folder::new("codes");
    let (rules, token) = (folder.write("rules.json", r#"{"format":1,"version":1}"#), folder.write("token", "x"));
    let admin = ["--sidecar", NOBODY, "--admin-token-file", &token];
    for command in [&["rules", "publish", &rules][..], &["rules", "rollback"], &["rules", "pin", "block"]] {
        let run = azeotrope(&[command, &admin].concat(), "");
        assert_eq!(run.code, 3, "{command:?}: {}", run.err);
    }
    for command in
        [&["status", "--sidecar", NOBODY][..], &["top", "--sidecar", NOBODY], &["campaigns", "--sidecar", NOBODY]]
    {
        let run = azeotrope(command, "");
        assert_eq!((run.code, run.out.as_str()), (3, ""), "{command:?}");
        assert!(run.err.contains(NOBODY), "{}", run.err);
    }
    // Changes without a token are a wrong line, whoever answers.
    assert_eq!(azeotrope(&["rules", "rollback", "--sidecar", NOBODY], "").code, 2);
    assert_eq!(azeotrope(&["replay", "no/such/file"], "").code, 2);
}

#[test]
fn what_is_printed_is_there_in_json_too() {
    let folder = Folder::new("json");
    let json = |arguments: &[&str], input: &str| -> Value {
        let run = azeotrope(&[arguments, &["--json"]].concat(), input);
        assert!(run.code <= 1, "{arguments:?}: {}", run.err);
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", run.out))
    };
    let key = folder.path("key");
    let public = json(&["rules", "keygen", "--out", &key], "")["public_key"].clone();
    assert_eq!(json(&["rules", "public-key", "--key", &key], "")["public_key"], public);

    let prompts =
        folder.write("prompts.jsonl", "{\"prompt\": \"a prompt that is long enough to be indexed by its letters\"}\n");
    let indexed = json(&["corpus", "index", "--out", &folder.path("corpus"), &prompts], "");
    assert_eq!((indexed["prompts"].as_u64(), indexed["read"].as_u64()), (Some(1), Some(1)));

    let old = folder.write("old.json", r#"{"format":1,"version":1,"thresholds":{"throttle":7.5}}"#);
    let new = folder.write("new.json", r#"{"format":1,"version":1,"thresholds":{"throttle":8.0}}"#);
    let differences = json(&["rules", "diff", &old, &new], "");
    let only = &differences["differences"][0];
    assert_eq!(
        (only["path"].as_str(), only["before"].as_f64(), only["after"].as_f64()),
        (Some("$.thresholds.throttle"), Some(7.5), Some(8.0))
    );

    let signed = json(&["rules", "sign", &new, "--key", &key, "--bundle-version", "7"], "");
    assert!(signed["version"] == 7 && signed["bundle"].as_str().is_some_and(|text| text.len() > 100));
    assert_eq!(json(&["rules", "pin", "block", "--file", &new], "")["file"].as_str(), Some(new.as_str()));
}

#[test]
fn nothing_is_signed_that_no_filter_would_open() {
    let folder = Folder::new("sign");
    let (rules, key, corpus) =
        (folder.write("rules.json", r#"{"format":1,"version":1}"#), folder.path("key"), folder.path("corpus"));
    azeotrope(&["rules", "keygen", "--out", &key], "");
    let prompt = "{\"prompt\": \"a prompt that is long enough to be indexed by its letters\"}\n";
    azeotrope(&["corpus", "index", "--out", &corpus, "-"], prompt);
    let sign = |more: &[&str]| azeotrope(&[&["rules", "sign", &rules, "--key", &key], more].concat(), "");
    let corpora = ["--corpus", &corpus].repeat(18);
    for more in [&["--bundle-version", "0"][..], &["--bundle-version", "18446744073709551615"], &corpora] {
        let run = sign(more);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{more:?}: {}", run.err);
    }
    let good = ["--bundle-version", "999999999999999", "--corpus", &corpus];
    assert_eq!(sign(&good).code, 0);
    // Nor is anything written over that the bundle is made of.
    for read in [&rules, &key, &corpus] {
        let before = std::fs::read(read).unwrap();
        let run = sign(&[&good[..], &["--out", read]].concat());
        assert_eq!(run.err, format!("azeotrope: {read}: is read, so it cannot be written\n"));
        assert!(std::fs::read(read).unwrap() == before);
    }
}
