//! What is kept for later, and what is asked of agents, in evaluations and in batches of other shapes.

use super::*;

/// Turn, speaker and text of every part.
fn said(dialect: Dialect, body: &str) -> (Vec<String>, Params) {
    let prompt = read_json(dialect, body);
    let said = |part: &Part| format!("{} {:?} {}", part.turn, part.role, prompt.text(part.span));
    (prompt.parts.iter().map(said).collect(), prompt.params)
}

#[test]
fn items_of_a_conversation_are_read_and_ask_nothing() {
    let items = r#"[{"type":"message","role":"system","content":"s"},{"role":"user","content":[{"type":"input_text","text":"u"}]}]"#;
    let (parts, params) = said(Dialect::Responses, &format!(r#"{{"items":{items},"metadata":{{"a":"b"}}}}"#));
    assert_eq!((parts, params.kept), (vec!["0 System s".into(), "1 User u".into()], true));
    assert!(said(Dialect::Responses, "{}").1.kept);
    for more in [r#""model":"m""#, r#""input":[]"#, r#""anything":1"#] {
        assert!(!said(Dialect::Responses, &format!(r#"{{"items":{items},{more}}}"#)).1.kept, "{more}");
    }
    // Mistral's, which are answered.
    let (parts, params) = said(
        Dialect::Responses,
        r#"{"agent_id":"ag_1","instructions":"i","inputs":[{"type":"message.input","role":"user","content":"u"}],
            "completion_args":{"max_tokens":9}}"#,
    );
    assert_eq!(parts, ["0 System i", "0 User u"]);
    assert_eq!((params.kept, params.max_tokens), (false, Some(9)));
    assert_eq!(said(Dialect::Responses, r#"{"inputs":"u"}"#).0, ["0 User u"]);
}

#[test]
fn whoever_goes_on_with_a_conversation_names_it_in_the_body_or_in_the_path() {
    for body in
        [r#"{"conversation":"conv_1"}"#, r#"{"conversation":{"id":"conv_1"}}"#, r#"{"previous_response_id":"conv_1"}"#]
    {
        assert_eq!(read_json(Dialect::Responses, body).previous, "conv_1", "{body}");
    }
    for body in [r#"{"conversation":null}"#, r#"{"conversation":{}}"#, r#"{"conversation":[{"id":"conv_1"}]}"#] {
        assert_eq!(read_json(Dialect::Responses, body).previous, "", "{body}");
    }
    let at = |model: &str| Route { dialect: Dialect::Responses, model: model.into(), stream: false };
    let named = |model| {
        let prompt = read(&at(model), br#"{"model":"m"}"#);
        (prompt.previous, prompt.model)
    };
    assert_eq!(named("conv_1"), ("conv_1".into(), "m".into()));
    assert_eq!(named("deployment"), (String::new(), "deployment".into()));
}

#[test]
fn what_is_said_to_an_agent_is_read_as_messages_are() {
    for field in ["events", "initial_events"] {
        let (parts, params) = said(
            Dialect::Messages,
            &format!(
                r#"{{"{field}":[{{"content":[{{"type":"text","text":"u"}}],"type":"user.message"}},
                {{"type":"user.custom_tool_result","content":[{{"type":"text","text":"r"}}]}},
                {{"type":"system.message","content":[{{"type":"text","text":"s"}}]}},
                {{"type":"user.define_outcome","description":"d","rubric":{{"type":"text","content":"c"}}}}]}}"#
            ),
        );
        assert_eq!(parts, ["0 User u", "1 Tool r", "2 System s", "3 User d", "3 User c"]);
        assert!(params.background && !params.kept);
    }
    let (parts, params) =
        said(Dialect::Messages, r#"{"agent":{"id":"a","system":"s"},"environment_id":"e","title":"t"}"#);
    assert_eq!((parts, params.kept), (vec!["0 System s".into()], true));
    let mistral = r#"{"model":"m","name":"n","instructions":"s"}"#;
    assert_eq!(said(Dialect::Messages, mistral).0, ["0 System s"]);
}

#[test]
fn the_template_of_an_evaluation_is_read() {
    let body = r#"{"name":"n","data_source":{"type":"completions","model":"m","source":{"type":"file_id","id":"f"},
        "input_messages":{"type":"template","template":[{"role":"developer","content":"s"},
        {"type":"message","role":"user","content":{"type":"input_text","text":"u {{item.x}}"}}]},
        "sampling_params":{"temperature":0.5,"max_completion_tokens":9}}}"#;
    let (parts, params) = said(Dialect::ChatCompletions, body);
    assert_eq!(parts, ["0 System s", "1 User u {{item.x}}"]);
    assert_eq!((params.max_tokens, params.temperature, params.background), (Some(9), Some(500), true));
}

#[test]
fn a_batch_says_what_its_requests_speak() {
    let chat = r#"{"messages":[{"role":"user","content":"u"}]}"#;
    for (body, expected) in [
        (format!(r#"{{"requests":[{{"custom_id":"1","body":{chat}}}]}}"#), "0 User u"),
        (format!(r#"{{"batch_requests":[{{"batch_request":{{"chat_get_completion":{chat}}}}}]}}"#), "0 User u"),
        (r#"{"endpoint":"/v1/responses","model":"m","requests":[{"body":{"input":"u"}}]}"#.into(), "0 User u"),
        (r#"{"endpoint":"/v1/messages","requests":[{"body":{"system":"s"}}]}"#.into(), "0 System s"),
    ] {
        let prompt = read_json(Dialect::ChatCompletions, &body);
        assert_eq!(prompt.batch.map(|batch| batch.requests), Some(1), "{body}");
        assert_eq!(said(Dialect::ChatCompletions, &body).0, [expected], "{body}");
    }
    // What a request's own text is does not depend on it.
    let own = r#"{"endpoint":"/v1/responses","messages":[{"role":"user","content":"u"}]}"#;
    assert_eq!(said(Dialect::ChatCompletions, own).0, ["0 User u"]);
}
