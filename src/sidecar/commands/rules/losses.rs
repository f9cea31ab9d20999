//! What a document takes back of the rules in force: entries that others made since it was written.

use crate::remote::at;
use serde_json::Value;

/// Lists whose entries are added one by one.
const LISTS: [&str; 3] = ["allow", "deny", "campaigns"];
/// What an entry is about; it has one of them.
const SUBJECTS: [&str; 5] = ["account", "organisation", "network", "skeleton", "id"];

/// An entry that is in force, and would not be any more, or for a shorter time.
#[derive(Debug)]
pub(super) struct Loss {
    list: &'static str,
    entry: Value,
}

impl Loss {
    /// Whether somebody would no longer be let alone.
    pub(super) fn is_exception(&self) -> bool {
        self.list == "allow"
    }

    /// `$.allow: - {…}`, as `rules diff` has it.
    pub(super) fn line(&self) -> String {
        format!("$.{}: - {}\n", self.list, self.entry)
    }

    pub(super) fn to_json(&self) -> Value {
        serde_json::json!({ "path": format!("$.{}", self.list), "before": self.entry })
    }
}

/// What `after` takes back of `before`; what has ended is no loss. `now` in seconds.
pub(super) fn losses(before: &Value, after: &Value, now: u64) -> Vec<Loss> {
    let mut found = Vec::new();
    for list in LISTS {
        let kept = entries(after, list);
        for entry in entries(before, list) {
            let stays = kept.iter().any(|other| is_same(entry, other) && end(other) >= end(entry));
            if !stays && end(entry) > now as f64 {
                found.push(Loss { list, entry: entry.clone() });
            }
        }
    }
    found
}

fn entries<'a>(document: &'a Value, list: &str) -> &'a [Value] {
    at(document, &format!("/{list}")).as_array().map_or(&[], Vec::as_slice)
}

/// Whether two entries are about the same.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    SUBJECTS.iter().all(|subject| one.get(subject) == other.get(subject))
}

fn end(entry: &Value) -> f64 {
    at(entry, "/until").as_f64().unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_gone_or_ends_sooner_is_lost_and_what_has_ended_is_not() {
        let before = json!({
            "allow": [
                { "account": "aa", "note": "stays" }, { "account": "bb" }, { "network": "bb" },
                { "account": "cc", "until": 900 }, { "account": "dd", "until": 99 }, { "account": "ee", "until": 500 },
            ],
            "deny": [{ "account": "aa", "action": "block" }], "campaigns": [{ "id": "c-1" }, { "id": "c-2" }],
        });
        let after = json!({
            "allow": [{ "account": "aa" }, { "account": "bb" }, { "account": "cc", "until": 800 }, { "account": "ee" }],
            "campaigns": [{ "id": "c-2", "confirmed": true }],
        });
        let lines: String = losses(&before, &after, 100).iter().map(Loss::line).collect();
        let expected = [
            r#"$.allow: - {"network":"bb"}"#,
            r#"$.allow: - {"account":"cc","until":900}"#,
            r#"$.deny: - {"account":"aa","action":"block"}"#,
            r#"$.campaigns: - {"id":"c-1"}"#,
        ];
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
        assert!(losses(&after, &after, 100).is_empty());
    }
}
