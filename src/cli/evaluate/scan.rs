//! Finds where the values of a JSON text begin and end.
//!
//! A scan looks at brackets and quotes only. It finds the end of every value that is JSON. If the text is no JSON, it may
//! return any piece of it: the caller must read each piece strictly, or find it in the cache.

/// A place in a JSON text, moving forward.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The rest of the text, from the next byte that is no white space.
    pub(super) fn rest(&mut self) -> &'a str {
        self.next();
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes over a piece of [`Scan::rest`].
    pub(super) const fn pass(&mut self, length: usize) {
        self.at += length;
    }

    /// Whether nothing but white space follows.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.next().is_none()
    }

    /// Passes over a byte if it is next.
    pub(super) fn eat(&mut self, wanted: u8) -> bool {
        let is_next = self.next() == Some(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes over `null` if it is next.
    pub(super) fn eat_null(&mut self) -> bool {
        let is_next = self.next() == Some(b'n') && self.rest().starts_with("null");
        self.at += if is_next { 4 } else { 0 };
        is_next
    }

    /// The name of a member, which has no escapes, and the colon.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        if !self.eat(b'"') {
            return None;
        }
        let start = self.at;
        let length = self.bytes_from(start).iter().position(|b| *b == b'"')?;
        self.at += length + 1;
        let name = self.text.get(start..start + length)?;
        self.eat(b':').then_some(name)
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        let length = match self.next()? {
            b'"' => 1 + string(self.bytes_from(self.at + 1))?,
            b'{' | b'[' => nested(self.bytes_from(self.at))?,
            _ => {
                let is_end = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                let rest = self.bytes_from(self.at);
                rest.iter().position(is_end).unwrap_or(rest.len())
            }
        };
        let value = self.text.get(self.at..self.at + length)?;
        self.at += length;
        Some(value)
    }

    /// The elements of the array that is next, each read by `element`.
    pub(super) fn array<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut elements = Vec::new();
        if !self.eat(b'[') {
            return None;
        }
        if self.eat(b']') {
            return Some(elements);
        }
        loop {
            elements.push(element(self)?);
            if self.eat(b']') {
                return Some(elements);
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn bytes_from(&self, at: usize) -> &'a [u8] {
        self.text.as_bytes().get(at..).unwrap_or_default()
    }

    /// The next byte that is not white space, not yet passed over.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }
}

/// The length of a string, from behind its opening quote to behind its closing one.
fn string(bytes: &[u8]) -> Option<usize> {
    let mut bytes_left = bytes.iter();
    loop {
        match bytes_left.next()? {
            b'"' => return Some(bytes.len() - bytes_left.len()),
            b'\\' => {
                bytes_left.next()?;
            }
            _ => {}
        }
    }
}

/// The length of an object or array, from its opening bracket on.
fn nested(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = rest.get(string(rest)?..)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(bytes.len() - rest.len());
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends() {
        let values = [
            "{}",
            "[]",
            "\"\"",
            "null",
            "true",
            "-1.5e3",
            r#""a\"b\\""#,
            r#"{"}":["]",{"\\\"":[]}]}"#,
            "[ 1 , [2] ]",
        ];
        for value in values {
            for after in ["", ",", " ,1", "}", "]", "\n"] {
                let text = format!(" \t\r\n{value}{after}");
                let mut scan = Scan::new(&text);
                assert_eq!(scan.value(), Some(value), "{text}");
                assert_eq!(scan.rest(), after.trim_start());
            }
        }
    }

    #[test]
    fn what_does_not_end_is_no_value() {
        for text in ["", " ", "{", "[\"]", "\"", r#""\""#, r#""\"#, r#"{"a":"}"#, "[[]"] {
            assert_eq!(Scan::new(text).value(), None, "{text}");
        }
    }

    #[test]
    fn an_array_is_strict_in_what_stands_between_its_elements() {
        let array = |text| Scan::new(text).array(Scan::value);
        assert_eq!(array(" [ ] "), Some(vec![]));
        assert_eq!(array("[1, {} ,\"]\"]"), Some(vec!["1", "{}", "\"]\""]));
        for text in ["", "1", "{}", "[1", "[1 2]", "[1}", "[{};{}]"] {
            assert_eq!(array(text), None, "{text}");
        }
    }
}
