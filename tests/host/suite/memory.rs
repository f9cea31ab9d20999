//! Memory of a worker never goes back to its host, so bodies must not decide how much it becomes: large ones, packed ones,
//! many at once.

use crate::common::{DIALECTS, worker};
use azeotrope_engine::caller::Callers;
use azeotrope_engine::rules::DigestName;
use azeotrope_test_host::{Profile, Request, Response, Worker};
use miniz_oxide::deflate::compress_to_vec;
use ruzstd::encoding::CompressionLevel;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A request of so many bytes of text, in ordinary words or in escapes.
fn text(size: usize, escaped: bool) -> Vec<u8> {
    let words =
        if escaped { r#"\u0077ords \"and\" m\u00f6re\n "# } else { "words and more of them, none of them rare " };
    let text = words.repeat(size / words.len());
    format!(r#"{{"model":"gpt-5","stream":true,"messages":[{{"role":"user","content":"{text}"}}]}}"#).into_bytes()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let sum = [0; 8];
    [b"\x1F\x8B\x08\0\0\0\0\0\0\0", compress_to_vec(body, 6).as_slice(), &sum].concat()
}

fn zstd(body: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(body, CompressionLevel::Fastest)
}

/// A request of an account in pieces as Envoy hands them on, answered by many events.
fn request(body: &[u8], encoding: &str, account: usize) -> Request {
    let answer = DIALECTS[0].answer.repeat(20);
    Request::post("/v1/chat/completions", body)
        .with("content-encoding", encoding)
        .with("authorization", format!("Bearer sk-{account}"))
        .answered(Response::stream("text/event-stream", answer.as_bytes(), 16 * KIB))
        .in_pieces(16 * KIB)
}

/// Bodies of every size and kind: at the bound of what is inspected, far beyond it, and packed, some of them to a
/// thousandth.
fn large() -> Vec<Request> {
    let plain = [
        text(256 * KIB - 200, false),
        text(256 * KIB - 200, true),
        text(MIB, false),
        text(4 * MIB, true),
        vec![b'['; 512 * KIB],
        vec![b'{'; 512 * KIB],
    ];
    let packed = [text(256 * KIB - 200, true), text(4 * MIB, false)];
    let plain = plain.iter().map(|body| request(body, "identity", 1));
    let packed = packed.iter().flat_map(|body| [request(&gzip(body), "gzip", 2), request(&zstd(body), "zstd", 3)]);
    plain.chain(packed).collect()
}

/// The worker's memory after each of several rounds; that of the first two is all that it becomes.
fn settled(worker: &mut Worker, round: impl Fn(&mut Worker)) -> usize {
    let rounds = (0..4).map(|_| {
        round(worker);
        worker.memory()
    });
    let rounds: Vec<_> = rounds.collect();
    // But for two pages that a hash table of other seeds may want.
    assert!(rounds[3] <= rounds[1] + 128 * KIB, "{rounds:?}");
    rounds[3]
}

/// Opens a stream for each request, all but for its last piece, and then lets all of them go.
fn open(worker: &mut Worker, requests: impl Iterator<Item = Request>) {
    let open: Vec<_> = requests.map(|request| worker.begin(&request).unwrap()).collect();
    for id in open {
        worker.abandon(id).unwrap();
    }
}

#[test]
fn large_bodies_one_after_the_other_leave_a_worker_at_4_mib() {
    for headers in ["held", "streamed"] {
        let (mut worker, process) = worker(&Profile::envoy(), &format!(r#"{{"headers":"{headers}"}}"#));
        let requests = large();
        let memory = settled(&mut worker, |worker| {
            for request in &requests {
                let upstream = worker.exchange(request).unwrap().upstream.unwrap();
                assert!(upstream.whole && upstream.body == request.chunks.concat());
            }
        });
        assert!(memory <= 4 * MIB, "{headers}: {memory}");
        assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    }
}

#[test]
fn what_many_open_streams_leave_is_bounded_by_what_is_copied_of_them() {
    let largest = [request(&text(256 * KIB - 200, true), "identity", 1)];
    // Headers that are held leave the body with the host; else the beginning of each is copied, and of all 64 MiB.
    for (headers, streams, requests, most) in [
        ("held", 400, &largest[..], 8),
        ("streamed", 400, &largest[..], 8 + 64),
        ("held", 64, &large(), 8),
        ("streamed", 64, &large(), 8 + 64 / 4),
    ] {
        let (mut worker, process) = worker(&Profile::envoy(), &format!(r#"{{"headers":"{headers}"}}"#));
        let memory = settled(&mut worker, |worker| open(worker, requests.iter().cycle().take(streams).cloned()));
        assert!(memory <= most * MIB, "{headers} {streams}: {memory}");
        assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    }
}

#[test]
fn what_open_answers_leave_is_bounded_by_what_all_may_occupy() {
    let case =
        DigestName::new(Callers::default().identify(None, &[(b"authorization", b"Bearer sk-1")], b"", None).account)
            .unwrap();
    let degraded = format!(
        r#"{{"mode":"enforce","headers":"held","rules":{{"format":1,"version":1,"deny":[{{"account":"{case}","action":"degrade"}}]}}}}"#
    );
    // A document that does not end is held of who is degraded, up to 1 MiB; an encoding takes 43 KiB to be undone.
    let open = [br#"{"a":""#.as_slice(), &vec![b'x'; MIB]].concat();
    let ask = || Request::post("/v1/chat/completions", &text(200, false)).with("authorization", "Bearer sk-1");
    let held = ask().answered(Response::stream("application/json", &open, 16 * KIB));
    let packed = gzip(&text(4 * KIB, false));
    let mut packed = Response::stream("text/event-stream", &packed[..packed.len() / 2], 16 * KIB);
    packed.headers.push((b"content-encoding".to_vec(), b"gzip".to_vec()));
    for (configuration, request, streams) in [(&*degraded, held, 100), ("{}", ask().answered(packed), 4_000)] {
        let (mut worker, process) = worker(&Profile::envoy(), configuration);
        (0..streams).for_each(|_| _ = worker.answering(&request).unwrap());
        assert!((32 * MIB..80 * MIB).contains(&worker.memory()), "{streams}: {}", worker.memory());
        assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    }
}

#[test]
fn what_clients_write_into_headers_open_streams_do_not_keep() {
    const STREAMS: usize = 500;
    let long = "x".repeat(60 * KIB);
    let ask = |path: &str| Request::post(path, &text(200, false)).in_pieces(100);
    let gemini = format!("/v1beta/models/{long}:generateContent");
    let names = ["content-encoding", "authorization", "x-api-key", "user-agent", "content-type", "x-azeotrope"];
    let named = names.map(|name| ask("/v1/chat/completions").with(name, &long));
    let mut answered = ask("/v1/responses");
    for (name, value) in [("content-type", &long), ("content-encoding", &long), ("x-request-id", &long)] {
        answered.response.iter_mut().for_each(|answer| answer.headers.push((name.into(), value.clone().into_bytes())));
    }
    for (n, request) in [ask(&gemini), answered].iter().chain(&named).enumerate() {
        let (mut worker, process) = worker(&Profile::envoy(), r#"{"headers":"held"}"#);
        (0..STREAMS).for_each(|_| _ = worker.begin(request).unwrap());
        (0..STREAMS).for_each(|_| _ = worker.answering(request).unwrap());
        // Two KiB each, and what the pages of counters take that are kept of them all.
        assert!(worker.memory() <= 8 * MIB + 2 * STREAMS * 2 * KIB, "{n}: {}", worker.memory());
        assert_eq!(process.metric("azeotrope.host.error_total"), Some(0));
    }
}
