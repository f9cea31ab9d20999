//! The reply to a request that is not let through: in the caller's dialect, so that its SDK raises the right error,
//! and plain about what happened and where to turn.

use super::{Action, Reason, Verdict};
use crate::dialect::Dialect;
use crate::route::Route;
use crate::rules::DigestName;

/// Waits above this are not slept through by official SDKs: those that would not honour Retry-After try again within
/// seconds instead (60 s in the OpenAI and Anthropic Python SDKs before 2026; later ones honour 120 s, then give up).
const LONGEST_SLEPT: u32 = 60;

/// A reply in place of the upstream's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status: 429 or 403.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Body in the caller's dialect.
    pub body: Vec<u8>,
}

impl Reply {
    /// The reply to a request that is not let through: 403 for [`Action::Block`], else 429. `contact`: whom the caller
    /// may turn to, as configured.
    #[must_use]
    pub fn of(route: &Route, verdict: &Verdict, contact: Option<&str>) -> Self {
        let refusal = Refusal {
            blocked: verdict.action == Action::Block,
            message: message(verdict, contact),
            retry_after: verdict.retry_after.max(1),
        };
        // Bedrock InvokeModel carries its vendors' requests with the model in the path: there the AWS SDKs are to understand it too.
        let carries = matches!(route.dialect, Dialect::Messages | Dialect::ChatCompletions) && !route.model.is_empty();
        let aws = route.dialect == Dialect::Converse || carries;
        Self { status: refusal.status(), headers: refusal.headers(aws), body: refusal.body(route).into_bytes() }
    }
}

/// What every dialect says in its own words.
struct Refusal {
    blocked: bool,
    message: String,
    retry_after: u32,
}

impl Refusal {
    fn status(&self) -> u16 {
        if self.blocked { 403 } else { 429 }
    }

    fn headers(&self, aws: bool) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("cache-control", "no-store".to_owned())];
        if !self.blocked {
            headers.push(("retry-after", self.retry_after.to_string()));
        }
        // OpenAI's and Anthropic's SDKs heed it.
        if self.blocked || self.retry_after > LONGEST_SLEPT {
            headers.push(("x-should-retry", "false".to_owned()));
        }
        if aws {
            let error = if self.blocked { "AccessDeniedException" } else { "ThrottlingException" };
            headers.push(("x-amzn-errortype", error.to_owned()));
        }
        headers
    }

    // Written, not built as a tree: the module has no other use for one.
    fn body(&self, route: &Route) -> String {
        let message = quoted(&self.message);
        // Where the AWS SDKs look for it.
        let copy = if route.model.is_empty() { String::new() } else { [",\"message\":", &message].concat() };
        match route.dialect {
            Dialect::ChatCompletions | Dialect::Completions | Dialect::Responses => self.openai(&message, &copy),
            Dialect::Messages => self.anthropic(&message, &copy),
            Dialect::Gemini => self.gemini(&message),
            Dialect::Interactions => self.interactions(&message),
            Dialect::Converse => ["{\"message\":", &message, "}"].concat(),
        }
    }

    fn openai(&self, message: &str, copy: &str) -> String {
        let (kind, code) = match self.blocked {
            true => ("permission_error", "automated_extraction_protection"),
            false => ("rate_limit_error", "rate_limit_exceeded"),
        };
        let rest = ["\",\"param\":null,\"code\":\"", code, "\"}", copy, "}"].concat();
        ["{\"error\":{\"message\":", message, ",\"type\":\"", kind, &rest].concat()
    }

    fn anthropic(&self, message: &str, copy: &str) -> String {
        let kind = if self.blocked { "permission_error" } else { "rate_limit_error" };
        let error = ["{\"type\":\"", kind, "\",\"message\":", message, "}"].concat();
        ["{\"type\":\"error\",\"error\":", &error, copy, "}"].concat()
    }

    /// Its code is a word where generateContent's is a number.
    fn interactions(&self, message: &str) -> String {
        let code = if self.blocked { "permission_denied" } else { "resource_exhausted" };
        ["{\"error\":{\"code\":\"", code, "\",\"message\":", message, "}}"].concat()
    }

    fn gemini(&self, message: &str) -> String {
        const RETRY: &str = ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"";
        let status = if self.blocked { "PERMISSION_DENIED" } else { "RESOURCE_EXHAUSTED" };
        let details = match self.blocked {
            true => String::new(),
            false => [RETRY, &self.retry_after.to_string(), "s\"}]"].concat(),
        };
        let code = self.status().to_string();
        let error = ["\"code\":", &code, ",\"message\":", message, ",\"status\":\"", status, "\""].concat();
        ["{\"error\":{", &error, &details, "}}"].concat()
    }
}

/// A JSON string (RFC 8259 section 7).
fn quoted(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                let digit = |place: u32| HEX.get(place as usize & 15).map_or('0', |&digit| char::from(digit));
                out.extend([digit(character as u32 >> 4), digit(character as u32)]);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// What happened, for how long, and where to turn.
fn message(verdict: &Verdict, contact: Option<&str>) -> String {
    let done = match verdict.action {
        Action::Block => "blocked this request".to_owned(),
        _ => format!("limited this request; try again in {} s", verdict.retry_after.max(1)),
    };
    let contact = contact.unwrap_or("the operator of this API");
    let case = match verdict.case {
        0 => String::new(),
        case => format!(" and quote case {}", DigestName(case)),
    };
    if verdict.reasons.contains(&Reason::OverBudget.code()) && verdict.action != Action::Block {
        return ["The budget of this API ", &done, ". To have more, contact ", contact, &case, "."].concat();
    }
    format!(
        "The automated-extraction protection of this API {done}. If you believe this is a mistake, contact {contact}{case}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn reply(dialect: Dialect, model: &str, action: Action, retry_after: u32) -> (u16, Json, Reply) {
        let route = Route { dialect, model: model.to_owned(), stream: false };
        let verdict = Verdict { action, retry_after, case: 0xabc, ..Verdict::default() };
        let reply = Reply::of(&route, &verdict, Some("abuse@example.com"));
        (reply.status, serde_json::from_slice(&reply.body).unwrap(), reply)
    }

    fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
        reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn openai_sdks_find_their_error_object() {
        for dialect in [Dialect::ChatCompletions, Dialect::Completions, Dialect::Responses] {
            let (status, body, reply) = reply(dialect, "", Action::Throttle, 30);
            assert_eq!((status, header(&reply, "retry-after")), (429, Some("30")));
            assert_eq!(body["error"]["code"], "rate_limit_exceeded");
            assert_eq!(body["error"]["param"], Json::Null);
        }
        let (status, body, reply) = reply(Dialect::ChatCompletions, "", Action::Block, 30);
        assert_eq!((status, header(&reply, "retry-after")), (403, None));
        assert_eq!(body["error"]["type"], "permission_error");
    }

    #[test]
    fn anthropic_sdks_find_their_error_object() {
        let (_, body, reply) = reply(Dialect::Messages, "", Action::Throttle, 30);
        assert_eq!(body["type"], "error");
        assert_eq!(body["error"]["type"], "rate_limit_error");
        assert_eq!(header(&reply, "x-amzn-errortype"), None);
        let (_, body, reply) = self::reply(Dialect::Messages, "anthropic.claude", Action::Block, 30);
        assert_eq!(body["error"]["type"], "permission_error");
        assert_eq!(body["message"], body["error"]["message"]);
        assert_eq!(header(&reply, "x-amzn-errortype"), Some("AccessDeniedException"));
    }

    #[test]
    fn google_sdks_find_code_status_and_delay() {
        let (_, body, _) = reply(Dialect::Gemini, "gemini", Action::Throttle, 30);
        assert_eq!(body["error"]["code"], 429);
        assert_eq!(body["error"]["status"], "RESOURCE_EXHAUSTED");
        assert_eq!(body["error"]["details"][0]["retryDelay"], "30s");
        let (_, body, _) = reply(Dialect::Interactions, "", Action::Throttle, 30);
        assert_eq!(body["error"]["code"], "resource_exhausted");
        assert!(body["error"]["message"].is_string());
        let (_, body, _) = reply(Dialect::Gemini, "gemini", Action::Block, 30);
        assert_eq!((&body["error"]["code"], &body["error"]["details"]), (&json!(403), &Json::Null));
    }

    #[test]
    fn aws_sdks_find_the_name_of_the_exception() {
        for dialect in [Dialect::Converse, Dialect::Messages, Dialect::ChatCompletions] {
            let (_, body, reply) = reply(dialect, "m", Action::Throttle, 30);
            assert_eq!(header(&reply, "x-amzn-errortype"), Some("ThrottlingException"));
            assert!(body["message"].is_string());
        }
    }

    #[test]
    fn says_plainly_what_acted_and_where_to_turn() {
        let (_, body, _) = reply(Dialect::Converse, "m", Action::Throttle, 30);
        let message = body["message"].as_str().unwrap();
        for part in ["automated-extraction protection", "30 s", "abuse@example.com", "0000000000000abc"] {
            assert!(message.contains(part), "{message}");
        }
        let route = Route { dialect: Dialect::Converse, model: String::new(), stream: false };
        let anonymous = Reply::of(&route, &Verdict { action: Action::Block, ..Verdict::default() }, None);
        let text = String::from_utf8(anonymous.body).unwrap();
        assert!(text.contains("contact the operator of this API.") && !text.contains("case"), "{text}");
    }

    #[test]
    fn a_budget_that_is_used_up_accuses_nobody() {
        let route = Route { dialect: Dialect::Responses, model: String::new(), stream: false };
        let reasons = vec![Reason::OverBudget.code()];
        let verdict = Verdict { action: Action::Throttle, retry_after: 7, reasons, ..Verdict::default() };
        let text = String::from_utf8(Reply::of(&route, &verdict, None).body).unwrap();
        assert!(text.contains("budget of this API limited this request; try again in 7 s"), "{text}");
        assert!(!text.contains("extraction"), "{text}");
    }

    #[test]
    fn a_contact_cannot_break_the_body() {
        let route = Route { dialect: Dialect::Gemini, model: String::new(), stream: false };
        let reply = Reply::of(&route, &Verdict::default(), Some("\"},\\ {"));
        assert!(serde_json::from_slice::<Json>(&reply.body).is_ok());
    }

    #[test]
    fn sdks_are_told_not_to_retry_what_they_would_not_wait_for() {
        let should_retry =
            |action, after| header(&reply(Dialect::Messages, "", action, after).2, "x-should-retry").map(str::to_owned);
        assert_eq!(should_retry(Action::Throttle, 60), None);
        assert_eq!(should_retry(Action::Throttle, 61).as_deref(), Some("false"));
        assert_eq!(should_retry(Action::Block, 1).as_deref(), Some("false"));
    }
}
