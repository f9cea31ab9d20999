//! Requests that ask for less.

use super::edits::{Edits, Tail};
use super::{Change, Degraded};
use crate::dialect::{Dialect, batch, params};
use crate::json::{Reader, Token};
use crate::rules::Degrade;

/// How deep parameters may be grouped (`additionalModelRequestFields.thinking.budget_tokens`).
const MAX_GROUPS: u8 = 3;

/// The request that asks for no more than `limits` allow, or the batch of which each does. `None` where it does not anyhow, or
/// where `body` is no whole JSON object in UTF-8: such a body is passed on as it is.
#[must_use]
pub fn request(dialect: Dialect, body: &[u8], limits: &Degrade) -> Option<Degraded> {
    let text = std::str::from_utf8(body).ok()?;
    let (mut reader, mut edits) = (Reader::new(text), Edits::new(text));
    let batched = matches!(dialect, Dialect::Messages | Dialect::Gemini);
    limit(&mut edits, &mut reader, dialect, limits, batched)?;
    if reader.truncated() {
        return None;
    }
    edits.finish().map(|(body, changes)| Degraded { body, changes })
}

/// Limits one request; `batched`: or those of a batch in it. `None`, taking nothing, where the value is no object.
fn limit<'a>(
    edits: &mut Edits<'a>,
    value: &mut Reader<'a>,
    dialect: Dialect,
    limits: &Degrade,
    batched: bool,
) -> Option<()> {
    let thinking =
        u32::try_from(budget(&mut value.clone(), MAX_GROUPS)).unwrap_or(u32::MAX).min(limits.thinking_tokens);
    let most = limits.max_tokens.saturating_add(thinking);
    let home = home(dialect);
    let longest = most.to_string();
    let mut caps =
        Caps { limits, longest, most, home, groups: MAX_GROUPS, reasoning: false, inside: false, limited: false };
    let tail = edits.walk(value, false, &mut |edits, key, value| {
        if !(batched && batch::is(key)) {
            return caps.member(edits, key, value);
        }
        // A limit beside them would be a mistake.
        caps.limited = true;
        batch::requests(value, &mut |value| _ = limit(edits, value, dialect, limits, false));
        None
    })?;
    if let (Some((group, _)), false) = (home, caps.limited) {
        let limit = caps.written();
        let member = if group.is_empty() { limit } else { ["\"", group, "\":{", &limit, "}"].concat() };
        edits.append(tail, &member, Change::MaxTokens);
    }
    Some(())
}

/// Where a dialect's limit stands that need not be there: the group, or none, and its names, of which the first is written.
fn home(dialect: Dialect) -> Option<(&'static str, &'static [&'static str])> {
    match dialect {
        Dialect::ChatCompletions => Some(("", &["max_completion_tokens", "max_tokens"])),
        Dialect::Responses => Some(("", &["max_output_tokens"])),
        Dialect::Gemini => Some(("generationConfig", &["maxOutputTokens", "max_output_tokens"])),
        Dialect::Converse => Some(("inferenceConfig", &["maxTokens"])),
        Dialect::Interactions => Some(("generation_config", &["max_output_tokens"])),
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

/// What a member is, by whatever name. In any case: servers written in Go take `Max_Tokens`, too. What only they would take for
/// the limit does not stand for it, so that other servers get one as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Logprobs,
    /// How many answers.
    N,
    /// The longest answer.
    Length,
    /// How to reason.
    Reasoning,
    /// The longest reasoning.
    Budget,
    /// A summary of it.
    Summary,
    /// Whether it is told.
    Thoughts,
    /// What else is told.
    Include,
    /// Others of these.
    Group,
}

fn meaning(key: &str) -> Option<Meaning> {
    const NAMES: &[(Meaning, &[&str])] = &[
        (Meaning::Logprobs, params::LOGPROBS),
        (Meaning::N, params::N),
        (Meaning::Length, params::LENGTH),
        (Meaning::Reasoning, params::REASONING),
        (Meaning::Budget, params::BUDGET),
        (Meaning::Summary, &["summary", "generate_summary", "thinking_summaries"]),
        (Meaning::Thoughts, &["includeThoughts", "include_thoughts", "include_reasoning"]),
        (Meaning::Include, &["include"]),
        (Meaning::Group, params::GROUPS),
    ];
    let known = |name: &&str| name.eq_ignore_ascii_case(key);
    NAMES.iter().find(|(_, names)| names.iter().any(known)).map(|(meaning, _)| *meaning)
}

struct Caps<'l> {
    limits: &'l Degrade,
    /// The longest answer, with the reasoning that counts in it.
    longest: String,
    most: u32,
    home: Option<(&'static str, &'static [&'static str])>,
    /// How many groups deeper are looked into.
    groups: u8,
    /// Within what says how to reason.
    reasoning: bool,
    /// Within the group that is the limit's home.
    inside: bool,
    /// The answer's length is limited by now.
    limited: bool,
}

impl Caps<'_> {
    /// Changes a member. `None` to keep it, else the name of its removal.
    fn member<'a>(&mut self, edits: &mut Edits<'a>, key: &str, value: &mut Reader<'a>) -> Option<Change> {
        let limits = self.limits;
        let meaning = match meaning(key)? {
            // OpenRouter's name for it.
            Meaning::Length if self.reasoning => Meaning::Budget,
            Meaning::Reasoning | Meaning::Group if self.groups == 0 => return None,
            meaning => meaning,
        };
        match meaning {
            Meaning::Logprobs => {
                let asked = !matches!(value.peek(), Token::Null | Token::False);
                return (limits.logprobs && asked).then_some(Change::Logprobs);
            }
            Meaning::N if limits.single => cap(edits, value, 1, Change::N),
            // As if it were not there: a limit is put in its place.
            Meaning::Length if value.peek() == Token::Null => return Some(Change::MaxTokens),
            Meaning::Length => {
                let (group, names) = self.home.unwrap_or_default();
                self.limited |= self.inside != group.is_empty() && names.contains(&key);
                cap(edits, value, self.most, Change::MaxTokens);
            }
            Meaning::Reasoning => {
                let before = std::mem::replace(&mut self.reasoning, true);
                self.within(edits, value);
                self.reasoning = before;
            }
            Meaning::Budget => cap(edits, value, limits.thinking_tokens, Change::ThinkingBudget),
            Meaning::Summary if value.peek() == Token::String => {
                return limits.reasoning_text.then_some(Change::ReasoningText);
            }
            Meaning::Thoughts if limits.reasoning_text && value.peek() == Token::True => {
                let (from, to) = span(value);
                edits.replace(from, to, "false".to_owned(), Change::ReasoningText);
            }
            Meaning::Include if limits.logprobs => {
                edits.walk(value, true, &mut |_, _, value| {
                    value.short().filter(|name| name.ends_with(".logprobs")).map(|_| Change::Logprobs)
                });
            }
            Meaning::Group => return self.group(edits, key, value),
            _ => {}
        }
        None
    }

    fn within<'a>(&mut self, edits: &mut Edits<'a>, value: &mut Reader<'a>) -> Option<Tail> {
        self.groups = self.groups.saturating_sub(1);
        let tail = edits.walk(value, false, &mut |edits, key, value| self.member(edits, key, value));
        self.groups = self.groups.saturating_add(1);
        tail
    }

    fn group<'a>(&mut self, edits: &mut Edits<'a>, key: &str, value: &mut Reader<'a>) -> Option<Change> {
        let (group, _) = self.home.unwrap_or_default();
        // Within what says how to reason a limit is the reasoning's.
        let named = key == group || key == "generation_config" && group == "generationConfig";
        let home = named && !self.inside && !self.reasoning;
        if home && value.peek() == Token::Null {
            return Some(Change::MaxTokens);
        }
        let before = std::mem::replace(&mut self.inside, home);
        let limited = std::mem::take(&mut self.limited);
        let tail = self.within(edits, value);
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
}

/// Limits a number: one that is greater, one below 0, which leaves it to the model, and what is none to us but may be to a server.
fn cap<'a>(edits: &mut Edits<'a>, value: &mut Reader<'a>, most: u32, change: Change) {
    let number = value.clone().thousandths();
    let none = value.peek() == Token::Null;
    if !none && number.is_none_or(|number| number < 0 || number > i64::from(most).saturating_mul(1_000)) {
        let (from, to) = span(value);
        edits.replace(from, to, most.to_string(), change);
    }
}

/// Takes a value, and tells where it stands.
fn span(value: &mut Reader<'_>) -> (usize, usize) {
    let from = value.place();
    (from, value.past())
}
