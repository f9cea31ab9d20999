//! How much work undoing an encoding may be. Its output is bounded, which says little: a block that holds nothing takes eleven bytes
//! of deflate, or as many of zstd, and its tables take as long as hundreds of bytes of text.

/// Blocks that any body may have.
const BLOCKS: usize = 64;
/// Bytes of a body's text that are good for one block more. Compressors make blocks of some KiB and more.
const BYTES: usize = 512;
/// The same of an answer: a stream ends a block or two with every event.
const BYTES_OF_ANSWER: usize = 32;
/// Blocks that an answer may have in hand, whatever it gave before: all that one piece of it can take for nothing.
const BLOCKS_OF_ANSWER: usize = 1_024;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Work {
    credit: usize,
    block: usize,
    most: usize,
}

impl Work {
    /// For a body that is undone at once.
    pub(super) const fn of_body() -> Self {
        Self { credit: BLOCKS * BYTES, block: BYTES, most: usize::MAX }
    }

    /// For one that passes.
    pub(super) const fn of_answer() -> Self {
        let block = BYTES_OF_ANSWER;
        Self { credit: BLOCKS * block, block, most: BLOCKS_OF_ANSWER * block }
    }

    /// So many bytes of text were written; `block`: and with them a block is over. Whether more may follow.
    pub(super) fn goes_on(&mut self, bytes: usize, block: bool) -> bool {
        self.credit = self.credit.saturating_add(bytes).min(self.most);
        let left = self.credit.checked_sub(if block { self.block } else { 0 });
        self.credit = left.unwrap_or(0);
        left.is_some()
    }
}
