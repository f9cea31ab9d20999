//! Numbers as text without the formatter, which takes several times as long: for what is written with every request.

/// Digits of the largest number.
const MOST: usize = 20;

/// Appends a number, decimal.
pub(crate) fn push(to: &mut String, mut number: u64) {
    let mut digits = [0; MOST];
    let mut first = MOST;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        first -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    push_ascii(to, digits.get(first..).unwrap_or_default());
}

/// Appends a number in thousandths as the shortest decimal that has a fraction: `7.2`, `0.05`, `3.0`.
pub(crate) fn push_thousandths(to: &mut String, thousandths: u32) {
    push(to, u64::from(thousandths / 1_000));
    to.push('.');
    let (mut rest, mut unit) = (thousandths % 1_000, 100);
    loop {
        to.push(char::from(b'0' + (rest / unit) as u8));
        rest %= unit;
        if rest == 0 {
            return;
        }
        unit /= 10;
    }
}

/// Appends a number in 16 hexadecimal digits.
pub(crate) fn push_hex(to: &mut String, number: u64) {
    let mut digits = [0; 16];
    for (digit, place) in digits.iter_mut().rev().zip(0..) {
        let value = (number >> (4 * place)) as u8 & 0xF;
        *digit = if value < 10 { b'0' + value } else { b'a' + value - 10 };
    }
    push_ascii(to, &digits);
}

fn push_ascii(to: &mut String, digits: &[u8]) {
    to.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut String)) -> String {
        let mut text = String::from("=");
        write(&mut text);
        text
    }

    #[test]
    fn numbers_are_written_as_the_formatter_writes_them() {
        for number in [0, 1, 9, 10, 99, 100, 65_535, 1_790_000_000_250, u64::MAX - 1, u64::MAX] {
            assert_eq!(written(|to| push(to, number)), format!("={number}"));
            assert_eq!(written(|to| push_hex(to, number)), format!("={number:016x}"));
        }
    }

    #[test]
    fn thousandths_are_as_short_as_they_can_be_and_have_a_fraction() {
        for (thousandths, text) in [
            (0, "=0.0"),
            (3_000, "=3.0"),
            (7_200, "=7.2"),
            (50, "=0.05"),
            (1_001, "=1.001"),
            (u32::MAX, "=4294967.295"),
        ] {
            assert_eq!(written(|to| push_thousandths(to, thousandths)), text);
        }
    }
}
