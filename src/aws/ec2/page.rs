//! Answers in the XML of EC2's query protocol: pages and lists of items.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError};

use super::Listing;
use crate::aws::raw_operation::Refusal;
use crate::aws::xml::{check_whole, each, refusal, text, text_if_any};

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

#[cfg(test)]
mod tests;
