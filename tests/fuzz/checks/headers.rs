//! What the host hands over in its own forms, and the label.

use crate::pairs::{Pairs, serialise};
use crate::{Witness, shelf};
use azeotrope_engine::bundle::{Part, PartKind};
use azeotrope_engine::store::{Key, MemoryStore, Store};
use azeotrope_engine::verdict::{Label, label};

/// Where the shelf has its record.
const BUNDLE: Key = Key::alone("bundle");

/// A serialised header map, and a record of the shelf.
pub(crate) fn headers(input: &[u8], witness: &mut Witness) {
    let read: Vec<_> = Pairs::new(input).collect();
    let bytes: usize = read.iter().map(|(name, value)| name.len().saturating_add(value.len())).sum();
    assert!(bytes <= input.len() && read.len() <= input.len() / 8);
    witness.see(&read);
    if !read.is_empty() {
        witness.note_taken();
    }
    let texts: Vec<_> = read.iter().map(|(_, value)| ("name", String::from_utf8_lossy(value).into_owned())).collect();
    let again = serialise(&texts);
    let again: Vec<_> = Pairs::new(&again).collect();
    let expected: Vec<_> = texts.iter().map(|(name, text)| (name.as_bytes(), text.as_bytes())).collect();
    assert_eq!(again, expected);
    let mut store = MemoryStore::default();
    assert_eq!(store.swap(BUNDLE, input, None), Ok(()));
    if let Some(shelved) = shelf::look(&store) {
        witness.note_taken();
        assert!(shelved.sealed.len() < input.len());
        assert_eq!(shelf::part(&store, &shelved, 0, &Part::of(PartKind::Feed, b"")), None);
        witness.see(&shelved);
    }
    let _ = shelf::lease(&mut store, BUNDLE, 7, u64::from(input.first().copied().unwrap_or(0)), u64::MAX);
}

/// A label from anybody.
pub(crate) fn label(input: &[u8], witness: &mut Witness) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let read = Label::parse(text);
    assert!(read.is_none() || text.len() <= label::MAX_BYTES);
    witness.see(&read);
    if read.is_some() {
        witness.note_taken();
    }
}
