//! The observations that rules run over in shadow, as batches in pieces that are written with each snapshot: after a restart
//! or a takeover there is something to run over.
//!
//! Where traffic is heavy most of it is left out here: what is kept in memory is seconds old then, and soon full again.

use crate::store::{Outcome, Store};
use azeotrope_engine::observation::Batch;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Pieces that are kept in the store, each of so many observations at least.
const PIECES: u64 = 64;
const PIECE: usize = 200_000 / 64;
/// Bytes of a piece; a batch beyond that is left out.
const BYTES: usize = 4 << 20;
/// Full pieces that wait to be written.
const WAITING: usize = 3;

/// Batches that came one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    number: u64,
    /// When each came, in milliseconds, and its bytes.
    batches: Vec<(u64, Vec<u8>)>,
}

/// What is on its way to the store.
#[derive(Clone, Debug, Default)]
pub(super) struct Shadow {
    piece: Piece,
    observations: usize,
    bytes: usize,
    full: VecDeque<Piece>,
    /// The piece has grown since it was written.
    grown: bool,
}

fn key(number: u64) -> String {
    format!("shadow.{}", number % PIECES)
}

impl Shadow {
    /// Takes a batch of so many observations.
    pub(super) fn add(&mut self, received: u64, batch: &[u8], observations: usize) {
        if observations == 0 || batch.len() > BYTES {
            return;
        }
        if self.observations >= PIECE || self.bytes + batch.len() > BYTES {
            self.turn();
        }
        self.piece.batches.push((received, batch.to_vec()));
        self.observations += observations;
        self.bytes += batch.len();
        self.grown = true;
    }

    /// Begins a new piece.
    fn turn(&mut self) {
        let next = Piece { number: self.piece.number + 1, batches: Vec::new() };
        self.full.push_back(std::mem::replace(&mut self.piece, next));
        if self.full.len() > WAITING {
            self.full.pop_front();
        }
        (self.observations, self.bytes) = (0, 0);
    }

    /// Writes what is new.
    pub(super) fn write(&mut self, store: &dyn Store) -> Outcome<()> {
        let packed = |piece: &Piece| postcard::to_allocvec(piece).unwrap_or_default();
        while let Some(piece) = self.full.front() {
            store.set(&key(piece.number), &packed(piece))?;
            self.full.pop_front();
        }
        if self.grown {
            store.set(&key(self.piece.number), &packed(&self.piece))?;
            self.grown = false;
        }
        Ok(())
    }

    /// Forgets the pieces in the store that had ended at that time.
    pub(super) fn forget(store: &dyn Store, before: u64) -> Outcome<()> {
        for number in 0..PIECES {
            let piece = store.get(&key(number))?.and_then(|bytes| postcard::from_bytes::<Piece>(&bytes).ok());
            if piece.is_some_and(|piece| piece.batches.iter().all(|(received, _)| *received < before)) {
                store.set(&key(number), &[])?;
            }
        }
        Ok(())
    }

    /// What another has written: the batches, the oldest first, and where to go on.
    pub(super) fn read(store: &dyn Store) -> Outcome<(Self, Vec<(u64, Batch)>)> {
        let mut pieces: Vec<Piece> = Vec::new();
        for number in 0..PIECES {
            // What another version wrote is as good as nothing.
            pieces.extend(store.get(&key(number))?.and_then(|bytes| postcard::from_bytes(&bytes).ok()));
        }
        pieces.sort_by_key(|piece: &Piece| piece.number);
        let next = pieces.last().map_or(0, |piece| piece.number + 1);
        let batches = pieces.into_iter().flat_map(|piece| piece.batches);
        let batches = batches.filter_map(|(received, bytes)| Some((received, Batch::decode(&bytes).ok()?))).collect();
        Ok((Self { piece: Piece { number: next, batches: Vec::new() }, ..Self::default() }, batches))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use azeotrope_engine::caller::Caller;
    use azeotrope_engine::digest::Reading;
    use azeotrope_engine::observation::{Fate, Header, Queue};
    use azeotrope_engine::time::Timestamp;
    use azeotrope_engine::verdict::Verdict;

    fn batch(account: u64) -> Vec<u8> {
        let mut queue = Queue::new(1 << 20);
        let caller = Caller { account, ..Caller::default() };
        queue.request(&caller, &Reading::default(), &Verdict::default(), Fate::Answered, (Timestamp(0), Timestamp(0)));
        queue.take().unwrap().batch(Header::default(), Timestamp(0))
    }

    fn with_store(test: impl FnOnce(&dyn Store)) {
        let directory = Directory::new();
        test(&*crate::store::open(None, Some(&directory.0)).unwrap());
    }

    fn received(store: &dyn Store) -> Vec<u64> {
        Shadow::read(store).unwrap().1.iter().map(|(received, _)| *received).collect()
    }

    #[test]
    fn what_was_written_is_read_in_its_order_and_gone_on_from() {
        with_store(|store| {
            let mut shadow = Shadow::default();
            for n in 0..30 {
                // A third of a piece each, as far as it tells.
                shadow.add(n, &batch(n + 1), PIECE / 3 + 1);
                shadow.write(store).unwrap();
            }
            assert_eq!(received(store), (0..30).collect::<Vec<_>>());
            let (mut next, _) = Shadow::read(store).unwrap();
            next.add(30, &batch(31), 1);
            next.write(store).unwrap();
            assert_eq!(received(store), (0..31).collect::<Vec<_>>());
        });
    }

    #[test]
    fn the_oldest_pieces_make_room() {
        with_store(|store| {
            let mut shadow = Shadow::default();
            for n in 0..200 {
                shadow.add(n, &batch(n + 1), PIECE);
                shadow.write(store).unwrap();
            }
            assert_eq!(received(store), (200 - PIECES..200).collect::<Vec<_>>());
        });
    }

    #[test]
    fn what_waits_is_bounded_while_nothing_can_be_written() {
        let mut shadow = Shadow::default();
        (0..1_000).for_each(|n| shadow.add(n, &batch(n + 1), PIECE));
        assert!(shadow.full.len() <= WAITING && shadow.piece.batches.len() == 1);
    }
}
