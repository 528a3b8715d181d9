//! Elements of answers in XML, and errors in it: of S3, of EC2's query protocol, and of that of IAM and STS.

use std::str::FromStr;

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

/// Fails if the document is cut off or malformed: the decoder would take the rest of it for absent.
pub(super) fn check_whole(body: &[u8]) -> Result<(), XmlDecodeError> {
    let mut depth = None;
    for token in Document::try_from(body)? {
        depth = Some(token?.1);
    }
    if depth == Some(0) { Ok(()) } else { Err(XmlDecodeError::custom("the answer is cut off")) }
}

/// Reads each child element that has one of these names. All other elements are skipped.
pub(super) fn each(
    scope: &mut ScopedDecoder<'_, '_>,
    names: &[&'static str],
    mut read: impl FnMut(&'static str, &mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut tag) = scope.next_tag() {
        if let Some(name) = names.iter().find(|name| tag.start_el().matches(name)) {
            read(name, &mut tag)?;
        }
    }
    Ok(())
}

/// The text of an element.
pub(super) fn text(tag: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    Ok(try_data(tag)?.into_owned())
}

/// The text of an element; `None` if it is empty.
pub(super) fn text_if_any(tag: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    Ok(Some(text(tag)?).filter(|text| !text.is_empty()))
}

/// The value of an element, such as a number, a boolean or an address; `None` if the element is empty.
pub(super) fn value<T: FromStr>(tag: &mut ScopedDecoder<'_, '_>) -> Result<Option<T>, XmlDecodeError> {
    let malformed = |_| XmlDecodeError::custom("a value is malformed");
    text_if_any(tag)?.map(|text| text.parse().map_err(malformed)).transpose()
}

/// The value that an item must have. Without it the item would silently be another one.
pub(super) fn required<T>(value: Option<T>) -> Result<T, XmlDecodeError> {
    value.ok_or_else(|| XmlDecodeError::custom("an item lacks what it must have"))
}

/// The code and the message of an error, wherever it stands: in `Response/Errors/Error`, or in `ErrorResponse/Error`.
pub(super) fn refusal(body: &[u8]) -> Result<(Option<String>, Option<String>), XmlDecodeError> {
    let mut document = Document::try_from(body)?;
    let (mut code, mut message) = (None, None);
    while let Some(element) = document.next_start_element() {
        let field = match element.local() {
            "Code" => &mut code,
            "Message" => &mut message,
            _ => continue,
        };
        *field = Some(try_data(&mut document.scoped_to(element))?.into_owned());
    }
    Ok((code, message))
}
