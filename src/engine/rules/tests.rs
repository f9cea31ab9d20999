//! What whole documents do: each class of problem with its path, defaults, expiry, lists.

use super::*;
use crate::caller::{Caller, Source};
use crate::dialect::Dialect;
use crate::digest::key::DigestKey;
use crate::route::Route;
use crate::verdict::Action;
use serde_json::{Value as Json, json};

fn problems(configuration: &str) -> Vec<String> {
    let problems = Config::parse(configuration.as_bytes()).map(drop).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn one(configuration: &str) -> String {
    let problems = problems(configuration);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].clone()
}

fn rules(more: Json) -> Rules {
    let mut document = json!({ "format": 1, "version": 7 });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Rules::parse(document.to_string().as_bytes()).unwrap()
}

#[test]
fn nothing_said_means_built_in_rules_that_observe() {
    for empty in ["", "  \n", "{}"] {
        let config = Config::parse(empty.as_bytes()).unwrap();
        assert_eq!((config.mode, config.inspect_bytes, config.headers), (Mode::Observe, 262_144, Headers::Auto));
        assert_eq!(config.rules, Rules::default());
        assert_eq!(config.rules.document.version, 0);
    }
}

#[test]
fn senders_and_paths_are_taken_over_as_written() {
    let config = Config::parse(
        br#"{
            "digest_key": { "current": "000102030405060708090a0b0c0d0e0f", "previous": "a passphrase of old" },
            "accounts": [{ "jwt_claim": ["provider", "sub"] }, { "bearer": "authorization" }, { "header": "x-key" }, { "query": "k" }],
            "organisation": { "header": "x-org-id" },
            "trusted_hops": 2,
            "paths": [
                { "exact": "/v1/messages", "dialect": "none" },
                { "suffix": "/models/{model}/ask", "dialect": "gemini", "stream": true }
            ]
        }"#,
    )
    .unwrap();
    let callers = &config.callers;
    let (header, query) = (Source::Header("x-key".into()), Source::Query("k".into()));
    assert_eq!(callers.accounts, [Source::Claim, Source::Authorization, header, query]);
    assert_eq!((callers.organisation.as_deref(), callers.trusted_hops), (Some("x-org-id"), 2));
    assert_eq!(callers.keys.current, DigestKey::new(b"000102030405060708090a0b0c0d0e0f"));
    assert_eq!(callers.keys.previous, Some(DigestKey::new(b"a passphrase of old")));
    assert_eq!(config.claim, Some(vec!["provider".to_owned(), "sub".to_owned()]));
    assert_eq!(config.routes.find(b"POST", b"/v1/messages"), None);
    assert!(config.routes.find(b"POST", b"/v1/chat/completions").is_some());
    let asked = Route { dialect: Dialect::Gemini, model: "m".into(), stream: true };
    assert_eq!(config.routes.find(b"POST", b"/x/models/m/ask?a=b"), Some(asked));
}

#[test]
fn the_default_accounts_are_the_built_in_ones_but_for_the_claim() {
    let mut built_in = Source::built_in();
    built_in.retain(|source| *source != Source::Claim);
    assert_eq!(Config::default().callers.accounts, built_in);
}

#[test]
fn the_printed_defaults_are_the_defaults() {
    for kind in [Kind::Rules, Kind::Configuration] {
        let printed = kind.defaults().to_string();
        assert_eq!(check(printed.as_bytes()), Ok(kind));
    }
    let printed = Kind::Configuration.defaults().to_string();
    let config = Config::parse(printed.as_bytes()).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn each_class_of_problem_is_told_with_its_place() {
    let rules = |inner: &str| format!(r#"{{"rules":{{"format":1,"version":1,{inner}}}}}"#);
    for (document, problem) in [
        // Unknown keys, with and without one nearby.
        (r#"{"mod":"observe"}"#.into(), "$.mod: unknown key; did you mean `mode`?"),
        (
            rules(r#""families":{"skeletonspread":{}}"#),
            "$.rules.families.skeletonspread: unknown key; did you mean `skeleton_spread`?",
        ),
        (
            rules(r#""throttle":{"colour":1}"#),
            "$.rules.throttle.colour: unknown key; known here: `retry_after_seconds`",
        ),
        // Duplicate keys.
        (r#"{"mode":"observe","mode":"enforce"}"#.into(), "$.mode: stands here more than once"),
        (rules(r#""thresholds":{"block":9,"block":8}"#), "$.rules.thresholds.block: stands here more than once"),
        // Types and ranges.
        (r#"{"mode":7}"#.into(), "$.mode: expected one of `observe`, `enforce`, found a number"),
        (
            r#"{"mode":"enforced"}"#.into(),
            "$.mode: \"enforced\" is not one of `observe`, `enforce`; did you mean `enforce`?",
        ),
        (r#"{"inspect_bytes":1023}"#.into(), "$.inspect_bytes: 1023 is out of range: 1024 to 1048576"),
        (r#"{"inspect_bytes":1024.5}"#.into(), "$.inspect_bytes: 1024.5 is not a whole number"),
        (r#"{"inspect_bytes":-1}"#.into(), "$.inspect_bytes: -1 is out of range: 1024 to 1048576"),
        (r#"{"trusted_hops":null}"#.into(), "$.trusted_hops: expected a whole number, found null"),
        (
            rules(r#""families":{"skeleton_spread":{"weight":11}}"#),
            "$.rules.families.skeleton_spread.weight: 11 is out of range: 0 to 10",
        ),
        (
            rules(r#""families":{"skeleton_spread":{"enabled":"yes"}}"#),
            "$.rules.families.skeleton_spread.enabled: expected true or false, found a string",
        ),
        (rules(r#""name":"a\nb""#), "$.rules.name: control characters are not allowed"),
        (rules(r#""thresholds":[]"#), "$.rules.thresholds: expected an object, found a list"),
        // What is missing, and what excludes each other.
        (r#"{"rules":{"format":1}}"#.into(), "$.rules: `version` is missing"),
        (r#"{"rules":{"format":2,"version":1}}"#.into(), "$.rules.format: 2 is out of range: 1 to 1"),
        (
            r#"{"accounts":[{"header":"a","query":"b"}]}"#.into(),
            "$.accounts[0]: exactly one of `header`, `bearer`, `query`, `jwt_claim` is needed, found 2",
        ),
        (
            r#"{"accounts":[{"jwt_claim":["p","a"]},{"jwt_claim":["p","b"]}]}"#.into(),
            "$.accounts: 2 `jwt_claim`; one is allowed",
        ),
        (r#"{"accounts":[]}"#.into(), "$.accounts: 0 items; 1 to 16 are allowed"),
        (r#"{"paths":[{"exact":"/a"}]}"#.into(), "$.paths[0]: `dialect` is missing"),
        // What members say together.
        (rules(r#""thresholds":{"throttle":1}"#), "$.rules.thresholds.throttle: 1 is below `observe` (4.5)"),
        (rules(r#""thresholds":{"block":4}"#), "$.rules.thresholds.block: 4 is below `throttle` (7.5)"),
        (r#"{"state":{"account_pages":0}}"#.into(), "$.state.account_pages: 0 is out of range: 1 to 262144"),
        // Forms.
        (
            rules(r#""allow":[{"account":"xyz"}]"#),
            "$.rules.allow[0].account: \"xyz\" is not a digest: 16 lower-case hexadecimal digits, not all 0",
        ),
    ] {
        assert_eq!(one(&document), problem);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems(r#"{"mode":"on","inspect_bytes":1,"rules":{"version":-1,"name":3}}"#);
    let paths: Vec<_> = found.iter().filter_map(|problem| problem.split_once(": ").map(|(path, _)| path)).collect();
    assert_eq!(paths, ["$.mode", "$.rules.version", "$.rules.name", "$.rules", "$.inspect_bytes"]);
}

#[test]
fn hostile_documents_are_refused_in_bounds() {
    assert!(one("[1").starts_with("$: no JSON: "));
    assert!(one(&"[".repeat(100_000)).starts_with("$: no JSON: "));
    assert!(one("{\"mode\":1e999}").starts_with("$: no JSON: "));
    assert_eq!(one("[]"), "$: expected an object, found a list");
    assert_eq!(
        one(&" ".repeat(MAX_CONFIGURATION).replacen(' ', "{}", 1)),
        format!("$: {} bytes; {MAX_CONFIGURATION} are allowed", MAX_CONFIGURATION + 1)
    );
    let deep = format!(r#"{{"organisation":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    assert_eq!(one(&deep), "$.organisation: expected an object, found a list");
    let many: String = (0..5_000).map(|n| format!("\"k{n}\":0,")).collect();
    assert_eq!(problems(&format!("{{{many}\"z\":0}}")).len(), MAX_PROBLEMS + 1);
}

#[test]
fn whole_numbers_may_be_written_as_protobuf_prints_them() {
    assert_eq!(Config::parse(br#"{"inspect_bytes":4096.0}"#).unwrap().inspect_bytes, 4_096);
    assert_eq!(Config::parse(br#"{"inspect_bytes":1e4}"#).unwrap().inspect_bytes, 10_000);
}

#[test]
fn expired_rules_give_way_to_built_in_ones_that_observe() {
    let config = br#"{"mode":"enforce","rules":{"format":1,"version":3,"expires":1000}}"#;
    let config = Config::parse(config).unwrap();
    let before = config.in_force(Timestamp(999_999));
    assert_eq!((before.mode, before.rules.document.version), (Mode::Enforce, 3));
    let after = config.in_force(Timestamp(1_000_000));
    assert_eq!((after.mode, after.rules.document.version, after.expired), (Mode::Observe, 0, true));
    let endless = Config::parse(br#"{"mode":"enforce"}"#).unwrap();
    assert_eq!(endless.in_force(Timestamp(u64::MAX - 1)).mode, Mode::Enforce);
}

#[test]
fn exceptions_and_orders_hold_for_whom_they_name_until_they_end() {
    let rules = rules(json!({
        "allow": [{ "organisation": "00000000000000aa", "note": "research", "until": 100 }, { "skeleton": "00000000000000bb" }],
        "deny": [
            { "account": "0000000000000001", "action": "throttle" },
            { "account": "0000000000000001", "action": "block", "until": 100 },
        ],
    }));
    let (early, late) = (Timestamp(99_999), Timestamp(100_000));
    let caller = Caller { account: 1, organisation: 0xaa, ..Caller::default() };
    assert!(rules.lists.allows_caller(&caller, early));
    assert!(!rules.lists.allows_caller(&caller, late));
    assert!(rules.lists.allows(Subject::Skeleton(0xbb), late));
    assert!(!rules.lists.allows(Subject::Account(0xbb), late));
    assert_eq!(rules.lists.denies(&caller, early), Some(Action::Block));
    assert_eq!(rules.lists.denies(&caller, late), Some(Action::Throttle));
    assert_eq!(rules.lists.denies(&Caller::default(), early), None);
    assert!(!rules.lists.allows_caller(&Caller::default(), early));
}

#[test]
fn campaigns_are_found_by_account_and_skeleton() {
    let rules = rules(json!({ "campaigns": [
        { "id": "c-1", "accounts": ["0000000000000001"], "skeletons": ["0000000000000002"] },
        { "id": "c-2", "accounts": ["0000000000000001"], "confirmed": true, "until": 100 },
    ] }));
    let name =
        |subject, seconds: u64| rules.campaign(subject, Timestamp(seconds * 1_000)).map(|found| found.id.as_str());
    assert_eq!(name(Subject::Account(1), 1), Some("c-2"));
    assert_eq!(name(Subject::Account(1), 100), Some("c-1"));
    assert_eq!(name(Subject::Skeleton(2), 1), Some("c-1"));
    assert_eq!(name(Subject::Account(2), 1), None);
    // By its name alone, too.
    let confirms = |name, seconds: u64| rules.confirms(name, Timestamp(seconds * 1_000));
    assert_eq!(
        [confirms("c-1", 1), confirms("c-2", 1), confirms("c-2", 100), confirms("c-3", 1)],
        [false, true, false, false]
    );
}

#[test]
fn a_document_is_recognised_for_what_it_is() {
    assert_eq!(check(br#"{"format":1,"version":1}"#), Ok(Kind::Rules));
    let long = format!(r#"{{"format":1,"version":1{}}}"#, " ".repeat(MAX_BYTES));
    assert_eq!(check(long.as_bytes()).unwrap_err().0, Kind::Rules);
    assert_eq!(check(br#"{"mode":"enforce"}"#), Ok(Kind::Configuration));
    assert_eq!(check(b"{}"), Ok(Kind::Configuration));
    assert_eq!(check(br#"{"version":1}"#).unwrap_err().0, Kind::Rules);
    assert_eq!(check(br#"{"rules":{}}"#).unwrap_err().0, Kind::Configuration);
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = Config::parse(&bytes);
            let _ = check(&bytes);
        }

        #[test]
        fn any_damage_to_a_document_is_read_or_refused_with_a_place(at in 0_usize..4_000, byte in any::<u8>()) {
            let mut document = Kind::Configuration.defaults().to_string().into_bytes();
            let place = at % document.len();
            document[place] = byte;
            if let Err(problems) = Config::parse(&document) {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|problem| problem.path.starts_with('$') && !problem.reason.is_empty()));
            }
        }

        #[test]
        fn thousandths_are_kept(number in -100_000_i32..100_000) {
            prop_assert_eq!(Milli::of(f64::from(number) / 1000.0), Milli(number));
        }
    }
}

#[test]
fn an_exception_outlives_the_rotation_of_the_digest_key() {
    let headers = [(&b"x-api-key"[..], &b"secret-of-a-customer"[..])];
    let old = Config::parse(br#"{"digest_key":{"current":"the key of last month"}}"#).unwrap();
    let account = old.callers.identify(None, &headers, b"", None).account;
    let rotated = format!(
        r#"{{"digest_key":{{"current":"the key of this month","previous":"the key of last month"}},
            "rules":{{"format":1,"version":2,"allow":[{{"account":"{account:016x}"}}]}}}}"#
    );
    let config = Config::parse(rotated.as_bytes()).unwrap();
    let caller = config.callers.identify(None, &headers, b"", None);
    assert_ne!(caller.account, account);
    assert!(config.rules.lists.allows_caller(&caller, Timestamp(0)));
}
