//! Requests that ask for less.

use super::edits::Edits;
use super::{Change, Degraded};
use crate::dialect::Dialect;
use crate::json::{Reader, Token};
use crate::rules::Degrade;

/// The request that asks for no more than `limits` allow. `None` where it does not anyhow, or where `body` is no whole
/// JSON object in UTF-8: such a body is passed on as it is.
#[must_use]
pub fn request(dialect: Dialect, body: &[u8], limits: &Degrade) -> Option<Degraded> {
    let text = std::str::from_utf8(body).ok()?;
    let thinking = u32::try_from(budget(&mut Reader::new(text), 3)).unwrap_or(u32::MAX).min(limits.thinking_tokens);
    let most = limits.max_tokens.saturating_add(thinking);
    let home = home(dialect);
    let mut caps = Caps { limits, longest: most.to_string(), most, home, inside: false, limited: false };
    let (mut reader, mut edits) = (Reader::new(text), Edits::new(text));
    let tail = edits.walk(&mut reader, false, &mut |edits, key, value| caps.member(edits, key, value))?;
    if reader.truncated() {
        return None;
    }
    if let (Some((group, _)), false) = (home, caps.limited) {
        let limit = caps.written();
        let member = if group.is_empty() { limit } else { ["\"", group, "\":{", &limit, "}"].concat() };
        edits.append(tail, &member, Change::MaxTokens);
    }
    edits.finish().map(|(body, changes)| Degraded { body, changes })
}

/// Where a dialect's limit stands that need not be there: the group, or none, and its names, of which the first is written.
fn home(dialect: Dialect) -> Option<(&'static str, &'static [&'static str])> {
    match dialect {
        Dialect::ChatCompletions => Some(("", &["max_completion_tokens", "max_tokens"])),
        Dialect::Responses => Some(("", &["max_output_tokens"])),
        Dialect::Gemini => Some(("generationConfig", &["maxOutputTokens", "max_output_tokens"])),
        Dialect::Converse => Some(("inferenceConfig", &["maxTokens"])),
        // 16 unless something else is said; and must be said.
        Dialect::Completions | Dialect::Messages => None,
    }
}

/// The budget for reasoning that is asked for where Claude counts it in the answer's length, which must be greater.
fn budget(value: &mut Reader<'_>, groups: u8) -> u64 {
    let mut found = 0;
    if groups > 0 && value.object() {
        while let Some(key) = value.key() {
            match &*key {
                "thinking" | "reasoning_config" | "reasoningConfig" | "additionalModelRequestFields" => {
                    found = found.max(budget(value, groups.saturating_sub(1)));
                }
                "budget_tokens" | "budgetTokens" => found = value.count().unwrap_or(0),
                _ => {}
            }
        }
    }
    found
}

struct Caps<'l> {
    limits: &'l Degrade,
    /// The longest answer, with the reasoning that counts in it.
    longest: String,
    most: u32,
    home: Option<(&'static str, &'static [&'static str])>,
    /// Within the group that is the limit's home.
    inside: bool,
    /// The answer's length is limited by now.
    limited: bool,
}

impl Caps<'_> {
    /// Changes a member. `None` to keep it, else the name of its removal.
    fn member<'a>(&mut self, edits: &mut Edits<'a>, key: &str, value: &mut Reader<'a>) -> Option<Change> {
        let limits = self.limits;
        match key {
            "logprobs" | "top_logprobs" | "prompt_logprobs" | "responseLogprobs" | "response_logprobs" => {
                let asked = !matches!(value.peek(), Token::Null | Token::False);
                return (limits.logprobs && asked).then_some(Change::Logprobs);
            }
            "n" | "candidateCount" | "candidate_count" | "best_of" if limits.single => {
                cap(edits, value, 1, Change::N);
            }
            "max_tokens"
            | "max_completion_tokens"
            | "max_output_tokens"
            | "max_tokens_to_sample"
            | "maxOutputTokens"
            | "maxTokens" => {
                // As if it were not there: a limit is put in its place.
                if value.peek() == Token::Null {
                    return Some(Change::MaxTokens);
                }
                let (group, names) = self.home.unwrap_or_default();
                self.limited |= self.inside != group.is_empty() && names.contains(&key);
                cap(edits, value, self.most, Change::MaxTokens);
            }
            "thinking" | "thinkingConfig" | "thinking_config" | "reasoning" | "reasoning_config"
            | "reasoningConfig" => {
                edits.walk(value, false, &mut |edits, key, value| self.reasoning(edits, key, value));
            }
            "include_reasoning" => self.unwanted(edits, value),
            "include" if limits.logprobs => {
                edits.walk(value, true, &mut |_, _, value| {
                    value.short().filter(|name| name.ends_with(".logprobs")).map(|_| Change::Logprobs)
                });
            }
            "generationConfig" | "generation_config" | "inferenceConfig" | "additionalModelRequestFields" => {
                return self.group(edits, key, value);
            }
            _ => {}
        }
        None
    }

    fn group<'a>(&mut self, edits: &mut Edits<'a>, key: &str, value: &mut Reader<'a>) -> Option<Change> {
        let (group, _) = self.home.unwrap_or_default();
        let home = !self.inside && (key == group || key == "generation_config" && group == "generationConfig");
        if home && value.peek() == Token::Null {
            return Some(Change::MaxTokens);
        }
        let before = std::mem::replace(&mut self.inside, home);
        let limited = std::mem::take(&mut self.limited);
        let tail = edits.walk(value, false, &mut |edits, key, value| self.member(edits, key, value));
        if let (Some(tail), true, false) = (tail, home, self.limited) {
            edits.append(tail, &self.written(), Change::MaxTokens);
            self.limited = true;
        }
        self.limited = limited || self.limited && home;
        self.inside = before;
        None
    }

    /// The limit as a member.
    fn written(&self) -> String {
        let (_, names) = self.home.unwrap_or_default();
        ["\"", names.first().unwrap_or(&""), "\":", &self.longest].concat()
    }

    fn reasoning<'a>(&self, edits: &mut Edits<'a>, key: &str, value: &mut Reader<'a>) -> Option<Change> {
        match key {
            "budget_tokens" | "budgetTokens" | "thinkingBudget" | "thinking_budget" | "max_tokens" => {
                cap(edits, value, self.limits.thinking_tokens, Change::ThinkingBudget);
            }
            "summary" | "generate_summary" if value.peek() == Token::String => {
                return self.limits.reasoning_text.then_some(Change::ReasoningText);
            }
            "includeThoughts" | "include_thoughts" => self.unwanted(edits, value),
            _ => {}
        }
        None
    }

    /// Turns off what asks for reasoning in the clear.
    fn unwanted<'a>(&self, edits: &mut Edits<'a>, value: &mut Reader<'a>) {
        if self.limits.reasoning_text && value.peek() == Token::True {
            let (from, to) = span(value);
            edits.replace(from, to, "false".to_owned(), Change::ReasoningText);
        }
    }
}

/// Limits a number: one that is greater, and one below 0, which leaves it to the model.
fn cap<'a>(edits: &mut Edits<'a>, value: &mut Reader<'a>, most: u32, change: Change) {
    let number = value.clone().thousandths();
    if number.is_some_and(|number| number < 0 || number > i64::from(most).saturating_mul(1_000)) {
        let (from, to) = span(value);
        edits.replace(from, to, most.to_string(), change);
    }
}

/// Takes a value, and tells where it stands.
fn span(value: &mut Reader<'_>) -> (usize, usize) {
    let from = value.place();
    (from, value.past())
}
