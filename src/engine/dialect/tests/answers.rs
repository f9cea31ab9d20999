use super::*;

/// Everything read of an answer.
fn read_all(dialect: Dialect, body: &str) -> (Vec<String>, [Option<u64>; 4], Finish, String) {
    let answer = read_answer(dialect, body.as_bytes());
    assert!(!answer.truncated);
    let counts = [answer.input_tokens, answer.output_tokens, answer.reasoning_tokens, answer.cached_tokens];
    (answer.blobs().map(String::from).collect(), counts, answer.finish, answer.id)
}

#[test]
fn chat_completions() {
    let body = r#"{"id":"chatcmpl-1","choices":[{"message":{"role":"assistant","content":"Hi","reasoning_details":[{"data":"B1"}],
        "tool_calls":[{"extra_content":{"google":{"thought_signature":"B2"}}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":10,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":4},
        "completion_tokens_details":{"reasoning_tokens":5}}}"#;
    let expected =
        (vec!["B1".into(), "B2".into()], [Some(10), Some(20), Some(5), Some(4)], Finish::ToolUse, "chatcmpl-1".into());
    assert_eq!(read_all(Dialect::ChatCompletions, body), expected);
    let refused = r#"{"choices":[{"message":{"refusal":"No."},"finish_reason":"stop"}]}"#;
    assert_eq!(read_all(Dialect::ChatCompletions, refused).2, Finish::Refusal);
}

#[test]
fn completions() {
    let body = r#"{"id":"cmpl-1","choices":[{"text":"Hi","finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    assert_eq!(
        read_all(Dialect::Completions, body),
        (vec![], [Some(1), Some(2), None, None], Finish::Length, "cmpl-1".into())
    );
}

#[test]
fn responses() {
    let body = r#"{"id":"resp_1","status":"completed","incomplete_details":null,"output":[
        {"type":"reasoning","encrypted_content":"B1","summary":[]},{"type":"function_call","name":"f","arguments":"{}"}],
        "usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":3},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":8}}}"#;
    let expected = (vec!["B1".into()], [Some(7), Some(9), Some(8), Some(3)], Finish::ToolUse, "resp_1".into());
    assert_eq!(read_all(Dialect::Responses, body), expected);
    let cut = r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}"#;
    assert_eq!(read_all(Dialect::Responses, cut).2, Finish::Length);
    let refused =
        r#"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}"#;
    assert_eq!(read_all(Dialect::Responses, refused).2, Finish::Refusal);
}

#[test]
fn messages() {
    let body = r#"{"id":"msg_1","content":[{"type":"thinking","thinking":"…","signature":"B1"},{"type":"redacted_thinking","data":"B2"},
        {"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_read_input_tokens":2,"output_tokens":6}}"#;
    let expected = (vec!["B1".into(), "B2".into()], [Some(3), Some(6), None, Some(2)], Finish::Stop, "msg_1".into());
    assert_eq!(read_all(Dialect::Messages, body), expected);
    assert_eq!(read_all(Dialect::Messages, r#"{"stop_reason":"refusal"}"#).2, Finish::Refusal);
}

#[test]
fn gemini() {
    let body = r#"{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"B1"}]},
        "finishReason":"STOP"}],"responseId":"r1","usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6,
        "thoughtsTokenCount":7,"cachedContentTokenCount":1}}"#;
    let expected = (vec!["B1".into()], [Some(5), Some(6), Some(7), Some(1)], Finish::ToolUse, "r1".into());
    assert_eq!(read_all(Dialect::Gemini, body), expected);
    let list = format!(r#"[{{"candidates":[]}},{body}]"#);
    assert_eq!(read_all(Dialect::Gemini, &list), expected);
    assert_eq!(read_all(Dialect::Gemini, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#).2, Finish::Filter);
}

#[test]
fn interactions() {
    let body = r#"{"id":"v1_1","status":"requires_action","steps":[{"type":"thought","signature":"B1","summary":[{"type":"text","text":"…"}]},
        {"type":"function_call","id":"c1","name":"f","arguments":{"signature":"no blob"}}],
        "usage":{"total_input_tokens":5,"total_output_tokens":6,"total_thought_tokens":7,"total_cached_tokens":1}}"#;
    let expected = (vec!["B1".into()], [Some(5), Some(6), Some(7), Some(1)], Finish::ToolUse, "v1_1".into());
    assert_eq!(read_all(Dialect::Interactions, body), expected);
    assert_eq!(read_all(Dialect::Interactions, &body.replace("steps", "outputs")), expected);
    assert_eq!(read_all(Dialect::Interactions, r#"{"status":"incomplete"}"#).2, Finish::Length);
}

#[test]
fn converse() {
    let body = r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"…","signature":"B1"}}},
        {"text":"Hi"}]}},"stopReason":"guardrail_intervened","usage":{"inputTokens":1,"outputTokens":2,"cacheReadInputTokens":3}}"#;
    let expected = (vec!["B1".into()], [Some(1), Some(2), None, Some(3)], Finish::Filter, String::new());
    assert_eq!(read_all(Dialect::Converse, body), expected);
}

#[test]
fn an_error_is_an_empty_answer() {
    for (dialect, _) in DIALECTS {
        let answer = read_all(dialect, r#"{"error":{"type":"rate_limit","message":"slow down"}}"#);
        assert_eq!(answer, (vec![], [None; 4], Finish::Unknown, String::new()));
    }
}
