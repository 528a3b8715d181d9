//! The record in Parameter Store.

use aws_sdk_ssm::types::{ParameterTier, ParameterType};

use super::Aws;
use super::error::call;
use crate::reconcile::Record;
use crate::reconcile::ports::{AwsError, Records};
use crate::session::DocumentName;

impl Records for Aws {
    async fn read(&self, name: &DocumentName) -> Result<Option<String>, AwsError> {
        let parameter = Record::parameter(name);
        let read = self.ssm.get_parameter().name(&parameter).send();
        match call("ssm:GetParameter", &parameter, read).await {
            Ok(output) => Ok(output.parameter.and_then(|parameter| parameter.value)),
            Err(error) if error.code() == "ParameterNotFound" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_record(&self, name: &DocumentName, text: &str) -> Result<bool, AwsError> {
        match self.put(name, text, false).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == "ParameterAlreadyExists" => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn replace_record(&self, name: &DocumentName, text: &str) -> Result<bool, AwsError> {
        // A parameter that was there gets a higher version.
        self.put(name, text, true).await.map(|version| version > 1)
    }

    async fn delete_record(&self, name: &DocumentName) -> Result<(), AwsError> {
        let parameter = Record::parameter(name);
        let delete = self.ssm.delete_parameter().name(&parameter).send();
        match call("ssm:DeleteParameter", &parameter, delete).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == "ParameterNotFound" => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Aws {
    /// Writes the parameter; its new version.
    async fn put(&self, name: &DocumentName, text: &str, overwrite: bool) -> Result<i64, AwsError> {
        let parameter = Record::parameter(name);
        let put = self
            .ssm
            .put_parameter()
            .name(&parameter)
            .description("What session-kms knows of this document; do not edit")
            .value(text)
            .r#type(ParameterType::String)
            // Standard up to 4 KB, which costs nothing, Advanced up to 8 KB.
            .tier(ParameterTier::IntelligentTiering)
            .overwrite(overwrite)
            .send();
        call("ssm:PutParameter", &parameter, put).await.map(|output| output.version)
    }
}
