//! Numbers, as thousandths: no floating point, nothing overflows.

use super::{Reader, Token};

/// Digits kept of a mantissa; more would not fit 64 bits and change no thousandth that matters.
const DIGITS: u32 = 18;

impl Reader<'_> {
    /// Takes a number × 1000, rounded towards zero and saturated; also one in quotes, as protobuf's JSON allows.
    /// `None` where the value is no number; a word that is none (`NaN`) is taken.
    pub fn thousandths(&mut self) -> Option<i64> {
        match self.peek() {
            Token::Number => parse(self.word()?),
            Token::String => parse(self.short()?.as_bytes()),
            _ => None,
        }
    }

    /// Takes a whole number of 0 or more, saturated; what stands after the point is dropped, below 0 is 0.
    pub fn count(&mut self) -> Option<u64> {
        self.thousandths().map(|value| u64::try_from(value / 1000).unwrap_or(0))
    }
}

/// Reads JSON's number grammar, and a leading `+` or missing digits, into thousandths.
fn parse(text: &[u8]) -> Option<i64> {
    let (text, negative) = match text {
        [b'-', rest @ ..] => (rest, true),
        [b'+', rest @ ..] => (rest, false),
        all => (all, false),
    };
    let (mut mantissa, mut exponent, mut kept) = (0i64, 0i32, 0u32);
    let (mut point, mut any) = (false, false);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if kept < DIGITS {
                    mantissa = mantissa.saturating_mul(10).saturating_add(i64::from(byte.wrapping_sub(b'0')));
                    kept = kept.saturating_add(u32::from(mantissa != 0));
                    exponent = exponent.saturating_sub(i32::from(point));
                } else {
                    exponent = exponent.saturating_add(i32::from(!point));
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if any => {
                exponent = exponent.saturating_add(power(bytes.as_slice())?);
                break;
            }
            _ => return None,
        }
    }
    any.then(|| scale(if negative { mantissa.saturating_neg() } else { mantissa }, exponent.saturating_add(3)))
}

/// The signed number after `e`, saturated.
fn power(text: &[u8]) -> Option<i32> {
    let (digits, sign) = match text {
        [b'-', rest @ ..] => (rest, -1),
        [b'+', rest @ ..] => (rest, 1),
        all => (all, 1),
    };
    if digits.is_empty() {
        return None;
    }
    let size = digits.iter().try_fold(0i32, |value, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(value.saturating_mul(10).saturating_add(i32::try_from(digit).ok()?))
    })?;
    // Far inside the range, so that the sums above cannot meet its ends.
    Some(size.min(1_000_000).saturating_mul(sign))
}

/// `mantissa` × 10^`exponent`, rounded towards zero and saturated.
fn scale(mut mantissa: i64, exponent: i32) -> i64 {
    // 20 steps bring any value to 0 or to an end of the range.
    for _ in 0..exponent.unsigned_abs().min(20) {
        mantissa = if exponent > 0 { mantissa.saturating_mul(10) } else { mantissa / 10 };
    }
    mantissa
}
