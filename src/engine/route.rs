//! Which path speaks which dialect.
//!
//! A path is put into one form before it is looked up: query, fragment and matrix parameters dropped, percent-encoding
//! undone once, empty and dot segments resolved; letter case does not count. A server may or may not do the same. Where it
//! does not, it answers such a path with an error and nothing is lost; where it does, the call is seen.

#[cfg(test)]
mod tests;

use crate::dialect::{Dialect, clip};

/// Most bytes of a path, without its query, that are looked at; a longer one is no LLM call. Bedrock's ARNs take about 200,
/// encoded 250; but a server that merges slashes understands a path with thousands of them. Envoy lets 60 KiB through.
pub const MAX_PATH: usize = 65_536;

/// The placeholder of a pattern that stands for the model: one or more segments.
const MODEL: &str = "{model}";
/// One of a built-in pattern that stands for a name of something else: one segment.
const ID: &str = "{id}";

/// A request's dialect and what its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The dialect.
    pub dialect: Dialect,
    /// The model, where the path names it (Gemini, Bedrock, Vertex, an Azure deployment), or the conversation, at most
    /// [`MAX_NAME`](crate::dialect::MAX_NAME) bytes; else empty.
    pub model: String,
    /// A streamed answer is asked for by the path (streamGenerateContent, converse-stream, streamRawPredict).
    pub stream: bool,
}

/// Which part of a path a pattern has to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// All of it.
    Exact,
    /// Its first segments.
    Prefix,
    /// Its last segments.
    Suffix,
}

/// One configured path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRule {
    /// Segments separated by `/`, compared without letter case; `{model}` may stand once, for the model's segments. A
    /// `:` in the last segment starts a segment of its own (`{model}:generateContent`).
    pub pattern: String,
    /// Which part of the path it has to meet.
    pub anchor: Anchor,
    /// What the path speaks; `None`: it is no LLM call, whatever the built-in paths say.
    pub dialect: Option<Dialect>,
    /// A streamed answer is asked for by the path.
    pub stream: bool,
}

/// The built-in paths: pattern, dialect (`None`: no LLM call), streamed. All are suffixes, so that a gateway's prefix changes
/// nothing. The first match counts.
const BUILT_IN: &[(&str, Option<Dialect>, bool)] = &[
    ("deployments/{model}/chat/completions", Some(Dialect::ChatCompletions), false),
    ("chat/completions", Some(Dialect::ChatCompletions), false),
    ("deployments/{model}/completions", Some(Dialect::Completions), false),
    ("v1/completions", Some(Dialect::Completions), false),
    ("v1/fim/completions", Some(Dialect::Completions), false),
    ("beta/completions", Some(Dialect::Completions), false),
    ("v1/responses", Some(Dialect::Responses), false),
    ("v1/responses/compact", Some(Dialect::Responses), false),
    ("openai/responses", Some(Dialect::Responses), false),
    ("openai/responses/compact", Some(Dialect::Responses), false),
    ("v1/messages", Some(Dialect::Messages), false),
    ("v1/complete", Some(Dialect::Messages), false),
    ("v1/messages/batches", Some(Dialect::Messages), false),
    // Where it names an uploaded file of requests, there is nothing to read, but it is counted and told.
    ("v1/batches", Some(Dialect::ChatCompletions), false),
    ("openai/batches", Some(Dialect::ChatCompletions), false),
    ("beta/batches", Some(Dialect::ChatCompletions), false),
    ("batches/{id}/requests", Some(Dialect::ChatCompletions), false),
    ("v1/batch/jobs", Some(Dialect::ChatCompletions), false),
    ("evals/{id}/runs", Some(Dialect::ChatCompletions), false),
    ("v1/agents/completions", Some(Dialect::ChatCompletions), false),
    // OpenAI's only keep what is said, Mistral's answer it.
    ("v1/conversations", Some(Dialect::Responses), false),
    ("v1/conversations/{model}/items", Some(Dialect::Responses), false),
    ("v1/conversations/{model}/restart", Some(Dialect::Responses), false),
    ("v1/conversations/{model}", Some(Dialect::Responses), false),
    // Anthropic's agents, Mistral's too: their instructions, and what is said to them.
    ("v1/agents", Some(Dialect::Messages), false),
    ("v1/agents/{id}", Some(Dialect::Messages), false),
    ("v1/deployments", Some(Dialect::Messages), false),
    ("v1/sessions", Some(Dialect::Messages), false),
    ("v1/sessions/{id}/events", Some(Dialect::Messages), false),
    ("model/{model}/converse", Some(Dialect::Converse), false),
    ("model/{model}/converse-stream", Some(Dialect::Converse), true),
    ("{model}:generateContent", Some(Dialect::Gemini), false),
    ("{model}:streamGenerateContent", Some(Dialect::Gemini), true),
    ("{model}:batchGenerateContent", Some(Dialect::Gemini), false),
    ("cachedContents", Some(Dialect::Gemini), false),
    ("v1beta/interactions", Some(Dialect::Interactions), false),
    ("v1/interactions", Some(Dialect::Interactions), false),
    ("locations/{id}/interactions", Some(Dialect::Interactions), false),
    // Counts tokens, in the place of a model.
    ("publishers/anthropic/models/count-tokens:rawPredict", None, false),
    ("publishers/anthropic/models/{model}:rawPredict", Some(Dialect::Messages), false),
    ("publishers/anthropic/models/{model}:streamRawPredict", Some(Dialect::Messages), true),
];

/// Bedrock InvokeModel carries the request of the model's own vendor.
const INVOKE: &[(&str, bool)] = &[("model/{model}/invoke", false), ("model/{model}/invoke-with-response-stream", true)];

/// Parts of a Bedrock model id, and what its requests are; the first that is met counts. Others are OpenAI's chat, one text as
/// `prompt`, or neither (Cohere's, Titan's): that is counted, and told as unread.
const INVOKED: &[(&str, Option<Dialect>)] = &[
    ("anthropic", Some(Dialect::Messages)),
    ("claude", Some(Dialect::Messages)),
    // The vendor is hidden: it may well be Anthropic, and of others' text Messages finds most.
    ("application-inference-profile", Some(Dialect::Messages)),
    ("provisioned-model", Some(Dialect::Messages)),
    ("custom-model", Some(Dialect::Messages)),
    // No model of language answers.
    ("embed", None),
    ("marengo", None),
    ("rerank", None),
    ("image", None),
    ("stability.", None),
    ("canvas", None),
    ("reel", None),
    ("luma.", None),
    ("amazon.nova", Some(Dialect::Converse)),
];

/// The configured paths, and the built-in ones; patterns are taken apart once, not with every request.
#[derive(Clone, Debug)]
pub struct Routes {
    rules: Vec<(Pattern, RouteRule)>,
    built_in: Vec<(Pattern, Option<Dialect>, bool)>,
    invoke: Vec<(Pattern, bool)>,
}

/// The built-in paths alone.
impl Default for Routes {
    fn default() -> Self {
        Self::with(Vec::new())
    }
}

impl Routes {
    /// Routes that look at `rules` in order, and then at the built-in paths.
    #[must_use]
    pub fn with(rules: Vec<RouteRule>) -> Self {
        let built_in = BUILT_IN.iter().map(|&(pattern, dialect, stream)| (Pattern::of(pattern), dialect, stream));
        Self {
            rules: rules.into_iter().map(|rule| (Pattern::of(&rule.pattern), rule)).collect(),
            built_in: built_in.collect(),
            invoke: INVOKE.iter().map(|&(pattern, stream)| (Pattern::of(pattern), stream)).collect(),
        }
    }

    /// The route of a request, or `None` where it is no LLM call. Only POST calls a model.
    #[must_use]
    pub fn find(&self, method: &[u8], path: &[u8]) -> Option<Route> {
        if !method.eq_ignore_ascii_case(b"POST") || bare(path).len() > MAX_PATH {
            return None;
        }
        let path = plain(path);
        let segments = segments(&path);
        let found = self.configured(&segments).or_else(|| self.built_in(&segments));
        let mut route = found.unwrap_or_else(|| self.invoke(&segments))?;
        // It is kept as long as the call lasts, and a path may have 60 KiB.
        let model = clip(&route.model);
        if model.len() < route.model.len() {
            route.model = model.to_owned();
        }
        Some(route)
    }

    /// What the first rule that meets the path says of it.
    fn configured(&self, path: &[&str]) -> Option<Option<Route>> {
        self.rules.iter().find_map(|(pattern, rule)| {
            let model = pattern.matched(path, rule.anchor)?;
            Some(rule.dialect.map(|dialect| Route { dialect, model, stream: rule.stream }))
        })
    }

    /// What the first built-in path that is met says of it.
    fn built_in(&self, path: &[&str]) -> Option<Option<Route>> {
        self.built_in.iter().find_map(|(pattern, dialect, stream)| {
            let mut model = pattern.matched(path, Anchor::Suffix)?;
            // `models/x:generateContent` wherever the model stands (tuned models, endpoints): its last segment is its name.
            if pattern.hole == Some(0) {
                model = model.rsplit('/').next().map(String::from)?;
            }
            Some(dialect.map(|dialect| Route { dialect, model, stream: *stream }))
        })
    }

    fn invoke(&self, path: &[&str]) -> Option<Route> {
        let found = |(pattern, stream): &(Pattern, bool)| Some((pattern.matched(path, Anchor::Suffix)?, *stream));
        let (model, stream) = self.invoke.iter().find_map(found)?;
        let lower = model.to_ascii_lowercase();
        let within = |name: &str| lower.as_bytes().windows(name.len()).any(|part| part == name.as_bytes());
        let known = INVOKED.iter().find(|(name, _)| within(name));
        let dialect = known.map_or(Some(Dialect::ChatCompletions), |&(_, dialect)| dialect);
        dialect.map(|dialect| Route { dialect, model, stream })
    }
}

/// A pattern, taken apart.
#[derive(Clone, Debug)]
struct Pattern {
    segments: Vec<String>,
    /// Which of them stands for the model, or another name.
    hole: Option<usize>,
    /// It is the model.
    model: bool,
}

impl Pattern {
    fn of(pattern: &str) -> Self {
        let segments: Vec<_> = segments(pattern).into_iter().map(String::from).collect();
        let hole = |name| segments.iter().position(|segment| segment == name);
        let (model, id) = (hole(MODEL), hole(ID));
        Self { hole: model.or(id), model: model.is_some(), segments }
    }

    /// Matches a path; the model it names, or an empty one where the pattern has none.
    fn matched(&self, path: &[&str], anchor: Anchor) -> Option<String> {
        let pattern = self.segments.as_slice();
        let Some(hole) = self.hole else {
            let found = match anchor {
                Anchor::Exact => same(path, pattern),
                Anchor::Prefix => path.get(..pattern.len()).is_some_and(|start| same(start, pattern)),
                Anchor::Suffix => ending(path, pattern).is_some(),
            };
            return found.then(String::new);
        };
        let (head, tail) = (pattern.get(..hole)?, pattern.get(hole.checked_add(1)?..)?);
        let middle = match anchor {
            Anchor::Exact => starting(ending(path, tail)?, head)?,
            // The shortest model that lets the rest match.
            Anchor::Prefix => {
                let rest = starting(path, head)?;
                let end = (1..=rest.len()).find(|&end| rest.get(end..).is_some_and(|r| starting(r, tail).is_some()))?;
                rest.get(..end)?
            }
            Anchor::Suffix => {
                let rest = ending(path, tail)?;
                let found = |start| starting(rest.get(start..)?, head).filter(|middle| !middle.is_empty());
                (0..rest.len()).find_map(found)?
            }
        };
        match middle {
            [] => None,
            [_] if !self.model => Some(String::new()),
            _ => self.model.then(|| middle.join("/")),
        }
    }
}

fn same(left: &[&str], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.eq_ignore_ascii_case(right))
}

/// What stands before `tail` at the end of `path`.
fn ending<'a, 'b>(path: &'a [&'b str], tail: &[String]) -> Option<&'a [&'b str]> {
    let (rest, end) = path.split_at_checked(path.len().checked_sub(tail.len())?)?;
    same(end, tail).then_some(rest)
}

/// What stands after `head` at the start of `path`.
fn starting<'a, 'b>(path: &'a [&'b str], head: &[String]) -> Option<&'a [&'b str]> {
    let (start, rest) = path.split_at_checked(head.len())?;
    same(start, head).then_some(rest)
}

/// The path without query and fragment.
fn bare(path: &[u8]) -> &[u8] {
    path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or(&[])
}

/// The path without its query, decoded; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn plain(path: &[u8]) -> String {
    let path = bare(path);
    let mut bytes = path.iter();
    let mut out = Vec::with_capacity(path.len());
    while let Some(&byte) = bytes.next() {
        let code = if byte == b'%' { bytes.as_slice().get(..2).and_then(hex) } else { None };
        if code.is_some() {
            bytes.nth(1);
        }
        out.push(code.unwrap_or(byte));
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0u8, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value.wrapping_shl(4) | u8::try_from(digit).ok()?)
    })
}

/// The segments of a path without empty and dot segments; what follows the last `:` of the last one is a segment of its
/// own, with its `:`.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    let mut out = Vec::with_capacity(16);
    for segment in path.split(['/', '\\']) {
        // What servlet containers take for parameters of a segment.
        let end = segment.bytes().position(|byte| byte == b';');
        match end.and_then(|end| segment.get(..end)).unwrap_or(segment) {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            segment => out.push(segment),
        }
    }
    if let Some(last) = out.pop() {
        match last.rfind(':').and_then(|colon| last.split_at_checked(colon)) {
            Some((name, action)) => out.extend([name, action].into_iter().filter(|part| !part.is_empty())),
            None => out.push(last),
        }
    }
    out
}
