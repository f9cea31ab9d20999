//! Commands that ask a sidecar, where something else answers, or in between.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
#[allow(dead_code, reason = "no test here needs all of it")]
mod traces;

use common::{azeotrope, azeotrope_with};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use traces::Folder;

/// Something that answers whatever is asked with the same; its URL.
fn stranger(status: u16, answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                let told = line.to_ascii_lowercase();
                length = told.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                line.clear();
            }
            let _ = stream.read_exact(&mut vec![0; length]);
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close", answer.len());
            let _ = write!(stream.get_mut(), "{head}\r\n\r\n{answer}");
        }
    });
    url
}

#[test]
fn what_no_sidecar_answers_is_no_success_and_no_refusal() {
    let folder = Folder::new("stranger");
    let (rules, token) = (folder.write("rules.json", r#"{"format":1,"version":1}"#), folder.write("token", "x"));
    let commands = [
        &["status"][..],
        &["status", "--json"],
        &["top", "--once"],
        &["campaigns"],
        &["campaigns", "--release"],
        &["account", "00000000000000ff"],
        &["rules", "history"],
        &["rules", "show"],
        &["rules", "show", "--number", "1"],
        &["rules", "diff", &rules],
        &["rules", "what-if", &rules],
        &["rules", "publish", &rules],
        &["rules", "publish", "--json", &rules],
        &["rules", "rollback"],
    ];
    for (status, answer, code) in [
        (200, "<html>hi</html>", 3),
        (200, "{}", 3),
        (404, "<html>no</html>", 3),
        (503, "{\"error\":\"no\"}", 3),
        // Another try changes nothing.
        (401, "{\"error\":\"no\"}", 2),
        (403, "<html>no</html>", 2),
    ] {
        let url = stranger(status, answer);
        for command in commands {
            let run = azeotrope(&[command, &["--sidecar", &url, "--admin-token-file", &token]].concat(), "");
            assert_eq!((run.code, run.out.as_str()), (code, ""), "{status} {answer}: {command:?}: {}", run.err);
            assert!(run.err.contains(&url), "{command:?}: {}", run.err);
        }
    }
}

#[test]
fn campaigns_are_asked_of_the_usual_sidecar_unless_there_is_a_trace() {
    let folder = Folder::new("usual");
    let (trace, token) = (folder.write("trace.jsonl", ""), folder.write("token", "x"));
    let usual = stranger(200, r#"{"campaigns":[],"released":true}"#);
    let code = |arguments: &[&str]| {
        let arguments = [&["campaigns", "--admin-token-file", &token], arguments].concat();
        azeotrope_with(&[("AZEOTROPE_SIDECAR", &usual)], &arguments, "").code
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--sidecar"]), 0);
    assert_eq!(code(&["--release"]), 0);
    // Nobody listens there.
    assert_eq!(code(&["--sidecar", "http://127.0.0.1:9"]), 3);
    assert_eq!(code(&[&trace]), 0);
    assert_eq!(azeotrope(&["campaigns"], "").code, 2);
}

#[test]
fn who_names_no_sidecar_is_told_how_to_where_none_answers() {
    let told = |arguments: &[&str]| {
        let run = azeotrope(&[&["status"], arguments].concat(), "");
        (run.code, run.err.contains("AZEOTROPE_SIDECAR"))
    };
    assert_eq!(told(&["--sidecar", "http://127.0.0.1:9"]), (3, false));
    // One may be running on this machine.
    assert!(matches!(told(&[]), (3, true) | (0 | 1, false)));
}

#[test]
fn only_the_sidecars_own_word_says_that_nothing_is_held_back() {
    let folder = Folder::new("held");
    let token = folder.write("token", "x");
    let code = |status, answer| {
        let url = stranger(status, answer);
        azeotrope(&["campaigns", "--release", "--sidecar", &url, "--admin-token-file", &token], "").code
    };
    assert_eq!(code(404, r#"{"error":"no campaign is held back"}"#), 1);
    assert_eq!(code(200, r#"{"released":true}"#), 0);
    assert_eq!(code(404, "gone"), 3);
    for (status, answer) in [(401, r#"{"error":"no valid admin token"}"#), (403, r#"{"error":"x"}"#)] {
        assert_eq!(code(status, answer), 2, "{status}");
    }
}

#[test]
fn an_account_that_nobody_remembers_is_told_as_the_sidecar_says_it() {
    let url = stranger(404, r#"{"error":"no such account is remembered"}"#);
    let account = |case| azeotrope(&["account", case, "--sidecar", &url], "");
    let run = account("00000000000000ff");
    assert!(run.code == 1 && run.out.contains("no such account is remembered"), "{}", run.out);
    assert_eq!(account("sk-test").code, 2);
}

#[test]
fn no_proxy_gets_the_token_for_this_machine() {
    let folder = Folder::new("proxy");
    let token = folder.write("token", "x");
    let (sidecar, proxy) = (stranger(200, r#"{"campaigns":[]}"#), stranger(502, "a proxy"));
    let here = sidecar.replace("127.0.0.1", "localhost");
    let variables = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, proxy.as_str()));
    for url in [&sidecar, &here] {
        let run = azeotrope_with(&variables, &["campaigns", "--sidecar", url, "--admin-token-file", &token], "");
        assert_eq!(run.code, 0, "{url}: {}", run.err);
    }
    // Elsewhere it is what its user says.
    let run = azeotrope_with(&variables, &["campaigns", "--sidecar", "http://sidecar.invalid:8470"], "");
    assert!(run.code == 3 && run.err.contains("502"), "{}", run.err);
}

#[test]
fn who_fetches_a_bundle_is_told_that_there_is_no_answer_as_by_all_commands() {
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let fetch = |url: &str| azeotrope(&["rules", "fetch", "--public-key", key, "--sidecar", url], "");
    for url in ["http://127.0.0.1:9", &stranger(404, r#"{"error":"nothing was published yet"}"#)] {
        let run = fetch(url);
        assert!(run.code == 3 && run.out.is_empty() && run.err.contains(url), "{}: {}", run.code, run.err);
    }
    assert_eq!(fetch(&stranger(200, "<html>hi</html>")).code, 1);
    assert_eq!(fetch(&stranger(401, r#"{"error":"no valid token"}"#)).code, 2);
}
