//! An input in UTF-8 or UTF-16, read as UTF-8 while it comes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use crate::text_encoding::TextEncoding;

/// The bytes that tell an encoding.
const START: usize = 4;
/// Stands for what is no character: it is no part of a text in UTF-8, so whoever reads the text finds it there.
const NO_CHARACTER: u8 = 0xff;

/// The same text in UTF-8 and without a byte order mark. An input that is no text in UTF-16 stays as it is behind its mark.
pub(super) fn in_utf_8<'a>(mut input: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut start = Vec::new();
    while start.len() < START {
        let ready = match input.fill_buf() {
            Ok(ready) => ready,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let taken = ready.len().min(START - start.len());
        if taken == 0 {
            break;
        }
        start.extend(ready.iter().take(taken));
        input.consume(taken);
    }
    let (encoding, mark) = TextEncoding::of_start(&start);
    start.drain(..mark);
    let input = Cursor::new(start).chain(input);
    Ok(match encoding {
        TextEncoding::Utf8 | TextEncoding::Utf32 => Box::new(input),
        TextEncoding::Utf16LittleEndian | TextEncoding::Utf16BigEndian => {
            Box::new(BufReader::new(Utf16Reader::new(input, encoding)))
        }
    })
}

/// Reads UTF-16 as UTF-8.
struct Utf16Reader<R> {
    input: R,
    encoding: TextEncoding,
    /// The first byte of a unit whose second one is not read yet.
    half_unit: Option<u8>,
    /// The first unit of a character whose second one is not read yet.
    half_character: Option<u16>,
    /// What is read and not yet taken.
    ready: Cursor<Vec<u8>>,
}

impl<R: BufRead> Utf16Reader<R> {
    fn new(input: R, encoding: TextEncoding) -> Self {
        Self { input, encoding, half_unit: None, half_character: None, ready: Cursor::default() }
    }

    /// Reads what the input has ready. Nothing is ready then only if the input has ended or has half a character.
    fn advance(&mut self) -> io::Result<bool> {
        let bytes = self.input.fill_buf()?.to_vec();
        self.input.consume(bytes.len());
        let mut text = Vec::with_capacity(bytes.len());
        for byte in &bytes {
            match self.half_unit.take() {
                None => self.half_unit = Some(*byte),
                Some(first) => {
                    let unit = self.encoding.unit([first, *byte]).unwrap_or_default();
                    self.push(unit, &mut text);
                }
            }
        }
        let is_at_end = bytes.is_empty();
        if is_at_end && (self.half_unit.take().is_some() | self.half_character.take().is_some()) {
            text.push(NO_CHARACTER);
        }
        self.ready = Cursor::new(text);
        Ok(is_at_end)
    }

    fn push(&mut self, unit: u16, text: &mut Vec<u8>) {
        let is_second = (0xdc00..0xe000).contains(&unit);
        let first = self.half_character.take();
        if first.is_some() && !is_second {
            text.push(NO_CHARACTER);
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.half_character = Some(unit);
            return;
        }
        let units = first.filter(|_| is_second).into_iter().chain([unit]);
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) => text.extend(character.encode_utf8(&mut [0; 4]).bytes()),
                Err(_) => text.push(NO_CHARACTER),
            }
        }
    }
}

impl<R: BufRead> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let is_at_end = self.advance()?;
            if is_at_end && self.ready.get_ref().is_empty() {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], size: usize) -> Vec<u8> {
        let mut text = Vec::new();
        let input = BufReader::with_capacity(size, bytes);
        in_utf_8(input).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    fn utf_16(text: &str, mark: &[u8], to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(to_bytes)).collect()
    }

    #[test]
    fn utf_16_is_read_as_utf_8_however_it_is_cut() {
        let text = "{\"a\":\"鍵 𝄞 ä\"}\r\n".repeat(50);
        for size in [1, 2, 3, 5, 64, 1 << 16] {
            for bytes in [
                utf_16(&text, &[0xff, 0xfe], u16::to_le_bytes),
                utf_16(&text, &[0xfe, 0xff], u16::to_be_bytes),
                utf_16(&text, &[], u16::to_le_bytes),
                utf_16(&text, &[], u16::to_be_bytes),
            ] {
                assert_eq!(String::from_utf8(read(&bytes, size)).unwrap(), text, "by {size}");
            }
        }
    }

    #[test]
    fn other_inputs_stay_as_they_are_behind_their_mark() {
        for bytes in [&b""[..], b"{", b"{}\n", b"\xef\xbb", b"{\xff}", "ä鍵".as_bytes()] {
            for size in [1, 3, 100] {
                assert_eq!(read(bytes, size), bytes);
                // Of two marks one is the text's own.
                for mark in ["\u{feff}", "\u{feff}\u{feff}"].map(str::as_bytes) {
                    let rest = [&mark[3..], bytes].concat();
                    assert_eq!(read(&[mark, bytes].concat(), size), rest);
                }
            }
        }
    }

    #[test]
    fn what_is_no_character_stays_in_its_place() {
        let units = [0x7b, 0xd800, 0x7d, 0xdc00, 0x0a, 0xd834];
        let bytes: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(units.into_iter().flat_map(u16::to_le_bytes)).collect();
        for size in [1, 2, 7, 100] {
            assert_eq!(read(&bytes, size), b"{\xff}\xff\n\xff", "by {size}");
            assert_eq!(read(b"\xfe\xff\0{\0", size), b"{\xff");
        }
    }
}
