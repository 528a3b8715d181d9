//! What S3 answers: parts of objects, pages of a list, errors, and where a bucket is.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_xml::decode::{Document, XmlDecodeError};

use crate::aws::raw_operation::Refusal;
use crate::aws::xml::{check_whole, each, refusal, text};
use crate::ports::ObjectPart;

/// An answer, or the Region in which the bucket is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    Given(T),
    InRegion(String),
}

/// A page of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KeyPage {
    /// Whole keys. Those of folders end with a slash.
    pub(super) keys: Vec<String>,
    /// The next page's token; `None` on the last page.
    pub(super) next_token: Option<String>,
}

/// The codes of an answer that sends the caller to another Region.
const ELSEWHERE: [&str; 4] = [
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
];

/// Reads an answer; `output` reads a success.
pub(super) fn read<T>(
    response: &HttpResponse,
    output: impl FnOnce(&HttpResponse) -> Result<T, OrchestratorError<Refusal>>,
) -> Result<Answer<T>, OrchestratorError<Refusal>> {
    let status = response.status().as_u16();
    if response.status().is_success() {
        return output(response).map(Answer::Given);
    }
    let body = response.body().bytes().unwrap_or_default();
    let (code, message) = refusal(body).unwrap_or_default();
    let is_elsewhere =
        matches!(status, 301 | 307) || code.as_deref().is_some_and(|code| ELSEWHERE.contains(&code));
    let region = response.headers().get("x-amz-bucket-region").map(str::to_owned);
    match region.or_else(|| region_in(body)) {
        Some(region) if is_elsewhere => Ok(Answer::InRegion(region)),
        _ if is_elsewhere => {
            let message = "the bucket is in another Region, and S3 does not say in which".to_owned();
            Err(Refusal::error(code.or_else(|| Some("PermanentRedirect".to_owned())), Some(message)))
        }
        _ => Err(Refusal::error(code, message)),
    }
}

/// The Region that an error names.
fn region_in(body: &[u8]) -> Option<String> {
    let mut document = Document::try_from(body).ok()?;
    let mut root = document.root_element().ok()?;
    let mut region = None;
    each(&mut root, &["Region"], |_, tag| {
        region = Some(text(tag)?);
        Ok(())
    })
    .ok()?;
    region
}

/// Reads a part of an object.
pub(super) fn part(response: &HttpResponse) -> Result<ObjectPart, OrchestratorError<Refusal>> {
    let bytes = response.body().bytes().unwrap_or_default().to_vec();
    let headers = response.headers();
    let lacking = |what: &'static str| OrchestratorError::other(what);
    let size = match headers.get("content-range") {
        Some(range) => range.rsplit_once('/').and_then(|(_, size)| size.parse().ok()),
        // A whole object, as S3 answers if nothing is left out.
        None => u64::try_from(bytes.len()).ok(),
    };
    let size = size.ok_or_else(|| lacking("the answer does not say how large the object is"))?;
    let version = headers.get("etag").ok_or_else(|| lacking("the answer has no entity tag"))?.to_owned();
    Ok(ObjectPart { bytes, size, version })
}

/// Reads a page of a list.
pub(super) fn page(response: &HttpResponse) -> Result<KeyPage, OrchestratorError<Refusal>> {
    page_of(response.body().bytes().unwrap_or_default()).map_err(OrchestratorError::other)
}

fn page_of(body: &[u8]) -> Result<KeyPage, XmlDecodeError> {
    check_whole(body)?;
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    if root.start_el().local() != "ListBucketResult" {
        return Err(XmlDecodeError::custom("not the answer to what was asked"));
    }
    let mut page = KeyPage::default();
    let of_page = ["Contents", "CommonPrefixes", "NextContinuationToken"];
    each(&mut root, &of_page, |name, tag| {
        if name == "NextContinuationToken" {
            page.next_token = Some(text(tag)?).filter(|token| !token.is_empty());
            return Ok(());
        }
        each(tag, &["Key", "Prefix"], |_, key| {
            page.keys.push(text(key)?);
            Ok(())
        })
    })?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ssm::error::ProvideErrorMetadata as _;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn a_page_has_keys_and_folders_and_perhaps_a_next_one() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>r/</Prefix>
<KeyCount>2</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken>
<Contents><Key>r/latest.json</Key><Size>3</Size></Contents>
<CommonPrefixes><Prefix>r/2026&amp;/</Prefix></CommonPrefixes></ListBucketResult>"#;
        let expected = KeyPage {
            keys: vec!["r/latest.json".to_owned(), "r/2026&/".to_owned()],
            next_token: Some("t=".to_owned()),
        };
        assert_eq!(page_of(body.as_bytes()).unwrap(), expected);
        let cut = &body.as_bytes()[..body.len() - 20];
        assert!(page_of(cut).is_err(), "a list that is cut off is no shorter list");
        assert!(page_of(b"<Error><Code>X</Code></Error>").is_err());
    }

    fn answer(status: u16, region: Option<&str>, body: &'static str) -> HttpResponse {
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        if let Some(region) = region {
            answer.headers_mut().try_insert("x-amz-bucket-region", region.to_owned()).unwrap();
        }
        answer
    }

    #[test]
    fn an_answer_that_sends_to_another_region_names_it_or_is_an_error() {
        let moved = "<Error><Code>PermanentRedirect</Code><Message>use the endpoint</Message></Error>";
        let wrong = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-south-1</Region></Error>";
        let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        for (answer, expected) in [
            (answer(301, Some("eu-south-1"), moved), Ok("eu-south-1")),
            (answer(307, Some("eu-south-1"), ""), Ok("eu-south-1")),
            (answer(400, None, wrong), Ok("eu-south-1")),
            (answer(301, None, moved), Err("PermanentRedirect")),
            (answer(307, None, ""), Err("PermanentRedirect")),
            // S3 names the Region with other errors too.
            (answer(403, Some("eu-south-1"), denied), Err("AccessDenied")),
        ] {
            let found = match read(&answer, |_| Ok(())) {
                Ok(Answer::InRegion(region)) => Ok(region),
                Ok(Answer::Given(())) => panic!("no success"),
                Err(error) => Err(error.as_operation_error().unwrap().code().unwrap_or_default().to_owned()),
            };
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        }
    }

    #[test]
    fn a_part_says_how_large_the_object_is() {
        let part_of = |range: Option<&'static str>, tag: Option<&'static str>| {
            let mut answer = HttpResponse::new(206.try_into().unwrap(), SdkBody::from("abc"));
            let headers = answer.headers_mut();
            range.map(|range| headers.try_insert("content-range", range).unwrap());
            tag.map(|tag| headers.try_insert("etag", tag).unwrap());
            part(&answer).map(|part| part.size).ok()
        };
        assert_eq!(part_of(Some("bytes 0-2/900"), Some("\"1\"")), Some(900));
        assert_eq!(part_of(None, Some("\"1\"")), Some(3));
        assert_eq!(part_of(Some("bytes 0-2/*"), Some("\"1\"")), None);
        assert_eq!(part_of(Some("bytes 0-2/900"), None), None, "nothing would hold two parts together");
    }

    #[test]
    fn an_error_may_name_the_region() {
        let body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>";
        assert_eq!(region_in(body).as_deref(), Some("eu-central-1"));
        assert_eq!(region_in(b"<Error><Code>NoSuchBucket</Code></Error>"), None);
        assert_eq!(region_in(b"nonsense"), None);
    }
}
