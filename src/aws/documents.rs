//! The preferences document, with the document operations of SSM.

use aws_sdk_ssm::types::{DocumentFormat as SdkFormat, DocumentStatus, DocumentType};

use super::Aws;
use super::error::call;
use crate::ports::{
    AwsError, AwsErrorKind, DocumentHead, DocumentVersion, DocumentWrite, LatestVersion, ReadDocuments,
    VersionStatus, WriteDocuments,
};
use crate::session::{Content, DocumentFormat, DocumentName};

impl ReadDocuments for Aws {
    async fn head(&self, name: &DocumentName) -> Result<Option<DocumentHead>, AwsError> {
        let operation = "ssm:DescribeDocument";
        let described =
            call(operation, name.as_str(), self.ssm.describe_document().name(name.as_str()).send()).await;
        let document = match described {
            Ok(output) => output.document,
            Err(error) if error.code() == "InvalidDocument" => return Ok(None),
            Err(error) => return Err(error),
        };
        let head = document.and_then(|document| {
            Some(DocumentHead {
                latest: document.latest_version()?.parse().ok()?,
                default: document.default_version()?.parse().ok()?,
                format: match document.document_format() {
                    Some(SdkFormat::Yaml) => DocumentFormat::Yaml,
                    _ => DocumentFormat::Json,
                },
            })
        });
        head.map(Some).ok_or_else(|| unreadable(operation, name, "the answer names no versions"))
    }

    async fn latest(
        &self,
        name: &DocumentName,
        format: DocumentFormat,
    ) -> Result<Option<LatestVersion>, AwsError> {
        self.get_version(name, "$LATEST", format).await
    }

    async fn version(
        &self,
        name: &DocumentName,
        version: u64,
        format: DocumentFormat,
    ) -> Result<Option<DocumentVersion>, AwsError> {
        let read = self.get_version(name, &version.to_string(), format).await?;
        Ok(read.map(|read| read.version))
    }

    async fn versions(&self, name: &DocumentName) -> Result<Vec<u64>, AwsError> {
        let mut versions = Vec::new();
        let mut next = None;
        loop {
            let list = self.ssm.list_document_versions().name(name.as_str()).set_next_token(next).send();
            let page = call("ssm:ListDocumentVersions", name.as_str(), list).await?;
            let numbers = page.document_versions().iter().filter_map(|version| version.document_version());
            versions.extend(numbers.filter_map(|number| number.parse::<u64>().ok()));
            next = page.next_token;
            if next.is_none() {
                return Ok(versions);
            }
        }
    }
}

impl Aws {
    /// One version's content in a format. `version` is a number or `$LATEST`.
    async fn get_version(
        &self,
        name: &DocumentName,
        version: &str,
        format: DocumentFormat,
    ) -> Result<Option<LatestVersion>, AwsError> {
        let operation = "ssm:GetDocument";
        let get = self
            .ssm
            .get_document()
            .name(name.as_str())
            .document_version(version)
            .document_format(sdk_format(format))
            .send();
        let output = match call(operation, name.as_str(), get).await {
            Ok(output) => output,
            Err(error) if matches!(error.code(), "InvalidDocument" | "InvalidDocumentVersion") => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let status = match output.status() {
            None | Some(DocumentStatus::Active) => VersionStatus::Active,
            Some(DocumentStatus::Creating | DocumentStatus::Updating) => VersionStatus::Pending,
            Some(other) => VersionStatus::Failed(match output.status_information() {
                Some(why) => format!("{other}: {why}"),
                None => other.to_string(),
            }),
        };
        let number = output.document_version().and_then(|number| number.parse().ok());
        let text = output.content.ok_or_else(|| unreadable(operation, name, "the answer has no content"))?;
        let version = DocumentVersion { content: Content::new(text, format), status };
        Ok(Some(LatestVersion { number, version }))
    }
}

impl WriteDocuments for Aws {
    async fn create(&self, name: &DocumentName, content: &Content) -> Result<DocumentWrite, AwsError> {
        let create = self
            .ssm
            .create_document()
            .name(name.as_str())
            .document_type(DocumentType::Session)
            .document_format(sdk_format(content.format()))
            .content(content.text())
            .send();
        written(call("ssm:CreateDocument", name.as_str(), create).await)
    }

    async fn update(
        &self,
        name: &DocumentName,
        content: &Content,
        latest: u64,
    ) -> Result<DocumentWrite, AwsError> {
        let update = self
            .ssm
            .update_document()
            .name(name.as_str())
            // The number that was read, and not $LATEST, makes the write conditional.
            .document_version(latest.to_string())
            .document_format(sdk_format(content.format()))
            .content(content.text())
            .send();
        written(call("ssm:UpdateDocument", name.as_str(), update).await)
    }

    async fn promote(&self, name: &DocumentName, version: u64) -> Result<DocumentWrite, AwsError> {
        let promote = self
            .ssm
            .update_document_default_version()
            .name(name.as_str())
            .document_version(version.to_string())
            .send();
        written(call("ssm:UpdateDocumentDefaultVersion", name.as_str(), promote).await)
    }

    async fn delete_version(&self, name: &DocumentName, version: u64) -> Result<(), AwsError> {
        // INVARIANT: a version is always named; without one the whole document would go.
        let delete =
            self.ssm.delete_document().name(name.as_str()).document_version(version.to_string()).send();
        match call("ssm:DeleteDocument", name.as_str(), delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == "InvalidDocumentVersion" => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn sdk_format(format: DocumentFormat) -> SdkFormat {
    match format {
        DocumentFormat::Json => SdkFormat::Json,
        DocumentFormat::Yaml => SdkFormat::Yaml,
    }
}

/// The outcome of a write. `InvalidDocument` on an update means that somebody deleted the document since it was read.
fn written<T>(result: Result<T, AwsError>) -> Result<DocumentWrite, AwsError> {
    let Err(error) = result else { return Ok(DocumentWrite::Done) };
    match error.code() {
        "InvalidDocumentVersion"
        | "InvalidDocument"
        | "DocumentAlreadyExists"
        | "TooManyUpdates"
        | "ThrottlingException" => Ok(DocumentWrite::LostRace(error)),
        "DuplicateDocumentContent" => Ok(DocumentWrite::Duplicate(error)),
        "DocumentVersionLimitExceeded" => Ok(DocumentWrite::HistoryFull(error)),
        _ => Err(error),
    }
}

fn unreadable(operation: &'static str, name: &DocumentName, problem: &str) -> AwsError {
    AwsError { operation, on: name.to_string(), kind: AwsErrorKind::NoAnswer(problem.to_owned()) }
}
