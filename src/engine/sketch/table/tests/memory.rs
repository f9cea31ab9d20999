//! Memory is what the configuration says, whatever the traffic.

use super::*;

fn stays_within_its_statement(accounts: u64) {
    let tables = [Table::within("azeotrope.account", 1, 4 << 20, 112), Table::new("azeotrope.skeleton", 1, 64, 240)];
    let stated = bytes(&tables);
    let mut store = MemoryStore::default();
    for index in 0..accounts {
        let now = Timestamp(NOW.0 + index);
        count(&tables[0], &mut store, key(index), now).unwrap();
        if index % 8 == 0 {
            count(&tables[1], &mut store, key(index), now).unwrap();
        }
        if index % 65_536 == 0 {
            assert!(store.bytes() <= stated);
        }
    }
    assert!(store.bytes() <= stated, "{} of {stated}", store.bytes());
    // Every page is in use: the statement is a tight one.
    assert!(store.bytes() + 4096 > stated, "{} of {stated}", store.bytes());
}

#[test]
fn memory_stays_within_its_statement() {
    stays_within_its_statement(if cfg!(debug_assertions) { 200_000 } else { 1_000_000 });
}

#[test]
#[ignore = "long: for release builds, `cargo test --release five_million -- --ignored`"]
fn memory_stays_within_its_statement_with_five_million_accounts() {
    stays_within_its_statement(5_000_000);
}
