//! The records in Parameter Store.

use aws_sdk_ssm::types::{Parameter, ParameterTier, ParameterType};

use super::Aws;
use super::error::call;
use crate::ports::{AwsError, ParameterVersion, ReadRecords, RecordReplacement, WriteRecords};
use crate::session::{DocumentName, RECORDS_PATH, document_of_record, record_parameter};

/// AWS's code if another write of the same parameter is under way.
const BUSY: &str = "TooManyUpdates";

/// The largest page of SSM.
const PAGE_SIZE: i32 = 10;

impl ReadRecords for Aws {
    async fn read(&self, name: &DocumentName) -> Result<Option<ParameterVersion>, AwsError> {
        let read = self.get(&record_parameter(name)).await?;
        Ok(read.and_then(|parameter| {
            Some(ParameterVersion { version: u64::try_from(parameter.version).ok()?, text: parameter.value? })
        }))
    }

    async fn read_version(&self, name: &DocumentName, version: u64) -> Result<Option<String>, AwsError> {
        let read = self.get(&format!("{}:{version}", record_parameter(name))).await?;
        Ok(read.and_then(|parameter| parameter.value))
    }

    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let get = self
                .ssm
                .get_parameters_by_path()
                .path(RECORDS_PATH)
                .recursive(false)
                .max_results(PAGE_SIZE)
                .set_next_token(next)
                .send();
            let page = call("ssm:GetParametersByPath", RECORDS_PATH, get).await?;
            // A parameter whose name holds no document's name is not a record; somebody else put it there.
            names.extend(
                page.parameters().iter().filter_map(|parameter| document_of_record(parameter.name()?)),
            );
            // An empty page may have another one after it.
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(names);
            }
        }
    }
}

impl WriteRecords for Aws {
    async fn create_record(&self, name: &DocumentName, text: &str) -> Result<bool, AwsError> {
        match self.put(name, text, false).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), "ParameterAlreadyExists" | BUSY) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn replace_record(&self, name: &DocumentName, text: &str) -> Result<RecordReplacement, AwsError> {
        match self.put(name, text, true).await {
            Ok(version) => Ok(match u64::try_from(version).unwrap_or_default() {
                0 | 1 => RecordReplacement::CreatedAnew,
                version => RecordReplacement::Replaced { version },
            }),
            Err(error) if error.code() == BUSY => Ok(RecordReplacement::Busy),
            Err(error) => Err(error),
        }
    }

    async fn delete_record(&self, name: &DocumentName) -> Result<(), AwsError> {
        let parameter = record_parameter(name);
        let delete = self.ssm.delete_parameter().name(&parameter).send();
        match call("ssm:DeleteParameter", &parameter, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == "ParameterNotFound" => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Aws {
    /// A parameter; `name:version` is one version of it.
    async fn get(&self, parameter: &str) -> Result<Option<Parameter>, AwsError> {
        let read = self.ssm.get_parameter().name(parameter).send();
        match call("ssm:GetParameter", parameter, read).await {
            Ok(output) => Ok(output.parameter),
            Err(error) if matches!(error.code(), "ParameterNotFound" | "ParameterVersionNotFound") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the parameter and returns its new version.
    async fn put(&self, name: &DocumentName, text: &str, overwrite: bool) -> Result<i64, AwsError> {
        let parameter = record_parameter(name);
        let put = self
            .ssm
            .put_parameter()
            .name(&parameter)
            .description("What session-kms knows of this document; do not edit")
            .value(text)
            .r#type(ParameterType::String)
            // Up to 4 KB that is Standard, which is free, and up to 8 KB Advanced.
            .tier(ParameterTier::IntelligentTiering)
            .overwrite(overwrite)
            .send();
        call("ssm:PutParameter", &parameter, put).await.map(|output| output.version)
    }
}
