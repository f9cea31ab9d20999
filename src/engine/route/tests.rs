use super::*;
use crate::dialect::MAX_NAME;

fn find(path: &str) -> Option<(Dialect, String, bool)> {
    Routes::default().find(b"POST", path.as_bytes()).map(|route| (route.dialect, route.model, route.stream))
}

fn dialect(path: &str) -> Option<Dialect> {
    find(path).map(|found| found.0)
}

#[test]
fn every_api_is_known_by_its_path() {
    let claude = "anthropic.claude-3-5-sonnet-20241022-v2:0";
    let cases = [
        ("/v1/chat/completions".to_owned(), Dialect::ChatCompletions, "", false),
        (
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024".into(),
            Dialect::ChatCompletions,
            "gpt-4o",
            false,
        ),
        ("/v1beta/openai/chat/completions".into(), Dialect::ChatCompletions, "", false),
        ("/v1/completions".into(), Dialect::Completions, "", false),
        ("/openai/deployments/d/completions".into(), Dialect::Completions, "d", false),
        ("/v1/responses".into(), Dialect::Responses, "", false),
        ("/v1/responses/compact".into(), Dialect::Responses, "", false),
        ("/openai/responses/compact?api-version=preview".into(), Dialect::Responses, "", false),
        ("/v1/fim/completions".into(), Dialect::Completions, "", false),
        ("/beta/completions".into(), Dialect::Completions, "", false),
        ("/openai/responses?api-version=x".into(), Dialect::Responses, "", false),
        ("/v1/messages".into(), Dialect::Messages, "", false),
        ("/v1/messages?beta=true".into(), Dialect::Messages, "", false),
        ("/gateway/anthropic/v1/messages".into(), Dialect::Messages, "", false),
        (format!("/model/{claude}/invoke"), Dialect::Messages, claude, false),
        (format!("/model/{claude}/invoke-with-response-stream"), Dialect::Messages, claude, true),
        (
            format!("/model/us.{}/converse", claude.replace(':', "%3A")),
            Dialect::Converse,
            &format!("us.{claude}"),
            false,
        ),
        ("/model/amazon.nova-pro-v1:0/converse-stream".into(), Dialect::Converse, "amazon.nova-pro-v1:0", true),
        ("/v1beta/models/gemini-2.5-pro:generateContent".into(), Dialect::Gemini, "gemini-2.5-pro", false),
        (
            "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse".into(),
            Dialect::Gemini,
            "gemini-2.5-pro",
            true,
        ),
        ("/v1beta/tunedModels/mine:generateContent".into(), Dialect::Gemini, "mine", false),
        ("/v1beta/models/gemini:batchGenerateContent".into(), Dialect::Gemini, "gemini", false),
        ("/v1beta/interactions".into(), Dialect::Interactions, "", false),
        ("/v1beta1/projects/p/locations/global/interactions".into(), Dialect::Interactions, "", false),
        ("/v1/messages/batches".into(), Dialect::Messages, "", false),
        ("/v1/batches".into(), Dialect::ChatCompletions, "", false),
        ("/openai/batches?api-version=x".into(), Dialect::ChatCompletions, "", false),
        ("/v1beta/openai/batches".into(), Dialect::ChatCompletions, "", false),
        ("/api/beta/batches".into(), Dialect::ChatCompletions, "", false),
        ("/v1/batches/batch_1/requests".into(), Dialect::ChatCompletions, "", false),
        ("/v1/batch/jobs".into(), Dialect::ChatCompletions, "", false),
        ("/v1/evals/eval_1/runs".into(), Dialect::ChatCompletions, "", false),
        ("/v1/agents/completions".into(), Dialect::ChatCompletions, "", false),
        ("/v1/agents".into(), Dialect::Messages, "", false),
        ("/v1/agents/agent_1?beta=true".into(), Dialect::Messages, "", false),
        ("/v1/deployments".into(), Dialect::Messages, "", false),
        ("/v1/sessions".into(), Dialect::Messages, "", false),
        ("/v1/sessions/sesn_1/events?beta=true".into(), Dialect::Messages, "", false),
        ("/v1/conversations".into(), Dialect::Responses, "", false),
        ("/v1/conversations/conv_1".into(), Dialect::Responses, "conv_1", false),
        ("/v1/conversations/conv_1/items".into(), Dialect::Responses, "conv_1", false),
        ("/v1/conversations/conv_1/restart".into(), Dialect::Responses, "conv_1", false),
        ("/v1beta/cachedContents".into(), Dialect::Gemini, "", false),
        ("/v1/projects/p/locations/l/cachedContents".into(), Dialect::Gemini, "", false),
        (
            "/v1/projects/p/publishers/anthropic/models/claude-x@1:rawPredict".into(),
            Dialect::Messages,
            "claude-x@1",
            false,
        ),
        ("/v1/publishers/anthropic/models/claude-x:streamRawPredict".into(), Dialect::Messages, "claude-x", true),
    ];
    for (path, dialect, model, stream) in cases {
        assert_eq!(find(&path), Some((dialect, model.to_owned(), stream)), "{path}");
    }
}

#[test]
fn an_arn_with_slashes_is_one_model() {
    let arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
    for path in [arn.replace(':', "%3A").replace('/', "%2F"), arn.to_owned()] {
        assert_eq!(find(&format!("/model/{path}/invoke")), Some((Dialect::Messages, arn.into(), false)));
        assert_eq!(find(&format!("/model/{path}/converse")), Some((Dialect::Converse, arn.into(), false)));
    }
}

#[test]
fn bedrock_carries_the_request_of_the_models_own_vendor() {
    for (model, expected) in [
        ("eu.anthropic.claude-sonnet-4", Dialect::Messages),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/x", Dialect::Messages),
        ("us.amazon.nova-premier-v1:0", Dialect::Converse),
        ("openai.gpt-oss-120b-1:0", Dialect::ChatCompletions),
        ("us.deepseek.r1-v1:0", Dialect::ChatCompletions),
        ("meta.llama3-70b-instruct-v1:0", Dialect::ChatCompletions),
        ("amazon.titan-text-express-v1", Dialect::ChatCompletions),
        ("of.a.vendor-yet-unknown", Dialect::ChatCompletions),
    ] {
        for (action, stream) in [("invoke", false), ("invoke-with-response-stream", true)] {
            assert_eq!(find(&format!("/model/{model}/{action}")), Some((expected, model.to_owned(), stream)));
        }
    }
}

#[test]
fn what_calls_no_model_has_no_route() {
    for path in [
        "",
        "/",
        "/v1/models",
        "/v1/embeddings",
        "/v1/messages/count_tokens",
        "/v1/messages/batches/msgbatch_1/cancel",
        "/v1/batches/batch_1/cancel",
        "/v1/agents/agent_1/archive",
        "/v1/sessions/sesn_1/archive",
        "/v1/responses/resp_1/cancel",
        "/v1/responses/input_tokens",
        "/v1beta/models/gemini:countTokens",
        "/v1/publishers/mistralai/models/m:rawPredict",
        "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
        "/model/amazon.titan-embed-text-v2:0/invoke",
        "/model/us.amazon.nova-canvas-v1:0/invoke",
        "/model/cohere.rerank-v3-5:0/invoke",
        "/model/invoke",
        "/:generateContent",
        "/xv1/messages",
        "/v1/messages?x=/v1/chat/completions",
    ] {
        let expected = (path == "/v1/messages?x=/v1/chat/completions").then_some(Dialect::Messages);
        assert_eq!(dialect(path), expected, "{path}");
    }
}

#[test]
fn only_post_calls_a_model() {
    for method in ["GET", "OPTIONS", "PUT", "", "POSTX"] {
        assert_eq!(Routes::default().find(method.as_bytes(), b"/v1/messages"), None);
    }
}

#[test]
fn tricks_with_the_path_change_nothing() {
    for path in [
        "//v1///messages//",
        "/v1/./messages/.",
        "/v1/x/../messages",
        "/../../v1/messages",
        "/v1/%6d%65ssages",
        "/v1%2Fmessages",
        "/V1/Messages",
        "/v1/messages/#fragment",
        "/v1/%2e%2E/v1/messages",
        "\\v1\\messages",
        "v1/messages",
        "/v1;a=1/messages;b=2;c",
        "/v1/messages;jsessionid=1?x=1",
    ] {
        assert_eq!(dialect(path), Some(Dialect::Messages), "{path}");
    }
}

#[test]
fn padding_hides_no_call() {
    for path in [
        format!("/v1/messages?pad={}", "a".repeat(2 * MAX_PATH)),
        format!("{}v1/messages", "/".repeat(4_000)),
        format!("/v1/messages{}", "/x/..".repeat(4_000)),
    ] {
        assert_eq!(dialect(&path), Some(Dialect::Messages));
    }
}

#[test]
fn hostile_paths_are_survived() {
    for path in [&b"\xFF\xFE/%"[..], b"%", b"%2", b"/%zz/%FF%C3", b":", b"/::", b"?", b"/model//converse", b"..:.."] {
        assert_eq!(Routes::default().find(b"POST", path), None);
    }
    let model = Routes::default().find(b"POST", b"/models/\xFF:generateContent").map(|route| route.model);
    assert_eq!(model.as_deref(), Some("\u{FFFD}"));
    assert_eq!(dialect(&format!("{}/v1/messages", "/a".repeat(MAX_PATH))), None);
}

#[test]
fn configured_paths_come_before_the_built_in_ones() {
    let rule = |pattern: &str, anchor, dialect| RouteRule {
        pattern: pattern.into(),
        anchor,
        dialect: Some(dialect),
        stream: false,
    };
    let routes = Routes::with(vec![
        rule("/llm/{model}/ask", Anchor::Exact, Dialect::Messages),
        rule("/legacy", Anchor::Prefix, Dialect::Completions),
        rule("/by/{model}/prefix", Anchor::Prefix, Dialect::Gemini),
        rule("v1/chat/completions", Anchor::Suffix, Dialect::Responses),
    ]);
    let find = |path: &str| routes.find(b"POST", path.as_bytes()).map(|route| (route.dialect, route.model));
    assert_eq!(find("/llm/a/b/ask"), Some((Dialect::Messages, "a/b".into())));
    assert_eq!(find("/x/llm/a/ask"), None);
    assert_eq!(find("/llm/ask"), None);
    assert_eq!(find("/legacy/anything"), Some((Dialect::Completions, String::new())));
    assert_eq!(find("/legacyx"), None);
    assert_eq!(find("/by/a/prefix/more"), Some((Dialect::Gemini, "a".into())));
    assert_eq!(find("/v1/chat/completions"), Some((Dialect::Responses, String::new())));
    assert_eq!(find("/v1/messages"), Some((Dialect::Messages, String::new())));
}

#[test]
fn of_a_model_s_name_in_a_path_no_more_is_kept_than_of_one_in_a_body() {
    let long = "mé".repeat(20_000);
    for path in [
        "/model/{}/converse",
        "/models/{}:generateContent",
        "/openai/deployments/{}/chat/completions",
        "/a/{}/b/model/claude/invoke",
    ] {
        let route = Routes::default().find(b"POST", path.replace("{}", &long).as_bytes()).unwrap();
        assert!(
            route.model.capacity() <= MAX_NAME && long.starts_with(&route.model) || route.model == "claude",
            "{path}"
        );
    }
    // Its vendor may stand beyond that.
    let claude = format!("/model/{long}-claude/invoke");
    assert_eq!(dialect(&claude), Some(Dialect::Messages));
}
