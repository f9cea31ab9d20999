//! Commands that ask a sidecar, where something else answers, or in between.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/traces.rs"]
#[allow(dead_code, reason = "no test here needs all of it")]
mod traces;

use common::azeotrope;
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
        &["rules", "history"],
        &["rules", "diff", &rules],
        &["rules", "what-if", &rules],
        &["rules", "publish", &rules],
        &["rules", "publish", "--json", &rules],
        &["rules", "rollback"],
    ];
    for (status, answer) in
        [(200, "<html>hi</html>"), (200, "{}"), (404, "<html>no</html>"), (401, "{\"error\":\"no\"}")]
    {
        let url = stranger(status, answer);
        for command in commands {
            let run = azeotrope(&[command, &["--sidecar", &url, "--admin-token-file", &token]].concat(), "");
            assert_eq!((run.code, run.out.as_str()), (3, ""), "{status} {answer}: {command:?}: {}", run.err);
            assert!(run.err.contains(&url), "{command:?}: {}", run.err);
        }
    }
}
