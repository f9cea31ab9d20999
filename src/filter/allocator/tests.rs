#![allow(clippy::disallowed_methods, reason = "no host enters here")]

use super::*;
use proptest::prelude::*;
use std::alloc::System;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// The system's allocator, which keeps account of what it gave.
#[derive(Default)]
struct Counting {
    given: RefCell<HashMap<usize, Layout>>,
    calls: Cell<usize>,
    /// Gives nothing from here on.
    exhausted: Cell<bool>,
}

// SAFETY: all is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.exhausted.get() {
            return null_mut();
        }
        self.calls.set(self.calls.get() + 1);
        let data = unsafe { System.alloc(layout) };
        assert!(self.given.borrow_mut().insert(data.addr(), layout).is_none());
        data
    }

    unsafe fn dealloc(&self, data: *mut u8, layout: Layout) {
        assert_eq!(self.given.borrow_mut().remove(&data.addr()), Some(layout));
        unsafe { System.dealloc(data, layout) }
    }
}

impl Recycling<Counting> {
    fn kept(&self) -> usize {
        unsafe { (*self.kept.get()).bytes }
    }

    fn given(&self) -> usize {
        self.below.given.borrow().values().map(Layout::size).sum()
    }
}

/// A block in use, with a pattern in all of its bytes.
struct Used {
    data: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Used {
    fn new(memory: &Recycling<Counting>, size: usize, align: usize, mark: u8) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        let data = unsafe { memory.alloc(layout) };
        assert!(!data.is_null() && data.addr().is_multiple_of(align));
        unsafe { data.write_bytes(mark, size) };
        Self { data, layout, mark }
    }

    fn bytes(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self.data, self.layout.size()) }
    }

    fn check(&self) {
        assert!(self.bytes().iter().all(|byte| *byte == self.mark));
    }

    fn resize(&mut self, memory: &Recycling<Counting>, size: usize) {
        self.data = unsafe { memory.realloc(self.data, self.layout, size) };
        let before = self.layout.size();
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        assert!(!self.data.is_null() && self.data.addr().is_multiple_of(self.layout.align()));
        assert!(self.bytes()[..before.min(size)].iter().all(|byte| *byte == self.mark));
        unsafe { self.data.write_bytes(self.mark, size) };
    }

    fn free(self, memory: &Recycling<Counting>) {
        self.check();
        unsafe { memory.dealloc(self.data, self.layout) };
    }
}

fn memory() -> Recycling<Counting> {
    Recycling::over(Counting::default())
}

#[derive(Clone, Debug)]
enum Step {
    New(usize, u32),
    Resize(usize, usize),
    Free(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = || prop_oneof![4 => 1_usize..300, 2 => 1_usize..6_000, 1 => 4_080_usize..4_120];
    let step = prop_oneof![
        3 => (size(), 0_u32..6).prop_map(|(size, align)| Step::New(size, align)),
        2 => (any::<usize>(), size()).prop_map(|(place, size)| Step::Resize(place, size)),
        2 => any::<usize>().prop_map(Step::Free),
    ];
    prop::collection::vec(step, 1..600)
}

proptest! {
    #[test]
    fn blocks_keep_what_was_written_to_them_and_all_is_given_back(steps in steps()) {
        let memory = memory();
        let mut used: Vec<Used> = Vec::new();
        for (step, mark) in steps.into_iter().zip((1..=u8::MAX).cycle()) {
            let count = used.len().max(1);
            match step {
                Step::New(size, align) => used.push(Used::new(&memory, size, 1 << align, mark)),
                Step::Resize(place, size) => if let Some(one) = used.get_mut(place % count) { one.resize(&memory, size) },
                Step::Free(place) => if !used.is_empty() { used.swap_remove(place % count).free(&memory) },
            }
            prop_assert!(memory.kept() <= MOST);
        }
        used.iter().for_each(Used::check);
        used.into_iter().for_each(|one| one.free(&memory));
        prop_assert_eq!(memory.given(), memory.kept());
        memory.empty();
        prop_assert_eq!((memory.given(), memory.kept()), (0, 0));
    }
}

#[test]
fn a_request_like_the_one_before_it_asks_for_nothing() {
    let memory = memory();
    let request = || {
        let used: Vec<_> = [24, 24, 700, 4_096, 33, 4_096, 1].map(|size| Used::new(&memory, size, 1, 7)).into();
        used.into_iter().for_each(|one| one.free(&memory));
        memory.below.calls.get()
    };
    let first = request();
    assert_eq!((first, request(), request()), (7, 7, 7));
}

#[test]
fn of_what_many_give_back_at_once_little_is_kept() {
    let memory = memory();
    let used: Vec<_> = (0..5_000).map(|size| Used::new(&memory, 1 + size, 8, 7)).collect();
    used.into_iter().for_each(|one| one.free(&memory));
    assert!(memory.kept() <= MOST && memory.given() == memory.kept());
}

#[test]
fn where_memory_is_at_its_end_a_block_stays_as_it_is() {
    let memory = memory();
    let used = Used::new(&memory, 100, 8, 7);
    memory.below.exhausted.set(true);
    for size in [200, 10_000] {
        assert!(unsafe { memory.alloc(Layout::from_size_align(size, 8).unwrap()) }.is_null());
        assert!(unsafe { memory.realloc(used.data, used.layout, size) }.is_null());
    }
    used.free(&memory);
}
