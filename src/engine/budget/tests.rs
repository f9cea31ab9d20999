use super::*;
use crate::dialect::Params;
use crate::dialect::batch::Batch;
use crate::digest::shape::Shape;
use crate::rules::Mode;
use crate::store::{Get, Key, MemoryStore, SwapError};
use crate::time::{MINUTE, SECOND};

mod parallel;

const NOW: Timestamp = Timestamp(30_000_000 * MINUTE);
const ALICE: Caller = caller(1, 0);

const fn caller(account: u64, organisation: u64) -> Caller {
    let before = crate::caller::Before { account: 0, organisation: 0, network: 0, agent: 0 };
    Caller { account, organisation, network: 0, agent: 0, before }
}

/// An enforcing configuration with these budgets.
pub(super) fn config(budgets: &str) -> Config {
    let rules = format!(r#"{{"format":1,"version":1,"budgets":{budgets}}}"#);
    Config::parse(format!(r#"{{"mode":"enforce","state":{{"budget_pages":1}},"rules":{rules}}}"#).as_bytes()).unwrap()
}

pub(super) fn tokens(output: u64) -> Estimate {
    Estimate { requests: 1, output, ..Estimate::default() }
}

/// Puts a request to its budgets: the grant, where it was let through.
fn ask(config: &Config, store: &mut MemoryStore, caller: &Caller, cost: u64, now: Timestamp) -> Result<Grant, Verdict> {
    let mut verdict = Verdict::default();
    let grant = reserve(config, store, caller, &mut verdict, tokens(cost), now).unwrap();
    assert_eq!(grant.lost, 0);
    if verdict.action.refuses() { Err(verdict) } else { Ok(grant) }
}

fn used(output: u64) -> Taken {
    Taken { output_tokens: Some(output), ..Taken::default() }
}

fn settled(config: &Config, store: &mut MemoryStore, grant: &Grant, output: u64, now: Timestamp) {
    assert_eq!(settle(config, store, grant, (Dialect::Responses, 200, Some(&used(output))), now), 0);
}

#[test]
fn without_a_budget_the_store_is_not_asked() {
    struct Closed;
    impl Get for Closed {
        fn get(&self, key: Key) -> Option<(Vec<u8>, u32)> {
            panic!("{key:?} was read");
        }
    }
    impl Store for Closed {
        fn swap(&mut self, key: Key, _: &[u8], _: Option<u32>) -> Result<(), SwapError> {
            panic!("{key:?} was written");
        }
    }
    let mut verdict = Verdict::default();
    assert_eq!(reserve(&config("{}"), &mut Closed, &ALICE, &mut verdict, tokens(1), NOW), None);
    // Nor for who is excepted, or refused anyhow.
    let some = config(r#"{"account":{"requests":1}}"#);
    verdict.reasons.push(Reason::OperatorAllow.code());
    assert_eq!(reserve(&some, &mut Closed, &ALICE, &mut verdict, tokens(1), NOW), None);
    let mut verdict = Verdict { action: Action::Block, ..Verdict::default() };
    assert_eq!(reserve(&some, &mut Closed, &ALICE, &mut verdict, tokens(1), NOW), None);
}

#[test]
fn who_has_used_up_its_requests_is_told_when_there_are_more() {
    let (config, mut store) = (config(r#"{"account":{"requests":2,"window_seconds":10}}"#), MemoryStore::default());
    for left in [1, 0] {
        let grant = ask(&config, &mut store, &ALICE, 5, NOW).unwrap();
        assert_eq!(grant.remaining.requests, Some(Window { limit: 2, remaining: left, reset: 20 }));
        assert_eq!(grant.remaining.tokens, None);
    }
    let refused = ask(&config, &mut store, &ALICE, 5, NOW).unwrap_err();
    // In the next window, when half of this one has gone by.
    assert_eq!((refused.action, refused.would, refused.retry_after), (Action::Throttle, Action::Throttle, 15));
    assert_eq!(refused.reasons, ["over_budget"]);
    assert!(ask(&config, &mut store, &ALICE, 5, Timestamp(NOW.0 + 14_999)).is_err());
    assert!(ask(&config, &mut store, &ALICE, 5, Timestamp(NOW.0 + 15_000)).is_ok());
    assert!(ask(&config, &mut store, &caller(2, 0), 5, NOW).is_ok());
}

#[test]
fn what_was_reserved_too_much_comes_back_and_what_was_too_little_is_charged() {
    let (config, mut store) = (config(r#"{"account":{"tokens":100}}"#), MemoryStore::default());
    let first = ask(&config, &mut store, &ALICE, 90, NOW).unwrap();
    assert!(ask(&config, &mut store, &ALICE, 20, NOW).is_err());
    settled(&config, &mut store, &first, 30, NOW);
    let second = ask(&config, &mut store, &ALICE, 20, NOW).unwrap();
    assert_eq!(second.remaining.tokens.unwrap().remaining, 50);
    settled(&config, &mut store, &second, 70, NOW);
    assert_eq!(ask(&config, &mut store, &ALICE, 1, NOW).unwrap_err().retry_after, 61);
}

#[test]
fn what_upstream_refused_costs_no_tokens() {
    let (config, mut store) = (config(r#"{"account":{"tokens":100}}"#), MemoryStore::default());
    let grant = ask(&config, &mut store, &ALICE, 100, NOW).unwrap();
    assert_eq!(settle(&config, &mut store, &grant, (Dialect::Responses, 503, Some(&used(7))), NOW), 0);
    assert!(ask(&config, &mut store, &ALICE, 100, NOW).is_ok());
}

#[test]
fn what_upstream_finds_fault_with_uses_nothing_of_whose_it_says_it_is() {
    let (config, mut store) = (config(r#"{"account":{"requests":2}}"#), MemoryStore::default());
    for status in [400, 401, 403, 404, 413, 422, 499] {
        let grant = ask(&config, &mut store, &ALICE, 1, NOW).unwrap();
        assert_eq!(settle(&config, &mut store, &grant, (Dialect::Responses, status, Some(&used(0))), NOW), 0);
    }
    // Whom upstream limits it knows, and of whom it never answered nobody knows what he cost.
    for status in [429, 0] {
        let grant = ask(&config, &mut store, &ALICE, 1, NOW).unwrap();
        assert_eq!(settle(&config, &mut store, &grant, (Dialect::Responses, status, None), NOW), 0);
    }
    assert!(ask(&config, &mut store, &ALICE, 1, NOW).is_err());
}

#[test]
fn an_answer_that_nobody_read_costs_what_it_could() {
    let (config, mut store) = (config(r#"{"account":{"tokens":100}}"#), MemoryStore::default());
    let grant = ask(&config, &mut store, &ALICE, 60, NOW).unwrap();
    assert_eq!(settle(&config, &mut store, &grant, (Dialect::Responses, 200, None), NOW), 0);
    assert!(ask(&config, &mut store, &ALICE, 41, NOW).is_err());
    assert!(ask(&config, &mut store, &ALICE, 40, NOW).is_ok());
}

#[test]
fn an_answer_that_ends_in_a_later_window_is_settled_where_it_began() {
    let budget = config(r#"{"account":{"tokens":100,"window_seconds":10}}"#);
    let mut store = MemoryStore::default();
    let grant = ask(&budget, &mut store, &ALICE, 100, NOW).unwrap();
    settled(&budget, &mut store, &grant, 20, Timestamp(NOW.0 + 10 * SECOND));
    // 20 of the last window, all of which still counts.
    assert!(ask(&budget, &mut store, &ALICE, 81, Timestamp(NOW.0 + 10 * SECOND)).is_err());
    let next = ask(&budget, &mut store, &ALICE, 80, Timestamp(NOW.0 + 10 * SECOND)).unwrap();
    // Two windows later what was reserved does not count any more; what it took beyond that does.
    let late = Timestamp(NOW.0 + 40 * SECOND);
    settled(&budget, &mut store, &next, 110, late);
    assert!(ask(&budget, &mut store, &ALICE, 71, late).is_err());
    assert!(ask(&budget, &mut store, &ALICE, 70, late).is_ok());
}

#[test]
fn a_request_larger_than_the_limit_is_let_through_when_nothing_else_is() {
    let (config, mut store) = (config(r#"{"account":{"tokens":100}}"#), MemoryStore::default());
    assert!(ask(&config, &mut store, &ALICE, 5_000, NOW).is_ok());
    assert!(ask(&config, &mut store, &ALICE, 1, NOW).is_err());
}

#[test]
fn the_tightest_budget_decides_and_the_others_get_theirs_back() {
    let budgets = r#"{"account":{"requests":10},"organisation":{"requests":3,"tokens":50},"campaign":{"requests":1}}"#;
    let (config, mut store) = (config(budgets), MemoryStore::default());
    let (alice, bob) = (caller(1, 9), caller(2, 9));
    assert_eq!(ask(&config, &mut store, &alice, 10, NOW).unwrap().remaining.requests.unwrap().remaining, 2);
    ask(&config, &mut store, &bob, 40, NOW).unwrap();
    assert!(ask(&config, &mut store, &alice, 1, NOW).is_err());
    // Account and organisation still have what they had.
    let alone = ask(&config, &mut store, &caller(1, 0), 1, NOW).unwrap();
    assert_eq!(alone.remaining.requests.unwrap().remaining, 8);
    let mut verdict = Verdict { campaign: Some("c-1".into()), ..Verdict::default() };
    reserve(&config, &mut store, &caller(5, 0), &mut verdict, tokens(1), NOW).unwrap();
    assert_eq!(verdict.action, Action::Allow);
    reserve(&config, &mut store, &caller(6, 0), &mut verdict, tokens(1), NOW).unwrap();
    assert_eq!(verdict.action, Action::Throttle);
}

#[test]
fn who_observes_tells_and_refuses_nobody() {
    let mut config = config(r#"{"account":{"requests":1}}"#);
    config.mode = Mode::Observe;
    let mut store = MemoryStore::default();
    ask(&config, &mut store, &ALICE, 1, NOW).unwrap();
    let mut verdict = Verdict::default();
    reserve(&config, &mut store, &ALICE, &mut verdict, tokens(1), NOW).unwrap();
    assert_eq!((verdict.action, verdict.would), (Action::Observe, Action::Throttle));
}

#[test]
fn a_clock_that_steps_back_forgets_nothing_of_this_window_or_the_last() {
    let (config, mut store) = (config(r#"{"account":{"requests":1,"window_seconds":10}}"#), MemoryStore::default());
    ask(&config, &mut store, &ALICE, 1, NOW).unwrap();
    assert!(ask(&config, &mut store, &ALICE, 1, Timestamp(NOW.0 - 1)).is_err());
}

#[test]
fn a_request_is_estimated_by_its_length_and_by_what_it_allows() {
    let params = Params { max_tokens: Some(100), n: Some(3), ..Params::default() };
    let mut reading = Reading { shape: Shape { user: 8, params, ..Shape::default() }, ..Reading::default() };
    assert_eq!(Estimate::of(&reading, 401, 7), Estimate { requests: 1, input: 101, output: 300, later: false });
    reading.shape.media = true;
    reading.shape.params = Params::default();
    assert_eq!(Estimate::of(&reading, 1_000_000, 7), Estimate { requests: 1, input: 2, output: 7, later: false });
}

#[test]
fn a_batch_costs_what_all_its_requests_do_and_its_order_tells_nothing_of_that() {
    let params = Params { max_tokens: Some(100), ..Params::default() };
    let shape = Shape { params, ..Shape::default() };
    let of = |requests, read| {
        let reading = Reading { shape, batch: Some(Batch { requests, bytes: read }), ..Reading::default() };
        Estimate::of(&reading, 4_000, 7)
    };
    // All of it was read; a tenth; nothing that could be made out.
    for (requests, read, all) in [(20, 4_000, 20), (2, 400, 20), (0, 4_000, 1), (3, 0, 3)] {
        assert_eq!(
            of(requests, read),
            Estimate { requests: all, input: 1_000, output: 100 * all, later: true },
            "{requests} in {read}"
        );
    }
    let budgets = r#"{"account":{"requests":30,"tokens":100000}}"#;
    let (config, mut store) = (config(budgets), MemoryStore::default());
    let mut verdict = Verdict::default();
    let grant = reserve(&config, &mut store, &ALICE, &mut verdict, of(20, 4_000), NOW).unwrap();
    settled(&config, &mut store, &grant, 1, NOW);
    let left = ask(&config, &mut store, &ALICE, 1, NOW).unwrap().remaining;
    assert_eq!([left.requests, left.tokens].map(|left| left.unwrap().remaining), [9, 100_000 - 3_000 - 1]);
}

#[test]
fn what_is_fetched_by_another_request_costs_what_was_reserved_unless_its_answer_tells() {
    let told = Taken { input_tokens: Some(20), ..used(30) };
    let cut = Taken { truncated: true, ..told.clone() };
    for (taken, left) in [(Taken::default(), 600), (used(1), 600), (cut, 600), (told, 950)] {
        let budgets = r#"{"account":{"tokens":1000}}"#;
        let (config, mut store) = (config(budgets), MemoryStore::default());
        let params = Params { max_tokens: Some(300), background: true, ..Params::default() };
        let reading = Reading { shape: Shape { params, ..Shape::default() }, ..Reading::default() };
        let estimate = Estimate::of(&reading, 400, 7);
        let grant = reserve(&config, &mut store, &ALICE, &mut Verdict::default(), estimate, NOW).unwrap();
        settle(&config, &mut store, &grant, (Dialect::Responses, 200, Some(&taken)), NOW);
        let now = ask(&config, &mut store, &ALICE, 0, NOW).unwrap().remaining;
        assert_eq!(now.tokens.unwrap().remaining, left, "{taken:?}");
    }
}

#[test]
fn what_is_only_kept_costs_nothing() {
    let (config, mut store) = (config(r#"{"account":{"requests":1,"tokens":1000}}"#), MemoryStore::default());
    let params = Params { kept: true, ..Params::default() };
    let reading = Reading { shape: Shape { params, ..Shape::default() }, ..Reading::default() };
    for status in [200, 429] {
        let mut verdict = Verdict::default();
        let estimate = Estimate::of(&reading, 400, 7);
        let grant = reserve(&config, &mut store, &ALICE, &mut verdict, estimate, NOW).unwrap();
        assert_eq!(verdict.action, Action::Allow);
        settle(&config, &mut store, &grant, (Dialect::Responses, status, Some(&Taken::default())), NOW);
    }
    let left = ask(&config, &mut store, &ALICE, 0, NOW).unwrap().remaining;
    assert_eq!([left.requests, left.tokens].map(|left| left.unwrap().remaining), [0, 1_000]);
}

#[test]
fn costs_are_added_up_as_each_dialect_counts() {
    let taken = Taken {
        input_tokens: Some(1_000),
        output_tokens: Some(200),
        reasoning_tokens: Some(30),
        cached_tokens: Some(4),
        kept_tokens: Some(50_000),
        ..Taken::default()
    };
    for (dialect, tokens) in [(Dialect::Gemini, 1_230), (Dialect::Messages, 51_204), (Dialect::ChatCompletions, 1_200)]
    {
        assert_eq!(super::tokens(dialect, &taken, 9), tokens);
    }
    assert_eq!(super::tokens(Dialect::Completions, &used(5), 9), 14);
}
