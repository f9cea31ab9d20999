//! Walks a document and collects every problem with its path.

use super::Problem;
use super::tree::Node;
use std::ops::RangeInclusive;

/// Problems that one document is told of; what is beyond is only counted.
pub const MAX_PROBLEMS: usize = 100;

/// What can stand in a document: read strictly, described by a schema, shown again as JSON. One implementation gives
/// all three, so that they cannot drift apart.
pub(crate) trait Value: Sized {
    /// What bounds a value of this type at one place.
    type Limits;

    /// Reads a value; `None` when problems were noted instead.
    fn read(node: &Node, limits: &Self::Limits, reader: &mut Reader) -> Option<Self>;

    /// JSON Schema (draft 2020-12) of this value.
    fn schema(limits: &Self::Limits) -> serde_json::Value;

    /// The value as it would stand in a document; `null` for one that is absent.
    fn show(&self) -> serde_json::Value;
}

/// The place where reading is, and what was found wrong so far.
#[derive(Debug)]
pub(crate) struct Reader {
    path: String,
    problems: Vec<Problem>,
    more: usize,
}

impl Reader {
    /// A reader at the root.
    pub(crate) fn new() -> Self {
        Self { path: "$".to_owned(), problems: Vec::new(), more: 0 }
    }

    /// Notes a problem at this place.
    pub(crate) fn problem(&mut self, reason: impl Into<String>) {
        self.note(reason.into());
    }

    // What follows is apart from the types that ask for it: in the module once, not for every one of them.
    #[inline(never)]
    fn note(&mut self, reason: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { path: self.path.clone(), reason });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Notes that something else was expected here, and gives `None`.
    pub(crate) fn expected<T>(&mut self, what: &str, found: &Node) -> Option<T> {
        self.unlike(what, found);
        None
    }

    #[inline(never)]
    fn unlike(&mut self, what: &str, found: &Node) {
        self.note(["expected ", what, ", found ", found.kind()].concat());
    }

    /// Does something at a member of this place.
    pub(crate) fn member<T>(&mut self, name: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.enter(name);
        let result = then(self);
        self.path.truncate(before);
        result
    }

    /// Goes to a member, and tells how long the path was before.
    #[inline(never)]
    fn enter(&mut self, name: &str) -> usize {
        let before = self.path.len();
        if name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            self.path.push('.');
            self.path.push_str(name);
        } else {
            let parts = ["[", &quoted(name), "]"];
            self.path.extend(parts);
        }
        before
    }

    /// Does something at an item of this place.
    pub(crate) fn item<T>(&mut self, index: usize, then: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.path.len();
        self.index(index);
        let result = then(self);
        self.path.truncate(before);
        result
    }

    #[inline(never)]
    fn index(&mut self, index: usize) {
        self.path.extend(["[", &index.to_string(), "]"]);
    }

    /// The value, or every problem.
    pub(crate) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Problem>> {
        if self.more > 0 {
            let reason = format!("{} more problems are not listed", self.more);
            self.problems.push(Problem { path: "$".to_owned(), reason });
        }
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(self.problems),
        }
    }
}

/// Members of an object that were checked against the names it may have.
pub(crate) struct Members<'a>(&'a [(String, Node)]);

impl<'a> Members<'a> {
    /// Takes an object apart: every unknown and every repeated name is a problem.
    pub(crate) fn of(node: &'a Node, known: &[&str], reader: &mut Reader) -> Option<Self> {
        let Node::Object(members) = node else { return reader.expected("an object", node) };
        let mut seen = std::collections::BTreeSet::new();
        for (name, _) in members {
            if !known.contains(&name.as_str()) {
                reader.member(name, |reader| reader.problem(unknown(name, known)));
            }
            if !seen.insert(name) {
                reader.member(name, |reader| reader.problem("stands here more than once"));
            }
        }
        Some(Self(members))
    }

    /// Reads a member, where it is present, into `value`.
    pub(crate) fn read<T: Value>(&self, name: &str, limits: &T::Limits, value: &mut T, reader: &mut Reader) {
        let Some(node) = self.node(name) else { return };
        if let Some(read) = reader.member(name, |reader| T::read(node, limits, reader)) {
            *value = read;
        }
    }

    /// Every name must be present.
    pub(crate) fn required(&self, names: &[&str], reader: &mut Reader) {
        for name in names.iter().filter(|name| !self.has(name)) {
            reader.problem(format!("`{name}` is missing"));
        }
    }

    /// Exactly one of the names must be present.
    pub(crate) fn exactly_one(&self, names: &[&str], reader: &mut Reader) {
        let count = names.iter().filter(|name| self.has(name)).count();
        if count != 1 {
            reader.problem(format!("exactly one of `{}` is needed, found {count}", names.join("`, `")));
        }
    }

    #[inline(never)]
    fn node(&self, name: &str) -> Option<&'a Node> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    fn has(&self, name: &str) -> bool {
        self.node(name).is_some()
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("unknown key; did you mean `{near}`?"),
        None => format!("unknown key; known here: `{}`", known.join("`, `")),
    }
}

/// The known name that is at most a third of its length away.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let (distance, near) = known.iter().map(|known| (strsim::levenshtein(&lower, known), *known)).min()?;
    (distance <= near.len().div_ceil(3)).then_some(near)
}

/// A string for a message: quoted, printable, at most 64 characters of it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars().take(64) {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            ' '..='~' => quoted.push(character),
            _ => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
        }
    }
    quoted.push('"');
    quoted
}

/// `2 to 5`.
pub(crate) fn span<T: std::fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_known_key() {
        assert_eq!(nearest("thresholdz", &["version", "thresholds"]), Some("thresholds"));
        assert_eq!(nearest("Throttle", &["throttle", "thresholds"]), Some("throttle"));
        assert_eq!(nearest("colour", &["version", "thresholds"]), None);
    }

    #[test]
    fn quotes_hostile_keys_in_paths() {
        let mut reader = Reader::new();
        reader.member("a\"\n]", |reader| reader.item(3, |reader| reader.problem("bad")));
        let problems = reader.finish(Some(())).unwrap_err();
        assert_eq!(problems[0].path, "$[\"a\\\"\\n]\"][3]");
    }

    #[test]
    fn lists_a_bounded_number_of_problems() {
        let mut reader = Reader::new();
        (0..1_000).for_each(|_| reader.problem("bad"));
        let problems = reader.finish(Some(())).unwrap_err();
        assert_eq!(problems.len(), MAX_PROBLEMS + 1);
        assert_eq!(problems[MAX_PROBLEMS].reason, "900 more problems are not listed");
    }
}
