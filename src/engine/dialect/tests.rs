use super::*;

pub(super) fn route(dialect: Dialect) -> Route {
    Route { dialect, model: String::new(), stream: false }
}

#[test]
fn a_plain_question_is_read_in_every_dialect() {
    let bodies: [(Dialect, &str); 6] = [
        (Dialect::ChatCompletions, r#"{"messages":[{"role":"user","content":"Hi"}]}"#),
        (Dialect::Completions, r#"{"prompt":"Hi"}"#),
        (Dialect::Responses, r#"{"input":"Hi"}"#),
        (Dialect::Messages, r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#),
        (Dialect::Gemini, r#"{"contents":[{"parts":[{"text":"Hi"}]}]}"#),
        (Dialect::Converse, r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#),
    ];
    for (dialect, body) in bodies {
        let prompt = read(&route(dialect), body.as_bytes());
        let part = Part { turn: 0, role: Role::User, kind: Kind::Text, span: Span { start: 0, end: 2 } };
        assert_eq!(
            (prompt.text.as_str(), prompt.parts.as_slice(), prompt.turns),
            ("Hi", [part].as_slice(), 1),
            "{dialect:?}"
        );
        assert!(!prompt.truncated);
    }
}
