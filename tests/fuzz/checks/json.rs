//! The JSON reader, beside a parser of others.

use crate::Witness;
use azeotrope_engine::json::{Reader, Token, source};
use serde_json::{Map, Value};

/// Deepest document that is compared: the other parser refuses one of 128.
const DEEPEST: usize = 120;

/// What a strict parser takes for a document reads the same here; anything else is survived.
pub(crate) fn json(input: &[u8], witness: &mut Witness) {
    let text = source(input);
    assert!(text.len() <= input.len().saturating_mul(3), "{} of {}", text.len(), input.len());
    let mut reader = Reader::over(&text);
    let read = value(&mut reader, DEEPEST);
    witness.see(&(&read, reader.truncated()));
    // Skipping takes the same document as reading it.
    let (mut skipping, mut walking) = (Reader::over(&text), Reader::over(&text));
    skipping.skip();
    let _ = value(&mut walking, usize::MAX);
    // A number or word at the very end may have been cut, so a document that is nothing else is never known to be whole.
    let whole = serde_json::from_slice::<Value>(input).ok();
    if let Some(expected) = whole.filter(|value| value.is_object() || value.is_array() || value.is_string()) {
        assert!(!skipping.truncated() && !walking.truncated(), "{text:?}");
        assert_eq!(skipping.place(), walking.place(), "{text:?}");
        if depth(&expected) < DEEPEST {
            assert!(!reader.truncated());
            assert_eq!(read, without_numbers(expected), "{text:?}");
        }
    }
}

/// A value without its numbers: they are read by those who know what they count.
fn value(reader: &mut Reader<'_>, depth: usize) -> Value {
    if depth == 0 {
        reader.skip();
        return Value::Null;
    }
    match reader.peek() {
        Token::Object => {
            let mut members = Map::new();
            let _ = reader.object();
            while let Some(key) = reader.key() {
                let key = key.into_owned();
                members.insert(key, value(reader, depth.saturating_sub(1)));
            }
            Value::Object(members)
        }
        Token::Array => {
            let mut items = Vec::new();
            let _ = reader.array();
            while reader.item() {
                items.push(value(reader, depth.saturating_sub(1)));
            }
            Value::Array(items)
        }
        Token::String => {
            let text = reader.short();
            assert!(text.is_some());
            Value::String(text.unwrap_or_default().into_owned())
        }
        Token::True | Token::False => reader.boolean().map_or(Value::Null, Value::Bool),
        Token::Number | Token::Null | Token::End => {
            reader.skip();
            Value::Null
        }
    }
}

fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::Null,
        Value::Array(items) => Value::Array(items.into_iter().map(without_numbers).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, without_numbers(value))).collect())
        }
        other => other,
    }
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => None,
    };
    inner.unwrap_or(0).saturating_add(1)
}
