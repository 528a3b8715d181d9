//! Answers in the query protocol of IAM and STS: `<OperationResponse><OperationResult>…`, and errors.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError};

use super::raw_operation::{OperationSpec, Refusal};
use super::xml::{check_whole, refusal};

/// Reads the result of an operation by `result`, or why it was refused.
pub(super) fn read<T>(
    operation: &OperationSpec,
    response: &HttpResponse,
    result: impl FnOnce(&mut ScopedDecoder<'_, '_>) -> Result<T, XmlDecodeError>,
) -> Result<T, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return read_result(operation.name, body, result).map_err(OrchestratorError::other);
    }
    let (code, message) = refusal(body).unwrap_or_default();
    Err(Refusal::error(code, message))
}

/// Reads the result in the body of an answer.
pub(super) fn read_result<T>(
    operation: &str,
    body: &[u8],
    result: impl FnOnce(&mut ScopedDecoder<'_, '_>) -> Result<T, XmlDecodeError>,
) -> Result<T, XmlDecodeError> {
    check_whole(body)?;
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    if root.start_el().local().strip_suffix("Response") != Some(operation) {
        return Err(XmlDecodeError::custom("not the answer to what was asked"));
    }
    while let Some(mut tag) = root.next_tag() {
        if tag.start_el().local().strip_suffix("Result") == Some(operation) {
            return result(&mut tag);
        }
    }
    Err(XmlDecodeError::custom("the answer lacks the result"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::xml::{each, text};

    fn read_id(body: &str) -> Result<String, XmlDecodeError> {
        read_result("GetThing", body.as_bytes(), |result| {
            let mut id = String::new();
            each(result, &["Id"], |_, tag| {
                id = text(tag)?;
                Ok(())
            })?;
            Ok(id)
        })
    }

    #[test]
    fn the_result_is_read_and_other_answers_are_errors() {
        let answer = |inside: &str| {
            format!(
                r#"<GetThingResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">{inside}</GetThingResponse>"#
            )
        };
        let good = "<GetThingResult><Id>a&amp;b</Id></GetThingResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>";
        assert_eq!(read_id(&answer(good)).unwrap(), "a&b");
        let whole = answer(good);
        let cut = whole.get(..whole.len() - 30).unwrap();
        for other in [cut, &answer(""), "<OtherResponse><OtherResult/></OtherResponse>", "<html/>", "{}", ""]
        {
            assert!(read_id(other).is_err(), "{other}");
        }
    }
}
