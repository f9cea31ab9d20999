//! What changes hands is told on the very exchange, and honest use is not.

use super::*;
use crate::digest::conversation::Conversation;
use crate::digest::key::DigestKey;
use crate::engine::Engine;
use crate::rules::Rules;
use crate::time::{DAY, MINUTE};
use serde_json::json;

/// A turn of a conversation: what it sends, and what the turn before it sent.
fn turn(whole: u64, parent: u64) -> Reading {
    let conversation = Conversation { whole, bytes: 600, parent, answers: 1, parent_bytes: 500 };
    Reading { conversation, content: mix(whole), dialect: Some(Dialect::Messages), ..Reading::default() }
}

fn first(whole: u64) -> Reading {
    let mut reading = turn(whole, 0);
    (reading.conversation.answers, reading.conversation.parent_bytes) = (0, 0);
    reading
}

fn replay(blob: u64) -> Reading {
    Reading { blobs: vec![blob], ..first(mix(blob + 77)) }
}

fn proxy() -> Proxy {
    let mut proxy = Proxy { config: Config::default(), store: Watched::default() };
    proxy.config.mode = crate::rules::Mode::Enforce;
    proxy
}

impl Proxy {
    fn give(&mut self, caller: &Caller, blob: u64, after: u64) {
        let engine = Engine::of(self.config.clone());
        assert_eq!(engine.given(&mut self.store, caller, &[blob], Timestamp(NOW.0 + after)), 0);
    }

    fn reasons(&mut self, caller: &Caller, reading: &Reading, after: u64) -> Vec<&'static str> {
        self.send(caller, reading, 200, after).reasons
    }
}

#[test]
fn a_stolen_blob_is_observed_at_once_and_its_owner_is_not() {
    let mut proxy = proxy();
    proxy.give(&caller(1), 555, 0);
    assert!(proxy.reasons(&caller(1), &replay(555), MINUTE).is_empty());
    let theft = proxy.send(&caller(2), &replay(555), 200, MINUTE);
    assert_eq!((theft.action, theft.score, theft.reasons), (Action::Observe, 6_000, vec!["blob_provenance"]));
    let colleague = Caller { organisation: 9, ..caller(3) };
    proxy.give(&Caller { organisation: 9, ..caller(4) }, 556, 0);
    assert!(proxy.reasons(&colleague, &replay(556), MINUTE).is_empty(), "keys of one organisation are one party");
    assert!(proxy.reasons(&caller(2), &replay(555), 3 * DAY).is_empty(), "forgotten after two days");
}

#[test]
fn a_stolen_blob_behind_a_decoy_is_seen() {
    let mut proxy = proxy();
    proxy.give(&caller(1), 555, 0);
    for blobs in [vec![8, 555], vec![555, 8], vec![8, 9, 10, 555]] {
        assert_eq!(proxy.reasons(&caller(2), &Reading { blobs, ..first(5) }, 1), ["blob_provenance"]);
    }
}

#[test]
fn a_placeholder_that_many_are_given_is_nobodys() {
    let mut proxy = proxy();
    (0..3).for_each(|n| proxy.give(&caller(n), 555, n));
    assert!(proxy.reasons(&caller(9), &replay(555), MINUTE).is_empty());
}

#[test]
fn a_conversation_that_changes_hands_with_its_blob_is_told_as_one_act() {
    let mut proxy = proxy();
    assert!(proxy.reasons(&caller(1), &first(10), 0).is_empty());
    assert!(proxy.reasons(&caller(1), &turn(11, 10), MINUTE).is_empty());
    let theft = proxy.send(&caller(2), &turn(12, 11), 200, 2 * MINUTE);
    // One proxy of several does not see who else has sent it.
    assert_eq!((theft.action, theft.score, theft.reasons), (Action::Allow, 3_000, vec!["prefix_continuity"]));
    assert!(proxy.reasons(&caller(2), &turn(13, 12), 3 * MINUTE).is_empty(), "from here on it is the thief's own");
    proxy.give(&caller(1), 555, 0);
    let both = proxy.send(&caller(2), &Reading { blobs: vec![555], ..turn(14, 11) }, 200, 4 * MINUTE);
    assert_eq!((both.action, both.score, both.reasons), (Action::Observe, 6_000, vec!["blob_provenance"]));
}

#[test]
fn a_first_turn_that_others_send_too_is_nobodys_even_after_it_was_forgotten() {
    let mut proxy = proxy();
    for n in 0..20 {
        assert!(proxy.reasons(&caller(n), &first(10), n).is_empty());
        assert!(proxy.reasons(&caller(n), &turn(100 + n, 10), n + 1).is_empty(), "{n}");
    }
    assert!(proxy.reasons(&caller(1), &first(10), 5 * DAY).is_empty());
    assert!(proxy.reasons(&caller(2), &turn(99, 10), 5 * DAY + 1).is_empty());
}

#[test]
fn a_refused_body_is_an_echo_from_elsewhere_within_seconds_only() {
    for status in [429, 503] {
        let mut proxy = proxy();
        proxy.send(&caller(1), &first(10), status, 0);
        assert!(proxy.send(&caller(1), &first(10), status, SECOND).reasons.is_empty(), "an honest retry");
        assert!(proxy.reasons(&caller(3), &first(10), 2 * MINUTE).is_empty());
        proxy.send(&caller(1), &first(20), status, 0);
        assert_eq!(proxy.reasons(&caller(2), &first(20), 2 * SECOND), ["failover_echo"]);
    }
}

#[test]
fn an_outage_that_refuses_a_prompt_of_everybodys_is_no_echo() {
    let mut proxy = proxy();
    (0..2).for_each(|n| assert!(proxy.reasons(&caller(n), &first(10), 0).is_empty()));
    for n in 2..20 {
        assert!(proxy.send(&caller(n), &first(10), 503, n * SECOND).reasons.is_empty(), "{n}");
    }
}

#[test]
fn a_declared_migration_is_no_theft_in_either_direction_until_it_ends() {
    let mut proxy = proxy();
    let name = |n| crate::rules::DigestName(caller(n).account).to_string();
    let until = NOW.0 / SECOND + 3_600;
    let rules =
        json!({ "format": 1, "version": 1, "migrations": [{ "from": name(1), "to": name(2), "until": until }] });
    proxy.config.rules = Rules::parse(rules.to_string().as_bytes()).unwrap();
    proxy.give(&caller(1), 555, 0);
    proxy.give(&caller(2), 556, 0);
    proxy.reasons(&caller(1), &first(10), 0);
    let moved = Reading { blobs: vec![555], ..turn(11, 10) };
    assert!(proxy.reasons(&caller(2), &moved, MINUTE).is_empty());
    assert!(proxy.reasons(&caller(1), &replay(556), MINUTE).is_empty());
    assert_eq!(proxy.reasons(&caller(3), &replay(555), MINUTE), ["blob_provenance"]);
    assert_eq!(proxy.reasons(&caller(2), &replay(555), HOUR), ["blob_provenance"]);
}

#[test]
fn a_family_that_is_off_neither_reads_nor_writes() {
    let mut proxy = proxy();
    let families = &mut proxy.config.rules.document.families;
    families.blob_provenance.enabled = false;
    families.prefix_continuity.enabled = false;
    families.failover_echo.enabled = false;
    proxy.give(&caller(1), 555, 0);
    assert_eq!(proxy.store.calls(), (0, 0));
    assert!(proxy.reasons(&caller(2), &replay(555), 1).is_empty());
}

#[test]
fn store_calls_are_few() {
    let mut proxy = proxy();
    let cost = |proxy: &mut Proxy, reading: &Reading, status| {
        proxy.store.calls();
        proxy.send(&caller(1), reading, status, 0);
        proxy.store.calls()
    };
    // Reads: the account and the body; then the account, the conversation and, once, everybody.
    assert_eq!(cost(&mut proxy, &first(10), 200), (2 + 3, 3));
    assert_eq!(cost(&mut proxy, &first(11), 200), (2 + 2, 2));
    // The parent and two blobs more.
    assert_eq!(cost(&mut proxy, &Reading { blobs: vec![1, 2, 3, 4], ..turn(12, 11) }, 200), (5 + 2, 2));
    assert_eq!(cost(&mut proxy, &first(13), 429), (2 + 1, 1));
    assert_eq!(cost(&mut proxy, &first(13), 401), (2, 0));
    let mut short = turn(14, 13);
    (short.conversation.bytes, short.conversation.parent_bytes) = (40, 20);
    assert_eq!(cost(&mut proxy, &short, 200), (1 + 1, 1), "\"hi\" is everybody's: neither asked for nor noted");
}

/// A request as a client sends it.
fn sent(path: &str, body: &serde_json::Value, config: &Config) -> Reading {
    let route = config.routes.find(b"POST", path.as_bytes()).unwrap();
    Reading::of(&route, body.to_string().as_bytes(), true, config)
}

const QUESTION: &str = "Which of the three bridges over the river at Passau was the first to be built of stone?";
const ANSWER: &str = "The oldest of them is the one across the Inn, which was built of stone in the twelfth century.";

#[test]
fn a_compacted_context_is_its_owners_and_a_stolen_one_is_seen() {
    let mut proxy = proxy();
    let blob = "gAAAAABp-compaction-encrypted-content-of-the-first-forty-turns";
    let compacted = json!({ "model": "gpt-5", "input": [
        { "type": "compaction", "encrypted_content": blob },
        { "role": "user", "content": QUESTION },
        { "role": "assistant", "content": ANSWER },
        { "role": "user", "content": "And the second, when was that one built, and by which of the bishops?" },
    ] });
    let reading = sent("/v1/responses", &compacted, &proxy.config);
    assert_eq!(reading.blobs, [crate::digest::blob_digest(blob, &DigestKey::default())]);
    proxy.give(&caller(1), reading.blobs[0], 0);
    assert!(proxy.reasons(&caller(1), &reading, 1).is_empty());
    assert_eq!(proxy.reasons(&caller(2), &reading, 2), ["blob_provenance"]);
}

#[test]
fn who_goes_on_from_an_answer_that_was_given_to_another_is_told() {
    let mut proxy = proxy();
    let key = DigestKey::default();
    let id = "resp_68a1f7b2c0d48191a3e5f7091b2d4f60";
    let answered = crate::digest::given(Dialect::Responses, id, [77], &key);
    assert_eq!(answered.len(), 2);
    proxy.give(&caller(1), answered[0], 0);
    for (path, field) in
        [("/v1/responses", "previous_response_id"), ("/v1beta/interactions", "previous_interaction_id")]
    {
        let next = json!({ "model": "m", field: id, "input": "And the second one, who paid for that?" });
        let reading = sent(path, &next, &proxy.config);
        assert_eq!(reading.blobs, answered[..1], "{path}");
        assert!(proxy.reasons(&caller(1), &reading, 1).is_empty());
        assert_eq!(proxy.reasons(&caller(2), &reading, 2), ["blob_provenance"]);
    }
    // A conversation that the provider keeps is the party's who began it.
    let id = "conv_68a1f7b2c0d48191a3e5f7091b2d4f60";
    proxy.give(&caller(1), crate::digest::given(Dialect::Responses, id, [], &key)[0], 3);
    let items = json!({ "items": [{ "role": "user", "content": "Go on." }] });
    for (path, next) in [
        ("/v1/responses", json!({ "model": "m", "conversation": id, "input": "Go on." })),
        ("/v1/responses", json!({ "model": "m", "conversation": { "id": id }, "input": "Go on." })),
        (&format!("/v1/conversations/{id}/items"), items),
        (&format!("/v1/conversations/{id}"), json!({ "inputs": "Go on." })),
    ] {
        let reading = sent(path, &next, &proxy.config);
        for _ in 0..3 {
            assert!(proxy.reasons(&caller(1), &reading, 4).is_empty(), "{path}");
        }
        assert_eq!(proxy.reasons(&caller(2), &reading, 5), ["blob_provenance"], "{path}");
    }
    // Ids that may be anybody's, and those of answers that nobody can go on from.
    assert!(crate::digest::given(Dialect::Responses, "resp_7", [], &key).is_empty());
    assert!(crate::digest::given(Dialect::ChatCompletions, id, [], &key).is_empty());
}

#[test]
fn a_context_whose_earlier_turns_were_dropped_is_no_theft() {
    let mut proxy = proxy();
    let all = [
        ("user", QUESTION),
        ("assistant", ANSWER),
        ("user", "Tell me in detail who paid for its piers."),
        ("assistant", "The citizens did, by a toll on salt."),
        ("user", "How high was that toll in the year 1300?"),
    ];
    let body = |turns: &[(&str, &str)]| {
        let messages: Vec<_> = turns.iter().map(|(role, text)| json!({ "role": role, "content": text })).collect();
        json!({ "model": "claude-opus-4", "max_tokens": 99, "messages": messages })
    };
    for turns in [&all[..1], &all[..3], &all[2..], &all[..]] {
        let reading = sent("/v1/messages", &body(turns), &proxy.config);
        assert!(proxy.reasons(&caller(1), &reading, 1).is_empty());
    }
    let stolen = sent("/v1/messages", &body(&all), &proxy.config);
    assert_eq!(proxy.reasons(&caller(2), &stolen, 2), ["prefix_continuity"]);
}
