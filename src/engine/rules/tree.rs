//! JSON as a tree that keeps what a map would lose: duplicate keys, and where it got too deep.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Deepest nesting of a configuration. The deepest place that is defined lies at 7.
pub const MAX_DEPTH: usize = 32;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// A list or object below [`MAX_DEPTH`]: skipped.
    TooDeep,
}

impl Node {
    /// What a reader of a problem calls this value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::TooDeep => "nested too deeply",
        }
    }

    /// Whether this is an object with `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(members) if members.iter().any(|(name, _)| name == key))
    }
}

/// Reads a whole document.
pub(crate) fn parse(document: &[u8]) -> Result<Node, serde_json::Error> {
    let mut input = serde_json::Deserializer::from_slice(document);
    let node = Level(0).deserialize(&mut input)?;
    input.end()?;
    Ok(node)
}

/// Reads one value at a depth.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn deeper(self) -> Option<Self> {
        (self.0 < MAX_DEPTH).then_some(Self(self.0.saturating_add(1)))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Node, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Node;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    // Whole numbers of a configuration end below 2^53 (checked where they are read), so f64 holds them exactly.
    #[allow(clippy::cast_precision_loss)]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    #[allow(clippy::cast_precision_loss)]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let Some(level) = self.deeper() else {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Node::TooDeep);
        };
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(level)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let Some(level) = self.deeper() else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Node::TooDeep);
        };
        let mut object = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            object.push((name, members.next_value_seed(level)?));
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_duplicate_keys_in_order() {
        let node = parse(br#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(node, Node::Object(vec![("a".into(), Node::Number(1.0)), ("a".into(), Node::Number(2.0))]));
    }

    #[test]
    fn skips_what_lies_too_deep() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!format!("{:?}", parse(nested(MAX_DEPTH).as_bytes()).unwrap()).contains("TooDeep"));
        assert!(format!("{:?}", parse(nested(MAX_DEPTH + 1).as_bytes()).unwrap()).contains("TooDeep"));
    }

    #[test]
    fn refuses_a_json_bomb_and_what_follows_the_document() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(b"{} {}").is_err());
        assert!(parse(b"\xff").is_err());
    }
}
