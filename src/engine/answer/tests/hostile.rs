//! What no provider sends.

use super::*;

/// Everything that a reader has allocated, roughly: what its debug form shows of buffers is bounded by constants.
fn held(reader: &Reader) -> usize {
    reader.scanner.held() + reader.taking.taken.id.capacity() + reader.taking.taken.blobs.capacity() * 8
}

#[test]
fn an_event_of_any_size_is_read_in_the_same_memory() {
    let blob = "QUJD".repeat(300_000);
    let event = format!(
        r#"data: {{"type":"response.completed","response":{{"id":"{}","output":[{{"type":"reasoning","encrypted_content":"{blob}"}}],"status":"completed","usage":{{"output_tokens":9}}}}}}"#,
        "i".repeat(100_000)
    );
    let mut reader = Reader::new(Framing::Events, DigestKey::default());
    for piece in event.as_bytes().chunks(7_001) {
        reader.push(piece);
        assert!(held(&reader) < 2_048, "{}", held(&reader));
    }
    reader.push(b"\n\n");
    let taken = reader.finish();
    assert_eq!(taken.blobs, [blob_digest(&blob, &DigestKey::default())]);
    assert_eq!((taken.output_tokens, taken.id.len(), taken.truncated), (Some(9), crate::dialect::MAX_NAME, false));
}

#[test]
fn depth_costs_nothing_and_hides_nothing() {
    for open in ["[", r#"{"a":"#, r#"{"message":"#] {
        let mut reader = Reader::new(Framing::Json, DigestKey::default());
        (0..100_000).for_each(|_| reader.push(open.as_bytes()));
        assert!(held(&reader) < 4_096);
        assert!(reader.finish().truncated);
    }
    let body = format!(r#"{{"x":{}{},"usage":{{"output_tokens":5}}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(read(Framing::Json, [body.as_bytes()]).output_tokens, Some(5));
}

#[test]
fn an_event_that_is_no_json_is_counted_and_the_next_one_read() {
    let events = "data: {\"usage\":{\"output_tok\n\ndata: <html>\n\ndata: {\"usage\":{\"output_tokens\":5}}\n\n";
    let taken = split_anywhere(Framing::Events, events.as_bytes());
    assert_eq!((taken.output_tokens, taken.unread, taken.truncated), (Some(5), 2, true));
}

#[test]
fn what_only_begins_like_the_end_of_a_stream_does_not_end_it() {
    for (event, ended) in [("[DONE]", true), ("[DONE]x", false), ("[DONE", false)] {
        for end in ["\n\n", "\n", ""] {
            let taken = split_anywhere(Framing::Events, format!("data: {event}{end}").as_bytes());
            assert_eq!(taken.truncated, !ended, "{event:?} {end:?}");
        }
    }
}

#[test]
fn frames_with_wrong_lengths_end_the_reading() {
    let mut stream = converse();
    let second = frame(CONVERSE.lines().next().unwrap()).len();
    stream[second] ^= 1;
    let taken = split_anywhere(Framing::Frames, &stream);
    assert_eq!((taken.unread, taken.truncated, taken.output_tokens), (1, true, None));
    // A length below that of an empty message, and one beyond what AWS sends, each with its right checksum.
    for lengths in [[15_u32, 0], [u32::MAX, 0], [32, 17]] {
        let mut prelude = lengths.map(u32::to_be_bytes).concat();
        prelude.extend(frames::crc32(&prelude).to_be_bytes());
        prelude.extend([0; 64]);
        assert_eq!(read(Framing::Frames, [&prelude[..]]).unread, 1, "{lengths:?}");
    }
}

#[test]
fn blobs_are_bounded_and_counted_once() {
    let mut reader = Reader::new(Framing::Events, DigestKey::default());
    for number in (0..100).chain(0..100) {
        let event = format!(r#"{{"type":"content_block_delta","delta":{{"signature":"{number:0>64}"}}}}"#);
        reader.push(format!("data: {event}\n\n").as_bytes());
    }
    assert_eq!(reader.finish().blobs.len(), crate::digest::BLOBS);
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    const FRAMINGS: [Framing; 3] = [Framing::Json, Framing::Events, Framing::Frames];

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_any_split_is_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index) {
            for framing in FRAMINGS {
                let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
                prop_assert_eq!(read(framing, [first, second]), read(framing, [&bytes[..]]));
            }
        }

        #[test]
        fn soup_of_json_and_events_is_survived(soup in r#"(data:|\n|\r|\{"usage":|\{"delta":|\{"signature":|"a\\|u00|d83d|[\[\]{}",: 0-9]){0,60}"#) {
            for framing in FRAMINGS {
                let by_bytes = read(framing, soup.as_bytes().chunks(1));
                prop_assert_eq!(by_bytes, read(framing, [soup.as_bytes()]));
            }
        }

        #[test]
        fn damage_to_a_stream_is_survived(at: prop::sample::Index, byte: u8) {
            for (framing, mut stream) in [(Framing::Frames, invoked()), (Framing::Events, CHAT.as_bytes().to_vec())] {
                let place = at.index(stream.len());
                stream[place] = byte;
                prop_assert_eq!(read(framing, stream.chunks(3)), read(framing, [&stream[..]]));
            }
        }
    }
}
