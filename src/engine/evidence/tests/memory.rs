//! What the configuration states is never exceeded, however many accounts come.

use super::*;
use crate::digest::conversation::Conversation;

fn flood(state: State, accounts: u64) {
    let mut config = Config::default();
    config.state = state.clone();
    let stated = config.state.bytes();
    let mut store = MemoryStore::default();
    for n in 0..accounts {
        let mut request = reading(n, [mix(n + 1), mix(n ^ 0x5555_0000), mix(n + 0x7777_0000)], n);
        request.conversation = Conversation { whole: mix(n + 0x9999_0000), bytes: 500, ..Conversation::default() };
        settle(&config, &mut store, &caller(n), &request, 200, Timestamp(NOW.0 + n));
        if n.is_multiple_of(accounts / 8) || n + 1 == accounts {
            assert!(store.bytes() <= stated, "{n} accounts: {} of {stated} bytes", store.bytes());
        }
    }
    let pages = (state.account_pages + state.skeleton_pages + state.provenance_pages + 1) as usize;
    assert!(store.len() <= pages);
    assert!(store.bytes() > stated / 2, "the flood fills what there is: {} of {stated}", store.bytes());
}

#[test]
fn many_accounts_take_no_more_memory_than_is_stated() {
    flood(State { account_pages: 16, skeleton_pages: 32, provenance_pages: 16, budget_pages: 1 }, 20_000);
}

#[test]
#[ignore = "long: `make test-slow`"]
fn five_million_accounts_take_no_more_memory_than_is_stated() {
    flood(State::default(), 5_000_000);
}
