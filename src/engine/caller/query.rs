//! A parameter of a request target's query.

/// The first value of a parameter that is not empty, percent-decoded: a key spelled in another way is the same key.
pub(super) fn parameter(path: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let target = path.split(|byte| *byte == b'#').next()?;
    let query = target.splitn(2, |byte| *byte == b'?').nth(1)?;
    query.split(|byte| *byte == b'&').find_map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (found, value) = (halves.next()?, halves.next()?);
        (!value.is_empty() && decoded(found) == name).then(|| decoded(value))
    })
}

fn decoded(mut text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        let escaped = if *first == b'%' { hexadecimal(rest) } else { None };
        let (byte, rest) = escaped.unwrap_or((*first, rest));
        bytes.push(byte);
        text = rest;
    }
    bytes
}

/// The byte of two hexadecimal digits, and what follows them.
fn hexadecimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    Some((u8::try_from(high? * 16 + low?).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_found_among_others_and_however_it_is_escaped() {
        for path in ["/m:generateContent?key=AIza-1", "/m?alt=sse&key=AIza-1#key=2", "/m?key=&%6bey=%41Iza%2D1&key=2"] {
            assert_eq!(parameter(path.as_bytes(), b"key").as_deref(), Some(&b"AIza-1"[..]), "{path}");
        }
    }

    #[test]
    fn other_parameters_and_broken_escapes_are_no_key() {
        for path in ["/m", "/m?", "/m?monkey=1", "/m?key", "/key=1", "/m#?key=1", ""] {
            assert_eq!(parameter(path.as_bytes(), b"key"), None, "{path}");
        }
        assert_eq!(parameter(b"/m?key=%4&key=1", b"key").as_deref(), Some(&b"%4"[..]));
        assert_eq!(parameter(b"/m?key=\xff%zz%", b"key").as_deref(), Some(&b"\xff%zz%"[..]));
    }
}
