//! In what two rules documents differ.

use crate::commands::{Failure, Outcome, print, read};
use crate::remote::Sidecar;
use azeotrope_engine::rules::{MAX_BYTES, Rules};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(old: &Path, new: Option<&Path>, sidecar: &Sidecar) -> Result<Outcome, Failure> {
    let (before, after) = match new {
        Some(new) => (document(old)?, document(new)?),
        None => (parse(sidecar.get("/v1/rules")?.body.as_bytes(), "the sidecar")?, document(old)?),
    };
    let mut text = String::new();
    differences("$", &before, &after, &mut text);
    print(&text)?;
    Ok(if text.is_empty() { Outcome::Well } else { Outcome::Problems })
}

fn document(path: &Path) -> Result<Value, Failure> {
    parse(&read(path, MAX_BYTES)?, &path.display().to_string())
}

/// The document with every knob named, so that what is left to its default compares, too.
fn parse(bytes: &[u8], name: &str) -> Result<Value, Failure> {
    let rules = Rules::parse(bytes).map_err(|problems| {
        let listed: Vec<String> = problems.iter().map(|problem| format!("{name}: {problem}")).collect();
        Failure::Usage(listed.join("\n"))
    })?;
    Ok(rules.document.to_json())
}

/// A line a knob: `$.thresholds.throttle: 7.5 → 8`.
fn differences(path: &str, before: &Value, after: &Value, text: &mut String) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                differences(&format!("{path}.{key}"), &of(old), &of(new), text);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for gone in old.iter().filter(|item| !new.contains(item)) {
                let _ = writeln!(text, "{path}: - {}", short(gone));
            }
            for added in new.iter().filter(|item| !old.contains(item)) {
                let _ = writeln!(text, "{path}: + {}", short(added));
            }
        }
        _ if before != after => {
            let _ = writeln!(text, "{path}: {} → {}", short(before), short(after));
        }
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
        let (mut text, long) = (String::new(), "x".repeat(500));
        let old = json!({ "a": { "b": 1, "c": 2 }, "list": [1, 2], "gone": true, "w": long });
        let new = json!({ "a": { "b": 1, "c": 3 }, "list": [2, 4], "w": "y" });
        differences("$", &old, &new, &mut text);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        for line in ["$.a.c: 2 → 3", "$.list: - 1", "$.list: + 4", "$.gone: true → null"] {
            assert!(lines.contains(&line), "{text}");
        }
        assert!(lines.iter().all(|line| line.chars().count() < 200));
    }
}
