//! The role in another account that reads its key's policy: KMS returns a key's policy only to credentials of the
//! key's own account.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::Mutex;

use super::Aws;
use super::security_tokens::{RoleCredentials, RoleRequest};
use crate::arn::Arn;
use crate::intent::KeyPolicyReader;
use crate::ports::{AwsError, Clock};

/// The name of the role session, which the key's account finds in its CloudTrail.
const SESSION_NAME: &str = "session-kms-key-policy-reader";

/// The shortest lifetime that STS allows. A run of the function takes less.
const LIFETIME: Duration = Duration::from_mins(15);

/// Credentials with less than this left are replaced.
const MARGIN: Duration = Duration::from_mins(2);

/// The roles assumed so far, each with the client that has its credentials in a Region.
#[derive(Clone, Default)]
pub(super) struct AssumedReaders(Arc<Mutex<Vec<Assumed>>>);

struct Assumed {
    reader: KeyPolicyReader,
    region: Option<String>,
    kms: aws_sdk_kms::Client,
    expires: SystemTime,
}

impl Aws {
    /// KMS with the credentials of this reader; without a reader with the function's own.
    pub(super) async fn kms_as(
        &self,
        reader: Option<&KeyPolicyReader>,
    ) -> Result<aws_sdk_kms::Client, AwsError> {
        let Some(reader) = reader else { return Ok((**self.kms).clone()) };
        // The lock is held during the call, so that reads that run together assume the role once.
        let mut assumed = self.readers.0.lock().await;
        let soon = self.now() + MARGIN;
        assumed.retain(|known| known.expires > soon);
        let is_this = |known: &&Assumed| known.reader == *reader && known.region.as_deref() == self.region();
        if let Some(known) = assumed.iter().find(is_this) {
            return Ok(known.kms.clone());
        }
        let new = self.assume(reader).await?;
        let kms = new.kms.clone();
        assumed.push(new);
        Ok(kms)
    }

    async fn assume(&self, reader: &KeyPolicyReader) -> Result<Assumed, AwsError> {
        let request = RoleRequest {
            role_arn: &reader.role_arn,
            external_id: reader.external_id.as_deref(),
            session_name: SESSION_NAME,
            session_policy: session_policy(&reader.role_arn),
            lifetime: LIFETIME,
        };
        let RoleCredentials { credentials, expires } = self.assume_role(request).await?;
        let config = self.kms.config().to_builder().credentials_provider(credentials).build();
        let kms = aws_sdk_kms::Client::from_conf(config);
        Ok(Assumed { reader: reader.clone(), region: self.region().map(str::to_owned), kms, expires })
    }
}

/// The session policy: whatever the role may do, this function only reads with it.
fn session_policy(role_arn: &str) -> String {
    let keys = Arn::parse(role_arn).map_or_else(
        || "*".to_owned(),
        |role| format!("arn:{}:kms:*:{}:key/*", role.partition, role.account),
    );
    let statements = json!([
        {
            "Effect": "Allow",
            "Action": ["kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags"],
            "Resource": keys,
        },
        // AWS knows no resource for the list of aliases.
        {"Effect": "Allow", "Action": "kms:ListAliases", "Resource": "*"},
    ]);
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl fmt::Debug for AssumedReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssumedReaders(…)")
    }
}
