use super::*;
use crate::directory::Directory;
use crate::store::{Appended, Cursor, Duty, Edition, JOINER, Published, Records, Seen, Shelf, Stream};
use azeotrope_engine::time::DAY;
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn store(directory: &Directory) -> Embedded {
    Embedded::new(&directory.0, Limits::default()).unwrap()
}

#[test]
fn a_second_opener_is_refused() {
    let directory = Directory::new();
    let _first = store(&directory);
    let told = Embedded::new(&directory.0, Limits::default()).err().unwrap();
    assert!(told.contains("another process has it open"), "{told}");
}

#[test]
fn reopened_it_has_everything() {
    let directory = Directory::new();
    let (edition, seen) = (
        Edition { version: 3, at: 1, note: "note".into(), manifest: b"manifest".to_vec() },
        Seen { sender: 1, process: 2, name: "proxy".into(), rules: 3, lost: 4, at: DAY },
    );
    let before = store(&directory);
    before.append(7, 5, 1, b"batch").unwrap();
    let place = Stream::read(&before, &Cursor::default(), 1).unwrap().remove(0).cursor;
    let fence = before.lease(JOINER, 1, LONG).unwrap().unwrap();
    assert!(before.save(fence, &place, b"snapshot").unwrap());
    assert_eq!(before.publish(fence, &edition, &[([1; 32], b"part")]).unwrap(), Published::Done);
    before.report(&seen, 9, &[1, 2]).unwrap();
    before.set("key", b"value").unwrap();
    drop(before);
    let after = store(&directory);
    assert_eq!(after.append(7, 5, 2, b"batch").unwrap(), Appended::Duplicate);
    assert_eq!(after.append(7, 4, 2, b"earlier").unwrap(), Appended::Late);
    assert_eq!(after.waiting().unwrap(), 1);
    assert_eq!(after.load().unwrap(), Some((place, b"snapshot".to_vec())));
    // Whoever had a lease is gone with the process, and fenced off.
    assert!(after.lease(JOINER, 2, LONG).unwrap().unwrap() > fence);
    assert!(!after.save(fence, &Cursor::default(), b"").unwrap());
    assert_eq!(after.current().unwrap(), Some(edition));
    assert_eq!(after.part(&[1; 32]).unwrap(), Some(b"part".to_vec()));
    assert_eq!(after.senders(0).unwrap(), [seen]);
    assert_eq!(after.today(DAY).unwrap(), (9, 2));
    assert_eq!(after.get("key").unwrap(), Some(b"value".to_vec()));
}

#[test]
fn a_sequence_is_forgotten_after_a_day() {
    let directory = Directory::new();
    let store = store(&directory);
    assert_eq!(store.append(1, 5, DAY, b"").unwrap(), Appended::New);
    assert_eq!(store.append(2, 5, DAY + 1, b"").unwrap(), Appended::New);
    assert_eq!(store.append(1, 5, 2 * DAY - 1, b"").unwrap(), Appended::Duplicate);
    assert_eq!(store.append(1, 1, 2 * DAY, b"").unwrap(), Appended::New);
    assert_eq!(store.append(2, 1, 2 * DAY, b"").unwrap(), Appended::Late);
}

#[test]
fn a_stream_of_too_many_bytes_is_full_until_it_is_trimmed() {
    let directory = Directory::new();
    let store = Embedded::new(&directory.0, Limits { entries: 100, bytes: 1000 }).unwrap();
    store.append(1, 1, 0, &[0; 900]).unwrap();
    assert!(store.append(1, 2, 0, &[0; 10]).is_err());
    store.trim(&Cursor(0, 1)).unwrap();
    assert_eq!(store.append(1, 2, 0, &[0; 900]).unwrap(), Appended::New);
}

/// A disk that may be full.
#[derive(Debug)]
struct Disk(FileBackend, Arc<AtomicBool>);

impl Disk {
    fn room(&self) -> io::Result<()> {
        if self.1.load(Ordering::SeqCst) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room().and_then(|()| self.0.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.room().and_then(|()| self.0.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room().and_then(|()| self.0.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

#[test]
fn a_full_disk_is_unavailable_and_works_again_when_there_is_room() {
    let directory = Directory::new();
    let (path, full) = (directory.0.join(FILE), Arc::new(AtomicBool::new(false)));
    let switch = Arc::clone(&full);
    let opener = move || {
        let file = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        Database::builder().create_with_backend(Disk(FileBackend::new(file)?, Arc::clone(&switch)))
    };
    let store = Embedded::with(Box::new(opener), Limits::default()).unwrap();
    store.append(1, 1, 0, b"a").unwrap();
    full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let told = store.append(1, 2, 0, b"b").unwrap_err();
        assert!(told.to_string().contains("embedded store"), "{told}");
    }
    full.store(false, Ordering::SeqCst);
    assert_eq!(store.append(1, 2, 0, b"b").unwrap(), Appended::New);
    assert_eq!(store.append(1, 1, 0, b"a").unwrap(), Appended::Late);
    assert_eq!(store.waiting().unwrap(), 2);
}

#[test]
fn appends_of_several_threads_are_all_there() {
    let directory = Directory::new();
    let store = store(&directory);
    std::thread::scope(|scope| {
        for sender in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for sequence in 1..=25 {
                    store.append(sender, sequence, 0, b"x").unwrap();
                }
            });
        }
    });
    assert_eq!(store.waiting().unwrap(), 100);
}
