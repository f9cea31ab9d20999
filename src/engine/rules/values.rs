//! The plain values of a document: numbers, switches, strings, lists.

use super::reader::{Reader, Value, nearest, quoted, span};
use super::tree::Node;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;

/// Largest whole number that every JSON implementation keeps exactly: 2^53 − 1 (RFC 8259 section 6).
pub const MAX_WHOLE: u64 = (1 << 53) - 1;

/// A decimal number kept in thousandths, so that hosts cannot differ in how they round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milli(pub i32);

impl Milli {
    /// The nearest thousandth of a number; the nearest end of the range where it is beyond ±2,147,483.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn of(number: f64) -> Self {
        // `as` saturates.
        Self((number * 1000.0).round() as i32)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl Value for Milli {
    type Limits = RangeInclusive<f64>;

    fn read(node: &Node, range: &Self::Limits, reader: &mut Reader) -> Option<Self> {
        let Node::Number(number) = node else { return reader.expected("a number", node) };
        if !range.contains(number) {
            reader.problem(out_of_range(*number, &span(&(decimal(*range.start())..=decimal(*range.end())))));
            return None;
        }
        Some(Self::of(*number))
    }

    fn schema(range: &Self::Limits) -> Json {
        json!({ "type": "number", "minimum": range.start(), "maximum": range.end() })
    }

    fn show(&self) -> Json {
        self.number().into()
    }
}

/// A number as problems quote it, to a millionth. The module has no other use for the formatting of floating-point numbers,
/// which is larger than a codec.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn decimal(number: f64) -> String {
    const MILLIONTHS: f64 = 1e6;
    if number.abs() > 1e12 {
        return "a number that large".to_owned();
    }
    let all = (number.abs() * MILLIONTHS).round() as u64;
    let sign = if number < 0.0 { "-" } else { "" };
    let (whole, rest) = ((all / 1_000_000).to_string(), all % 1_000_000);
    if rest == 0 {
        return [sign, &whole].concat();
    }
    let digits = (1_000_000 + rest).to_string();
    [sign, &whole, ".", digits.get(1..).unwrap_or_default().trim_end_matches('0')].concat()
}

fn out_of_range(number: f64, span: &str) -> String {
    [&decimal(number), " is out of range: ", span].concat()
}

/// A whole number within a range.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn whole(node: &Node, range: &RangeInclusive<u64>, reader: &mut Reader) -> Option<u64> {
    let Node::Number(number) = node else { return reader.expected("a whole number", node) };
    // 12.0 is a whole number to JSON Schema, and protobuf's Struct prints whole numbers so.
    if number.fract() != 0.0 {
        reader.problem([&decimal(*number), " is not a whole number"].concat());
        return None;
    }
    let value = *number as u64;
    if *number < 0.0 || *number > MAX_WHOLE as f64 || !range.contains(&value) {
        reader.problem(out_of_range(*number, &span(range)));
        return None;
    }
    Some(value)
}

impl Value for u64 {
    type Limits = RangeInclusive<u64>;

    fn read(node: &Node, range: &Self::Limits, reader: &mut Reader) -> Option<Self> {
        whole(node, range, reader)
    }

    fn schema(range: &Self::Limits) -> Json {
        json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
    }

    fn show(&self) -> Json {
        (*self).into()
    }
}

impl Value for u32 {
    type Limits = RangeInclusive<u32>;

    fn read(node: &Node, range: &Self::Limits, reader: &mut Reader) -> Option<Self> {
        let range = u64::from(*range.start())..=u64::from(*range.end());
        whole(node, &range, reader).and_then(|value| Self::try_from(value).ok())
    }

    fn schema(range: &Self::Limits) -> Json {
        json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
    }

    fn show(&self) -> Json {
        (*self).into()
    }
}

impl Value for bool {
    type Limits = ();

    fn read(node: &Node, (): &(), reader: &mut Reader) -> Option<Self> {
        match node {
            Node::Bool(value) => Some(*value),
            other => reader.expected("true or false", other),
        }
    }

    fn schema((): &()) -> Json {
        json!({ "type": "boolean" })
    }

    fn show(&self) -> Json {
        (*self).into()
    }
}

/// Printable text; the limits are its length in characters.
impl Value for String {
    type Limits = RangeInclusive<usize>;

    fn read(node: &Node, length: &Self::Limits, reader: &mut Reader) -> Option<Self> {
        let Node::Text(text) = node else { return reader.expected("a string", node) };
        let count = text.chars().count();
        if !length.contains(&count) {
            reader.problem(format!("{count} characters; {} are allowed", span(length)));
            return None;
        }
        if text.chars().any(char::is_control) {
            reader.problem("control characters are not allowed");
            return None;
        }
        Some(text.clone())
    }

    fn schema(length: &Self::Limits) -> Json {
        json!({
            "type": "string",
            "minLength": length.start(),
            "maxLength": length.end(),
            "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        })
    }

    fn show(&self) -> Json {
        self.as_str().into()
    }
}

/// What may be absent.
impl<T: Value> Value for Option<T> {
    type Limits = T::Limits;

    fn read(node: &Node, limits: &Self::Limits, reader: &mut Reader) -> Option<Self> {
        T::read(node, limits, reader).map(Some)
    }

    fn schema(limits: &Self::Limits) -> Json {
        T::schema(limits)
    }

    fn show(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::show)
    }
}

/// A list; the limits are its length, and the limits of an item.
impl<T: Value> Value for Vec<T> {
    type Limits = (RangeInclusive<usize>, T::Limits);

    fn read(node: &Node, (length, limits): &Self::Limits, reader: &mut Reader) -> Option<Self> {
        let Node::List(items) = node else { return reader.expected("a list", node) };
        if !length.contains(&items.len()) {
            reader.problem(format!("{} items; {} are allowed", items.len(), span(length)));
            return None;
        }
        let read = |(index, item)| reader.item(index, |reader| T::read(item, limits, reader));
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    fn schema((length, limits): &Self::Limits) -> Json {
        json!({ "type": "array", "items": T::schema(limits), "minItems": length.start(), "maxItems": length.end() })
    }

    fn show(&self) -> Json {
        self.iter().map(Value::show).collect()
    }
}

/// One of a few words.
pub(crate) fn word<'a>(node: &Node, words: &[&'a str], reader: &mut Reader) -> Option<&'a str> {
    let all = || words.join("`, `");
    let Node::Text(text) = node else { return reader.expected(&format!("one of `{}`", all()), node) };
    let found = words.iter().find(|word| *word == text).copied();
    if found.is_none() {
        let near = nearest(text, words).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        reader.problem(format!("{} is not one of `{}`{near}", quoted(text), all()));
    }
    found
}
