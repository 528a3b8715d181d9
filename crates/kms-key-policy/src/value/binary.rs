//! Binary values in base64.

/// Whether both texts are base64 and stand for the same bytes.
pub(crate) fn same_bytes(one: &str, other: &str) -> bool {
    match (sextets(one), sextets(other)) {
        (Some(one), Some(other)) => one.eq(other),
        _ => false,
    }
}

/// Whether a text is base64 with its padding.
pub(crate) fn is_base64(text: &str) -> bool {
    sextets(text).is_some()
}

/// The six-bit values of a base64 text. The bits beyond the last whole byte are cleared.
fn sextets(text: &str) -> Option<impl Iterator<Item = u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let sound = text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(|b| sextet(b).is_some());
    let spare = match padding {
        1 => 0b11,
        2 => 0b1111,
        _ => 0,
    };
    let last = digits.len().saturating_sub(1);
    sound.then(|| {
        digits.bytes().enumerate().map(move |(at, b)| {
            let bits = sextet(b).unwrap_or_default();
            if at == last { bits & !spare } else { bits }
        })
    })
}

const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
