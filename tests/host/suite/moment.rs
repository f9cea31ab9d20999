//! What holds from one tick of the host's timer to the next, and what a host without ticks is asked.

use crate::common::worker;
use azeotrope_test_host::{Fault, Module, Outcome, Process, Profile, Request, Worker};
use std::collections::BTreeMap;

const HELD: &str = r#"{"headers":"held"}"#;
const TICK: u64 = 100;
/// Requests that believe the time of one tick.
const MOST_READINGS: usize = 1_024;

/// One text, which an account sends.
fn send(worker: &mut Worker, key: &str) -> Outcome {
    let text = "Compare the two proposals below and say which one you prefer. ".repeat(20);
    let body = format!(r#"{{"model":"gpt-5","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let request = Request::post("/v1/chat/completions", body.as_bytes()).with("authorization", format!("Bearer {key}"));
    worker.exchange(&request).unwrap()
}

fn asked(outcome: &Outcome, what: &str) -> u64 {
    outcome.calls.get(what).copied().unwrap_or(0)
}

fn clock(outcome: &Outcome) -> u64 {
    asked(outcome, "proxy_get_current_time_nanoseconds")
}

fn pages(outcome: &Outcome) -> u64 {
    asked(outcome, "proxy_get_shared_data")
}

/// When a request was judged, in milliseconds.
fn at(outcome: &Outcome) -> u64 {
    outcome.label().rsplit_once("t=").unwrap().1.parse().unwrap()
}

#[test]
fn time_and_pages_of_a_known_template_are_asked_for_once_a_tick() {
    let (mut worker, _) = worker(&Profile::envoy(), HELD);
    send(&mut worker, "sk-one");
    for _ in 0..3 {
        worker.wait(TICK).unwrap();
        let (first, second) = (send(&mut worker, "sk-one"), send(&mut worker, "sk-one"));
        assert_eq!((clock(&first), clock(&second)), (0, 0));
        assert_eq!((pages(&first), pages(&second)), (5, 2), "account, conversation and three keys");
        assert_eq!(first.label(), second.label());
    }
}

#[test]
fn what_another_worker_counts_is_seen_after_a_tick() {
    let process = Process::default();
    let module = Module::full().unwrap();
    let start = || Worker::start(&module, &process, &Profile::envoy(), HELD).unwrap();
    let (mut one, mut other) = (start(), start());
    send(&mut one, "sk-one");
    one.wait(TICK).unwrap();
    send(&mut one, "sk-one");
    send(&mut other, "sk-two");
    // Nothing is written over what the other counted: who is new under the keys reads them again, and is counted.
    send(&mut one, "sk-three");
    one.wait(TICK).unwrap();
    assert_eq!(pages(&send(&mut one, "sk-one")), 5);
    one.wait(1_000).unwrap();
    let count = |name: &str| process.metric(&format!("azeotrope.store.{name}_total"));
    assert_eq!((count("conflict"), count("lost")), (Some(3), Some(0)));
}

#[test]
fn a_host_without_a_timer_is_asked_every_time() {
    let process = Process::default();
    let faults = BTreeMap::from([("proxy_set_tick_period_milliseconds", Fault::Status(12))]);
    let mut worker = Worker::with_faults(&Module::full().unwrap(), &process, &Profile::envoy(), HELD, &faults).unwrap();
    for second in 0..3 {
        worker.wait(1_000).unwrap();
        let outcome = send(&mut worker, "sk-one");
        assert_eq!(clock(&outcome), 1, "{second}");
        assert!(pages(&outcome) >= 5, "{second}");
    }
}

#[test]
fn a_timer_that_stops_stops_time_for_so_many_requests_at_most() {
    let (mut worker, process) = worker(&Profile::envoy(), HELD);
    worker.wait(TICK).unwrap();
    let before = at(&send(&mut worker, "sk-one"));
    process.advance(60_000);
    let old = (1..MOST_READINGS).filter(|_| at(&send(&mut worker, "sk-one")) == before).count();
    assert_eq!(old, MOST_READINGS - 1);
    let late = send(&mut worker, "sk-one");
    assert_eq!((at(&late), clock(&late), pages(&late)), (before + 60_000, 1, 5));
}
