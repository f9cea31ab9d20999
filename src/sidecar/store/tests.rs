//! One suite for every store.

use super::*;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("azeotrope-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A real Redis that goes with the test.
struct Server {
    port: u16,
    folder: Folder,
    process: Child,
}

impl Server {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = Folder::new();
        let process = Self::run(port, &folder);
        let server = Self { port, folder, process };
        server.wait();
        server
    }

    fn run(port: u16, folder: &Folder) -> Child {
        Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir"])
            .arg(&folder.0)
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need `redis-server` (Debian: redis-server)")
    }

    fn wait(&self) {
        let begun = Instant::now();
        while self.open().waiting().is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn open(&self) -> Arc<dyn Store> {
        open(Some(&format!("redis://127.0.0.1:{}", self.port)), None).unwrap()
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn with_each(test: impl Fn(&dyn Store)) {
    let folder = Folder::new();
    test(&*open(None, Some(&folder.0)).unwrap());
    let server = Server::start();
    test(&*server.open());
}

const TTL: Duration = Duration::from_secs(60);

fn edition(version: u64) -> Edition {
    Edition { version, at: 1, note: "n".to_owned(), manifest: version.to_le_bytes().to_vec() }
}

#[test]
fn a_batch_is_kept_once_and_in_order() {
    with_each(|store| {
        for (sender, sequence, kept) in [(1, 1, true), (1, 2, true), (2, 1, true), (1, 2, false), (1, 1, false)] {
            let appended = store.append(sender, sequence, 77, &[sender as u8, sequence as u8]).unwrap();
            assert_eq!(appended == Appended::New, kept, "{sender} {sequence}");
        }
        let all = store.read(&Cursor::default(), 10).unwrap();
        let batches: Vec<&[u8]> = all.iter().map(|entry| &entry.batch[..]).collect();
        assert_eq!(batches, [[1, 1], [1, 2], [2, 1]]);
        assert!(all.iter().all(|entry| entry.received == 77));
        assert_eq!(store.read(&all[1].cursor, 10).unwrap(), all[2..]);
        assert_eq!(store.read(&Cursor::default(), 1).unwrap(), all[..1]);
        store.trim(&all[1].cursor).unwrap();
        assert_eq!((store.waiting().unwrap(), store.read(&Cursor::default(), 10).unwrap()), (1, all[2..].to_vec()));
        assert_eq!(store.append(1, 2, 0, b"again").unwrap(), Appended::Duplicate);
    });
}

#[test]
fn what_comes_after_all_was_forgotten_is_still_after() {
    with_each(|store| {
        let fence = store.lease("joiner", 1, TTL).unwrap().unwrap();
        store.append(1, 1, 0, b"a").unwrap();
        let last = store.read(&Cursor::default(), 9).unwrap().pop().unwrap().cursor;
        assert!(store.save(fence, &last, b"s").unwrap());
        store.trim(&last).unwrap();
        store.append(1, 2, 0, b"b").unwrap();
        let after = store.read(&last, 9).unwrap();
        assert_eq!(after.len(), 1);
        assert!(after[0].cursor > last);
    });
}

#[test]
fn one_at_a_time_has_a_duty_and_who_had_it_writes_nothing_more() {
    with_each(|store| {
        let short = Duration::from_millis(100);
        let first = store.lease("joiner", 1, short).unwrap().unwrap();
        assert_eq!(store.lease("joiner", 1, short).unwrap(), Some(first));
        assert_eq!(store.lease("joiner", 2, short).unwrap(), None);
        assert!(store.save(first, &Cursor(0, 5), b"one").unwrap());
        std::thread::sleep(short * 2);
        let second = store.lease("joiner", 2, TTL).unwrap().unwrap();
        assert!(second > first);
        assert_eq!(store.lease("joiner", 1, TTL).unwrap(), None);
        assert!(!store.save(first, &Cursor(0, 9), b"late").unwrap());
        assert_eq!(store.publish(first, &edition(3), &[]).unwrap(), Published::Behind(0));
        assert_eq!(store.load().unwrap(), Some((Cursor(0, 5), b"one".to_vec())));
        store.release("joiner", 1).unwrap();
        assert_eq!(store.lease("joiner", 3, TTL).unwrap(), None, "only the owner gives it back");
        store.release("joiner", 2).unwrap();
        assert!(store.lease("joiner", 3, TTL).unwrap().unwrap() > second);
    });
}

#[test]
fn versions_only_grow_and_parts_come_with_them() {
    with_each(|store| {
        let fence = store.lease("joiner", 1, TTL).unwrap().unwrap();
        assert_eq!(store.current().unwrap(), None);
        assert_eq!(
            store.publish(fence, &edition(5), &[([1; 32], b"one"), ([2; 32], b"two")]).unwrap(),
            Published::Done
        );
        for version in [4, 5] {
            assert_eq!(store.publish(fence, &edition(version), &[]).unwrap(), Published::Behind(5));
        }
        assert_eq!(store.publish(fence, &edition(6), &[([3; 32], b"three")]).unwrap(), Published::Done);
        assert_eq!(store.current().unwrap(), Some(edition(6)));
        assert_eq!(store.editions(9).unwrap(), [edition(6), edition(5)]);
        assert_eq!(store.part(&[1; 32]).unwrap().as_deref(), Some(&b"one"[..]));
        store.keep(&[[3; 32], [2; 32]]).unwrap();
        assert_eq!(store.part(&[1; 32]).unwrap(), None);
        assert!(store.part(&[2; 32]).unwrap().is_some() && store.part(&[3; 32]).unwrap().is_some());
        (7..150).for_each(|version| {
            store.publish(fence, &edition(version), &[]).unwrap();
        });
        assert_eq!(store.editions(1_000).unwrap().len(), EDITIONS);
    });
}

#[test]
fn two_that_publish_at_once_never_go_backwards() {
    with_each(|store| {
        let fence = store.lease("joiner", 1, TTL).unwrap().unwrap();
        std::thread::scope(|scope| {
            for offset in 0..2 {
                scope.spawn(move || {
                    for version in 1..40 {
                        let before = store.current().unwrap().map_or(0, |edition| edition.version);
                        store.publish(fence, &edition(version * 2 + offset), &[]).unwrap();
                        assert!(store.current().unwrap().unwrap().version >= before);
                    }
                });
            }
        });
        assert_eq!(store.current().unwrap().unwrap().version, 79);
    });
}

#[test]
fn senders_days_audits_and_documents_are_remembered() {
    with_each(|store| {
        let seen = |sender, at| Seen { sender, process: 9, name: "edge".into(), rules: 4, lost: 0, at };
        let today = 20_000 * DAY;
        store.report(&seen(1, today), 10, &[1, 2, 3]).unwrap();
        store.report(&seen(2, today + 5_000), 5, &[3, 4]).unwrap();
        store.report(&seen(1, today + 9_000), 0, &[]).unwrap();
        assert_eq!(store.senders(today + 6_000).unwrap(), [seen(1, today + 9_000)]);
        assert_eq!(store.senders(0).unwrap().len(), 2);
        assert_eq!((store.today(today).unwrap(), store.today(today + DAY).unwrap()), ((15, 4), (0, 0)));
        let audit = |n: u64| Audit { at: n, who: "w".into(), what: "x".into() };
        (0..20).for_each(|n| store.audit(&audit(n)).unwrap());
        assert_eq!(store.audits(2).unwrap(), [audit(19), audit(18)]);
        assert_eq!(store.get("none").unwrap(), None);
        store.set("one", b"1").unwrap();
        store.set("one", b"2").unwrap();
        assert_eq!(store.get("one").unwrap().as_deref(), Some(&b"2"[..]));
    });
}

#[test]
fn a_redis_that_was_away_is_used_again() {
    let mut server = Server::start();
    let store = server.open();
    store.append(1, 1, 0, b"before").unwrap();
    server.kill();
    assert!(store.append(1, 2, 0, b"away").is_err());
    assert!(store.current().is_err());
    server.process = Server::run(server.port, &server.folder);
    server.wait();
    assert_eq!(store.append(1, 2, 0, b"after").unwrap(), Appended::New);
    assert_eq!(store.append(1, 1, 0, b"before").unwrap(), Appended::Duplicate);
    assert_eq!(store.read(&Cursor::default(), 9).unwrap().len(), 2);
}

#[test]
fn a_folder_that_was_closed_is_found_as_it_was_and_only_one_has_it_open() {
    let folder = Folder::new();
    let store = open(None, Some(&folder.0)).unwrap();
    store.append(7, 3, 1, b"batch").unwrap();
    let again = open(None, Some(&folder.0)).map(drop).unwrap_err();
    assert!(again.contains("another sidecar"), "{again}");
    drop(store);
    let store = open(None, Some(&folder.0)).unwrap();
    assert_eq!(store.append(7, 3, 2, b"batch").unwrap(), Appended::Duplicate);
    assert_eq!(store.waiting().unwrap(), 1);
}

#[test]
fn a_wrong_address_is_told_without_its_password() {
    let told = open(Some("http://user:hunter2@host"), None).map(drop).unwrap_err();
    assert!(told.contains("redis://") && !told.contains("hunter2"), "{told}");
    assert!(open(Some("rediss://host"), None).is_err());
}
