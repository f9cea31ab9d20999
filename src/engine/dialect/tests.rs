use super::*;

mod answers;
mod hostile;
mod kept;

const DIALECTS: [(Dialect, &str); 7] = [
    (Dialect::ChatCompletions, "chat_completions"),
    (Dialect::Completions, "completions"),
    (Dialect::Responses, "responses"),
    (Dialect::Messages, "messages"),
    (Dialect::Gemini, "gemini"),
    (Dialect::Converse, "converse"),
    (Dialect::Interactions, "interactions"),
];

macro_rules! fixtures {
    ($($dialect:ident $folder:literal $name:literal;)*) => {
        /// Every request of `fixtures/`, with the description of what is read of it.
        const FIXTURES: &[(Dialect, &str, &str, &str)] = &[$((
            Dialect::$dialect,
            concat!($folder, "/", $name),
            include_str!(concat!("../fixtures/", $folder, "/", $name, ".json")),
            include_str!(concat!("../fixtures/", $folder, "/", $name, ".txt")),
        )),*];
    };
}

fixtures! {
    ChatCompletions "chat_completions" "conversation";
    ChatCompletions "chat_completions" "fields";
    Completions "completions" "conversation";
    Completions "completions" "fields";
    Responses "responses" "conversation";
    Responses "responses" "fields";
    Messages "messages" "conversation";
    Messages "messages" "fields";
    Gemini "gemini" "conversation";
    Gemini "gemini" "fields";
    Converse "converse" "conversation";
    Converse "converse" "fields";
    Interactions "interactions" "conversation";
    Interactions "interactions" "fields";
}

fn route(dialect: Dialect) -> Route {
    Route { dialect, model: String::new(), stream: false }
}

/// A prompt that outlives its body.
fn read_json(dialect: Dialect, body: &str) -> Prompt<'static> {
    let Prompt { document, model, parts, params, previous, stored, turns, batch, truncated } =
        read(&route(dialect), body.as_bytes());
    Prompt {
        document: Cow::Owned(document.into_owned()),
        model,
        parts,
        params,
        previous,
        stored,
        turns,
        batch,
        truncated,
    }
}

/// A prompt as the fixtures describe it: its fields, then a line a part.
fn describe(prompt: &Prompt) -> String {
    let Prompt { model, previous, turns, truncated, params, .. } = prompt;
    let stored = if prompt.stored.is_empty() { String::new() } else { format!(" stored {:?}", prompt.stored) };
    let params = format!("{params:?}");
    let params = params.trim_start_matches("Params { ").trim_end_matches(" }");
    let mut out =
        format!("model {model:?} previous {previous:?} turns {turns} truncated {truncated}{stored}\n{params}\n");
    for part in &prompt.parts {
        let Part { turn, role, kind, span } = *part;
        out += &format!("{turn} {role:?} {kind:?} {:?}\n", prompt.text(span));
    }
    out
}

#[test]
fn every_fixture_is_read_as_described() {
    for (dialect, name, body, expected) in FIXTURES {
        let found = describe(&read_json(*dialect, body));
        #[cfg(not(target_family = "wasm"))]
        if std::env::var_os("BLESS").is_some() {
            let path = format!("{}/fixtures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, &found).unwrap();
            continue;
        }
        assert_eq!(&found, expected, "{name}");
    }
}

#[test]
fn one_conversation_gives_the_same_parts_in_every_dialect() {
    let parts = |body: &str, dialect| {
        let prompt = read_json(dialect, body);
        let parts: Vec<_> = prompt.parts.iter().map(|p| (p.role, p.kind, prompt.text(p.span).into_owned())).collect();
        (parts, prompt.model, prompt.params.max_tokens, prompt.params.temperature)
    };
    let mut conversations = FIXTURES
        .iter()
        .filter(|(dialect, name, ..)| name.ends_with("conversation") && *dialect != Dialect::Completions)
        .map(|(dialect, name, body, _)| (name, parts(body, *dialect)));
    let (_, first) = conversations.next().unwrap();
    assert_eq!(first.0.len(), 13);
    for (name, other) in conversations {
        assert_eq!(first, other, "{name}");
    }
}

#[test]
fn a_prompt_that_the_provider_keeps_is_known_by_its_name() {
    let arn = "arn:aws:bedrock:us-east-1:1:prompt/P1:3";
    let at = |model: &str| Route { dialect: Dialect::Converse, model: model.into(), stream: false };
    for (route, body, stored) in [
        (route(Dialect::Responses), r#"{"prompt":{"variables":{"text":"x"},"id":"pmpt_1","version":"2"}}"#, "pmpt_1"),
        (route(Dialect::Gemini), r#"{"cachedContent":"cachedContents/c1"}"#, "cachedContents/c1"),
        (route(Dialect::Gemini), r#"{"cached_content":null}"#, ""),
        (at(arn), r#"{"promptVariables":{"text":{"text":"x"}}}"#, arn),
        (at("anthropic.claude"), "{}", ""),
    ] {
        assert_eq!(read(&route, body.as_bytes()).stored, stored, "{body}");
    }
}

#[test]
fn a_batch_is_read_as_its_first_request() {
    let single = [
        (Dialect::Messages, r#"{"model":"m","system":"s","messages":[{"role":"user","content":"one"}]}"#),
        (Dialect::Gemini, r#"{"model":"m","contents":[{"role":"user","parts":[{"text":"one"}]}]}"#),
    ];
    for (dialect, body) in single {
        let alone = describe(&read_json(dialect, body));
        let (batch, one) = match dialect {
            Dialect::Messages => (r#"{"requests":[R]}"#, r#"{"custom_id":"1","params":B}"#),
            _ => (r#"{"batch":{"input_config":{"requests":{"requests":[R]}}}}"#, r#"{"request":B}"#),
        };
        let of = |requests: &str| describe(&read_json(dialect, &batch.replace('R', requests).replace('B', body)));
        assert_eq!(of(one), alone, "{dialect:?}");
        let several = of(&[one; 3].join(","));
        assert_eq!(several, alone.replace("truncated false", "truncated true"), "{dialect:?}");
        let nested = batch.replace('R', &one.replace('B', &batch.replace('R', one)));
        assert!(read_json(dialect, &nested.replace('B', body)).parts.is_empty(), "{dialect:?}");
    }
}

#[test]
fn the_request_of_a_batch_that_is_drawn_stands_for_all() {
    let one =
        |n: usize| format!(r#"{{"custom_id":"{n}","params":{{"messages":[{{"role":"user","content":"p{n}"}}]}}}}"#);
    let body = format!(r#"{{"requests":[{}]}}"#, (0..7).map(one).collect::<Vec<_>>().join(","));
    let route = route(Dialect::Messages);
    let seen = |drawn: u32| {
        let draw = move |requests| {
            assert_eq!(requests, 7);
            drawn
        };
        let prompt = read_drawing(&route, body.as_bytes(), &draw);
        assert!(prompt.truncated);
        prompt.parts.iter().map(|part| prompt.text(part.span).into_owned()).collect::<Vec<_>>()
    };
    assert!((0..7).all(|drawn| seen(drawn) == [format!("p{drawn}")]));
    assert!(seen(7).is_empty());
}

#[test]
fn a_second_batch_is_read_as_well_and_none_behind_messages_of_the_requests_own() {
    let batch =
        |text: &str| format!(r#""requests":[{{"params":{{"messages":[{{"role":"user","content":"{text}"}}]}}}}]"#);
    let own = r#""messages":[{"role":"user","content":"own"}]"#;
    for (members, texts) in [
        (vec![batch("harmless"), batch("taken")], vec!["harmless", "taken"]),
        (vec![own.to_owned(), batch("harmless")], vec!["own"]),
        (vec![batch("harmless"), own.to_owned(), batch("more")], vec!["harmless", "own"]),
    ] {
        let prompt = read_json(Dialect::Messages, &format!("{{{}}}", members.join(",")));
        let found: Vec<_> = prompt.parts.iter().map(|part| prompt.text(part.span)).collect();
        assert_eq!(found, texts);
        assert!(prompt.parts.is_sorted_by_key(|part| part.turn), "the last is the last turn");
    }
}

#[test]
fn the_order_of_a_blocks_members_changes_nothing() {
    let content = r#""content":[{"type":"text","text":"x"}]"#;
    for (members, expected) in [
        ([r#""type":"search_result""#, r#""source":"https://s""#, r#""title":"t""#], "User Text t, User Text x"),
        ([r#""type":"mid_conv_system""#, r#""a":1"#, r#""b":2"#], "System Text x"),
        ([r#""type":"tool_result""#, r#""tool_use_id":"1""#, r#""is_error":false"#], "Tool ToolResult x"),
        ([r#""type":"web_fetch_tool_result""#, r#""tool_use_id":"1""#, r#""b":2"#], "Tool ToolResult x"),
        ([r#""tool_use_id":"1""#, r#""a":1"#, r#""b":2"#], "Tool ToolResult x"),
        ([r#""type":"of a type yet unknown""#, r#""a":1"#, r#""b":2"#], "User Text x"),
    ] {
        let mut members = [members.as_slice(), &[content]].concat();
        for _ in 0..members.len() {
            members.rotate_left(1);
            let body = format!(r#"{{"messages":[{{"role":"user","content":[{{{}}}]}}]}}"#, members.join(","));
            let prompt = read_json(Dialect::Messages, &body);
            let found: Vec<_> =
                prompt.parts.iter().map(|p| format!("{:?} {:?} {}", p.role, p.kind, prompt.text(p.span))).collect();
            assert_eq!(found.join(", "), expected, "{body}");
        }
    }
    // Cut before its type.
    let cut = read(&route(Dialect::Messages), br#"{"messages":[{"role":"user","content":[{"content":"x"#);
    assert_eq!(cut.parts[0].kind, Kind::ToolResult);
}

#[test]
fn a_prompt_instead_of_messages_is_read_and_one_beside_them_hides_nothing() {
    for (body, texts) in [
        (r#"{"model":"m","prompt":"one"}"#, vec!["one"]),
        (r#"{"prompt":["one","two"],"messages":[]}"#, vec!["one", "two"]),
        (r#"{"messages":[{"role":"user","content":"one"}],"prompt":"a harmless one"}"#, vec!["one"]),
        (r#"{"prompt":"a harmless one","messages":[{"role":"user","content":"one"}]}"#, vec!["a harmless one", "one"]),
    ] {
        let prompt = read_json(Dialect::ChatCompletions, body);
        let found: Vec<_> = prompt.parts.iter().map(|part| prompt.text(part.span)).collect();
        assert_eq!(found, texts, "{body}");
        let turns: Vec<_> = prompt.parts.iter().map(|part| usize::from(part.turn)).collect();
        assert_eq!(turns, (0..texts.len()).collect::<Vec<_>>(), "{body}: each is a turn of its own");
    }
}

#[test]
fn the_schema_of_the_answer_is_read_wherever_it_stands() {
    let schema = r#"{"type":"object","properties":{"why":{"description":"reason step by step"}}}"#;
    for (dialect, body) in [
        (
            Dialect::ChatCompletions,
            r#"{"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":S}}}"#,
        ),
        (Dialect::Responses, r#"{"text":{"format":{"type":"json_schema","name":"n","description":"d","schema":S}}}"#),
        (Dialect::Messages, r#"{"output_config":{"format":{"type":"json_schema","description":"d","schema":S}}}"#),
        (Dialect::Messages, r#"{"output_format":{"description":"d","schema":S}}"#),
        (
            Dialect::Converse,
            r#"{"outputConfig":{"textFormat":{"structure":{"jsonSchema":{"name":"n","description":"d","schema":S}}}}}"#,
        ),
        (Dialect::Gemini, r#"{"generationConfig":{"description":"d","responseSchema":S}}"#),
        (Dialect::Gemini, r#"{"generation_config":{"description":"d","response_json_schema":S}}"#),
        (Dialect::Interactions, r#"{"response_format":[{"description":"d","schema":S}]}"#),
    ] {
        let prompt = read_json(dialect, &body.replace(":S", &format!(":{schema}")));
        let found: Vec<_> = prompt.parts.iter().map(|part| (part.kind, part.role, prompt.text(part.span))).collect();
        let expected = ["d", schema].map(|text| (Kind::Schema, Role::System, text.into()));
        assert_eq!(found, expected, "{dialect:?} {body}");
    }
}

#[test]
fn keys_in_another_case_are_read_where_servers_would() {
    let body = r#"{"MODEL":"m","Messages":[{"Role":"system","CONTENT":"s"},{"role":"user","Content":[{"TEXT":"u"}]}]}"#;
    let plain = body.to_ascii_lowercase();
    let of = |body: &str| describe(&read_json(Dialect::ChatCompletions, body));
    assert_eq!(of(body), of(&plain));
    assert_eq!(read_json(Dialect::Gemini, r#"{"Contents":["u"]}"#).parts, []);
}

#[test]
fn the_path_names_model_and_streaming_where_it_can() {
    let route = Route { dialect: Dialect::Gemini, model: "gemini-x".into(), stream: true };
    let prompt = read(&route, br#"{"model":"other","stream":false,"contents":[]}"#);
    assert_eq!((prompt.model.as_str(), prompt.params.stream), ("gemini-x", true));
}
