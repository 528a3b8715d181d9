//! Answers of DescribeIamInstanceProfileAssociations, in the XML of EC2's query protocol: pages and errors.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use crate::aws::raw_operation::Refusal;

const ANSWER: &str = "DescribeIamInstanceProfileAssociationsResponse";

/// One page of associations.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AssociationsPage {
    /// Instance ids and instance profile ARNs.
    pub(super) associations: Vec<(String, String)>,
    /// The next page's token; `None` on the last page.
    pub(super) next_token: Option<String>,
}

/// Reads an answer.
pub(super) fn read(response: &HttpResponse) -> Result<AssociationsPage, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return page(body).map_err(OrchestratorError::other);
    }
    let (code, message) = refusal(body).unwrap_or_default();
    Err(Refusal::error(code, message))
}

fn page(body: &[u8]) -> Result<AssociationsPage, XmlDecodeError> {
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    if !root.start_el().matches(ANSWER) {
        return Err(XmlDecodeError::custom("not the answer to what was asked"));
    }
    let mut page = AssociationsPage { associations: Vec::new(), next_token: None };
    let mut has_set = false;
    while let Some(mut tag) = root.next_tag() {
        if tag.start_el().matches("iamInstanceProfileAssociationSet") {
            has_set = true;
            while let Some(mut item) = tag.next_tag() {
                page.associations.push(association(&mut item)?);
            }
        } else if tag.start_el().matches("nextToken") {
            page.next_token = Some(try_data(&mut tag)?.into_owned()).filter(|token| !token.is_empty());
        }
    }
    if has_set { Ok(page) } else { Err(XmlDecodeError::custom("the answer has no associations")) }
}

fn association(item: &mut ScopedDecoder<'_, '_>) -> Result<(String, String), XmlDecodeError> {
    let (mut instance, mut profile) = (None, None);
    while let Some(mut tag) = item.next_tag() {
        if tag.start_el().matches("instanceId") {
            instance = Some(try_data(&mut tag)?.into_owned());
        } else if tag.start_el().matches("iamInstanceProfile") {
            profile = text_of(&mut tag, "arn")?;
        }
    }
    // If the association were skipped, the node would seem to have no role.
    instance
        .zip(profile)
        .ok_or_else(|| XmlDecodeError::custom("an association has no instance or no profile"))
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

fn text_of(scope: &mut ScopedDecoder<'_, '_>, name: &str) -> Result<Option<String>, XmlDecodeError> {
    while let Some(mut tag) = scope.next_tag() {
        if tag.start_el().matches(name) {
            return Ok(Some(try_data(&mut tag)?.into_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
