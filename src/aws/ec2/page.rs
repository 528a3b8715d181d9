//! Answers in the XML of EC2's query protocol: pages, their elements, and errors.

use std::str::FromStr;

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::Listing;
use crate::aws::raw_operation::Refusal;

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// The next page's token; `None` on the last page.
    pub(super) next_token: Option<String>,
}

/// Reads an answer.
pub(super) fn read<T>(
    listing: &Listing<T>,
    response: &HttpResponse,
) -> Result<Page<T>, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return page(listing, body).map_err(OrchestratorError::other);
    }
    let (code, message) = refusal(body).unwrap_or_default();
    Err(Refusal::error(code, message))
}

pub(super) fn page<T>(listing: &Listing<T>, body: &[u8]) -> Result<Page<T>, XmlDecodeError> {
    check_whole(body)?;
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    if root.start_el().local().strip_suffix("Response") != Some(listing.operation.name) {
        return Err(XmlDecodeError::custom("not the answer to what was asked"));
    }
    let mut page = Page { items: Vec::new(), next_token: None };
    let mut has_set = false;
    each(&mut root, &[listing.set, "nextToken"], |name, tag| {
        if name == "nextToken" {
            page.next_token = Some(text(tag)?).filter(|token| !token.is_empty());
            return Ok(());
        }
        has_set = true;
        each(tag, &["item"], |_, item| (listing.read)(item, &mut page.items))
    })?;
    if has_set { Ok(page) } else { Err(XmlDecodeError::custom("the answer lacks the list")) }
}

/// Fails if the document is cut off or malformed: the decoder would take the rest of it for absent.
fn check_whole(body: &[u8]) -> Result<(), XmlDecodeError> {
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

/// Adds, for each item of a list, the text of the element of this name in it.
pub(super) fn texts(
    list: &mut ScopedDecoder<'_, '_>,
    name: &'static str,
    into: &mut Vec<String>,
) -> Result<(), XmlDecodeError> {
    each(list, &["item"], |_, item| {
        each(item, &[name], |_, tag| {
            into.extend(text_if_any(tag)?);
            Ok(())
        })
    })
}

/// The value that an item must have. Without it the item would silently be another one.
pub(super) fn required<T>(value: Option<T>) -> Result<T, XmlDecodeError> {
    value.ok_or_else(|| XmlDecodeError::custom("an item lacks what it must have"))
}

/// The code and the message in `Response/Errors/Error`.
fn refusal(body: &[u8]) -> Result<(Option<String>, Option<String>), XmlDecodeError> {
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

#[cfg(test)]
mod tests;
