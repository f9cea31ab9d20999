use super::*;

fn text(json: &str) -> (String, bool) {
    let mut out = String::new();
    let mut reader = Reader::new(json);
    reader.string(&mut out);
    (out, reader.truncated())
}

#[test]
fn escapes_are_undone() {
    assert_eq!(text(r#""a\n\"\\\/\u0041\uD83D\uDE00é""#), ("a\n\"\\/A😀é".into(), false));
}
