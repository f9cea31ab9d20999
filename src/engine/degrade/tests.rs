use super::*;
use crate::dialect::Dialect;
use crate::rules::Degrade;
use serde_json::Value as Json;

mod answers;

/// What becomes of a request, and the names of the changes; the request itself where nothing changes.
fn degraded(dialect: Dialect, body: &str) -> (String, Vec<&'static str>) {
    let limits = Degrade { max_tokens: 100, thinking_tokens: 2_000, ..Degrade::default() };
    request(dialect, body.as_bytes(), &limits).map_or_else(
        || (body.to_owned(), Vec::new()),
        |degraded| (String::from_utf8(degraded.body).unwrap(), degraded.changes.names().collect()),
    )
}

fn check(dialect: Dialect, body: &str, expected: &str, names: &[&str]) {
    assert_eq!(degraded(dialect, body), (expected.to_owned(), names.to_vec()));
    serde_json::from_str::<Json>(expected).unwrap();
    // Once is enough.
    assert_eq!(degraded(dialect, expected), (expected.to_owned(), Vec::new()));
}

#[test]
fn chat_completions_keep_bytes_order_and_unknown_fields() {
    check(
        Dialect::ChatCompletions,
        "{ \"model\" : \"m\",\r\n \"logprobs\": true , \"x\\u002dnew\":[1,\t{}],\"top_logprobs\":5, \"n\":8,\"max_tokens\":9e3,\"messages\":[{\"content\":\"\\u00e9 \\\"n\\\":8\"}]}",
        "{ \"model\" : \"m\" , \"x\\u002dnew\":[1,\t{}], \"n\":1,\"max_tokens\":100,\"messages\":[{\"content\":\"\\u00e9 \\\"n\\\":8\"}]}",
        &["logprobs", "n", "max-tokens"],
    );
    check(
        Dialect::ChatCompletions,
        r#"{"logprobs":true,"top_logprobs":2,"messages":[],"max_tokens":null}"#,
        r#"{"messages":[],"max_completion_tokens":100}"#,
        &["logprobs", "max-tokens"],
    );
    check(
        Dialect::ChatCompletions,
        r#"{"max_completion_tokens":7,"max_completion_tokens":700,"reasoning":{"max_tokens":9000},"include_reasoning":true}"#,
        r#"{"max_completion_tokens":7,"max_completion_tokens":100,"reasoning":{"max_tokens":2000},"include_reasoning":false}"#,
        &["max-tokens", "thinking-budget", "reasoning-text"],
    );
    check(Dialect::ChatCompletions, "{}", r#"{"max_completion_tokens":100}"#, &["max-tokens"]);
}

#[test]
fn every_request_of_a_batch_is_limited() {
    check(
        Dialect::Messages,
        r#"{"requests":[{"custom_id":"1","params":{"max_tokens":9}},{"params":{"max_tokens":900,"x":[1]},"custom_id":"2"}, 7]}"#,
        r#"{"requests":[{"custom_id":"1","params":{"max_tokens":9}},{"params":{"max_tokens":100,"x":[1]},"custom_id":"2"}, 7]}"#,
        &["max-tokens"],
    );
    // Each by its own budget for reasoning.
    check(
        Dialect::Messages,
        r#"{"requests":[{"params":{"max_tokens":9000,"thinking":{"budget_tokens":3000}}},{"params":{"max_tokens":9000}}]}"#,
        r#"{"requests":[{"params":{"max_tokens":2100,"thinking":{"budget_tokens":2000}}},{"params":{"max_tokens":100}}]}"#,
        &["max-tokens", "thinking-budget"],
    );
    check(
        Dialect::Gemini,
        r#"{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"contents":[]}},{"request":{"generationConfig":{"maxOutputTokens":900}}}]}}}}"#,
        r#"{"batch":{"inputConfig":{"requests":{"requests":[{"request":{"contents":[],"generationConfig":{"maxOutputTokens":100}}},{"request":{"generationConfig":{"maxOutputTokens":100}}}]}}}}"#,
        &["max-tokens"],
    );
    // A batch in a batch is none.
    let nested = r#"{"requests":[{"params":{"requests":[{"params":{"max_tokens":900}}]}}]}"#;
    check(Dialect::Messages, nested, nested, &[]);
}

#[test]
fn a_limit_in_a_foreign_place_is_none() {
    let written = r#"{"maxTokens":1,"inferenceConfig":{"maxTokens":1}}"#;
    let expected = r#"{"maxTokens":1,"inferenceConfig":{"maxTokens":1},"max_completion_tokens":100}"#;
    check(Dialect::ChatCompletions, written, expected, &["max-tokens"]);
    let written = r#"{"maxTokens":1,"additionalModelRequestFields":{"max_tokens":1}}"#;
    let expected =
        r#"{"maxTokens":1,"additionalModelRequestFields":{"max_tokens":1},"inferenceConfig":{"maxTokens":100}}"#;
    check(Dialect::Converse, written, expected, &["max-tokens"]);
    let written = r#"{"thinking_config":{"generation_config":{"max_output_tokens":9000,"top_k":1}}}"#;
    let expected = r#"{"thinking_config":{"generation_config":{"max_output_tokens":2000,"top_k":1}},"generationConfig":{"maxOutputTokens":100}}"#;
    check(Dialect::Gemini, written, expected, &["max-tokens", "thinking-budget"]);
    let written = r#"{"outputConfig":{"logprobs":3,"maxTokens":900},"max_completion_tokens":1}"#;
    let expected = r#"{"outputConfig":{"maxTokens":100},"max_completion_tokens":1}"#;
    check(Dialect::ChatCompletions, written, expected, &["logprobs", "max-tokens"]);
}

#[test]
fn a_name_in_another_case_is_limited_and_does_not_stand_for_the_limit() {
    let written = r#"{"N":3,"Max_Tokens":900,"LogProbs":true}"#;
    let expected = r#"{"N":1,"Max_Tokens":100,"max_completion_tokens":100}"#;
    check(Dialect::ChatCompletions, written, expected, &["logprobs", "n", "max-tokens"]);
}

#[test]
fn completions() {
    let written = r#"{"logprobs":0,"prompt":"p","best_of":"3"}"#;
    check(Dialect::Completions, written, r#"{"prompt":"p","best_of":1}"#, &["logprobs", "n"]);
}

#[test]
fn responses() {
    check(
        Dialect::Responses,
        r#"{"include":["message.output_text.logprobs","reasoning.encrypted_content"],"top_logprobs":0,"reasoning":{"effort":"high","summary":"auto"},"input":"x","max_output_tokens":50}"#,
        r#"{"include":["reasoning.encrypted_content"],"reasoning":{"effort":"high"},"input":"x","max_output_tokens":50}"#,
        &["logprobs", "reasoning-text"],
    );
    let written = r#"{"input":"x","include":[ "a" , "message.output_text.logprobs" ]}"#;
    let expected = r#"{"input":"x","include":[ "a" ],"max_output_tokens":100}"#;
    check(Dialect::Responses, written, expected, &["logprobs", "max-tokens"]);
}

#[test]
fn claudes_budget_stays_below_the_length() {
    check(
        Dialect::Messages,
        r#"{"max_tokens":64000,"thinking":{"type":"enabled","budget_tokens":32000},"messages":[]}"#,
        r#"{"max_tokens":2100,"thinking":{"type":"enabled","budget_tokens":2000},"messages":[]}"#,
        &["max-tokens", "thinking-budget"],
    );
    check(
        Dialect::Converse,
        r#"{"inferenceConfig":{"temperature":1},"additionalModelRequestFields":{"thinking":{"budget_tokens":1500}}}"#,
        r#"{"inferenceConfig":{"temperature":1,"maxTokens":1600},"additionalModelRequestFields":{"thinking":{"budget_tokens":1500}}}"#,
        &["max-tokens"],
    );
}

#[test]
fn gemini() {
    check(
        Dialect::Gemini,
        r#"{"contents":[],"generationConfig":{"responseLogprobs":true,"logprobs":3,"candidateCount":2,"thinkingConfig":{"thinkingBudget":-1,"includeThoughts":true}}}"#,
        r#"{"contents":[],"generationConfig":{"candidateCount":1,"thinkingConfig":{"thinkingBudget":2000,"includeThoughts":false},"maxOutputTokens":100}}"#,
        &["logprobs", "n", "max-tokens", "thinking-budget", "reasoning-text"],
    );
    for none in [r#"{"contents":[]}"#, r#"{"contents":[],"generationConfig":null}"#] {
        let expected = r#"{"contents":[],"generationConfig":{"maxOutputTokens":100}}"#;
        check(Dialect::Gemini, none, expected, &["max-tokens"]);
    }
    let empty = r#"{"generation_config":{"logprobs":3}}"#;
    check(Dialect::Gemini, empty, r#"{"generation_config":{"maxOutputTokens":100}}"#, &["logprobs", "max-tokens"]);
}

#[test]
fn interactions() {
    check(
        Dialect::Interactions,
        r#"{"input":"x","generation_config":{"thinking_level":"high","thinking_summaries":"auto","temperature":1}}"#,
        r#"{"input":"x","generation_config":{"thinking_level":"high","temperature":1,"max_output_tokens":100}}"#,
        &["max-tokens", "reasoning-text"],
    );
    let expected = r#"{"input":"x","generation_config":{"max_output_tokens":100}}"#;
    check(Dialect::Interactions, r#"{"input":"x"}"#, expected, &["max-tokens"]);
}

#[test]
fn groups_without_end_are_not_followed() {
    for key in ["generationConfig", "thinking", "inferenceConfig", "reasoning"] {
        let deep = format!("{}1{}", format!("{{\"{key}\":").repeat(100_000), "}".repeat(100_000));
        let (body, _) = degraded(Dialect::Gemini, &deep);
        assert!(body.len() >= deep.len());
    }
}

#[test]
fn what_is_turned_off_is_left_alone() {
    let limits = Degrade { logprobs: false, single: false, reasoning_text: false, ..Degrade::default() };
    let body =
        br#"{"logprobs":true,"n":5,"max_output_tokens":1,"reasoning":{"summary":"auto"},"include":["x.logprobs"]}"#;
    assert_eq!(request(Dialect::Responses, body, &limits), None);
}

#[test]
fn what_is_no_whole_object_is_not_touched() {
    for body in ["", "[]", "7", r#"{"n":8"#, r#"{"n":8,"x":"#, r#"{"n":8,"x":"y"#, "\u{feff}{\"n\":8}"] {
        assert_eq!(degraded(Dialect::ChatCompletions, body).1, [""; 0], "{body}");
    }
    assert_eq!(request(Dialect::ChatCompletions, b"{\"n\":8,\"x\":\"\xff\"}", &Degrade::default()), None);
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &[&str] = &[
        "logprobs",
        "top_logprobs",
        "n",
        "max_tokens",
        "max_completion_tokens",
        "thinking",
        "budget_tokens",
        "generationConfig",
        "inferenceConfig",
        "include",
        "other",
    ];

    fn value() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-5_i64..100_000).prop_map(Json::from),
            ".{0,4}".prop_map(Json::from),
            Just(Json::from("a.logprobs")),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(prop::sample::select(KEYS), inner, 0..6)
                    .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_changed_is_json_and_changed_only_once(document in value(), pretty: bool) {
            let body = if pretty { format!("{document:#}") } else { document.to_string() };
            for dialect in [Dialect::ChatCompletions, Dialect::Gemini, Dialect::Converse, Dialect::Messages] {
                let (first, _) = degraded(dialect, &body);
                prop_assert!(serde_json::from_str::<Json>(&first).is_ok(), "{body} became {first}");
                prop_assert_eq!(degraded(dialect, &first), (first.clone(), Vec::new()));
                let (after, before): (Json, &Json) = (serde_json::from_str(&first).unwrap(), &document);
                prop_assert_eq!(after.get("other"), before.get("other"));
                prop_assert!(after.get("n").and_then(Json::as_i64).is_none_or(|n| (0..=1).contains(&n)));
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = request(Dialect::Gemini, &bytes, &Degrade::default());
        }
    }
}
