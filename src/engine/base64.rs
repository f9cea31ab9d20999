//! Base64 (RFC 4648, section 4): of keys and bundles, of credentials, and of the events that Bedrock carries in it. The crate is
//! faster, and 5 KB of the module for every way it is used.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends what `digits` stand for to `out`, up to what is no digit.
pub(crate) fn decode(digits: &[u8], out: &mut Vec<u8>) {
    let value = |digit: &u8| {
        Some(match digit {
            b'A'..=b'Z' => digit.wrapping_sub(b'A'),
            b'a'..=b'z' => digit.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => digit.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let (mut bits, mut count) = (0_u32, 0_u32);
    for value in digits.iter().map_while(value) {
        bits = bits << 6 | u32::from(value);
        count = count.saturating_add(6);
        if count >= 8 {
            count = count.saturating_sub(8);
            out.push((bits >> count) as u8);
        }
    }
}

/// What a text stands for, if it is its only spelling.
pub(crate) fn exact(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    decode(text.as_bytes(), &mut bytes);
    (encode(&bytes) == text).then_some(bytes)
}

/// The digits that stand for `bytes`, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << 8_usize.saturating_mul(3_usize.saturating_sub(group.len()));
        for place in 0..4_usize {
            let digit = DIGITS.get((bits >> 6_usize.saturating_mul(3_usize.saturating_sub(place)) & 63) as usize);
            out.push(char::from(if place > group.len() { b'=' } else { digit.copied().unwrap_or(b'=') }));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::prelude::{BASE64_STANDARD, Engine as _};

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (text, digits) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(text.as_bytes()), digits);
            assert_eq!(exact(digits).as_deref(), Some(text.as_bytes()));
        }
    }

    #[test]
    fn all_bytes_are_what_the_crate_makes_of_them() {
        let bytes: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
        for length in 0..bytes.len() {
            let (bytes, mut back) = (&bytes[..length], Vec::new());
            let digits = encode(bytes);
            assert_eq!(digits, BASE64_STANDARD.encode(bytes));
            decode(digits.as_bytes(), &mut back);
            assert_eq!(back, bytes);
        }
    }

    #[test]
    fn another_spelling_is_not_exact() {
        for text in ["Zg", "Zg=", "Zh==", "Zg== ", "Z-8=", "Zm9v=", "="] {
            assert_eq!((exact(text), BASE64_STANDARD.decode(text).ok()), (None, None), "{text}");
        }
    }
}
