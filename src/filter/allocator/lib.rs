//! The module's allocator: [`talc`], and before it blocks that were given back, by their size.
//!
//! A request asks for some fifty blocks, most of them of sizes that the one before it gave back. To look for a gap and to
//! join it with its neighbours takes a hundred instructions each time; to take the first block of a list takes ten.

#![allow(unsafe_code, reason = "an allocator hands out memory by address")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// What blocks are multiples of, but for what `talc` keeps at their end.
const UNIT: usize = 16;
/// That, on wasm32.
const TAIL: usize = 4;
/// Of what is aligned to more, nothing is kept.
const ALIGN: usize = 8;
/// Blocks of up to 4 KiB and a few bytes are kept: pages of the store are among them.
const CLASSES: usize = 4096 / UNIT + 1;
/// Most bytes that are kept. Beyond it all of them go back, to become part of larger ones.
const MOST: usize = 128 << 10;

/// Keeps blocks of [`Recycling::below`] that were given back.
#[derive(Debug)]
pub struct Recycling<A> {
    below: A,
    kept: UnsafeCell<Kept>,
}

/// Blocks at hand.
#[derive(Debug)]
struct Kept {
    /// The first of each class.
    first: [*mut Block; CLASSES],
    bytes: usize,
}

/// What is in a block that is kept.
struct Block {
    next: *mut Block,
}

const _: () = assert!(align_of::<Block>() <= ALIGN && size_of::<Block>() <= UNIT - TAIL);

/// The allocator of a module: everything runs in one thread.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
pub type Memory = Recycling<talc::wasm::WasmDynamicTalc>;

/// Memory of which nothing is in use.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[must_use]
pub const fn memory() -> Memory {
    Recycling::over(talc::wasm::new_wasm_dynamic_allocator())
}

// SAFETY: there is one thread.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<A> Sync for Recycling<A> {}

/// The class of a layout, if it has one.
#[inline(always)]
fn class(layout: Layout) -> Option<usize> {
    let class = (layout.size() + TAIL - 1) / UNIT;
    (class < CLASSES && layout.align() <= ALIGN).then_some(class)
}

/// What all blocks of a class are.
#[inline(always)]
fn layout(class: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and the size at most some 4 KiB.
    unsafe { Layout::from_size_align_unchecked(class * UNIT + UNIT - TAIL, ALIGN) }
}

impl<A: GlobalAlloc> Recycling<A> {
    /// Keeps blocks of an allocator.
    pub const fn over(below: A) -> Self {
        Self { below, kept: UnsafeCell::new(Kept { first: [null_mut(); CLASSES], bytes: 0 }) }
    }

    /// A block of a class, if one is kept.
    #[inline(always)]
    fn take(&self, class: usize) -> Option<*mut u8> {
        // SAFETY: this is not `Sync` where there are threads, and nothing that runs while the reference lives comes back here.
        let kept = unsafe { &mut *self.kept.get() };
        let first = kept.first.get_mut(class)?;
        let block = *first;
        if block.is_null() {
            return None;
        }
        // SAFETY: what is kept is unused, and `Recycling::keep` wrote a block to it.
        *first = unsafe { (*block).next };
        kept.bytes -= layout(class).size();
        Some(block.cast())
    }

    /// Keeps a block of a class.
    #[inline(always)]
    fn keep(&self, class: usize, data: *mut u8) {
        // SAFETY: as in `Recycling::take`.
        let kept = unsafe { &mut *self.kept.get() };
        let Some(first) = kept.first.get_mut(class) else { return };
        let block = data.cast::<Block>();
        // SAFETY: the block is unused from here on, as large as its class and aligned for a `Block`.
        unsafe { block.write(Block { next: *first }) };
        *first = block;
        kept.bytes += layout(class).size();
        if kept.bytes > MOST {
            self.empty();
        }
    }

    /// Gives back all that is kept.
    #[cold]
    #[inline(never)]
    fn empty(&self) {
        for class in 0..CLASSES {
            while let Some(block) = self.take(class) {
                // SAFETY: the block was taken from there, with the layout of its class.
                unsafe { self.below.dealloc(block, layout(class)) };
            }
        }
    }
}

// SAFETY: a block is in use or kept, never both; one of a class is as large as its class says and aligned for every layout
// that has a class; all else is the allocator's below.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Recycling<A> {
    #[inline(always)]
    unsafe fn alloc(&self, wanted: Layout) -> *mut u8 {
        let Some(class) = class(wanted) else {
            // SAFETY: the caller's promise.
            return unsafe { self.below.alloc(wanted) };
        };
        // SAFETY: no class is empty.
        self.take(class).unwrap_or_else(|| unsafe { self.below.alloc(layout(class)) })
    }

    #[inline(always)]
    unsafe fn dealloc(&self, data: *mut u8, given: Layout) {
        match class(given) {
            Some(class) => self.keep(class, data),
            // SAFETY: the caller's promise: it came from there with this layout.
            None => unsafe { self.below.dealloc(data, given) },
        }
    }

    unsafe fn realloc(&self, data: *mut u8, given: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise: the size, rounded up to the alignment, is no more than an `isize` holds.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, given.align()) };
        match (class(given), class(wanted)) {
            (None, None) => {
                // SAFETY: the caller's promise: it came from there with this layout.
                unsafe { self.below.realloc(data, given, size) }
            }
            (before, after) if before == after => data,
            _ => {
                // SAFETY: the new block is another one, and both have as many bytes as are copied.
                unsafe {
                    let new = self.alloc(wanted);
                    if !new.is_null() {
                        new.copy_from_nonoverlapping(data, given.size().min(size));
                        self.dealloc(data, given);
                    }
                    new
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
