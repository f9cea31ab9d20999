//! What answers on their way occupy in one VM, all together: what is held back of a degraded caller's, and what it takes to undo
//! an encoding. Memory of a VM ends at 1 GiB in Envoy (on CDN edges at 16 MiB), and who has none left traps, which cuts every
//! stream of the worker; how many answers are open at once is for clients to say.

use std::cell::Cell;

/// Bytes for all answers. Beyond it nothing is held back and nothing more is undone: answers pass as they are.
const MOST: usize = if cfg!(feature = "stateful") { 64 << 20 } else { 4 << 20 };

thread_local! {
    static OCCUPIED: Cell<usize> = const { Cell::new(0) };
}

/// What one answer occupies.
#[derive(Debug, Default)]
pub(crate) struct Share(usize);

impl Share {
    /// Bytes that it may occupy, by what the others do.
    pub(crate) fn room(&self) -> usize {
        MOST.saturating_sub(OCCUPIED.get().saturating_sub(self.0))
    }

    /// It occupies so many.
    pub(crate) fn occupy(&mut self, bytes: usize) {
        OCCUPIED.set(OCCUPIED.get().saturating_sub(self.0).saturating_add(bytes));
        self.0 = bytes;
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
        let (mut one, mut other) = (Share::default(), Share::default());
        one.occupy(MOST - 10);
        assert_eq!((one.room(), other.room()), (MOST, 10));
        other.occupy(30);
        assert_eq!((one.room(), other.room()), (MOST - 30, 10));
        drop(one);
        assert_eq!(other.room(), MOST);
    }
}
