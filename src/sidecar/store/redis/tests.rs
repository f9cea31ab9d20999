use super::*;
use crate::store::tests::Server;
use crate::store::{Appended, Cursor, Duty, JOINER, Records, Stream};
use std::net::TcpListener;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

fn store(server: &Server) -> Redis {
    Redis::new(&server.url(), Limits::default()).unwrap()
}

#[test]
fn a_redis_that_was_down_works_again() {
    let mut server = Server::new();
    let store = store(&server);
    store.append(1, 1, 0, b"a").unwrap();
    server.stop();
    for _ in 0..3 {
        assert!(store.append(1, 2, 0, b"b").is_err());
    }
    assert!(server.start());
    // It forgot everything, scripts too.
    assert_eq!(store.append(1, 2, 0, b"b").unwrap(), Appended::New);
    assert_eq!(store.waiting().unwrap(), 1);
}

#[test]
fn a_redis_that_restarts_unnoticed_costs_one_call() {
    let mut server = Server::new();
    let store = store(&server);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| store.waiting().unwrap());
        }
    });
    server.stop();
    assert!(server.start());
    assert!(store.waiting().is_err());
    assert_eq!(store.waiting().unwrap(), 0);
}

#[test]
fn fences_rise_even_if_redis_forgot_them() {
    let mut server = Server::new();
    let store = store(&server);
    let before = store.lease(JOINER, 1, LONG).unwrap().unwrap();
    server.stop();
    assert!(server.start());
    assert!(store.lease(JOINER, 2, LONG).is_err());
    assert!(store.lease(JOINER, 2, LONG).unwrap().unwrap() > before);
    assert!(!store.save(before, &Cursor::default(), b"").unwrap());
}

#[test]
fn a_redis_that_does_not_answer_is_not_waited_for() {
    let server = Server::new();
    let store = store(&server);
    store.get("key").unwrap();
    let mut other = ::redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    ::redis::cmd("CLIENT").arg("PAUSE").arg(4_000).query::<()>(&mut other).unwrap();
    let start = Instant::now();
    assert!(store.get("key").is_err());
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    // Now a new connection is needed, whose greeting gets no answer either.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let start = Instant::now();
    assert!(Redis::new(&url, Limits::default()).unwrap().get("key").is_err());
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_redis_without_memory_refuses_batches_and_takes_them_later() {
    let server = Server::new();
    let store = store(&server);
    let mut other = ::redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let mut limit = |memory: &str| {
        ::redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(memory).query::<()>(&mut other).unwrap();
    };
    store.append(1, 1, 0, b"a").unwrap();
    limit("1");
    assert!(store.append(1, 2, 0, b"b").is_err());
    assert_eq!(store.waiting().unwrap(), 1);
    limit("0");
    assert_eq!(store.append(1, 2, 0, b"b").unwrap(), Appended::New);
}

#[test]
fn more_callers_than_connections_take_turns() {
    let server = Server::new();
    let store = store(&server);
    std::thread::scope(|scope| {
        for sender in 0..24 {
            let store = &store;
            scope.spawn(move || {
                for sequence in 1..=20 {
                    store.append(sender, sequence, 0, b"x").unwrap();
                }
            });
        }
    });
    assert_eq!(store.waiting().unwrap(), 480);
}
