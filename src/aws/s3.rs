//! Objects in Amazon S3: GetObject, PutObject and ListObjectsV2.
//!
//! An object is read by parts, so that no object is too large. A bucket in another Region is found by what S3 says of it.

mod answer;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;

use super::Aws;
use super::error::unreadable;
use super::raw_operation::{
    OperationSpec, Protocol, RawOperation, Refusal, S3Request, Service, bucket_endpoint,
};
use crate::intent::ObjectAddress;
use crate::location::Location;
use crate::ports::{AwsError, ObjectPart, ReadObjects, WriteObjects};
use answer::Answer;

const GET_OBJECT: OperationSpec = operation("GetObject", "s3:GetObject");
const PUT_OBJECT: OperationSpec = operation("PutObject", "s3:PutObject");
const LIST_OBJECTS: OperationSpec = operation("ListObjectsV2", "s3:ListBucket");

/// How long one attempt may take, where attempts are limited: objects are large.
const OBJECT_ATTEMPT: Duration = Duration::from_secs(120);

/// An operation of S3.
const fn operation(name: &'static str, iam_action: &'static str) -> OperationSpec {
    OperationSpec {
        service: Service { id: "S3", name: "s3", endpoint_region: |region| region },
        name,
        iam_action,
        protocol: Protocol::S3,
        attempt: Some(OBJECT_ATTEMPT),
    }
}

/// The Regions of the buckets that are not in the caller's own.
#[derive(Clone, Default)]
pub(super) struct BucketRegions(Arc<Mutex<BTreeMap<String, String>>>);

impl BucketRegions {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One call on a bucket.
struct BucketCall<'a> {
    spec: &'static OperationSpec,
    bucket: &'a str,
    /// What the log and an error name.
    on: &'a str,
    method: &'static str,
    key: &'a str,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: SdkBody,
}

impl Aws {
    /// Makes a call where the bucket is.
    async fn ask_bucket<T: fmt::Debug + Send + Sync + 'static>(
        &self,
        call: BucketCall<'_>,
        read: impl Fn(&HttpResponse) -> Result<T, OrchestratorError<Refusal>> + Clone + Send + Sync + 'static,
    ) -> Result<T, AwsError> {
        let BucketCall { spec, bucket, on, method, key, query, headers, body } = call;
        let failed = |problem: &str| unreadable(spec.iam_action, on, problem);
        let mut region = self.bucket_regions.with(|known| known.get(bucket).cloned());
        for _ in 0..2 {
            let (endpoint, is_in_path) =
                bucket_endpoint(&self.config, &spec.service, bucket, region.as_deref())
                    .await
                    .map_err(failed)?;
            let mut uri = if is_in_path { format!("/{bucket}") } else { String::new() };
            uri.push('/');
            encode(key, true, &mut uri);
            uri.push_str(&query);
            // The bytes are shared and not copied.
            let body = body.try_clone().ok_or_else(|| failed("the content cannot be sent again"))?;
            let request = S3Request { method, uri, headers: headers.clone(), body };
            let read = read.clone();
            let read = move |response: &_| answer::read(response, &read);
            match RawOperation::at(self, spec, endpoint, on, read)?.send(request).await? {
                Answer::Given(answer) => return Ok(answer),
                Answer::InRegion(name) if Location::is_region(&name) && region.as_ref() != Some(&name) => {
                    self.bucket_regions.with(|known| known.insert(bucket.to_owned(), name.clone()));
                    region = Some(name);
                }
                Answer::InRegion(name) => {
                    return Err(failed(&format!("the bucket is in another Region, {name}")));
                }
            }
        }
        Err(failed("S3 does not say in which Region the bucket is"))
    }
}

impl ReadObjects for Aws {
    async fn object_part(
        &self,
        object: &ObjectAddress,
        from: u64,
        most: usize,
        version: Option<&str>,
    ) -> Result<Option<ObjectPart>, AwsError> {
        let last = from.saturating_add(u64::try_from(most).unwrap_or(u64::MAX)).saturating_sub(1);
        let mut headers = vec![("range", format!("bytes={from}-{last}"))];
        headers.extend(version.map(|version| ("if-match", version.to_owned())));
        let call = BucketCall {
            spec: &GET_OBJECT,
            bucket: &object.bucket,
            on: &object.to_string(),
            method: "GET",
            key: &object.key,
            query: String::new(),
            headers,
            body: SdkBody::empty(),
        };
        match self.ask_bucket(call, answer::part).await {
            Ok(part) => Ok(Some(part)),
            Err(error) if error.code() == "NoSuchKey" => Ok(None),
            // An object without a byte has no first one.
            Err(error) if error.code() == "InvalidRange" && from == 0 => {
                Ok(Some(ObjectPart { bytes: Vec::new(), size: 0, version: String::new() }))
            }
            Err(error) => Err(error),
        }
    }

    async fn folder(&self, folder: &ObjectAddress) -> Result<Vec<String>, AwsError> {
        let (mut names, mut token) = (Vec::new(), None::<String>);
        loop {
            let mut query = "?list-type=2&delimiter=%2F&prefix=".to_owned();
            encode(&folder.key, false, &mut query);
            if let Some(token) = &token {
                query.push_str("&continuation-token=");
                encode(token, false, &mut query);
            }
            let call = BucketCall {
                spec: &LIST_OBJECTS,
                bucket: &folder.bucket,
                on: &folder.to_string(),
                method: "GET",
                key: "",
                query,
                headers: Vec::new(),
                body: SdkBody::empty(),
            };
            let page = self.ask_bucket(call, answer::page).await?;
            let names_of = |key: &String| key.strip_prefix(&folder.key).map(str::to_owned);
            names.extend(page.keys.iter().filter_map(names_of).filter(|name| !name.is_empty()));
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }
}

impl WriteObjects for Aws {
    async fn put_object(
        &self,
        object: &ObjectAddress,
        content_type: &'static str,
        content: Vec<u8>,
    ) -> Result<(), AwsError> {
        let call = BucketCall {
            spec: &PUT_OBJECT,
            bucket: &object.bucket,
            on: &object.to_string(),
            method: "PUT",
            key: &object.key,
            query: String::new(),
            headers: vec![("content-type", content_type.to_owned())],
            body: SdkBody::from(content),
        };
        self.ask_bucket(call, |_| Ok(())).await
    }
}

/// Appends a text with every byte encoded that has a meaning in a path or a query. A key keeps its slashes.
fn encode(text: &str, keeps_slashes: bool, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte))
            }
            b'/' if keeps_slashes => into.push('/'),
            // Writing to a text cannot fail.
            _ => drop(write!(into, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_slashes_and_every_other_byte_with_a_meaning_is_encoded() {
        for (key, in_path, in_query) in [
            ("a/b.json", "a/b.json", "a%2Fb.json"),
            ("2026-03-01T12:00:00Z/x", "2026-03-01T12%3A00%3A00Z/x", "2026-03-01T12%3A00%3A00Z%2Fx"),
            ("a b+c?d#e%", "a%20b%2Bc%3Fd%23e%25", "a%20b%2Bc%3Fd%23e%25"),
            ("ü", "%C3%BC", "%C3%BC"),
        ] {
            for (keeps_slashes, expected) in [(true, in_path), (false, in_query)] {
                let mut encoded = String::new();
                encode(key, keeps_slashes, &mut encoded);
                assert_eq!(encoded, expected);
            }
        }
    }
}
