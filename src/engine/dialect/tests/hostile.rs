use super::*;

fn texts(prompt: &Prompt<'_>) -> Vec<String> {
    prompt.parts.iter().map(|part| prompt.text(part.span).into_owned()).collect()
}

/// `part` is the beginning of a document of which `whole` is all.
fn assert_beginning(name: &str, cut: &Prompt<'_>, whole: &Prompt<'_>) {
    let Some((last, before)) = cut.parts.split_last() else {
        return;
    };
    assert!(cut.parts.len() <= whole.parts.len(), "{name}: {cut:?}");
    for (part, full) in before.iter().zip(&whole.parts) {
        assert_eq!((part.turn, part.kind), (full.turn, full.kind), "{name}");
        assert_eq!(cut.text(part.span), whole.text(full.span), "{name}");
    }
    let full = whole.parts[before.len()];
    assert_eq!((last.turn, last.role), (full.turn, full.role), "{name}");
    let (found, all) = (cut.text(last.span), whole.text(full.span));
    assert!(all.starts_with(&*found), "{name}: {found:?} is no beginning of {all:?}");
}

#[test]
fn every_beginning_of_a_fixture_gives_the_beginning_of_its_parts() {
    for (dialect, name, body, _) in FIXTURES.iter().filter(|(_, name, ..)| name.ends_with("conversation")) {
        let whole = read_json(*dialect, body);
        for end in 0..body.trim_end().len() {
            let cut = read(&route(*dialect), &body.as_bytes()[..end]);
            assert!(cut.truncated, "{name} cut at {end}");
            assert_beginning(name, &cut, &whole);
        }
    }
}

#[test]
fn a_cut_anywhere_is_survived() {
    for (_, _, body, _) in FIXTURES {
        for (dialect, _) in DIALECTS {
            for end in 0..body.len() {
                let _ = read(&route(dialect), &body.as_bytes()[..end]);
                let _ = read_answer(dialect, &body.as_bytes()[..end]);
            }
        }
    }
}

#[test]
fn a_character_that_is_cut_is_left_out() {
    let body = r#"{"messages":[{"role":"user","content":"aé"#.as_bytes();
    let prompt = read(&route(Dialect::Messages), &body[..body.len() - 1]);
    assert_eq!((&*texts(&prompt), prompt.truncated), (&["a".to_owned()][..], true));
}

#[test]
fn a_bomb_takes_no_stack() {
    let deep = "[".repeat(100_000);
    let objects = r#"{"content":[{"content":"#.repeat(50_000);
    let groups = r#"{"generationConfig":{"text":"#.repeat(50_000);
    let results = r#"{"type":"search_result","content":["#.repeat(50_000);
    for (dialect, _) in DIALECTS {
        for bomb in [&deep, &objects, &groups, &results] {
            for key in ["messages", "contents", "input", "prompt", "system", "tools", "x", "generationConfig"] {
                let prompt = read_json(dialect, &format!("{{\"{key}\":{bomb}"));
                assert!(prompt.truncated);
            }
            assert!(read_answer(dialect, bomb.as_bytes()).truncated);
        }
    }
}

#[test]
fn both_of_two_equal_keys_are_seen() {
    let body = r#"{"messages":[{"role":"user","content":"one","content":"two"}],"model":"a","model":"b","temperature":1,
        "temperature":0,"messages":[{"role":"user","content":"three"}]}"#;
    let prompt = read_json(Dialect::ChatCompletions, body);
    let turns: Vec<_> = prompt.parts.iter().map(|part| part.turn).collect();
    assert_eq!((turns, texts(&prompt)), (vec![0, 0, 1], vec!["one".into(), "two".into(), "three".into()]));
    assert_eq!((prompt.model.as_str(), prompt.params.temperature, prompt.turns), ("b", Some(0), 2));
}

#[test]
fn escaped_keys_hide_nothing() {
    let prompt = read_json(Dialect::ChatCompletions, r#"{"m\u0065ssages":[{"c\u006fntent":"x"}]}"#);
    assert_eq!(texts(&prompt), ["x"]);
}

#[test]
fn parts_messages_and_names_are_bounded() {
    let many = |count: usize| format!("{{\"messages\":[{}]}}", r#"{"role":"user","content":"x"},"#.repeat(count));
    let prompt = read_json(Dialect::Messages, &many(MAX_PARTS));
    assert_eq!((prompt.parts.len(), usize::from(prompt.turns), prompt.truncated), (MAX_PARTS, MAX_PARTS, false));
    let prompt = read_json(Dialect::Messages, &many(5_000));
    assert_eq!((prompt.parts.len(), prompt.turns, prompt.truncated), (MAX_PARTS, MAX_TURNS, true));
    let long = "é".repeat(100);
    let prompt = read_json(Dialect::Responses, &format!(r#"{{"model":"{long}","previous_response_id":"x{long}"}}"#));
    assert_eq!((prompt.model.len(), prompt.previous.len()), (MAX_NAME, MAX_NAME - 1));
}

#[test]
fn wrong_types_are_ignored() {
    for value in ["null", "1", "true", "\"s\"", "[]", "{}", "[[[]]]", "[null,1,\"s\",{}]", "{\"a\":{\"b\":[]}}"] {
        for (dialect, _, body, _) in FIXTURES.iter().filter(|(_, name, ..)| name.ends_with("fields")) {
            let keys: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).unwrap();
            let swapped: Vec<_> = keys.keys().map(|key| format!("\"{key}\":{value}")).collect();
            let prompt = read_json(*dialect, &format!("{{{},\"z\":0}}", swapped.join(",")));
            assert!(!prompt.truncated, "{value}");
        }
    }
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for (dialect, _) in DIALECTS {
                let _ = read(&route(dialect), &bytes);
                let _ = read_answer(dialect, &bytes);
            }
        }

        #[test]
        fn damaged_fixtures_are_survived(
            fixture in prop::sample::select(FIXTURES),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut body = fixture.2.as_bytes().to_vec();
            for (place, byte) in damage {
                let place = place.index(body.len());
                body[place] = byte;
            }
            let prompt = read(&route(fixture.0), &body);
            for part in &prompt.parts {
                prop_assert!(prompt.document.get(part.span.start as usize..part.span.end as usize).is_some());
                let _ = prompt.text(part.span);
            }
        }
    }
}
