use super::*;

fn text(json: &str) -> (String, bool) {
    let mut reader = Reader::new(json);
    let place = reader.string().unwrap_or_default();
    (unescaped(&json.as_bytes()[place], reader.truncated()).into_owned(), reader.truncated())
}

/// The keys of a document's outermost object, with each value's raw JSON.
fn walk(json: &str) -> (Vec<String>, bool) {
    let mut reader = Reader::new(json);
    let mut out = Vec::new();
    if reader.object() {
        while let Some(key) = reader.key() {
            let raw = String::from_utf8_lossy(reader.raw());
            out.push(format!("{key}={raw}"));
        }
    }
    (out, reader.truncated())
}

#[test]
fn escapes_are_undone() {
    assert_eq!(text(r#""a\n\"\\\/\b\f\r\t\u0041\uD83D\uDE00é""#), ("a\n\"\\/\u{8}\u{c}\r\tA😀é".into(), false));
}

#[test]
fn lone_surrogates_become_replacement_characters() {
    for lone in [r#""\uD83D""#, r#""\uDE00""#, r#""\uD83D\u0041""#, r#""\uD83Dx""#, r#""\uD83D\n""#] {
        let (text, truncated) = text(lone);
        assert!(text.starts_with('\u{FFFD}') && !truncated, "{lone}");
    }
    assert_eq!(text(r#""\uD83D\uD83D\uDE00""#).0, "\u{FFFD}😀");
}

#[test]
fn a_cut_string_keeps_its_beginning() {
    let whole = r#""ab\u00e9\uD83D\uDE00\\z""#;
    for end in 1..whole.len() {
        let (kept, truncated) = text(&whole[..end]);
        assert!("abé😀\\z".starts_with(&kept) && truncated, "{end}: {kept}");
    }
}

#[test]
fn a_text_is_taken_up_again_between_its_characters() {
    let raw = r"ab\\n\u00e9é\\\u0041\\u0041z".as_bytes();
    let whole = unescaped(raw, false);
    for at in 0..=raw.len() {
        let place = resume(raw, at);
        assert!(place >= at && place <= raw.len());
        let rest = unescaped(&raw[place..], false);
        assert!(whole.ends_with(&*rest), "{at}: {rest:?} is no end of {whole:?}");
    }
}

#[test]
fn bytes_become_text() {
    assert_eq!(&*source(b"\xEF\xBB\xBF{}"), b"{}");
    assert_eq!(unescaped(b"a\xFFb\xC3", true), "a\u{FFFD}b");
    assert_eq!(unescaped(b"a\xFFb\xC3", false), "a\u{FFFD}b\u{FFFD}");
    assert_eq!(unescaped("aé".as_bytes()[..2].as_ref(), true), "a");
    assert_eq!(unescaped(b"\xE2\x82\xFF", true), "\u{FFFD}\u{FFFD}");
    assert_eq!(unescaped(b"\\\xC3\xA9\\", true), "é");
}

#[test]
fn utf_16_is_read_as_servers_read_it() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| "{\"a\":\"é😀\"}".encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    let (little, big) = (utf16(u16::to_le_bytes), utf16(u16::to_be_bytes));
    for body in
        [little.clone(), big.clone(), [b"\xFF\xFE".to_vec(), little].concat(), [b"\xFE\xFF".to_vec(), big].concat()]
    {
        assert_eq!(&*source(&body), "{\"a\":\"é😀\"}".as_bytes());
    }
}

#[test]
fn untaken_values_are_skipped() {
    let (fields, truncated) = walk(r#" { "a" : [1,{"b":"}]"}] , "c":"\\\"", "d":-1.5e3,"e":null,"f":{}} "#);
    assert_eq!(fields, [r#"a=[1,{"b":"}]"}]"#, r#"c="\\\"""#, "d=-1.5e3", "e=null", "f={}"]);
    assert!(!truncated);
    let mut reader = Reader::new(r#"{"a":{"x":1},"b":[2]}"#);
    assert!(reader.object());
    assert_eq!((reader.key().as_deref(), reader.key().as_deref(), reader.key()), (Some("a"), Some("b"), None));
    assert!(!reader.truncated());
}

#[test]
fn keys_are_unescaped() {
    assert_eq!(walk(r#"{"m\u006fdel":1}"#).0, ["model=1"]);
}

#[test]
fn lenient_servers_are_followed() {
    assert_eq!(walk(r#"{"a":NaN,,"b":-Infinity,}"#), (vec!["a=NaN".into(), "b=-Infinity".into()], false));
}

#[test]
fn keys_are_folded_on_demand() {
    let mut reader = Reader::new(r#"{"a":{"B":1},"C":2}"#);
    reader.fold_keys();
    assert!(reader.object());
    assert_eq!(reader.key().as_deref(), Some("a"));
    assert!(reader.clone().object());
    assert_eq!(reader.key().as_deref(), Some("c"));
}

#[test]
fn what_is_no_json_ends_the_document() {
    for bad in ["", "{", "{\"a\"", "{\"a\":", "{\"a\" 1}", "{a:1}", "{\"a\":1", "{\"a\":'x'}", "{\"a\":1]"] {
        let mut reader = Reader::new(bad);
        if !reader.object() {
            reader.fail();
        }
        while reader.key().is_some() {}
        assert!(reader.truncated(), "{bad}");
    }
}

#[test]
fn a_bomb_is_skipped_without_a_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let bomb = format!("{{\"x\":{}1{},\"y\":2}}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(walk(&bomb).0[1], "y=2");
        let cut = format!("{{\"x\":{}", open.repeat(100_000));
        assert!(walk(&cut).1);
    }
}

#[test]
fn numbers_are_thousandths_and_saturate() {
    let cases = [
        ("0.7 ", Some(700)),
        ("-2 ", Some(-2_000)),
        ("1e2 ", Some(100_000)),
        ("25E-1 ", Some(2_500)),
        ("0.0019 ", Some(1)),
        ("\"100\"", Some(100_000)),
        ("1e999999999999 ", Some(i64::MAX)),
        ("-1e400 ", Some(-i64::MAX)),
        ("1e-999999999 ", Some(0)),
        ("NaN ", None),
        ("true", None),
        ("- ", None),
        ("1e ", None),
        // The end of the document may have cut it.
        ("12", None),
    ];
    for (json, expected) in cases {
        let got = Reader::new(json).thousandths();
        let near = |a: i64, b: i64| {
            a == b || (b.unsigned_abs() == i64::MAX.unsigned_abs() && a.unsigned_abs() >= b.unsigned_abs())
        };
        assert!(got == expected || got.zip(expected).is_some_and(|(a, b)| near(a, b)), "{json}: {got:?}");
    }
    assert_eq!(Reader::new(&format!("{} ", "9".repeat(400))).count(), Some(i64::MAX as u64 / 1_000));
    assert_eq!(Reader::new("-5 ").count(), Some(0));
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_unescaped_as_serde_json_does(plain in any::<String>(), all_escaped in any::<bool>()) {
            let json = if all_escaped {
                let units: String = plain.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
                format!("\"{units}\"")
            } else {
                serde_json::to_string(&plain).unwrap()
            };
            prop_assert_eq!(text(&json), (plain, false));
        }

        #[test]
        fn documents_are_split_as_serde_json_does(fields in prop::collection::vec((any::<String>(), ".{0,12}"), 0..6)) {
            let values: Vec<_> = fields.iter().map(|(k, v)| (k.clone(), serde_json::json!([v, { k: v }, 1.5, null]))).collect();
            let json = values.iter().map(|(k, v)| format!("{}:{v}", serde_json::json!(k))).collect::<Vec<_>>().join(",");
            let expected: Vec<_> = values.iter().map(|(k, v)| format!("{k}={v}")).collect();
            prop_assert_eq!(walk(&format!("{{{json}}}")), (expected, false));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = source(&bytes);
            let mut reader = Reader::over(&text);
            while reader.object() || reader.key().is_some() {}
            let text = String::from_utf8_lossy(&text);
            walk(&text);
            walk(&format!("{{\"a\":{text}"));
        }

        #[test]
        fn json_like_bytes_are_survived(soup in "[{}\\[\\]\",:\\\\u0-9a-f ]{0,200}") {
            walk(&format!("{{{soup}"));
        }
    }
}

#[test]
fn an_escape_is_read_wherever_it_stands() {
    let text = "abcdefghijklmnopqrstuvwxyz — ä";
    for place in (0..=text.len()).filter(|place| text.is_char_boundary(*place)) {
        let (before, behind) = text.split_at(place);
        for (escape, meant) in
            [(r"\n", "\n"), (r"\\", "\\"), (r"\u00e4\t", "ä\t"), (r"\ud83d\ude00", "😀"), (r"\ä", "ä")]
        {
            let raw = [before, escape, behind].concat();
            assert_eq!(unescaped(raw.as_bytes(), false), [before, meant, behind].concat(), "{raw}");
        }
    }
}
