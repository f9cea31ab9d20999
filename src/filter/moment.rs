//! What holds for a moment, from one tick of the host's timer to the next (100 ms): the time, and pages that many exchanges look
//! at. Asking the host for each of them again would cost a request of a known template four calls more.
//!
//! A host whose timer stands still is asked every time.

use crate::host;
use azeotrope_engine::store::{Key, Version};
use azeotrope_engine::time::Timestamp;
use std::cell::RefCell;

/// How often the time of one tick is believed: should the host's timer stop, time stands still for so many requests at most.
const MOST_READINGS: u32 = 1_024;
/// Pages at most: 256 KiB, and soon searched.
const MOST_PAGES: usize = 64;

thread_local! {
    static MOMENT: RefCell<Moment> = RefCell::default();
}

#[derive(Debug, Default)]
struct Moment {
    at: Timestamp,
    /// How often it may still be read.
    readings: u32,
    /// In the order of their keys.
    pages: Vec<Page>,
}

#[derive(Debug)]
struct Page {
    key: Key,
    value: Vec<u8>,
    version: Version,
}

impl Moment {
    /// The page of a key, if it is here.
    fn page(&self, key: Key) -> Option<&Page> {
        self.pages.get(self.place(key).ok()?)
    }

    /// Where a page is, or would be.
    fn place(&self, key: Key) -> Result<usize, usize> {
        self.pages.binary_search_by_key(&key, |page| page.key)
    }
}

/// Does something with the moment; nothing in the midst of doing so.
fn with<T>(run: impl FnOnce(&mut Moment) -> T) -> Option<T> {
    MOMENT.with(|moment| moment.try_borrow_mut().ok().map(|mut moment| run(&mut moment)))
}

/// A tick: another moment begins; its time.
pub(crate) fn begin() -> Timestamp {
    let at = host::now();
    with(|moment| {
        (moment.at, moment.readings) = (at, MOST_READINGS);
        moment.pages.clear();
    });
    at
}

/// The time, at most a tick ago.
pub(crate) fn now() -> Timestamp {
    let told = with(|moment| {
        moment.readings = moment.readings.checked_sub(1)?;
        Some(moment.at)
    });
    told.flatten().unwrap_or_else(|| {
        with(|moment| moment.pages.clear());
        host::now()
    })
}

/// A page as it was a moment ago.
pub(crate) fn page(key: Key) -> Option<(Vec<u8>, Version)> {
    with(|moment| moment.page(key).map(|page| (page.value.clone(), page.version))).flatten()
}

/// Shows such a page, without a copy of it; whether there is one.
pub(crate) fn look(key: Key, look: &mut dyn FnMut(&[u8])) -> bool {
    with(|moment| moment.page(key).map(|page| look(&page.value))).flatten().is_some()
}

/// Keeps a page until the moment is over.
pub(crate) fn keep(key: Key, value: &[u8], version: Version) {
    with(|moment| {
        if moment.readings > 0
            && moment.pages.len() < MOST_PAGES
            && let Err(place) = moment.place(key)
        {
            moment.pages.insert(place, Page { key, value: value.to_vec(), version });
        }
    });
}

/// The page has changed.
pub(crate) fn forget(key: Key) {
    with(|moment| {
        if let Ok(place) = moment.place(key) {
            moment.pages.remove(place);
        }
    });
}
