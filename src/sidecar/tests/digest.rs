//! `azeotrope digest` as its users run it.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use azeotrope_engine::digest::key::{DigestKey, Domain};
use common::azeotrope;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

#[test]
fn prints_what_the_engine_writes() {
    let expected = format!("{:016x}\n", DigestKey::new(KEY.as_bytes()).digest(Domain::Account, b"sk-test"));
    let given = azeotrope(&["digest", "--key", KEY, "--account", "sk-test"], "");
    assert_eq!((given.code, given.out.as_str()), (0, expected.as_str()));
    // A trailing line end is the shell's, not the secret's.
    assert_eq!(azeotrope(&["digest", "--key", KEY, "--account", "-"], "sk-test\n").out, expected);
    assert_eq!(azeotrope(&["digest", "--key", "-", "--account", "sk-test"], &format!("{KEY}\n")).out, expected);
}

#[test]
fn accounts_organisations_and_keys_differ() {
    let account = azeotrope(&["digest", "--account", "acme"], "").out;
    let organisation = azeotrope(&["digest", "--organisation", "acme"], "").out;
    let keyed = azeotrope(&["digest", "--key", KEY, "--account", "acme"], "").out;
    assert!(account != organisation && account != keyed);
}

#[test]
fn answers_in_json() {
    let run = azeotrope(&["digest", "--organisation", "acme", "--json"], "");
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["kind"], "organisation");
    assert_eq!(report["digest"].as_str().map(str::len), Some(16));
}

#[test]
fn wrong_usage_is_told_from_a_digest() {
    for arguments in [
        &["digest"][..],
        &["digest", "--account", "a", "--organisation", "b"],
        &["digest", "--key", "-", "--account", "-"],
        &["digest", "--key", "short", "--account", "a"],
        &["digest", "--key-file", "no/such/file", "--account", "a"],
        &["digest", "--account", "-"],
    ] {
        let run = azeotrope(arguments, "");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!run.err.is_empty());
    }
}
