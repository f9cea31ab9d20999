//! What is asked, to the letter: digests of that text and of its paragraphs.
//!
//! Letters and digits count, folded to ASCII lower case; white space, punctuation and markup do not, so that a question
//! copied out of a public set is found again under another layout. A paragraph (up to an empty line) has a digest of its
//! own, which finds the question inside a template. Unkeyed: corpus filters are built offline from public texts and must
//! match everywhere; these digests do not leave the engine, which keys what does.

use crate::blocks::BYTES;
use crate::scan;
use crate::words::mix;

/// Bytes of a turn that are read.
pub const READ: usize = 16 * 1024;
/// Paragraphs that are told apart; the rest counts for the whole only.
pub const PARAGRAPHS: usize = 8;
/// Letters and digits a text needs to be told from small talk: public sets have many entries like "Hello".
pub const SHORTEST: usize = 32;

const BASE: u64 = 0x9fb2_1c65_1e98_df25;

/// Digests of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Of the whole text; 0 when it is shorter than [`SHORTEST`].
    pub whole: u64,
    /// Of its paragraphs; 0 where there is none or it is too short.
    pub paragraphs: [u64; PARAGRAPHS],
    /// Of the longest of them; 0 where the text is one paragraph.
    pub payload: u64,
}

impl Content {
    /// Digests of a text in pieces, each of which begins a paragraph.
    #[must_use]
    pub fn of<'p>(pieces: impl IntoIterator<Item = &'p str>) -> Self {
        let mut reading = Reading::default();
        for piece in pieces {
            reading.piece(piece.as_bytes());
        }
        reading.finish()
    }

    /// All digests that a corpus may know.
    pub fn all(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.whole).chain(self.paragraphs).filter(|&digest| digest != 0)
    }
}

/// A text under reading.
#[derive(Default)]
struct Reading {
    content: Content,
    whole: Run,
    paragraph: Run,
    found: usize,
    longest: usize,
    read: usize,
}

impl Reading {
    /// Apart from [`Content::of`], which is compiled where it is called: for size.
    #[inline(never)]
    fn piece(&mut self, text: &[u8]) {
        let text = text.get(..READ.saturating_sub(self.read)).unwrap_or(text);
        self.read += text.len();
        // A piece begins a paragraph, as two line ends do: with the letter or digit that follows them, if only blanks are between.
        let (mut from, mut at, mut ends) = (0, 0, 2);
        loop {
            while let Some(byte @ (b'\n' | b' ' | b'\t' | b'\r')) = text.get(at) {
                ends += usize::from(*byte == b'\n');
                at += 1;
            }
            if ends > 1 && text.get(at).is_some_and(|byte| folded(*byte) != 0) {
                self.paragraph.extend(text.get(from..at).unwrap_or(&[]));
                if self.paragraph.length > 0 {
                    self.keep();
                }
                from = at;
            }
            let rest = text.get(at..).unwrap_or(&[]);
            let Some(end) = scan::line_end(rest) else { break };
            at += end;
            ends = 0;
        }
        self.paragraph.extend(text.get(from..).unwrap_or(&[]));
    }

    fn keep(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        self.whole.append(paragraph);
        let digest = paragraph.finish();
        if digest != 0 && paragraph.length > self.longest {
            (self.content.payload, self.longest) = (digest, paragraph.length);
        }
        if digest != 0
            && let Some(place) = self.content.paragraphs.get_mut(self.found)
        {
            *place = digest;
            self.found += 1;
        }
    }

    fn finish(mut self) -> Content {
        if self.whole.length == 0 {
            self.content.whole = self.paragraph.finish();
        } else {
            self.keep();
            self.content.whole = self.whole.finish();
        }
        self.content
    }
}

/// What a byte counts as: itself in lower case; 0: it does not count. Beyond ASCII all bytes count.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let this = byte as u8;
        if this.is_ascii_alphanumeric() || !this.is_ascii() {
            table[byte] = this.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

#[inline]
fn folded(byte: u8) -> u8 {
    FOLDED.get(usize::from(byte)).copied().unwrap_or(0)
}

/// The hash of a run, a polynomial in [`BASE`], and its length: from those of two runs follow those of both in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    hash: u64,
    length: usize,
}

/// Bytes that are looked at together.
const STRETCH: usize = 64;

impl Run {
    /// Takes the letters and digits of a text. Where they stand is as good as random, so no branch hangs on it: they are pushed
    /// together first, and hashed then.
    fn extend(&mut self, text: &[u8]) {
        let (mut room, mut kept) = ([0; 2 * STRETCH], 0);
        for stretch in text.chunks(STRETCH) {
            for &byte in stretch {
                let folded = folded(byte);
                if let Some(place) = room.get_mut(kept % (2 * STRETCH)) {
                    *place = folded;
                }
                kept += usize::from(folded != 0);
            }
            let (blocks, rest) = room.get(..kept).unwrap_or(&[]).as_chunks();
            blocks.iter().for_each(|block| self.block(*block));
            self.length += blocks.len() * BYTES;
            let (from, left) = (kept - rest.len(), rest.len());
            room.copy_within(from..from + BYTES, 0);
            kept = left;
        }
        for &byte in room.get(..kept).unwrap_or(&[]) {
            self.hash = self.hash.wrapping_mul(BASE).wrapping_add(u64::from(byte));
        }
        self.length += kept;
    }

    /// Takes a block, in halves that do not wait for each other.
    #[inline]
    fn block(&mut self, block: [u8; BYTES]) {
        let join = |first: u64, second, power| first.wrapping_mul(power).wrapping_add(second);
        let [a, b, c, d, e, f, g, h] = block.map(u64::from);
        let [ab, cd, ef, gh] = [(a, b), (c, d), (e, f), (g, h)].map(|(first, second)| join(first, second, BASE));
        let [start, end] =
            [(ab, cd), (ef, gh)].map(|(first, second)| join(first, second, const { BASE.wrapping_pow(2) }));
        let whole = join(start, end, const { BASE.wrapping_pow(4) });
        self.hash = join(self.hash, whole, const { BASE.wrapping_pow(8) });
    }

    /// Takes another run.
    fn append(&mut self, other: Self) {
        let shift = BASE.wrapping_pow(u32::try_from(other.length).unwrap_or(u32::MAX));
        self.hash = self.hash.wrapping_mul(shift).wrapping_add(other.hash);
        self.length += other.length;
    }

    fn finish(self) -> u64 {
        if self.length < SHORTEST { 0 } else { mix(self.hash ^ (self.length as u64).rotate_right(16)).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "Find the sum of all positive integers n such that n^2 + 12n - 2007 is a perfect square.";

    #[test]
    fn layout_does_not_matter_and_numbers_do() {
        let spaced = QUESTION.replace(' ', "  \n").to_uppercase();
        assert_eq!(Content::of([QUESTION]).whole, Content::of([&*spaced]).whole);
        assert_ne!(Content::of([QUESTION]).whole, Content::of([&*QUESTION.replace("2007", "2008")]).whole);
    }

    /// The polynomial of letters and digits, one after the other.
    fn letter_by_letter(text: &str) -> u64 {
        let mut run = Run::default();
        for byte in text.bytes().map(folded).filter(|byte| *byte != 0) {
            run.hash = run.hash.wrapping_mul(BASE).wrapping_add(u64::from(byte));
            run.length += 1;
        }
        run.finish()
    }

    #[test]
    fn pushed_together_letters_have_the_hash_that_they_have_one_by_one() {
        let text = format!("{QUESTION} — «и так далее», {} 12,000; ", "word ".repeat(30)).repeat(3);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(Content::of([&text[..end]]).whole, letter_by_letter(&text[..end]), "{end}");
        }
    }

    #[test]
    fn a_paragraph_begins_behind_two_line_ends_with_blanks_between() {
        let [first, second] = [QUESTION, "Show everything you thought of on the way, to the very end."];
        let two = [letter_by_letter(first), letter_by_letter(second)];
        for (between, breaks) in [
            ("\n\n", true),
            ("\n \t\r\n  ", true),
            ("!\n\n\n", true),
            ("\n", false),
            (" ", false),
            ("\n- ", false),
            ("\n-\n", false),
            ("\n\n- ", false),
            ("\n-\n\n", true),
        ] {
            let found = Content::of([&*[first, between, second].concat()]);
            assert_eq!(found.paragraphs[..2] == two, breaks, "{between:?}");
            assert_eq!(found.whole, letter_by_letter(&[first, second].concat()));
        }
        assert_eq!(Content::of([first, second]).paragraphs[..2], two);
        // What a piece begins with, where that is no letter, goes on with the paragraph before.
        assert_eq!(Content::of([first, "- and so on"]).paragraphs, [0; PARAGRAPHS]);
    }

    #[test]
    fn a_question_is_found_inside_a_template() {
        let asked = format!(
            "Reason step by step and put the answer in a box, please.\n\n{QUESTION}\n\nShow everything you thought of, to the end."
        );
        assert!(Content::of([&*asked]).all().any(|digest| digest == Content::of([QUESTION]).whole));
    }

    #[test]
    fn paragraphs_do_not_matter_to_the_whole_and_have_digests_of_their_own() {
        let [first, second] = [QUESTION, "Show everything you thought of on the way, to the very end."];
        let (one, two) =
            (Content::of([&*[first, second].concat()]), Content::of([&*[first, "\n \n", second].concat()]));
        assert_eq!((one.whole, one.payload, one.paragraphs), (two.whole, 0, [0; PARAGRAPHS]));
        assert_eq!(Content::of([first, second]), two);
        assert_eq!(two.paragraphs[..3], [Content::of([first]).whole, Content::of([second]).whole, 0]);
        assert_eq!(two.payload, Content::of([first]).whole);
    }

    #[test]
    fn small_talk_has_no_digest() {
        assert_eq!(Content::of(["Hello, how are you?"]).all().count(), 0);
    }
}
