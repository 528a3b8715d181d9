//! Content that differs from every earlier version and has the same meaning.
//!
//! UpdateDocument refuses duplicate content. AWS does not document whether it compares with the latest version or with
//! all of them, by bytes or by meaning. Going back to an earlier key must still work: first with white space or a comment
//! at the end, and, if AWS refuses that too, with a mark in the description. Both contain the number of the version to
//! come, which makes them unique, and both are gone from the text that is written next.

use super::content::{Content, DocumentFormat};

/// How a mark begins. Brackets cannot stand in a plain text of YAML in flow style, and parentheses can.
const MARKS: [(&str, &str); 2] = [(" [session-kms version ", "]"), (" (session-kms version ", ")")];
/// How a comment in YAML begins.
const COMMENT: &str = "# session-kms version ";
/// The white space before the number in JSON. No editor leaves it behind.
const PADDING: &str = " \t \n";
/// What stands between the number and the source of a description that was neither text nor null.
const IN_PLACE_OF: &str = ", in place of ";
/// What the mark of a description that was null has before its end.
const NULL: &str = ", null";

/// The content with the number of the version to come at its end: in JSON as white space, in YAML as a comment.
///
/// `None` if the text cannot take a comment, for example because it ends in a block scalar that keeps its last lines.
#[must_use]
pub fn padded(content: &Content, version: u64) -> Option<Content> {
    let text = content.text();
    let padded = content.with_text(match content.format() {
        DocumentFormat::Json => format!("{text}{PADDING}{}", in_white_space(version)),
        DocumentFormat::Yaml if text.ends_with('\n') => format!("{text}{COMMENT}{version}\n"),
        DocumentFormat::Yaml => format!("{text}\n{COMMENT}{version}"),
    });
    padded.has_meaning_of(content).then_some(padded)
}

/// The content with the number of the version to come in its description.
///
/// `None` if the description of YAML cannot be edited in place.
#[must_use]
pub fn marked(content: &Content, version: u64) -> Option<Content> {
    MARKS.iter().find_map(|(begin, end)| {
        let mark = format!("{begin}{version}{end}");
        let in_place_of_null = format!("{begin}{version}{NULL}{end}");
        let in_place_of = format!("{begin}{version}{IN_PLACE_OF}");
        content
            .with_description_ending_in(&mark, mark.trim_start(), in_place_of_null.trim_start())
            .or_else(|| content.with_quoted_description(in_place_of.trim_start(), end))
    })
}

/// The content without the marks, the white space and the comments that made earlier versions unique. Those of this
/// version stay.
#[must_use]
pub fn unmarked(content: &Content, version: u64) -> Content {
    let plain = unpadded(content, version).unwrap_or_else(|| content.clone());
    without_mark(&plain).unwrap_or(plain)
}

fn unpadded(content: &Content, version: u64) -> Option<Content> {
    let text = content.text();
    let (before, number) = match content.format() {
        DocumentFormat::Json => {
            let (before, number) = text.rsplit_once(PADDING)?;
            (before, from_white_space(number)?)
        }
        DocumentFormat::Yaml => {
            let (before, number) = text.rsplit_once(COMMENT)?;
            // The line break at the end of the text stands before the comment or after it.
            match number.strip_suffix('\n') {
                Some(number) if before.ends_with('\n') => (before, number.parse().ok()?),
                Some(_) => return None,
                None => (before.strip_suffix('\n')?, number.parse().ok()?),
            }
        }
    };
    let unpadded = content.with_text(before.to_owned());
    (number != version && unpadded.has_meaning_of(content)).then_some(unpadded)
}

fn without_mark(content: &Content) -> Option<Content> {
    let description = content.description()??;
    let description = description.as_str()?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    MARKS.iter().find_map(|(begin, end)| {
        let inside = |text: &str| text.strip_suffix(end).map(str::to_owned);
        if let Some(whole) = description.strip_prefix(begin.trim_start()).and_then(inside) {
            if let Some((number, source)) = whole.split_once(IN_PLACE_OF)
                && is_number(number)
            {
                return content.with_unquoted_description(source);
            }
            return match whole.strip_suffix(NULL) {
                Some(number) => is_number(number).then(|| content.with_null_description())?,
                None => is_number(&whole).then(|| content.without_description())?,
            };
        }
        let (_, rest) = description.rsplit_once(begin)?;
        let number = inside(rest)?;
        is_number(&number).then(|| content.without_description_ending(&format!("{begin}{rest}")))?
    })
}

/// A number in binary: a tab is a one, a space a zero.
fn in_white_space(number: u64) -> String {
    format!("{number:b}").chars().map(|digit| if digit == '1' { '\t' } else { ' ' }).collect()
}

fn from_white_space(text: &str) -> Option<u64> {
    let digit = |c| match c {
        '\t' => Some('1'),
        ' ' => Some('0'),
        _ => None,
    };
    u64::from_str_radix(&text.chars().map(digit).collect::<Option<String>>()?, 2).ok()
}

#[cfg(test)]
#[path = "unique/tests.rs"]
mod tests;
