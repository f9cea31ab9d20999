//! `azeotrope rules` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{azeotrope, azeotrope_with};
use serde_json::{Value, json};

fn json(arguments: &[&str]) -> Value {
    let run = azeotrope(arguments, "");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    serde_json::from_str(&run.out).unwrap()
}

fn validator(more: &[&str]) -> jsonschema::Validator {
    let schema = json(&[&["rules", "schema"], more].concat());
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn defaults_are_valid_by_schema_and_by_check() {
    for more in [&[][..], &["--configuration"]] {
        let defaults = json(&[&["rules", "defaults"], more].concat());
        validator(more).validate(&defaults).unwrap();
        assert_eq!(azeotrope(&["rules", "check", "-"], &defaults.to_string()).code, 0);
    }
    assert_eq!(json(&["rules", "show-defaults"]), json(&["rules", "defaults"]));
}

#[test]
fn every_member_of_the_schema_says_what_it_is() {
    fn walk(schema: &Value, path: &str) {
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            assert!(member["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path}");
            walk(member, &path);
            walk(&member["items"], &path);
        }
    }
    walk(&json(&["rules", "schema", "--configuration"]), "$");
}

#[test]
fn schema_and_check_agree() {
    let rules = |more: Value| {
        let mut document = json!({ "format": 1, "version": 1 });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document
    };
    let digest = "00000000000000ff";
    let validator = validator(&[]);
    for (document, good) in [
        (rules(json!({})), true),
        (rules(json!({ "version": 2.0 })), true),
        (rules(json!({ "allow": [{ "account": digest, "until": 5, "note": "why" }] })), true),
        (rules(json!({ "deny": [{ "organisation": digest, "action": "block" }] })), true),
        (rules(json!({ "campaigns": [{ "id": "c-91f2", "confirmed": true, "accounts": [digest] }] })), true),
        (rules(json!({ "throttle": { "retry_after_seconds": 86_400 } })), true),
        (rules(json!({ "content": { "weights": format!("Ag{}==", "A".repeat(21_956)) } })), true),
        (rules(json!({ "content": { "weights": format!("{}==", "A".repeat(21_958)) } })), false),
        (rules(json!({ "content": { "weights": "A".repeat(344) } })), false),
        (json!({ "version": 1 }), false),
        (json!({ "format": 1 }), false),
        (rules(json!({ "format": 2 })), false),
        (rules(json!({ "version": 1.5 })), false),
        (rules(json!({ "version": -1 })), false),
        (rules(json!({ "unknown": 1 })), false),
        (rules(json!({ "name": null })), false),
        (rules(json!({ "name": "x".repeat(129) })), false),
        (rules(json!({ "name": "a\tb" })), false),
        (rules(json!({ "throttle": { "retry_after_seconds": 0 } })), false),
        (rules(json!({ "thresholds": { "block": 101 } })), false),
        (rules(json!({ "families": { "skeleton_spread": { "weight": "1" } } })), false),
        (rules(json!({ "allow": [{ "account": "FF" }] })), false),
        (rules(json!({ "allow": [{ "account": "0000000000000000" }] })), false),
        (rules(json!({ "allow": [{ "account": digest, "network": digest }] })), false),
        (rules(json!({ "allow": [{ "note": "nobody" }] })), false),
        (rules(json!({ "deny": [{ "account": digest, "action": "observe" }] })), false),
        (rules(json!({ "campaigns": [{ "id": "C 1" }] })), false),
        (rules(json!({ "content": {} })), false),
    ] {
        let text = document.to_string();
        assert_eq!(validator.is_valid(&document), good, "schema: {text}");
        let run = azeotrope(&["rules", "check", "-"], &text);
        assert_eq!(run.code, i32::from(!good), "check: {text}: {}", run.out);
    }
}

#[test]
fn check_tells_every_problem_with_file_and_path() {
    let run = azeotrope(
        &["rules", "check", "-"],
        r#"{"mode":"enforce","rules":{"format":1,"version":1,"nam":"x","throttle":{"retry_after_seconds":0}}}"#,
    );
    assert_eq!(run.code, 1);
    assert_eq!(
        run.out.lines().collect::<Vec<_>>(),
        [
            "-: $.rules.nam: unknown key; did you mean `name`?",
            "-: $.rules.throttle.retry_after_seconds: 0 is out of range: 1 to 86400",
        ]
    );
}

#[test]
fn check_answers_in_json() {
    let report = |input, code| {
        let run = azeotrope(&["rules", "check", "--json", "-"], input);
        assert_eq!(run.code, code);
        serde_json::from_str::<Value>(&run.out).unwrap()
    };
    assert_eq!(report("{}", 0), json!({ "kind": "configuration", "ok": true, "problems": [] }));
    let problem = json!({ "path": "$", "reason": "`version` is missing" });
    assert_eq!(report(r#"{"format":1}"#, 1), json!({ "kind": "rules", "ok": false, "problems": [problem] }));
}

#[test]
fn what_cannot_be_read_is_no_problem_of_the_document() {
    let run = azeotrope(&["rules", "check", "no/such/file.json"], "");
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("azeotrope: no/such/file.json: "), "{}", run.err);
    assert_eq!(azeotrope(&["rules", "chekc"], "").code, 2);
    assert_eq!(azeotrope(&["rules", "check", "-"], &" ".repeat(2 << 20)).code, 1);
}

#[test]
fn what_comes_from_standard_input_goes_on_to_standard_output() {
    let run = azeotrope(&["rules", "pin", "throttle=8.0", "--file", "-"], r#"{"format":1,"version":1}"#);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        (&document["thresholds"]["throttle"], &document["keep"]["pinned"][0]),
        (&json!(8.0), &json!("throttle"))
    );
    assert!(!std::path::Path::new("-").exists());
}

#[test]
fn a_file_is_changed_whatever_sidecar_the_environment_names() {
    let environment = [("AZEOTROPE_SIDECAR", "http://127.0.0.1:9")];
    let change = |more: &[&str]| {
        let arguments =
            [&["rules", "allow", "--account", "00000000000000ff", "--note", "why", "--file", "-"], more].concat();
        azeotrope_with(&environment, &arguments, r#"{"format":1,"version":1,"allow":[{"account":"00000000000000ff"}]}"#)
    };
    let run = change(&[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["allow"], json!([{ "account": "00000000000000ff", "note": "why" }]));
    // Who asks for both did not mean it.
    assert_eq!(change(&["--sidecar", "http://127.0.0.1:9"]).code, 2);
}
