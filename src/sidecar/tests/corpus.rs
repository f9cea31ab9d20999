//! `azeotrope corpus index` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
#[allow(dead_code, reason = "no test here needs all of it")]
mod traces;

use azeotrope_engine::corpus::Corpus;
use azeotrope_engine::digest::content::Content;
use common::azeotrope;
use serde_json::json;
use traces::{Folder, harvest, lines, words};

#[test]
fn indexed_prompts_are_found_and_others_are_not() {
    let folder = Folder::new("corpus-found");
    let prompts = lines((0..500).map(|n| json!({ "prompt": words(n, 12) })));
    let out = folder.path("public.corpus");
    let run = azeotrope(&["corpus", "index", "--out", &out, "-"], &prompts);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("500 of 500 prompts"), "{}", run.out);
    let corpus = Corpus::from_bytes(&folder.read("public.corpus")).unwrap();
    let found = |n: u64| corpus.contains(Content::of([&*words(n, 12)]).whole);
    assert_eq!((0..500).filter(|n| found(*n)).count(), 500);
    assert!((500..5_500).filter(|n| found(*n)).count() <= 2);
}

#[test]
fn repeated_and_short_prompts_are_left_out() {
    let folder = Folder::new("corpus-short");
    let prompts = lines(
        [json!({ "prompt": "hi" }), json!({ "prompt": words(1, 12) }), json!({ "prompt": words(1, 12) })].into_iter(),
    );
    let run = azeotrope(&["corpus", "index", "--out", &folder.path("out"), "-"], &prompts);
    assert!(run.out.contains("1 of 3 prompts"), "{}", run.out);
}

#[test]
fn a_line_that_is_no_prompt_is_refused_with_its_number() {
    let folder = Folder::new("corpus-bad");
    for bad in ["{", "\"text\"", r#"{"prompt":5}"#, r#"{"text":"x"}"#] {
        let run = azeotrope(
            &["corpus", "index", "--out", &folder.path("out"), "-"],
            &format!("{{\"prompt\":\"x\"}}\n{bad}\n"),
        );
        assert_eq!(run.code, 2, "{bad}");
        assert!(run.err.contains("-:2: "), "{}", run.err);
    }
    assert_eq!(azeotrope(&["corpus", "index", "--out", &folder.path("out"), "no/such/file"], "").code, 2);
}

#[test]
fn prompts_are_not_written_over_and_a_filter_is_no_text() {
    let folder = Folder::new("corpus-out");
    let read = lines((0..50).map(|n| json!({ "prompt": words(n, 12) })));
    let prompts = folder.write("prompts.jsonl", read.clone());
    for (out, why) in [(prompts.as_str(), "is read, so it cannot be written"), ("-", "name one")] {
        let run = azeotrope(&["corpus", "index", "--out", out, &prompts], "");
        assert!(run.code == 2 && run.err.contains(why), "{}", run.err);
    }
    assert!(folder.read("prompts.jsonl") == read.into_bytes());
}

#[test]
fn a_damaged_filter_is_refused() {
    let folder = Folder::new("corpus-damaged");
    let out = folder.path("public.corpus");
    let prompts = lines((0..50).map(|n| json!({ "prompt": words(n, 12) })));
    assert_eq!(azeotrope(&["corpus", "index", "--out", &out, "-"], &prompts).code, 0);
    let good = folder.read("public.corpus");
    assert_eq!(azeotrope(&["replay", "--corpus", &out, "-"], &harvest()).code, 0);
    for damaged in [&good[..good.len() / 2], &good[1..], b"", b"nonsense"] {
        let path = folder.write("damaged", damaged);
        let run = azeotrope(&["replay", "--corpus", &path, "-"], "");
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains("damaged"), "{}", run.err);
    }
}
