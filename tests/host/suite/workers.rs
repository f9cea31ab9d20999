//! Several workers at once on the counters of one process.

use crate::common::{DIALECTS, worker};
use azeotrope_engine::observation::Batch;
use azeotrope_test_host::{Dispatched, Module, Process, Profile, Worker, header};

const WORKERS: usize = 4;
const EACH: usize = 60;

/// A rule that speaks from exactly so many requests of an account on makes their number visible.
fn speaks_from(requests: usize) -> String {
    let rule = format!(r#"{{"account_shape":{{"first_hour_from":{requests}}}}}"#);
    format!(r#"{{"headers":"held","rules":{{"format":1,"version":1,"families":{rule}}}}}"#)
}

#[test]
fn workers_that_hammer_one_account_lose_no_count_and_count_none_twice() {
    let module = Module::full().unwrap();
    let total = WORKERS * EACH;
    for beyond in [0, 1] {
        let process = Process::default();
        let configuration = speaks_from(total + beyond);
        let mut workers: Vec<_> = (0..WORKERS)
            .map(|_| Worker::start(&module, &process, &Profile::envoy(), &configuration).unwrap())
            .collect();
        let spoke: usize = std::thread::scope(|scope| {
            let hammers: Vec<_> = workers
                .iter_mut()
                .map(|worker| {
                    scope.spawn(|| {
                        let labels = (0..EACH)
                            .map(|_| worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap().label().to_owned());
                        labels.filter(|label| label.contains("full_rate")).count()
                    })
                })
                .collect();
            hammers.into_iter().map(|hammer| hammer.join().unwrap()).sum()
        });
        let last = workers[0].exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
        assert_eq!((spoke, last.label().contains("full_rate")), (0, beyond == 0), "{}", last.label());
        // Counts are told with the timer.
        workers.iter_mut().for_each(|worker| worker.wait(1_500).unwrap());
        assert_eq!(process.metric("azeotrope.requests.chat_completions_total"), Some(total as u64 + 1));
        assert_eq!(process.metric("azeotrope.store.lost_total"), Some(0));
        assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    }
}

#[test]
fn what_one_worker_counted_another_finds_and_a_new_configuration_keeps() {
    let module = Module::full().unwrap();
    let process = Process::default();
    let start = || Worker::start(&module, &process, &Profile::envoy(), &speaks_from(3)).unwrap();
    let (mut one, mut other) = (start(), start());
    let send =
        |worker: &mut Worker| worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap().label().contains("full_rate");
    assert!(!send(&mut one) && !send(&mut other) && !send(&mut one));
    assert!(send(&mut other));
    assert!(one.configure(&speaks_from(4)).unwrap());
    assert!(send(&mut one));
    drop(one);
    let mut late = start();
    assert!(send(&mut late));
}

#[test]
fn what_was_counted_since_the_last_tick_is_told_when_a_worker_ends() {
    let (mut worker, process) = worker(&Profile::envoy(), "{}");
    let requests = "azeotrope.requests.chat_completions_total";
    for _ in 0..7 {
        worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
    }
    assert_eq!(process.metric(requests), Some(0));
    worker.end().unwrap();
    assert_eq!(process.metric(requests), Some(7));
    assert_eq!(process.metric("azeotrope.verdict.allow_total"), Some(7));
}

/// A configuration with a sidecar.
fn with_sidecar(cluster: &str) -> String {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let sidecar = format!(r#"{{"cluster":"{cluster}","token":"token-of-the-tests"}}"#);
    format!(r#"{{"headers":"held","public_keys":["{key}"],"sidecar":{sidecar}}}"#)
}

/// A worker that has one.
pub(crate) fn beside(process: &Process) -> Worker {
    let mut worker =
        Worker::start(&Module::full().unwrap(), process, &Profile::envoy(), &with_sidecar("side")).unwrap();
    worker.cluster("side");
    worker
}

/// Calls with observations that await their answer.
pub(crate) fn told(worker: &mut Worker) -> Vec<Dispatched> {
    worker.dispatched().into_iter().filter(|call| path(call) == "/v1/observations").collect()
}

fn path(call: &Dispatched) -> String {
    String::from_utf8_lossy(header(&call.headers, ":path").unwrap()).into_owned()
}

#[test]
fn observations_go_to_the_sidecar_and_one_worker_of_a_process_asks_it_for_rules() {
    let process = Process::default();
    let mut workers: Vec<_> = (0..2).map(|_| beside(&process)).collect();
    for worker in &mut workers {
        worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
    }
    // Time is the process's; each worker's timers are its own.
    for worker in &mut workers {
        worker.wait(1_500).unwrap();
    }
    let calls: Vec<Vec<_>> = workers.iter_mut().map(Worker::dispatched).collect();
    let asked = |calls: &Vec<Dispatched>| calls.iter().any(|call| path(call) == "/v1/bundle");
    assert_eq!(calls.iter().filter(|calls| asked(calls)).count(), 1, "{calls:?}");
    for worker in &mut workers {
        let told = &told(worker)[0];
        assert_eq!(header(&told.headers, "authorization"), Some(&b"Bearer token-of-the-tests"[..]));
        assert!(!told.body.windows(6).any(|bytes| bytes == b"sk-one"));
        worker.answer(told.token, 204, b"").unwrap();
    }
    workers.iter_mut().for_each(|worker| worker.wait(1_500).unwrap());
    // Of each worker the request, and the blobs that its answer gave.
    assert_eq!(process.metric("azeotrope.sidecar.sent_total"), Some(4));
    assert_eq!(process.metric("azeotrope.sidecar.reached"), Some(1));
}

#[test]
fn what_a_replaced_configuration_had_not_sent_is_sent_once() {
    let process = Process::default();
    let mut worker = beside(&process);
    let ask = |worker: &mut Worker| drop(worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap());
    ask(&mut worker);
    worker.wait(700).unwrap();
    // One batch is on its way, one waits, and nobody will hear of either under this configuration.
    let first = told(&mut worker).remove(0);
    ask(&mut worker);
    assert!(worker.configure(r#"{"headers":"held"}"#).unwrap());
    worker.wait(700).unwrap();
    let again = told(&mut worker).remove(1);
    let batch = |call: &Dispatched| Batch::decode(&call.body).unwrap();
    let numbered = |call: &Dispatched| (batch(call).header.sender, batch(call).header.sequence);
    assert_eq!(numbered(&first), numbered(&again), "it is the same batch, so it is joined once");
    assert_eq!(batch(&again).observations, batch(&first).observations);
    worker.answer(first.token, 204, b"").unwrap();
    // The sidecar has it already.
    worker.answer(again.token, 409, b"").unwrap();
    worker.wait(700).unwrap();
    let rest = told(&mut worker).remove(0);
    assert_eq!(numbered(&rest), (numbered(&first).0, numbered(&first).1 + 1));
    worker.answer(rest.token, 204, b"").unwrap();
    worker.wait(30_000).unwrap();
    assert_eq!(told(&mut worker).len(), 0);
    assert_eq!(process.metric("azeotrope.sidecar.sent_total"), Some(4));
    assert_eq!(process.metric("azeotrope.sidecar.lost_total"), Some(0));
}

#[test]
fn what_replaced_configurations_leave_is_bounded_and_what_is_lost_is_counted() {
    let process = Process::default();
    let mut worker = beside(&process);
    for n in 0..10 {
        worker.exchange(&DIALECTS[0].request(0, "sk-one")).unwrap();
        // Another sidecar each time, so that none is reached.
        assert!(worker.configure(&with_sidecar(&format!("nobody-{n}"))).unwrap());
    }
    worker.wait(200).unwrap();
    assert_eq!(process.metric("azeotrope.sidecar.lost_total"), Some(2 * 6), "all but the last four");
    worker.end().unwrap();
    assert_eq!(process.metric("azeotrope.sidecar.lost_total"), Some(2 * 10));
}
