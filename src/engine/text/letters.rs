//! What a character is to a word: Unicode's ranges.

/// What a character can be to a word.
pub(crate) enum Class {
    /// Part of a word, folded.
    Letter(char),
    /// A word of its own.
    Whole,
    /// Not there (zero-width).
    Nothing,
    /// Ends a word.
    Separator,
}

/// What a character beyond ASCII is to a word.
pub(crate) fn class(character: char) -> Class {
    match u32::from(character) {
        // Soft hyphen, marks that are drawn over a letter, fillers, directions, joiners, variation selectors, tags.
        0x00ad
        | 0x0300..=0x036f
        | 0x061c
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5
        | 0x180b..=0x180e
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x206f
        | 0x3164
        | 0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xe_0000..=0xe_0fff => Class::Nothing,
        // Dashes, typographic quotes, ellipses: known before the table of all scripts is asked.
        0x2010..=0x2027 | 0x2030..=0x205e => Class::Separator,
        // Latin letters drawn otherwise: full-width, in circles, in the styles of mathematics, in squares.
        code @ (0xff21..=0xff3a | 0xff41..=0xff5a) => latin((code & 0x1f) - 1),
        code @ 0x24b6..=0x24e9 => latin(code - 0x24b6),
        code @ 0x1_d400..=0x1_d6a3 => latin(code - 0x1_d400),
        code @ (0x1_f130..=0x1_f149 | 0x1_f150..=0x1_f169 | 0x1_f170..=0x1_f189) => latin((code - 0x1_f130) & 0x1f),
        0x0e00..=0x0e7f
        | 0x3040..=0x30ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xac00..=0xd7af
        | 0x2_0000..=0x3_ffff => Class::Whole,
        _ if character.is_alphanumeric() => Class::Letter(lower(homoglyph(character))),
        _ => Class::Separator,
    }
}

/// The `n`-th letter of the alphabet, which is repeated.
fn latin(n: u32) -> Class {
    Class::Letter(char::from_u32(u32::from('a') + n % 26).unwrap_or('a'))
}

/// The Latin letter that a Cyrillic or Greek one is drawn as. Folding a whole Russian text this way is harmless: it
/// folds the same each time.
fn homoglyph(character: char) -> char {
    match character {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'е' | 'Е' | 'ё' | 'Ё' | 'Ε' => 'e',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'с' | 'С' => 'c',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'Υ' => 'y',
        'і' | 'І' | 'ι' | 'Ι' => 'i',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' => 'm',
        'Т' | 'т' | 'Τ' => 't',
        'Н' | 'н' | 'Η' => 'h',
        'В' | 'в' | 'Β' => 'b',
        'ѕ' | 'Ѕ' => 's',
        'ј' | 'Ј' => 'j',
        other => other,
    }
}

/// A letter in lower case: of the scripts of living languages that have cases, by rules that are short beside the table of
/// all scripts (12 KB in the module). Any other character is left as it is, which folds the same each time.
#[must_use]
pub fn lower(character: char) -> char {
    let code = u32::from(character);
    let folded = match code {
        0x41..=0x5A | 0xC0..=0xD6 | 0xD8..=0xDE | 0x391..=0x3A1 | 0x3A3..=0x3AB | 0x410..=0x42F => code + 0x20,
        0x130 => 0x69,
        // Pairs of which the even one is the capital.
        0x100..=0x137
        | 0x14A..=0x177
        | 0x198
        | 0x1A0..=0x1A5
        | 0x1DE..=0x1EF
        | 0x1F8..=0x21F
        | 0x222..=0x233
        | 0x246..=0x24F
        | 0x370..=0x373
        | 0x3D8..=0x3EF
        | 0x460..=0x481
        | 0x48A..=0x4BF
        | 0x4D0..=0x52F
        | 0x1E00..=0x1E95
        | 0x1EA0..=0x1EFF => code | 1,
        // Pairs of which the odd one is.
        0x139..=0x148 | 0x179..=0x17E | 0x1AF..=0x1B0 | 0x1B3 | 0x1CD..=0x1DC | 0x4C1..=0x4CE => (code + 1) & !1,
        0x178 => 0xFF,
        0x181 => 0x253,
        0x18A => 0x257,
        0x18F => 0x259,
        0x386 => 0x3AC,
        0x388..=0x38A => code + 0x25,
        0x38C => 0x3CC,
        0x38E..=0x38F => code + 0x3F,
        0x400..=0x40F => code + 0x50,
        0x4C0 => 0x4CF,
        0x531..=0x556 => code + 0x30,
        0x1E9E => 0xDF,
        _ => code,
    };
    char::from_u32(folded).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_folded_as_unicode_has_it_where_languages_have_cases() {
        let blocks =
            [0..0x181_u32, 0x1A0..0x1A6, 0x1CD..0x1F0, 0x1F8..0x220, 0x386..0x3CF, 0x400..0x590, 0x1E00..0x1F00];
        for character in blocks.into_iter().flatten().filter_map(char::from_u32) {
            assert_eq!(Some(lower(character)), character.to_lowercase().next(), "{character:?}");
        }
        for character in "ƏƁƊƘƳƯəɓɗƙƴưßა字".chars() {
            assert_eq!(Some(lower(character)), character.to_lowercase().next(), "{character:?}");
        }
    }
}
