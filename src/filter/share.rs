//! What bodies and answers on their way occupy in one VM, those of a kind all together: the beginnings of bodies that are copied as
//! they pass; what is held back of answers of degraded callers, and what it takes to undo an encoding. Memory of a VM is never given
//! back and ends at 1 GiB in Envoy (on CDN edges at 16 MiB), and who has none left traps, which cuts every stream of the worker; how
//! many are open at once, and for how long, is for clients to say.

use std::cell::Cell;
use std::thread::LocalKey;

/// Bytes for all of a kind. Beyond it bodies are judged on what has come, and answers pass as they are.
pub(crate) const MOST: usize = if cfg!(feature = "stateful") { 64 << 20 } else { 4 << 20 };

thread_local! {
    /// What is copied of bodies.
    pub(crate) static BODIES: Cell<usize> = const { Cell::new(0) };
    /// What is held back of answers, and what it takes to undo them.
    pub(crate) static ANSWERS: Cell<usize> = const { Cell::new(0) };
}

/// What one of a kind occupies.
#[derive(Debug)]
pub(crate) struct Share {
    of: &'static LocalKey<Cell<usize>>,
    bytes: usize,
}

impl Share {
    /// One that occupies nothing yet.
    pub(crate) fn new(of: &'static LocalKey<Cell<usize>>) -> Self {
        Self { of, bytes: 0 }
    }

    /// Bytes that it may occupy, by what the others do.
    pub(crate) fn room(&self) -> usize {
        MOST.saturating_sub(self.of.get().saturating_sub(self.bytes))
    }

    /// It occupies so many.
    pub(crate) fn occupy(&mut self, bytes: usize) {
        self.of.set(self.of.get().saturating_sub(self.bytes).saturating_add(bytes));
        self.bytes = bytes;
    }

    /// It occupies so many more.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.occupy(self.bytes.saturating_add(bytes));
    }

    /// Whether there is room for so many more.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        self.of.get().saturating_add(bytes) <= MOST
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.occupy(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_occupies_is_no_room_for_others_until_it_ends() {
        let (mut one, mut other) = (Share::new(&ANSWERS), Share::new(&ANSWERS));
        one.occupy(MOST - 10);
        assert_eq!((one.room(), other.room()), (MOST, 10));
        assert_eq!([10, 11].map(|bytes| (one.fits(bytes), other.fits(bytes))), [(true, true), (false, false)]);
        assert_eq!(Share::new(&BODIES).room(), MOST, "bodies have their own");
        other.occupy(30);
        assert_eq!((one.room(), other.room()), (MOST - 30, 10));
        drop(one);
        assert_eq!(other.room(), MOST);
    }
}
