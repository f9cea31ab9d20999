//! `azeotrope train` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
#[allow(dead_code, reason = "no test here needs all of it")]
mod traces;

use common::{Run, azeotrope};
use traces::{Folder, exchange, lines, words};

/// A trace of both sides over six sources each, and its labels. `template`: what requests of a side and source begin with; `name`: of
/// a source.
fn written(
    folder: &Folder,
    template: &dyn Fn(bool, u64) -> String,
    name: &dyn Fn(bool, u64) -> String,
) -> (String, String) {
    let mut labels = "id\taccount\torg\tactor\tkind\tsource\n".to_owned();
    let mut trace = Vec::new();
    for id in 0..600_u64 {
        let (harvest, source) = (id % 2 == 0, id / 2 % 6);
        let ask = template(harvest, source);
        trace.push(exchange(id, id, 0, "", &format!("{ask} {}", words(source * 100_000 + id, 20))));
        let actor = if harvest { "operator" } else { "benign" };
        let kind = if harvest { "cot_elicitation" } else { "human_chat" };
        labels.push_str(&format!("{id}\ta{id}\to\t{actor}\t{kind}\t{}\n", name(harvest, source)));
    }
    (folder.write("trace.jsonl", lines(trace.into_iter())), folder.write("labels.tsv", labels))
}

/// Each side has a wording of its own, whatever the source.
fn labelled(folder: &Folder) -> (String, String) {
    let ask = |harvest| match harvest {
        true => "Reason step by step and show the derivation.".to_owned(),
        false => "Please help me with my garden.".to_owned(),
    };
    written(folder, &|harvest, _| ask(harvest), &|_, source| format!("source-{source}"))
}

/// The area under the curve that a run tells.
fn area(run: &Run) -> f64 {
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.trim().rsplit_once("same: ").unwrap().1.parse().unwrap()
}

fn train(folder: &Folder, out: &str, more: &[&str]) -> Run {
    let (trace, labels) = labelled(folder);
    azeotrope(&[&["train", "--out", &folder.path(out)], more, &[&trace, &labels]].concat(), "")
}

#[test]
fn two_kinds_of_wording_are_told_apart_on_repositories_held_out() {
    let folder = Folder::new("train-apart");
    let run = train(&folder, "rules.json", &[]);
    assert!(area(&run) > 0.95, "{}", run.out);
    assert_eq!(azeotrope(&["rules", "check", &folder.path("rules.json")], "").code, 0);
}

#[test]
fn a_template_that_a_repository_repeats_does_not_give_itself_away() {
    let folder = Folder::new("train-repositories");
    // Three repositories a side, two sources each, which share a template; no two repositories share a word.
    let repository = |harvest: bool, source: u64| u64::from(harvest) * 3 + source / 2;
    let template = |harvest, source| words(10_000_000 + repository(harvest, source) * 1_000, 12);
    let area = |name: &dyn Fn(bool, u64) -> String| {
        let (trace, labels) = written(&folder, &template, name);
        area(&azeotrope(&["train", "--out", &folder.path("rules.json"), &trace, &labels], ""))
    };
    let together = area(&|harvest, source| format!("of/repository-{} part {source}", repository(harvest, source)));
    let apart = area(&|harvest, source| format!("of/repository-{harvest}-{source}"));
    assert!(together < 0.75 && apart > 0.9, "{together} {apart}");
}

#[test]
fn who_trains_on_what_tells_nothing_is_told_so() {
    let folder = Folder::new("train-nothing");
    assert!(!train(&folder, "rules.json", &[]).err.contains("warning"));
    // Each source asks what one of the other side asks.
    let template = |_: bool, source: u64| words(20_000_000 + source * 1_000, 12);
    let name = |harvest: bool, source: u64| format!("of/{harvest}-{source}");
    let (trace, labels) = written(&folder, &template, &name);
    let run = azeotrope(&["train", "--out", &folder.path("nothing.json"), &trace, &labels], "");
    assert_eq!((run.code, run.err.contains("the wording tells nothing")), (0, true), "{}{}", run.err, run.out);
}

#[test]
fn training_is_deterministic() {
    let folder = Folder::new("train-same");
    let (first, second) = (train(&folder, "first", &["--raw"]), train(&folder, "second", &["--raw"]));
    assert_eq!((first.code, &first.out), (0, &second.out));
    assert!(folder.read("first") == folder.read("second"));
    assert!(folder.read("first").len() <= 64 << 10);
}

#[test]
fn only_the_sources_named_are_used() {
    let folder = Folder::new("train-sources");
    let named = "# two\nhuman_chat\tsource-1\ncot_elicitation\tsource-2\n";
    let sources = folder.write("sources.tsv", named);
    let run = train(&folder, "model", &["--raw", "--sources", &sources]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(
        run.out.contains("source-1") && run.out.contains("source-2") && !run.out.contains("source-3"),
        "{}",
        run.out
    );
}

#[test]
fn one_side_alone_or_missing_labels_are_refused() {
    let folder = Folder::new("train-refused");
    let (trace, labels) = labelled(&folder);
    let one = folder.write("one.tsv", "human_chat\tsource-1\n");
    let short = folder.write("short.tsv", "id\taccount\torg\tactor\tkind\tsource\n");
    let columns = folder.write("columns.tsv", "number\tname\n");
    let out = folder.path("out");
    for arguments in [
        &["train", "--out", &out, "--sources", &one, &trace, &labels][..],
        &["train", "--out", &out, &trace, &short],
        &["train", "--out", &out, &trace, &columns],
        &["train", "--out", &out, &trace, &labels, &trace],
    ] {
        let run = azeotrope(arguments, "");
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(!run.err.is_empty());
    }
}

#[test]
fn that_the_model_cannot_be_written_is_told_before_the_traces_are_read() {
    let folder = Folder::new("train-out");
    let labels = folder.write("labels.tsv", "id\taccount\torg\tactor\tkind\tsource\n");
    let run = azeotrope(&["train", "--out", &folder.path("no/out"), "no/such/trace", &labels], "");
    assert!(run.code == 2 && run.err.contains("no/out"), "{}", run.err);
    // What was there is there still where training fails.
    let (out, new) = (folder.write("out", "before"), folder.path("new"));
    for out in [&out, &new] {
        assert_eq!(azeotrope(&["train", "--out", out, "no/such/trace", &labels], "").code, 2);
    }
    assert!(folder.read("out") == b"before" && !std::path::Path::new(&new).exists());
}

#[test]
fn thresholds_for_nobody_are_an_error() {
    let folder = Folder::new("calibrate-nobody");
    let (trace, labels) = labelled(&folder);
    let (empty, header) =
        (folder.write("empty.tsv", ""), folder.write("header.tsv", "id\taccount\torg\tactor\tkind\tsource\n"));
    for labels in [&empty, &header] {
        let run = azeotrope(&["calibrate", &trace, labels], "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{labels}");
        assert!(run.err.contains("label") || run.err.contains("empty"), "{}", run.err);
    }
    assert_eq!(azeotrope(&["calibrate", &trace, &labels], "").code, 1);
}
