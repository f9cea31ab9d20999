//! What every store promises, tried with both.

mod fixture;
mod promises;

pub(super) use fixture::Server;

use super::*;

/// One test of each promise for a store that `$open` makes: the store, and what keeps it going.
macro_rules! promises {
    ($open:expr; $($promise:ident),+ $(,)?) => {
        $(#[test]
        fn $promise() {
            let (store, _kept) = $open;
            promises::$promise(&store);
        })+
    };
}

macro_rules! both {
    ($($promise:ident),+ $(,)?) => {
        mod embedded_keeps {
            use super::*;
            promises! { fixture::embedded(Limits::default()); $($promise),+ }
        }

        mod redis_keeps {
            use super::*;
            promises! { fixture::redis(Limits::default()); $($promise),+ }
        }
    };
}

both!(
    a_batch_is_appended_once,
    a_number_from_far_ahead_makes_nothing_look_late,
    batches_are_read_in_their_order_and_trimmed_from_the_start,
    the_largest_numbers_are_numbers_like_others,
    a_lease_is_one_owners_and_its_fence_rises_with_each_taking,
    who_is_fenced_off_neither_saves_nor_publishes,
    an_edition_goes_upwards_only_and_comes_with_its_parts,
    the_history_keeps_a_hundred_editions,
    parts_nobody_wants_are_forgotten_but_those_of_the_current_edition,
    two_that_publish_at_once_never_go_backwards,
    senders_of_the_last_day_are_known,
    at_most_4096_senders_are_known,
    requests_and_accounts_are_counted_by_day,
    audit_records_come_newest_first,
    audit_records_from_before_a_time_are_forgotten,
    values_are_kept,
);

#[test]
fn a_full_stream_is_unavailable_until_it_is_trimmed() {
    let limits = Limits { entries: 2, ..Limits::default() };
    let (embedded, _kept) = fixture::embedded(limits);
    promises::two_entries_are_enough(&embedded);
    let (redis, _kept) = fixture::redis(limits);
    promises::two_entries_are_enough(&redis);
}

#[test]
fn what_cannot_be_opened_is_told_in_words() {
    let told = |url: Option<&str>| open(url, None).map(|_| ()).unwrap_err();
    assert!(told(None).contains("no store"));
    assert!(told(Some("rediss://example.com")).contains("no TLS"));
    let other = told(Some("https://user:secret@example.com"));
    assert!(other.contains("cannot be used") && !other.contains("secret"), "{other}");
    let file = std::env::current_exe().unwrap();
    assert!(open(None, Some(&file)).is_err());
}

#[test]
fn audit_records_of_earlier_versions_are_read() {
    #[derive(Serialize)]
    struct Earlier(u64, String, String);
    let packed = pack(&Earlier(7, "ann".into(), "rules 2 in force".into())).unwrap();
    let read = Audit::unpack(&packed).unwrap();
    assert_eq!((read.at, &*read.who, &*read.what, read.after), (7, "ann", "rules 2 in force", None));
    assert!(Audit::unpack(&packed[..packed.len() - 1]).is_err());
}
