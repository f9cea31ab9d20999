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

#[test]
fn says_where_it_stopped() {
    let told = |document: &str| parse(document.as_bytes()).unwrap_err().to_string();
    assert_eq!(told("{\n  \"a\": 1\n  \"b\": 2\n}"), "expected `,` or `}` at line 3 column 3");
    assert_eq!(told("[1,]"), "expected a value at line 1 column 4");
    assert_eq!(told(""), "the document ends early at line 1 column 1");
}

/// What a general reader makes of a document.
fn reference(document: &str) -> Option<serde_json::Value> {
    serde_json::from_str(document).ok()
}

fn same(node: &Node, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (node, value) {
        (Node::Null, Value::Null) => true,
        (Node::Bool(a), Value::Bool(b)) => a == b,
        (Node::Number(a), Value::Number(b)) => {
            let b = b.as_f64().unwrap();
            (a - b).abs() <= b.abs() * 1e-15
        }
        (Node::Text(a), Value::String(b)) => a == b,
        (Node::List(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Node::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, node)| b.get(name).is_some_and(|value| same(node, value)))
        }
        _ => false,
    }
}

#[test]
fn reads_and_refuses_what_a_general_reader_does() {
    let documents = [
        "null",
        " true ",
        "false",
        "tru",
        "nul",
        "0",
        "-0",
        "01",
        "-",
        "1.",
        ".5",
        "1.5",
        "-12.25e3",
        "1e",
        "1e+2",
        "1E-2",
        "1e999",
        "-1e999",
        "0e999",
        "1e-999",
        "0.1",
        "3.3",
        "4.35",
        "9007199254740991",
        "123456789012345678901234567890",
        "0.000001",
        "[]",
        "[1,2]",
        "[1 2]",
        "[,]",
        "{}",
        "{\"a\":[{}]}",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":1,}",
        "\"\"",
        "\"a\\n\\u00e9\\\\\\/\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "\"é\"",
        "\"open",
        "[\"a\"",
        "{\"a\":",
        "//",
        "1 1",
    ];
    for document in documents {
        match (parse(document.as_bytes()), reference(document)) {
            (Ok(node), Some(value)) => assert!(same(&node, &value), "{document}: {node:?} {value:?}"),
            (Err(_), None) => {}
            (found, expected) => panic!("{document}: {found:?}, a general reader: {expected:?}"),
        }
    }
}

#[cfg(not(target_family = "wasm"))]
proptest::proptest! {
    #[test]
    fn agrees_with_a_general_reader_on_whatever_looks_like_json(
        document in r#"([\[\]{}:,"0-9.eE+\-tfn \\ua]|true|null|"[a-c]*"){0,24}"#,
    ) {
        match (parse(document.as_bytes()), reference(&document)) {
            (Ok(node), Some(value)) => {
                // A map keeps the last of two members with one name.
                let twice = document.matches("\":").count() > 1;
                assert!(twice || same(&node, &value), "{document}");
            }
            (Err(_), None) => {}
            (found, expected) => panic!("{document}: {found:?} {expected:?}"),
        }
    }
}
