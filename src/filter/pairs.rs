//! Header maps as Proxy-Wasm serialises them: a count, a table of sizes, then names and values each ended by NUL.
//! All numbers are 32-bit little-endian.

use azeotrope_engine::caller::Headers;
use azeotrope_engine::codec::Encoding;

/// Headers that room is made for before they are read: requests have a dozen.
const MOST_AT_ONCE: usize = 64;

/// Reads a serialised map without copying. Stops at the first entry that is not whole.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    sizes: &'a [u8],
    data: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// A reader over a map; over nothing when the table of sizes is cut short.
    pub(crate) fn new(map: &'a [u8]) -> Self {
        Self::open(map).unwrap_or(Self { sizes: &[], data: &[] })
    }

    fn open(map: &'a [u8]) -> Option<Self> {
        let (count, rest) = number(map)?;
        let (sizes, data) = rest.split_at_checked(count.checked_mul(8)?)?;
        Some(Self { sizes, data })
    }

    fn entry(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (name_size, sizes) = number(self.sizes)?;
        let (value_size, sizes) = number(sizes)?;
        let (name, data) = text(self.data, name_size)?;
        let (value, data) = text(data, value_size)?;
        (self.sizes, self.data) = (sizes, data);
        Some((name, value))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.entry()
    }

    /// As many as there are sizes, if they tell the truth.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.sizes.len() / 8;
        (most.min(MOST_AT_ONCE), Some(most))
    }
}

/// The first value of a header.
pub(crate) fn first<'a>(headers: &Headers<'a>, name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| *value)
}

/// What a body was put through, by all its headers.
pub(crate) fn encoding(headers: &Headers<'_>) -> Encoding {
    Encoding::of(headers.iter().filter(|(name, _)| *name == b"content-encoding").map(|(_, value)| *value))
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*head)).ok()?, rest))
}

fn text(data: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = data.split_at_checked(size)?;
    let (_nul, rest) = rest.split_first()?;
    Some((text, rest))
}

/// Serialises headers for the host.
pub(crate) fn serialise<V: AsRef<str>>(headers: &[(&str, V)]) -> Vec<u8> {
    let mut map = Vec::new();
    push(&mut map, headers.len());
    for (name, value) in headers {
        push(&mut map, name.len());
        push(&mut map, value.as_ref().len());
    }
    for (name, value) in headers {
        map.extend_from_slice(name.as_bytes());
        map.push(0);
        map.extend_from_slice(value.as_ref().as_bytes());
        map.push(0);
    }
    map
}

fn push(map: &mut Vec<u8>, number: usize) {
    map.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        serialise(&[("content-type", "application/json".to_owned()), ("retry-after", String::new())])
    }

    #[test]
    fn what_is_serialised_reads_back_the_same() {
        let map = sample();
        let read: Vec<_> = Pairs::new(&map).collect();
        assert_eq!(read, [(&b"content-type"[..], &b"application/json"[..]), (b"retry-after", b"")]);
    }

    #[test]
    fn the_first_value_of_a_name_is_found() {
        let map = serialise(&[("a", "1".to_owned()), ("b", "2".to_owned()), ("b", "3".to_owned())]);
        let headers: Vec<_> = Pairs::new(&map).collect();
        assert_eq!((first(&headers, "b"), first(&headers, "c")), (Some(&b"2"[..]), None));
    }

    #[test]
    fn a_map_cut_anywhere_gives_its_whole_entries_and_never_panics() {
        let map = sample();
        for end in 0..map.len() {
            assert!(Pairs::new(&map[..end]).count() < 2);
        }
    }

    #[test]
    fn sizes_that_lie_end_the_map() {
        assert_eq!(Pairs::new(&[0xff; 64]).count(), 0);
        let mut map = sample();
        map[4] = 0xff;
        assert_eq!(Pairs::new(&map).count(), 0);
    }

    #[test]
    fn names_and_values_need_not_be_text() {
        let map = [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0xfe, 0, 0xff, 0xc0, 0];
        assert_eq!(Pairs::new(&map).collect::<Vec<_>>(), [(&[0xfe][..], &[0xff, 0xc0][..])]);
    }
}
