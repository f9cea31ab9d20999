use super::*;
use crate::dialect::{Dialect, Finish, read_answer};
use crate::digest::blob_digest;
use ::base64::prelude::{BASE64_STANDARD, Engine as _};

mod hostile;

pub(crate) const CHAT: &str = include_str!("../fixtures/chat_completions/stream.sse");
const COMPLETIONS: &str = include_str!("../fixtures/completions/stream.sse");
pub(crate) const RESPONSES: &str = include_str!("../fixtures/responses/stream.sse");
pub(crate) const MESSAGES: &str = include_str!("../fixtures/messages/stream.sse");
pub(crate) const GEMINI: &str = include_str!("../fixtures/gemini/stream.sse");
pub(crate) const INTERACTIONS: &str = include_str!("../fixtures/interactions/stream.sse");
const CONVERSE: &str = include_str!("../fixtures/converse/stream.jsonl");

/// The documents of a stream of events, each on one line.
fn documents(events: &str) -> impl Iterator<Item = &str> {
    events.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]")
}

/// A message of the AWS event stream.
pub(crate) fn frame(payload: &str) -> Vec<u8> {
    let headers = b"\x0d:message-type\x07\x00\x05event";
    let length = |bytes: usize| u32::try_from(bytes).unwrap().to_be_bytes();
    let mut message = [length(16 + headers.len() + payload.len()), length(headers.len())].concat();
    message.extend(frames::crc32(&message).to_be_bytes());
    message.extend([headers, payload.as_bytes()].concat());
    message.extend(frames::crc32(&message).to_be_bytes());
    message
}

/// Converse's stream.
pub(crate) fn converse() -> Vec<u8> {
    CONVERSE.lines().flat_map(frame).collect()
}

/// The events of Messages as Bedrock's InvokeModelWithResponseStream carries them.
pub(crate) fn invoked() -> Vec<u8> {
    let carried = |event| format!(r#"{{"bytes":"{}","p":"abc"}}"#, BASE64_STANDARD.encode(event));
    documents(MESSAGES).flat_map(|event| frame(&carried(event))).collect()
}

/// Gemini's stream where no event stream was asked for.
fn array() -> Vec<u8> {
    format!("[{}\n]", documents(GEMINI).collect::<Vec<_>>().join("\n,\r\n")).into_bytes()
}

fn read<'b>(framing: Framing, pieces: impl IntoIterator<Item = &'b [u8]>) -> Taken {
    let mut reader = Reader::new(framing, DigestKey::default());
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
}

/// What is taken, however the bytes are split: in two anywhere, and byte by byte.
fn split_anywhere(framing: Framing, bytes: &[u8]) -> Taken {
    let whole = read(framing, [bytes]);
    assert_eq!(read(framing, bytes.chunks(1)), whole);
    for at in 0..bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(read(framing, [first, second]), whole, "split at {at}");
    }
    whole
}

fn expected(id: &str, counts: [Option<u64>; 4], finish: Finish, blobs: &[&str]) -> Taken {
    let [input_tokens, output_tokens, reasoning_tokens, cached_tokens] = counts;
    let blobs = blobs.iter().map(|blob| blob_digest(blob, &DigestKey::default())).collect();
    let id = id.to_owned();
    Taken { id, input_tokens, output_tokens, reasoning_tokens, cached_tokens, finish, blobs, ..Taken::default() }
}

#[test]
fn chat_completions() {
    let counts = [Some(31), Some(42), Some(20), Some(16)];
    let blobs = ["EncryptedReasoningOfTheFirstTurn==", "ThoughtSignatureOfTheCall=="];
    let expected = expected("chatcmpl-7", counts, Finish::ToolUse, &blobs);
    assert_eq!(split_anywhere(Framing::Events, CHAT.as_bytes()), expected);
    for breaks in ["\r\n", "\r"] {
        let events = format!("\u{feff}{}", CHAT.replacen(": OPENROUTER PROCESSING\n\n", "", 1).replace('\n', breaks));
        assert_eq!(split_anywhere(Framing::Events, events.as_bytes()), expected, "{breaks:?}");
    }
    let (together, dense) = (CHAT.replace("data: ", "data:"), CHAT.replace("\n\n", "\n"));
    assert_eq!(read(Framing::Events, [together.as_bytes()]), expected);
    assert_eq!(read(Framing::Events, [dense.as_bytes()]), expected);
}

#[test]
fn a_conversation_that_is_kept_is_the_id_of_its_answers() {
    let events = [
        r#"{"type":"conversation.response.started","conversation_id":"conv_7"}"#,
        r#"{"type":"message.output.delta","id":"msg_1","content":"Hi"}"#,
        r#"{"type":"conversation.response.done","usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
    ];
    let streamed = events.map(|event| format!("data: {event}\n\n")).concat();
    assert_eq!(split_anywhere(Framing::Events, streamed.as_bytes()).id, "conv_7");
    for plain in
        [r#"{"id":"conv_7","object":"conversation"}"#, r#"{"conversation_id":"conv_7","outputs":[{"id":"msg_1"}]}"#]
    {
        assert_eq!(read(Framing::Json, [plain.as_bytes()]).id, "conv_7", "{plain}");
    }
}

#[test]
fn what_nobody_told_is_estimated_and_marked() {
    let taken = split_anywhere(Framing::Events, COMPLETIONS.as_bytes());
    let expected = expected("cmpl-7", [None, Some(7), None, None], Finish::Length, &[]);
    assert_eq!(taken, Taken { estimated: true, ..expected });
}

#[test]
fn the_label_says_what_was_told_and_what_is_worked_out() {
    let told = Taken { input_tokens: Some(25), cached_tokens: Some(0), finish: Finish::Stop, ..Taken::default() };
    assert_eq!(told.label(), "in=25, cached=0, finish=stop");
    let cut = Taken { output_tokens: Some(7), reasoning_tokens: Some(3), estimated: true, truncated: true, ..told };
    assert_eq!(cut.label(), "in=25, out=7, reasoning=3, cached=0, finish=stop, estimated, truncated");
    assert_eq!(Taken::default().label(), "finish=unknown");
}

#[test]
fn counts_are_read_however_they_are_written() {
    let count = |word: &str| {
        let answer = format!(r#"{{"usage":{{"prompt_tokens":{word}}}}}"#);
        read(Framing::Json, [answer.as_bytes()]).input_tokens
    };
    for (word, tokens) in [
        ("25", 25),
        ("007", 7),
        ("\"25\"", 25),
        ("25.9", 25),
        ("2.5e1", 25),
        ("-4", 0),
        ("999999999999999", 999_999_999_999_999),
        ("99999999999999999999999", 9_223_372_036_854_775),
    ] {
        assert_eq!(count(word), Some(tokens), "{word}");
    }
    assert_eq!(count("null"), None);
}

#[test]
fn responses() {
    let counts = [Some(75), Some(1186), Some(1024), Some(0)];
    let expected =
        expected("resp_68a1f7b2c0d48191a3e5f7091b2d4f60", counts, Finish::Stop, &["TheEncryptedContentOfTheItem=="]);
    assert_eq!(split_anywhere(Framing::Events, RESPONSES.as_bytes()), expected);
}

#[test]
fn messages() {
    let blobs = [
        "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds",
        "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2",
    ];
    let told = expected("msg_7", [Some(25), Some(89), None, Some(12)], Finish::ToolUse, &blobs);
    let expected = Taken { kept_tokens: Some(0), ..told };
    assert_eq!(split_anywhere(Framing::Events, MESSAGES.as_bytes()), expected);
    assert_eq!(split_anywhere(Framing::Frames, &invoked()), expected);
}

#[test]
fn interactions() {
    let counts = [Some(5), Some(6), Some(7), Some(1)];
    let expected = expected("v1_ChdYZ", counts, Finish::ToolUse, &["CiQB0e2Kb2Wf3mF2P0m1Tg5zq=="]);
    assert_eq!(split_anywhere(Framing::Events, INTERACTIONS.as_bytes()), expected);
}

#[test]
fn gemini() {
    let counts = [Some(5), Some(6), Some(7), Some(1)];
    let expected = expected("r7", counts, Finish::ToolUse, &["CiQB0e2Kb2Wf3mF2P0m1Tg5zq=="]);
    assert_eq!(split_anywhere(Framing::Events, GEMINI.as_bytes()), expected);
    assert_eq!(split_anywhere(Framing::Json, &array()), expected);
}

#[test]
fn converse_stream() {
    let blobs = ["EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrk"];
    let expected = expected("", [Some(9), Some(64), None, Some(4)], Finish::Length, &blobs);
    assert_eq!(split_anywhere(Framing::Frames, &converse()), expected);
}

#[test]
fn who_goes_early_is_charged_for_what_came() {
    let end = MESSAGES.find("event: message_delta").unwrap();
    let taken = read(Framing::Events, [&MESSAGES.as_bytes()[..end]]);
    assert!(taken.truncated && taken.estimated);
    // Anthropic's message_start says 1; 61 bytes came.
    assert_eq!((taken.input_tokens, taken.output_tokens, taken.blobs.len()), (Some(25), Some(16), 2));
    for bytes in 0..MESSAGES.len() {
        let taken = read(Framing::Events, [&MESSAGES.as_bytes()[..bytes]]);
        assert!(taken.output_tokens.unwrap_or(0) <= 89 && taken.unread == 0);
    }
}

#[test]
fn a_whole_document_gives_what_the_pull_reader_reads() {
    let bodies = include_str!("../fixtures/answers.jsonl");
    for (line, dialect) in bodies.lines().zip([
        Dialect::ChatCompletions,
        Dialect::ChatCompletions,
        Dialect::Completions,
        Dialect::Responses,
        Dialect::Responses,
        Dialect::Messages,
        Dialect::Gemini,
        Dialect::Gemini,
        Dialect::Converse,
        Dialect::Interactions,
    ]) {
        let answer = read_answer(dialect, line.as_bytes());
        let taken = split_anywhere(Framing::Json, line.as_bytes());
        let blobs: Vec<_> = answer.blobs().map(|blob| blob_digest(blob, &DigestKey::default())).collect();
        assert_eq!((&taken.id, taken.finish, &taken.blobs), (&answer.id, answer.finish, &blobs), "{line}");
        let told = [taken.input_tokens, taken.output_tokens, taken.reasoning_tokens, taken.cached_tokens];
        let read = [answer.input_tokens, answer.output_tokens, answer.reasoning_tokens, answer.cached_tokens];
        assert_eq!(told, read, "{line}");
        assert!(!taken.truncated && !taken.estimated && taken.unread == 0, "{line}");
    }
}

#[test]
fn the_framing_is_told_by_the_content_type() {
    assert_eq!(Framing::of(b"Text/Event-Stream; charset=utf-8"), Framing::Events);
    assert_eq!(Framing::of(b"application/vnd.amazon.eventstream"), Framing::Frames);
    assert_eq!(Framing::of(b"application/json"), Framing::Json);
    assert_eq!(Framing::of(b""), Framing::Json);
}

#[test]
fn a_blob_is_the_same_however_its_base64_is_spelled() {
    let one = blob_digest(
        "CiQB0e2Kb2Wf3mF2P0m1Tg5zq+/aCiQB0e2Kb2Wf3mF2P0m1Tg5zq+/aCiQB0e2Kb2Wf3mF2P0m1Tg==",
        &DigestKey::default(),
    );
    for other in [
        "CiQB0e2Kb2Wf3mF2P0m1Tg5zq-_aCiQB0e2Kb2Wf3mF2P0m1Tg5zq-_aCiQB0e2Kb2Wf3mF2P0m1Tg",
        "CiQB0e2Kb2Wf3mF2P0m1Tg5zq+/aCiQB0e2Kb2Wf3mF2\nP0m1Tg5zq+/aCiQB0e2Kb2Wf3mF2P0m1Tg=",
    ] {
        assert_eq!(blob_digest(other, &DigestKey::default()), one, "{other}");
    }
    assert_ne!(blob_digest("CiQB0e2Kb2Wf3mF2P0m1Tg5zq+/b", &DigestKey::default()), one);
    assert_eq!(blob_digest("==", &DigestKey::default()), 0);
}
