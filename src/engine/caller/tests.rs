use super::*;
use crate::route::Routes;
use ::base64::Engine as _;

fn headers<'a>(fields: &[(&'a str, &'a [u8])]) -> Vec<(&'a [u8], &'a [u8])> {
    fields.iter().map(|&(name, value)| (name.as_bytes(), value)).collect()
}

fn account(fields: &[(&str, &[u8])], claim: Option<&[u8]>) -> u64 {
    let path = fields.iter().find(|(name, _)| *name == ":path").map_or(&b""[..], |(_, path)| path);
    speaking(Routes::default().find(b"POST", path).map(|route| route.dialect), fields, claim)
}

fn speaking(dialect: Option<Dialect>, fields: &[(&str, &[u8])], claim: Option<&[u8]>) -> u64 {
    Callers::default().identify(dialect, &headers(fields), b"", claim).account
}

#[test]
fn a_request_without_credential_address_or_agent_is_nobody() {
    assert_eq!(Callers::default().identify(None, &[], b"", None), Caller::default());
    assert_eq!(account(&[("authorization", b" "), ("x-api-key", b"")], Some(b"")), 0);
}

#[test]
fn every_built_in_source_finds_its_account_and_one_key_is_one_account() {
    let key: &[u8] = b"k-1";
    let one = account(&[("x-api-key", key)], None);
    assert_ne!(one, 0);
    for fields in [
        ("authorization", &b"Bearer k-1"[..]),
        ("x-goog-api-key", key),
        ("api-key", key),
        (":path", b"/v1beta/models/m:generateContent?key=k-1"),
        ("X-API-KEY", b" k-1 "),
    ] {
        assert_eq!(account(&[fields], None), one, "{}", fields.0);
    }
    assert_ne!(account(&[("x-api-key", b"k-2")], None), one);
    assert_eq!(account(&[("x-unknown-key", key)], None), 0);
}

#[test]
fn a_verified_claim_comes_first_and_survives_a_new_token() {
    let subject = account(&[("authorization", b"Bearer token-1")], Some(b"user-1"));
    assert_eq!(account(&[("authorization", b"Bearer token-2")], Some(b"user-1")), subject);
    assert_ne!(account(&[("authorization", b"Bearer user-1")], None), subject, "a token is never a claim");
}

#[test]
fn sources_are_asked_in_the_configured_order() {
    let callers =
        Callers { accounts: vec![Source::Header("x-user".into()), Source::Authorization], ..Callers::default() };
    let of = |fields: &[(&str, &[u8])]| callers.identify(None, &headers(fields), b"", Some(b"claim")).account;
    assert_eq!(of(&[("authorization", b"Bearer a"), ("x-user", b"u")]), of(&[("x-user", b"u")]));
    assert_eq!(of(&[("authorization", b"Bearer a"), ("x-user", b" ")]), of(&[("authorization", b"Bearer a")]));
    assert_eq!(of(&[("x-api-key", b"a")]), 0);
}

#[test]
fn what_a_provider_does_not_look_at_makes_no_new_account() {
    let gemini = (":path", &b"/v1beta/models/gemini:streamGenerateContent?alt=sse"[..]);
    let of = |fields: &[(&str, &[u8])]| account(fields, None);
    let one = of(&[gemini, ("x-goog-api-key", b"AIza-1")]);
    for decoy in ["x-api-key", "api-key", "authorization"] {
        assert_eq!(of(&[gemini, (decoy, b"Bearer decoy"), ("x-goog-api-key", b"AIza-1")]), one, "{decoy}");
    }
    let interactions = (":path", &b"/v1beta/interaction%73?x=1"[..]);
    assert_eq!(of(&[interactions, ("authorization", b"Bearer decoy"), ("x-goog-api-key", b"AIza-1")]), one);
    let azure = (":path", &b"/openai/deployments/d/chat/completions?api-version=2025-01-01"[..]);
    assert_eq!(of(&[azure, ("x-api-key", b"decoy"), ("api-key", b"k")]), of(&[azure, ("api-key", b"k")]));
    for path in ["/v1/messages?beta=true", "/v1/message%73", "/v1/complete", "/x/../v1/messages/batches"] {
        let anthropic = (":path", path.as_bytes());
        let key = of(&[anthropic, ("x-api-key", b"sk-ant-1")]);
        assert_eq!(of(&[anthropic, ("authorization", b"Bearer decoy"), ("x-api-key", b"sk-ant-1")]), key, "{path}");
        let token = of(&[anthropic, ("authorization", b"Bearer oat-1")]);
        assert!(token != key && token == of(&[("authorization", b"Bearer oat-1")]), "{path}");
    }
    let vertex = "/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict";
    for path in ["/model/anthropic.claude/invoke", "/model/claude/invoke-with-response-stream", vertex] {
        let cloud = (":path", path.as_bytes());
        let token = of(&[cloud, ("authorization", b"Bearer t")]);
        assert_eq!(of(&[cloud, ("authorization", b"Bearer t"), ("x-api-key", b"decoy")]), token, "{path}");
    }
    // A path of the gateway's own, of which its configuration says what it speaks.
    let own = [(":path", &b"/ai/ask"[..]), ("authorization", b"Bearer decoy"), ("x-goog-api-key", b"AIza-1")];
    assert_eq!([Dialect::Gemini, Dialect::Interactions].map(|dialect| speaking(Some(dialect), &own, None)), [one; 2]);
    // Elsewhere the order is the configured one.
    for path in ["", "?x=:generateContent", "?x=/v1beta/interactions", "?/openai/deployments/", "#:generateContent"] {
        let chat = format!("/v1/chat/completions{path}");
        let chat = (":path", chat.as_bytes());
        for decoy in ["x-goog-api-key", "api-key"] {
            let found = of(&[chat, (decoy, b"decoy"), ("authorization", b"Bearer k")]);
            assert_eq!(found, of(&[("authorization", b"Bearer k")]), "{decoy} {path}");
        }
    }
}

#[test]
fn keys_that_one_access_key_signed_are_one_account() {
    let token = |date: &str, signature: &str, signer: &str| {
        let url = format!(
            "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Credential={signer}%2F20260101%2Fus-east-1&X-Amz-Date={date}&X-Amz-Signature={signature}&Version=1"
        );
        format!("Bearer bedrock-api-key-{}", ::base64::engine::general_purpose::STANDARD.encode(url))
    };
    let of = |token: String| account(&[("authorization", token.as_bytes())], None);
    let one = of(token("20260101T000000Z", "aa", "AKIDEXAMPLE"));
    assert_eq!(of(token("20260101T000001Z", "bb", "AKIDEXAMPLE")), one);
    assert_ne!(of(token("20260101T000000Z", "aa", "AKIDOTHER")), one);
    assert_ne!(of("Bearer bedrock-api-key-%%".to_owned()), 0);
}

#[test]
fn of_duplicate_headers_the_first_that_is_not_blank_counts() {
    let first = account(&[("x-api-key", b"a")], None);
    assert_eq!(account(&[("x-api-key", b"a"), ("x-api-key", b"b")], None), first);
    assert_eq!(account(&[("x-api-key", b" "), ("x-api-key", b"a")], None), first);
}

#[test]
fn an_organisation_is_only_taken_from_a_configured_header() {
    let fields = headers(&[("x-org", b"acme")]);
    assert_eq!(Callers::default().identify(None, &fields, b"", None).organisation, 0);
    let callers = Callers { organisation: Some("X-Org".into()), ..Callers::default() };
    assert_ne!(callers.identify(None, &fields, b"", None).organisation, 0);
}

#[test]
fn bytes_that_are_no_text_are_an_account_and_an_agent_like_any_other() {
    let fields = headers(&[("x-api-key", b"\xff\x00\xfe"), ("user-agent", b"\x80")]);
    let caller = Callers::default().identify(None, &fields, b"\xff", None);
    assert!(caller.account != 0 && caller.agent != 0 && caller.network == 0);
}

#[test]
fn only_the_first_8_kib_of_a_credential_tell() {
    let long = |last: u8, len: usize| [vec![b'k'; len - 1], vec![last]].concat();
    let of = |value: &[u8]| account(&[("x-api-key", value)], None);
    assert_ne!(of(&long(b'a', 8192)), of(&long(b'b', 8192)));
    assert_eq!(of(&long(b'a', 8193)), of(&long(b'b', 8193)));
    assert_eq!(account(&[], Some(&long(b'a', 9000))), account(&[], Some(&long(b'b', 9000))));
    assert_ne!(account(&[("authorization", &[b"Basic ", &[b'Y'; 100_000][..]].concat())], None), 0);
}

#[test]
fn padding_does_not_push_a_credential_out_of_sight() {
    let padded = |before: &[u8], pad: u8, after: &[u8]| [before, &vec![pad; 20_000], after].concat();
    let one = account(&[("x-api-key", b"k-1")], None);
    assert_eq!(account(&[("authorization", &padded(b"Bearer ", b' ', b"k-1"))], None), one);
    assert_eq!(account(&[(":path", &padded(b"/m?x=", b'a', b"&key=k-1"))], None), one);
}

#[test]
fn the_previous_key_recognises_who_was_counted_before_a_rotation() {
    let key = |text: &[u8]| DigestKey::new(text);
    let before = Callers { keys: Keys { current: key(b"1"), previous: None }, ..Callers::default() };
    let after = Callers { keys: Keys { current: key(b"2"), previous: Some(key(b"1")) }, ..Callers::default() };
    let fields = headers(&[("x-api-key", b"k"), ("user-agent", b"curl")]);
    let known = before.identify(None, &fields, b"192.0.2.1", None);
    let rotated = after.identify(None, &fields, b"192.0.2.1", None);
    assert_eq!((rotated.before.account, rotated.before.network), (known.account, known.network));
    assert_ne!(rotated.account, known.account);
    assert_eq!(known.before, Before::default());
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn name() -> impl Strategy<Value = Vec<u8>> {
        let known = vec!["authorization", "x-api-key", ":path", "x-forwarded-for", "user-agent", "x-org"];
        prop_oneof![prop::sample::select(known).prop_map(|name| name.as_bytes().to_vec()), vec(any::<u8>(), 0..9)]
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        let parts =
            vec!["Bearer ", "Basic ", "AWS4-", "Credential=", "/", ",", "?key=", "%", "[::1]", ":", "=", "1.2.3.4"];
        let part =
            prop_oneof![prop::sample::select(parts).prop_map(|part| part.as_bytes().to_vec()), vec(any::<u8>(), 0..20)];
        vec(part, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_headers_are_survived(
            fields in vec((name(), value()), 0..8),
            peer in value(),
            claim in prop::option::of(value()),
            trusted_hops: u32,
        ) {
            let callers =
                Callers { trusted_hops: trusted_hops % 5, organisation: Some("x-org".into()), ..Callers::default() };
            let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            let caller = callers.identify(None, &fields, &peer, claim.as_deref());
            prop_assert_eq!(caller, callers.identify(None, &fields, &peer, claim.as_deref()));
        }
    }
}

#[test]
fn releases_of_a_client_program_have_its_name_in_common() {
    let agent =
        |value: &str| Callers::default().identify(None, &headers(&[("user-agent", value.as_bytes())]), b"", None).agent;
    let (one, other) = (agent("acme/python 1.2.0"), agent("acme/python 1.3.0"));
    assert!(one != other && product(one) == product(other));
    assert!([agent("acme/js 1.2.0"), agent("acme")].iter().all(|&of| product(of) != product(one)));
}
