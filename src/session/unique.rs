//! Content that differs from every earlier version and has the same meaning.
//!
//! UpdateDocument refuses duplicate content. AWS does not document whether it compares with the latest version or with
//! all of them, by bytes or by meaning. Going back to an earlier key must still work: first with different white space
//! at the end, and, if AWS refuses that too, with a mark in the description. Both contain the number of the version to
//! come, which makes them unique.

use serde_json::Value;

use super::content::{Content, DocumentFormat};

const MARK: &str = " [session-kms version ";

/// The content with the number of the version to come at its end, written in white space.
///
/// YAML content stays as it is: it may end in a block scalar, which the white space would change.
#[must_use]
pub fn padded(content: &Content, version: u64) -> Content {
    if content.format() == DocumentFormat::Yaml {
        return content.clone();
    }
    let mut text = content.text().trim_end().to_owned();
    let mut rest = version;
    loop {
        text.push(match rest % 3 {
            0 => '\n',
            1 => ' ',
            _ => '\t',
        });
        rest /= 3;
        if rest == 0 {
            return content.with_text(text);
        }
    }
}

/// The content with the number of the version to come in its description.
///
/// `None` if the description is not text, or cannot be edited in place.
#[must_use]
pub fn marked(content: &Content, version: u64) -> Option<Content> {
    let description = match content.description() {
        None => String::new(),
        Some(Value::String(text)) => without_mark(&text).to_owned(),
        Some(_) => return None,
    };
    content.with_description(&format!("{description}{MARK}{version}]"))
}

/// The content without the mark of an earlier version.
#[must_use]
pub fn unmarked(content: &Content) -> Content {
    match content.description() {
        Some(Value::String(text)) if without_mark(&text) != text => {
            content.with_description(without_mark(&text)).unwrap_or_else(|| content.clone())
        }
        _ => content.clone(),
    }
}

fn without_mark(description: &str) -> &str {
    match description.rsplit_once(MARK) {
        Some((before, rest))
            if rest.strip_suffix(']').is_some_and(|number| number.parse::<u64>().is_ok()) =>
        {
            before
        }
        _ => description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Content {
        Content::new(text.to_owned(), DocumentFormat::Json)
    }

    #[test]
    fn padding_is_unique_for_each_version_and_changes_no_meaning() {
        let base = content("{\"schemaVersion\":\"1.0\"}\n\n");
        let mut seen = std::collections::HashSet::new();
        for version in 1..2000 {
            let padded = padded(&base, version);
            assert_eq!(padded.text().trim_end(), "{\"schemaVersion\":\"1.0\"}");
            assert!(seen.insert(padded.text().to_owned()), "version {version}");
        }
    }

    #[test]
    fn a_mark_is_added_replaced_and_removed() {
        let base = content(r#"{"schemaVersion":"1.0","description":"Ours"}"#);
        let first = marked(&base, 7).unwrap();
        assert_eq!(first.text(), r#"{"schemaVersion":"1.0","description":"Ours [session-kms version 7]"}"#);
        let second = marked(&first, 12).unwrap();
        assert_eq!(second.text(), r#"{"schemaVersion":"1.0","description":"Ours [session-kms version 12]"}"#);
        assert_eq!(unmarked(&second), base);
        assert_eq!(unmarked(&base), base);
    }

    #[test]
    fn a_content_without_description_gets_one() {
        let marked = marked(&content(r#"{"schemaVersion":"1.0"}"#), 2).unwrap();
        assert!(marked.text().contains("[session-kms version 2]"), "{}", marked.text());
    }
}
