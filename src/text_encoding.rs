//! Texts as programs write them: in UTF-8 or UTF-16, with a byte order mark or without. Pure.
//!
//! `>` of Windows PowerShell writes UTF-16 with a mark, and editors of Windows write UTF-8 with one.

use thiserror::Error;

/// The mark that may stand before a text in UTF-8.
const UTF_8_MARK: &[u8] = "\u{feff}".as_bytes();

/// How the characters of a text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    /// UTF-8.
    Utf8,
    /// UTF-16 with the less significant byte of each unit first.
    Utf16LittleEndian,
    /// UTF-16 with the more significant byte of each unit first.
    Utf16BigEndian,
    /// UTF-32, which nothing here reads.
    Utf32,
}

/// Why bytes are no text.
#[cfg_attr(
    not(feature = "cli"),
    expect(unreachable_pub, reason = "only an error of the command line shows it")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// A byte that is no part of a text in UTF-8.
    #[error("byte 0x{byte:02X} at position {at} is not UTF-8; save it as UTF-8")]
    Utf8 {
        /// The byte.
        byte: u8,
        /// Its position, from 0.
        at: usize,
    },
    /// The end is in the middle of a character.
    #[error("it ends in the middle of a character; save it as UTF-8")]
    CutOff,
    /// A unit of UTF-16 that is half a character, without the other half.
    #[error("the UTF-16 at position {at} is half a character; save it as UTF-8")]
    Utf16 {
        /// The position of the unit's first byte, from 0.
        at: usize,
    },
    /// UTF-32.
    #[error("it is UTF-32; save it as UTF-8")]
    Utf32,
}

impl TextEncoding {
    /// The encoding of a text that begins with these bytes, at least four if it has as many, and the length of the mark
    /// before it. Without a mark, a NUL tells UTF-16 from UTF-8, because the first character of JSON and of a list is
    /// ASCII and not NUL.
    pub(crate) fn of_start(start: &[u8]) -> (Self, usize) {
        match start {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => {
                (Self::Utf32, 0)
            }
            [0xff, 0xfe, ..] => (Self::Utf16LittleEndian, 2),
            [0xfe, 0xff, ..] => (Self::Utf16BigEndian, 2),
            [1..=0xff, 0, ..] => (Self::Utf16LittleEndian, 0),
            [0, 1..=0xff, ..] => (Self::Utf16BigEndian, 0),
            _ if start.starts_with(UTF_8_MARK) => (Self::Utf8, UTF_8_MARK.len()),
            _ => (Self::Utf8, 0),
        }
    }

    /// The unit of UTF-16 that two bytes stand for; `None` in another encoding.
    pub(crate) fn unit(self, bytes: [u8; 2]) -> Option<u16> {
        match self {
            Self::Utf16LittleEndian => Some(u16::from_le_bytes(bytes)),
            Self::Utf16BigEndian => Some(u16::from_be_bytes(bytes)),
            Self::Utf8 | Self::Utf32 => None,
        }
    }
}

/// The text that bytes stand for, without the byte order mark.
///
/// # Errors
/// If the bytes are no text in UTF-8 or UTF-16.
pub(crate) fn decode(mut bytes: Vec<u8>) -> Result<String, EncodingError> {
    let (encoding, mark) = TextEncoding::of_start(&bytes);
    match encoding {
        TextEncoding::Utf32 => Err(EncodingError::Utf32),
        TextEncoding::Utf8 => {
            bytes.drain(..mark);
            String::from_utf8(bytes).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                match (error.utf8_error().error_len(), error.as_bytes().get(at)) {
                    (Some(_), Some(byte)) => EncodingError::Utf8 { byte: *byte, at: mark + at },
                    _ => EncodingError::CutOff,
                }
            })
        }
        TextEncoding::Utf16LittleEndian | TextEncoding::Utf16BigEndian => {
            let (pairs, rest) = bytes.get(mark..).unwrap_or_default().as_chunks::<2>();
            let mut text = String::with_capacity(pairs.len());
            let mut units = 0;
            for character in char::decode_utf16(pairs.iter().filter_map(|pair| encoding.unit(*pair))) {
                let character = character.map_err(|_| EncodingError::Utf16 { at: mark + 2 * units })?;
                units += character.len_utf16();
                text.push(character);
            }
            if rest.is_empty() { Ok(text) } else { Err(EncodingError::CutOff) }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LITTLE: [u8; 2] = [0xff, 0xfe];
    const BIG: [u8; 2] = [0xfe, 0xff];

    fn utf_16(text: &str, mark: &[u8], to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
    }

    fn ways(text: &str) -> Vec<Vec<u8>> {
        vec![
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            utf_16(text, &LITTLE, u16::to_le_bytes),
            utf_16(text, &BIG, u16::to_be_bytes),
            utf_16(text, &[], u16::to_le_bytes),
            utf_16(text, &[], u16::to_be_bytes),
        ]
    }

    #[test]
    fn a_short_text_is_read_in_every_encoding() {
        for text in ["{}", "[]\r\n", "1", "{\"Sid\":\"Zugriff für Ännchen 鍵 𝄞\"}"] {
            for bytes in ways(text) {
                assert_eq!(decode(bytes.clone()).as_deref(), Ok(text), "{bytes:x?}");
            }
        }
        for bytes in [vec![], b"\xef\xbb\xbf".to_vec(), LITTLE.to_vec(), BIG.to_vec()] {
            assert_eq!(decode(bytes).as_deref(), Ok(""));
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let half = utf_16("{}", &LITTLE, u16::to_le_bytes).into_iter().chain([0x00, 0xd8]).collect();
        let odd = utf_16("{}", &BIG, u16::to_be_bytes).into_iter().chain([7]).collect();
        let utf_32: Vec<u8> = "{}".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let marked = [0xff, 0xfe, 0, 0].into_iter().chain(utf_32.clone()).collect();
        for (bytes, error) in [
            (b"a\xe4b".to_vec(), EncodingError::Utf8 { byte: 0xe4, at: 1 }),
            (b"\xef\xbb\xbfa\xff".to_vec(), EncodingError::Utf8 { byte: 0xff, at: 4 }),
            (b"ab\xc3".to_vec(), EncodingError::CutOff),
            (b"\xef\xbb".to_vec(), EncodingError::CutOff),
            (half, EncodingError::Utf16 { at: 6 }),
            (odd, EncodingError::CutOff),
            (utf_32, EncodingError::Utf32),
            (marked, EncodingError::Utf32),
        ] {
            assert_eq!(decode(bytes), Err(error));
        }
    }

    proptest! {
        #[test]
        fn every_encoding_of_a_text_is_the_same_text(rest in any::<String>()) {
            let text = format!("{{{rest}");
            // Without a mark, a NUL at the beginning would be the sign of UTF-16.
            prop_assume!(!rest.starts_with('\0'));
            for bytes in ways(&text) {
                prop_assert_eq!(decode(bytes), Ok(text.clone()));
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = decode(bytes);
        }
    }
}
