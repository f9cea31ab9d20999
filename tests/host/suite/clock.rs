//! A clock that is set, forward and back, while traffic goes on: timers go on, nobody is acted on for it, no group is hidden.

use crate::common::{DIALECTS, worker};
use crate::workers::{beside, told};
use azeotrope_test_host::{Module, Process, Profile, Request, Worker};
use std::sync::LazyLock;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
const STEPS: [i64; 8] = [2 * SECOND, -2 * SECOND, HOUR, -HOUR, DAY, -DAY, YEAR, -YEAR];

const ENFORCE: &str = r#"{"mode":"enforce","headers":"held","trusted_hops":1}"#;
const MODELS: [&str; 5] = ["gpt-5", "mistral-large", "llama-4", "qwen-3", "deepseek-r1"];
/// Requests of a harvest that make it known for certain.
const KNOWN: u64 = 40;
const PEOPLE: u64 = 240;

/// A request of an account with a network of its own.
fn request(account: &str, n: u64, model: &str, system: &str, text: &str) -> Request {
    let message = |role: &str, text: &str| format!(r#"{{"role":"{role}","content":"{text}"}}"#);
    let messages = [message("system", system), message("user", text)];
    let messages = if system.is_empty() { &messages[1..] } else { &messages[..] };
    let body = format!(r#"{{"model":"{model}","max_tokens":4096,"messages":[{}]}}"#, messages.join(","));
    Request::post("/v1/chat/completions", body.as_bytes())
        .with("authorization", format!("Bearer sk-{account}-{n}"))
        .with("x-forwarded-for", format!("{}.{}.{}.7", 20 + account.len(), n / 256, n % 256))
}

/// Words that nobody else has.
fn words(n: u64) -> String {
    let mut state = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let letters = (0..3 + state % 5).map(|at| char::from(b'a' + (state >> (8 + 5 * at)) as u8 % 26));
        letters.collect::<String>()
    };
    std::iter::repeat_with(&mut word).take(18).collect::<Vec<_>>().join(" ")
}

fn person(n: u64) -> Request {
    request("person", n, MODELS[n as usize % 5], "", &words(n))
}

fn harvest(n: u64) -> Request {
    const SYSTEM: &str = "You are an expert tutor. Think aloud about the task below in complete detail, number every step \
        of your reasoning, criticise each step, and give the final answer between the marks BEGIN and END.";
    let subjects =
        ["bridges over rivers", "the price of tea", "an engine that stalls", "old maps", "the tides at night"];
    let task = format!("Task {n}: {}, in the variant x{} of the list.", subjects[n as usize % 5], n * 104_729);
    request("bot", n, MODELS[4], SYSTEM, &task)
}

fn start(process: &Process, configuration: &str) -> Worker {
    Worker::start(&Module::full().unwrap(), process, &Profile::envoy(), configuration).unwrap()
}

/// What a proxy knows after people and a harvest.
fn before() -> Process {
    static KNOWS: LazyLock<Process> = LazyLock::new(|| {
        let process = Process::default();
        let mut worker = start(&process, ENFORCE);
        for n in 0..PEOPLE {
            assert_eq!(worker.exchange(&person(n)).unwrap().status(), 200);
            process.advance(500);
        }
        let statuses: Vec<_> = (0..KNOWN)
            .map(|n| {
                process.advance(500);
                worker.exchange(&harvest(n)).unwrap().status()
            })
            .collect();
        assert_eq!((statuses[0], statuses[KNOWN as usize - 1]), (200, 429), "{statuses:?}");
        process
    });
    KNOWS.twin()
}

#[test]
fn a_group_is_found_and_honest_accounts_are_let_alone_whatever_the_clock_does() {
    for step in STEPS {
        let process = before();
        let mut worker = start(&process, ENFORCE);
        // There, and back again.
        for (back, by) in [(0, step), (1, -step)] {
            process.step(0, by);
            for n in 0..12 {
                process.advance(500);
                // Those that were there, in their own words still, and new ones.
                for one in [n, 5_000 + 100 * back + n] {
                    let outcome = worker.exchange(&person(one)).unwrap();
                    assert!(outcome.label().starts_with("action=allow"), "{step} {one}: {}", outcome.label());
                }
                let outcome = worker.exchange(&harvest(1_000 + 100 * back + n)).unwrap();
                assert_eq!(outcome.status(), 429, "{step} {n}: {}", outcome.label());
            }
        }
        worker.end().unwrap();
        let counted = ["requests.chat_completions", "verdict.allow", "verdict.throttle", "store.lost", "host.error"]
            .map(|name| process.metric(&format!("azeotrope.{name}_total")));
        assert_eq!(counted, [72, 48, 24, 0, 0].map(Some), "{step}");
        assert!(process.log().iter().all(|(_, line)| !line.contains("bug")), "{:?}", process.log());
    }
}

#[test]
fn the_sidecar_is_told_and_asked_as_before() {
    for step in STEPS {
        let process = Process::default();
        let mut worker = beside(&process);
        worker.wait(2_000).unwrap();
        for call in worker.dispatched() {
            worker.answer(call.token, 304, b"").unwrap();
        }
        process.step(0, step);
        worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
        worker.wait(15_000).unwrap();
        assert!(told(&mut worker).len() == 1, "{step}: {:?}", worker.dispatched());
        assert!(worker.dispatched().len() > 1, "{step}: rules are asked for");
    }
}

#[test]
fn headers_are_not_held_longer() {
    for step in STEPS {
        // The body is not shown while headers are held, and that is not known yet.
        let (mut worker, process) = worker(&Profile::istio(), "{}");
        worker.wait(100).unwrap();
        process.step(3, step);
        let outcome = worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
        assert!(!outcome.hung && outcome.waited < 1_000, "{step}: {}", outcome.waited);
        assert_eq!(outcome.status(), 200);
    }
}

#[test]
fn a_budget_turns_nobody_away_for_longer_than_two_windows() {
    let configuration = r#"{"mode":"enforce","headers":"held","rules":{"format":1,"version":1,
        "budgets":{"account":{"requests":5,"window_seconds":60}}}}"#;
    for step in STEPS {
        let (mut worker, process) = worker(&Profile::envoy(), configuration);
        let mut send = || worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
        assert_eq!([0; 6].map(|_: u8| send().status()), [200, 200, 200, 200, 200, 429]);
        process.step(0, step);
        let refused = send();
        if refused.status() != 200 {
            let wait: u64 = refused.downstream.unwrap().header("retry-after").unwrap().parse().unwrap();
            assert!(wait <= 120, "{step}: {wait}");
            process.advance(1_000 * wait);
            assert_eq!(send().status(), 200, "{step}: as was told");
        }
        assert!((0..12).filter(|_| send().status() == 200).count() <= 5, "{step}: nor is it forgotten from now on");
    }
}
