//! Answers lose the text of reasoning and nothing else.

use super::*;
use crate::answer::tests::{CHAT, GEMINI, INTERACTIONS, MESSAGES, RESPONSES, converse, frame, invoked};
use crate::answer::{Framing, Reader, Taken};
use crate::digest::key::DigestKey;

fn rewritten<'b>(framing: Framing, most: usize, pieces: impl IntoIterator<Item = &'b [u8]>) -> (Vec<u8>, Rewriter) {
    let (mut rewriter, mut out) = (Rewriter::new(framing, most), Vec::new());
    pieces.into_iter().for_each(|piece| rewriter.push(piece, &mut out));
    rewriter.finish(&mut out);
    (out, rewriter)
}

/// The answer without reasoning, the same however it is split.
fn split_anywhere(framing: Framing, bytes: &[u8]) -> String {
    let (whole, rewriter) = rewritten(framing, MAX_HELD, [bytes]);
    assert_eq!(rewriter.changes().names().collect::<Vec<_>>(), ["reasoning-text"]);
    assert_eq!(rewriter.untouched(), 0);
    assert_eq!(rewritten(framing, MAX_HELD, bytes.chunks(1)).0, whole);
    for at in 0..bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(rewritten(framing, MAX_HELD, [first, second]).0, whole);
    }
    // What counts is still there, but for the length of what is gone.
    let read = |bytes: &[u8]| {
        let mut reader = Reader::new(framing, DigestKey::default());
        reader.push(bytes);
        let taken = reader.finish();
        Taken { output_tokens: taken.output_tokens.filter(|_| !taken.estimated), estimated: false, ..taken }
    };
    assert_eq!(read(&whole), read(bytes));
    // And nothing is left to do.
    assert_eq!(rewritten(framing, MAX_HELD, [&whole[..]]).0, whole);
    String::from_utf8_lossy(&whole).into_owned()
}

/// The answer with each of `texts` taken out, once.
fn without(mut answer: String, texts: &[&str]) -> String {
    for text in texts {
        assert!(answer.contains(text), "{text}");
        answer = answer.replace(text, "");
    }
    answer
}

#[test]
fn streams_of_events_lose_only_reasoning() {
    for (events, texts) in [
        (CHAT, &["Let me see…"][..]),
        (RESPONSES, &["**Looking"]),
        (MESSAGES, &["Let me see: 27 · 453"]),
        (GEMINI, &["**Thinking** of it"]),
        (INTERACTIONS, &["**Thinking** of it"]),
    ] {
        for breaks in ["\n", "\r\n", "\r"] {
            let events = events.replace('\n', breaks);
            assert_eq!(split_anywhere(Framing::Events, events.as_bytes()), without(events, texts));
        }
        // A server that leaves blank lines out: each line of data stays one.
        let dense = events.replace("\n\n", "\n");
        assert_eq!(split_anywhere(Framing::Events, dense.as_bytes()), without(dense, texts));
    }
}

#[test]
fn data_in_several_lines_becomes_one() {
    let events = "id: 1\r\ndata: {\"delta\":{\"type\":\"reasoning\",\r\ndata: \"text\":\"secret\"}}\r\nretry: 5\r\n\r\n: over\r\n\r\n";
    let (out, _) = rewritten(Framing::Events, MAX_HELD, [events.as_bytes()]);
    let expected =
        "id: 1\r\ndata: {\"delta\":{\"type\":\"reasoning\",   \"text\":\"\"}}\r\nretry: 5\r\n\r\n: over\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn what_stands_behind_a_document_takes_none_of_those_that_follow_away() {
    let [thought, two, three] = [r#"{"type":"thinking","thinking":"SECRET"}"#, r#"{"type":"#, r#""stop"}"#];
    for behind in ["", " : junk", "}}"] {
        let events = format!("data: {thought}{behind}\ndata: {two}\ndata: {three}\ndata: [DONE]\n\n");
        let (out, _) = rewritten(Framing::Events, MAX_HELD, [events.as_bytes()]);
        assert_eq!(String::from_utf8(out).unwrap(), events.replace("SECRET", ""));
    }
}

#[test]
fn frames_are_whole_again() {
    let (before, after) = (converse(), split_anywhere_bytes(&converse()));
    let expected = String::from_utf8(payloads(&before).join(&b'\n')).unwrap();
    assert_eq!(String::from_utf8(payloads(&after).join(&b'\n')).unwrap(), without(expected, &["Let me see"]));
    let after = split_anywhere_bytes(&invoked());
    assert_eq!(payloads(&after).len(), payloads(&invoked()).len());
}

fn split_anywhere_bytes(bytes: &[u8]) -> Vec<u8> {
    split_anywhere(Framing::Frames, bytes);
    rewritten(Framing::Frames, MAX_HELD, [bytes]).0
}

/// The payloads of messages whose lengths and checksums are right.
fn payloads(mut stream: &[u8]) -> Vec<Vec<u8>> {
    use crate::answer::frames::{PRELUDE, TRAILER, crc32, lengths};
    let mut payloads = Vec::new();
    while let Some(prelude) = stream.first_chunk::<PRELUDE>() {
        let (length, headers) = lengths(prelude).unwrap();
        let (message, rest) = stream.split_at(length as usize);
        let (message, sum) = message.split_at(message.len() - TRAILER);
        assert_eq!(crc32(message).to_be_bytes(), sum);
        payloads.push(message[PRELUDE + headers as usize..].to_vec());
        stream = rest;
    }
    payloads
}

#[test]
fn whole_answers_lose_only_reasoning() {
    for (answer, texts) in [
        (
            r#"{"choices":[{"message":{"content":"Hi","reasoning_content":"AA","reasoning":"BB","reasoning_details":[{"type":"reasoning.text","text":"CC","signature":"s"},{"type":"reasoning.summary","summary":"DD"}],"tool_calls":[{"function":{"arguments":"{\"thinking\":1}"}}]}}]}"#,
            &["AA", "BB", "CC", "DD"][..],
        ),
        (
            r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"AA"}]},{"type":"text","text":"Hi"}]}}]}"#,
            &["AA"],
        ),
        (
            r#"{"output":[{"type":"reasoning","summary":[{"text":"AA","type":"summary_text"}],"content":[{"type":"reasoning_text","text":"BB"}],"encrypted_content":"x"},{"type":"message","content":[{"type":"output_text","text":"Hi"}]}],"reasoning":{"effort":"high","summary":"auto"}}"#,
            &["AA", "BB"],
        ),
        (
            r#"{"content":[{"thinking":"AA","signature":"s","type":"thinking"},{"type":"redacted_thinking","data":"x"},{"type":"tool_use","input":{"thinking":"kept","type":"reasoning","text":"kept"}}]}"#,
            &["AA"],
        ),
        (
            r#"{"candidates":[{"content":{"parts":[{"text":"AA","thought":true,"thoughtSignature":"s"},{"text":"Hi"}]}}]}"#,
            &["AA"],
        ),
        (
            r#"{"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"signature":"s","text":"AA"}}},{"text":"Hi"}]}}}"#,
            &["AA"],
        ),
    ] {
        assert_eq!(split_anywhere(Framing::Json, answer.as_bytes()), without(answer.to_owned(), texts));
    }
}

#[test]
fn items_of_an_array_pass_one_by_one() {
    let item = r#"{"candidates":[{"content":{"parts":[{"text":"AA","thought":true}]}}]}"#;
    let (mut rewriter, mut out) = (Rewriter::new(Framing::Json, MAX_HELD), Vec::new());
    rewriter.push(format!("[{item}\n,\r\n").as_bytes(), &mut out);
    assert_eq!(out, format!("[{item}").replace("AA", "").as_bytes());
    rewriter.push(format!("{item}\n]\n").as_bytes(), &mut out);
    rewriter.finish(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), format!("[{item}\n,\r\n{item}\n]\n").replace("AA", ""));
}

#[test]
fn what_is_too_long_passes_untouched_and_is_counted() {
    let long = format!("data: {{\"delta\":{{\"thinking\":\"{}\"}}}}\n\n", "x".repeat(5_000));
    let short = "data: {\"delta\":{\"thinking\":\"x\"}}\n\n";
    let stream = [&long, short, &long].concat();
    for size in [1, 7, 4_096, 20_000] {
        let (out, rewriter) = rewritten(Framing::Events, 1_000, stream.as_bytes().chunks(size));
        let expected = [&long, &short.replace("\"x\"", "\"\""), &long].map(|part| part.as_bytes()).concat();
        assert_eq!((out, rewriter.untouched()), (expected, 2));
        assert!(rewriter.occupies() <= 4_096);
    }
}

#[test]
fn a_stream_that_makes_no_sense_passes_untouched() {
    let mut stream = [frame(r#"{"delta":{"thinking":"x"}}"#), vec![0x20; 40]].concat();
    let (out, rewriter) = rewritten(Framing::Frames, MAX_HELD, [&stream[..]]);
    assert!(rewriter.untouched() == 1 && out.ends_with(&[0x20; 40]) && !rewriter.changes().is_empty());
    stream[2] ^= 0x40;
    assert_eq!(rewritten(Framing::Frames, MAX_HELD, stream.chunks(5)).0, stream);
}

#[test]
fn an_answer_nested_without_end_is_not_followed() {
    let deep = format!("{}1{}", r#"{"response":"#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(rewritten(Framing::Json, MAX_HELD << 1, [deep.as_bytes()]).0, deep.as_bytes());
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_byte_is_lost_where_nothing_changes(bytes in prop::collection::vec(any::<u8>(), 0..300), most in 1_usize..400, size in 1_usize..40) {
            for framing in [Framing::Json, Framing::Events, Framing::Frames] {
                let (out, rewriter) = rewritten(framing, most, bytes.chunks(size));
                prop_assert!(!rewriter.changes().is_empty() || out == bytes);
            }
        }
    }
}
