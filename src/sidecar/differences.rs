//! In what two rules documents differ, knob by knob.

use serde_json::{Value, json};

/// The knobs; none where the documents say the same.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    knobs("$", before, after, &mut found);
    found
}

/// One knob, or one entry of a list, that differs.
pub(crate) struct Difference {
    path: String,
    /// `None`: an entry that was added to a list.
    before: Option<Value>,
    /// `None`: an entry that was taken from it.
    after: Option<Value>,
}

impl Difference {
    /// `$.thresholds.throttle: 7.5 → 8`.
    pub(crate) fn line(&self) -> String {
        let path = &self.path;
        match (&self.before, &self.after) {
            (Some(gone), None) => format!("{path}: - {}\n", short(gone)),
            (None, Some(added)) => format!("{path}: + {}\n", short(added)),
            (before, after) => {
                let value = |side: &Option<Value>| short(side.as_ref().unwrap_or(&Value::Null));
                format!("{path}: {} → {}\n", value(before), value(after))
            }
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = serde_json::Map::from_iter([("path".to_owned(), json!(self.path))]);
        json.extend(self.before.iter().map(|value| ("before".to_owned(), value.clone())));
        json.extend(self.after.iter().map(|value| ("after".to_owned(), value.clone())));
        json.into()
    }
}

fn knobs(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let mut differs = |before: Option<&Value>, after: Option<&Value>| {
        found.push(Difference { path: path.to_owned(), before: before.cloned(), after: after.cloned() });
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                knobs(&format!("{path}.{key}"), &of(old), &of(new), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            old.iter().filter(|item| !new.contains(item)).for_each(|gone| differs(Some(gone), None));
            new.iter().filter(|item| !old.contains(item)).for_each(|added| differs(None, Some(added)));
        }
        _ if before != after => differs(Some(before), Some(after)),
        _ => {}
    }
}

/// A value on one line; model weights are long.
fn short(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} characters)", text.get(..at).unwrap_or(""), text.chars().count()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_a_knob() {
        let long = "x".repeat(500);
        let old = json!({ "a": { "b": 1, "c": 2 }, "list": [1, 2], "gone": true, "w": long });
        let new = json!({ "a": { "b": 1, "c": 3 }, "list": [2, 4], "w": "y" });
        let found = differences(&old, &new);
        let text: String = found.iter().map(Difference::line).collect();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        for line in ["$.a.c: 2 → 3", "$.list: - 1", "$.list: + 4", "$.gone: true → null"] {
            assert!(lines.contains(&line), "{text}");
        }
        assert!(lines.iter().all(|line| line.chars().count() < 200));
    }
}
