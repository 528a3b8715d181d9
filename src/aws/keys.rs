//! KMS keys, from DescribeKey.

use std::time::SystemTime;

use aws_sdk_kms::primitives::{DateTime, DateTimeFormat};
use aws_sdk_kms::types::{KeyMetadata, MultiRegionKeyType};

use super::Aws;
use super::error::{call, unreadable};
use crate::key::{KeyArn, KeyDescription, MultiRegion};
use crate::ports::{AwsError, Keys};

impl Keys for Aws {
    async fn describe(&self, key: &str) -> Result<Option<KeyDescription>, AwsError> {
        let operation = "kms:DescribeKey";
        let described = call(operation, key, self.kms.describe_key().key_id(key).send()).await;
        match described {
            Ok(output) => match output.key_metadata().and_then(description) {
                Some(description) => Ok(Some(description)),
                None => Err(unreadable(operation, key, "the answer names no key ARN")),
            },
            Err(error) if error.code() == "NotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn description(metadata: &KeyMetadata) -> Option<KeyDescription> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Some(KeyDescription {
        arn: KeyArn::parse(metadata.arn()?).ok()?,
        state: text(metadata.key_state().map(AsRef::as_ref)),
        spec: text(metadata.key_spec().map(AsRef::as_ref)),
        usage: text(metadata.key_usage().map(AsRef::as_ref)),
        manager: text(metadata.key_manager().map(AsRef::as_ref)),
        origin: metadata.origin().map(|origin| origin.as_ref().to_owned()),
        created: metadata.creation_date().and_then(|date| SystemTime::try_from(*date).ok()),
        deletion_date: metadata.deletion_date().and_then(date),
        valid_to: metadata.valid_to().and_then(date),
        custom_key_store: metadata.custom_key_store_id().map(str::to_owned),
        multi_region: match metadata
            .multi_region_configuration()
            .and_then(|family| family.multi_region_key_type())
        {
            Some(MultiRegionKeyType::Replica) => MultiRegion::Replica,
            Some(_) => MultiRegion::Primary,
            None => MultiRegion::SingleRegion,
        },
    })
}

fn date(date: &DateTime) -> Option<String> {
    date.fmt(DateTimeFormat::DateTime).ok()
}
