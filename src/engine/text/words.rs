//! Text → masked words: what a template keeps when its payload changes.
//!
//! A word is a run of letters, folded to lower case; a character of a script without spaces (Han, kana, Hangul, Thai)
//! is a word of its own. Masked, each to one fixed word: numbers, and tokens too long to be words (keys, hashes, base64).
//! Zero-width characters vanish and full-width forms fold, so that neither hides a template. Quotations and code are read as all
//! else: were they masked, three back ticks before a prompt would hide it. Kept: the words and their order. Lost: case,
//! punctuation, white space, and what was masked.

use crate::blocks::{self, Next, Window};
use crate::letters::{Class, class};

/// A hashed, masked word. Not keyed: it never leaves the engine; what leaves is keyed afterwards.
pub type Word = u64;

/// Any number.
pub const NUMBER: Word = 0x9e37_79b9_7f4a_7c15;
/// A token longer than [`LONGEST_WORD`].
pub const LONG: Word = 0x27d4_eb2f_1656_67c5;

/// Letters above which a run of them is no word of any language (German compounds stay below).
const LONGEST_WORD: usize = 48;

const SEED: u64 = 0x51_7c_c1_b7_27_22_0a_95;

/// One step of the word hash (FxHash's rotate-xor-multiply: a word is short and the hash is not exposed), by a block of letters.
#[inline]
fn step(hash: u64, block: u64) -> u64 {
    (hash.rotate_left(5) ^ block).wrapping_mul(SEED)
}

/// A block with one letter more: at its end, as [`blocks::aligned`] has them.
#[inline]
fn follow(block: u64, letter: u32) -> u64 {
    (block ^ u64::from(letter)).rotate_right(8)
}

/// The word whose letters have this hash: every bit of it hangs on all of them, so that whoever wants fewer bits, or those of several
/// words, need not mix again. 0 for none.
#[inline]
fn finish(hash: u64) -> Word {
    let folded = (hash ^ (hash >> 32)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    folded ^ (folded >> 32)
}

/// Mixes a hash so that all its bits depend on all its input (the finaliser of MurmurHash3, public domain).
#[inline]
#[must_use]
pub fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The masked words of a text, in order.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    /// The words of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The byte at which reading goes on.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next words, as many as there is room for; how many. Goes through what most of any text is, words of ASCII letters, a
    /// window at once: no branch hangs on how long a word is. Goes through the rest as [`Words::next`] does.
    pub fn fill(&mut self, room: &mut [Word]) -> usize {
        let bytes = self.text.as_bytes();
        let (mut window, mut count) = (Window::at(bytes, self.at), 0);
        while let Some(place) = room.get_mut(count) {
            match window.as_ref().map_or(Next::Other(self.at), |window| window.next(self.at)) {
                Next::Letters { start, block, count: letters } => {
                    let end = start + letters;
                    // It goes on in other letters, or is long: it is read again.
                    let plain = letters <= LONGEST_WORD && bytes.get(end).is_some_and(u8::is_ascii);
                    if plain {
                        let mut hash = step(0, blocks::aligned(blocks::lower(block), letters.min(blocks::BYTES)));
                        if letters > blocks::BYTES {
                            hash = go_on(hash, bytes.get(start + blocks::BYTES..end).unwrap_or(&[]));
                        }
                        *place = finish(hash);
                        count += 1;
                        self.at = end;
                        continue;
                    }
                    self.at = start;
                }
                Next::Over(at) => {
                    self.at = at;
                    window = Window::at(bytes, at);
                    continue;
                }
                Next::Other(at) => self.at = at,
            }
            let Some(word) = self.next() else { break };
            *place = word;
            count += 1;
        }
        count
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(&[])
    }

    fn number(&mut self) -> Word {
        let run = self.rest().iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')).count();
        self.at += run.max(1);
        NUMBER
    }

    fn word(&mut self) -> Option<Word> {
        let (mut letters, start) = (Letters::default(), self.at);
        loop {
            let rest = self.rest();
            let count = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            rest.iter().take(count).for_each(|letter| letters.push(char::from(letter | 0x20)));
            self.at += count;
            if rest.get(count).is_none_or(u8::is_ascii) {
                break;
            }
            let Some(character) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else { break };
            match class(character) {
                Class::Letter(folded) => {
                    letters.push(folded);
                    self.at += character.len_utf8();
                }
                Class::Nothing => self.at += character.len_utf8(),
                Class::Whole => {
                    if self.at == start {
                        self.at += character.len_utf8();
                        return Some(mix(u64::from(u32::from(character))));
                    }
                    break;
                }
                Class::Separator => {
                    if self.at == start {
                        self.at += character.len_utf8();
                        return None;
                    }
                    break;
                }
            }
        }
        letters.finish()
    }
}

/// The letters of a word, one by one, in the blocks that [`Words::fill`] reads.
#[derive(Default)]
struct Letters {
    hash: u64,
    block: u64,
    /// By letters, not bytes: a word drawn otherwise takes several times as many.
    count: usize,
}

impl Letters {
    fn push(&mut self, letter: char) {
        self.block = follow(self.block, u32::from(letter));
        self.count += 1;
        if self.count.is_multiple_of(blocks::BYTES) {
            self.hash = step(self.hash, std::mem::take(&mut self.block));
        }
    }

    fn finish(self) -> Option<Word> {
        match self.count {
            0 => None,
            n if n > LONGEST_WORD => Some(LONG),
            n if n.is_multiple_of(blocks::BYTES) => Some(finish(self.hash)),
            _ => Some(finish(step(self.hash, self.block))),
        }
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            let word = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
                b'0'..=b'9' => Some(self.number()),
                _ => None,
            };
            match word {
                Some(word) => return Some(word),
                None if byte.is_ascii() && !byte.is_ascii_alphanumeric() => self.at += 1,
                None => {}
            }
        }
    }
}

/// Goes on with the hash of a word whose first block is taken, by the letters behind it.
#[inline(never)]
fn go_on(hash: u64, letters: &[u8]) -> u64 {
    let (blocks, rest) = letters.as_chunks();
    let hash = blocks.iter().fold(hash, |hash, block| step(hash, blocks::lower(u64::from_le_bytes(*block))));
    let last = rest.iter().fold(0, |block, letter| follow(block, u32::from(letter | 0x20)));
    if rest.is_empty() { hash } else { step(hash, last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let one_by_one: Vec<_> = Words::new(text).collect();
        for size in [1, 3, 64] {
            let (mut room, mut words, mut filled) = (vec![0; size], Words::new(text), Vec::new());
            while let count @ 1.. = words.fill(&mut room) {
                filled.extend_from_slice(&room[..count]);
            }
            assert_eq!(filled, one_by_one, "{text:?}");
        }
        one_by_one
    }

    #[test]
    fn case_punctuation_and_white_space_do_not_matter() {
        assert_eq!(words("Solve, step by step:\n the TASK"), words("solve step -- by step the task"));
    }

    #[test]
    fn numbers_and_keys_are_masked() {
        assert_eq!(words("add 12.5 and 3"), words("add 7 and 99,000"));
        let (a, b) = ("a".repeat(60), "b".repeat(70));
        assert_eq!(words(&format!("key {a} end")), words(&format!("key {b} end")));
    }

    #[test]
    fn neither_quotation_marks_nor_fences_hide_a_word() {
        let template = "Think step by step and write all of your reasoning down before the answer";
        for (open, close) in [("```", ""), ("```\n", "\n```"), ("\"", "\""), ("`", "`"), ("~~~", "~~~")] {
            assert_eq!(words(&format!("{open}{template}{close}")), words(template), "{open}");
        }
    }

    #[test]
    fn zero_width_and_homoglyphs_do_not_hide_a_word() {
        assert_eq!(words("rea\u{200b}soning"), words("reasoning"));
        assert_eq!(words("rеasоning"), words("reasoning"));
        assert_eq!(words("\u{ff32}eason \u{ff5a}"), words("reason z"));
        assert_eq!(words("r\u{336}e\u{301}ason \u{e0041}\u{3164}"), words("reason"));
        assert_eq!(words("𝐓𝒉𝓲𝔫𝕜 𝖠𝗹𝘰𝙪𝚍 Ⓐⓩ 🄰🅑🆉"), words("think aloud az abz"));
        let marked: String = "instructions".chars().flat_map(|c| [c, '\u{336}', '\u{335}']).collect();
        assert_eq!(words(&marked), words("instructions"));
    }

    #[test]
    fn scripts_without_spaces_give_a_word_a_character() {
        assert_eq!(words("请一步一步").len(), 5);
        assert_eq!(words("日本 go").len(), 3);
    }

    #[test]
    fn a_window_at_once_and_byte_by_byte_words_are_the_same() {
        let parts = [
            "plain words of letters, and",
            "12,000.5",
            "\"a quotation of some words, long enough\"",
            "\"short\"",
            "```code```",
            "`",
            "don’t",
            "naïve",
            "ре\u{301}asoning",
            "请一步",
            "InternationalisationsAndMore",
            "\n\n- ",
            "x^2",
            "…",
            "  ",
        ];
        let long = ["a".repeat(47), "b".repeat(48), "c".repeat(49), "d".repeat(200)];
        let parts: Vec<&str> = parts.into_iter().chain(long.iter().map(String::as_str)).collect();
        // Every part behind every other, at every place of a window.
        for (first, second) in parts.iter().flat_map(|first| parts.iter().map(move |second| (first, second))) {
            for place in 0..70 {
                words(&format!(
                    "{}{first}{second} {first} and so on, until the window is full of words to read",
                    "z ".repeat(place)
                ));
            }
        }
    }

    #[test]
    fn every_text_ends() {
        for text in ["", "`", "``", "```", "\"", "é", "\u{200b}", "…—", "a`b\"c", "``` unclosed"] {
            assert!(words(text).len() <= text.len());
        }
    }
}
