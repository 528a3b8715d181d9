//! The role in another account that reads its key's policy: KMS returns a key's policy only to credentials of the
//! key's own account.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::sync::Mutex;

use super::Aws;
use super::security_tokens::RoleSession;
use crate::arn::Arn;
use crate::intent::KeyPolicyReader;
use crate::ports::{AwsError, Clock};

/// The name of the role session, which the key's account finds in its CloudTrail.
const SESSION_NAME: &str = "session-kms-key-policy-reader";

/// The shortest lifetime that STS allows. A run of the function takes less.
const LIFETIME: Duration = Duration::from_mins(15);

/// Credentials with less than this left are replaced.
const MARGIN: Duration = Duration::from_mins(2);

/// The roles assumed so far, each with the client that has its credentials.
#[derive(Clone, Default)]
pub(super) struct AssumedReaders(Arc<Mutex<Vec<Assumed>>>);

struct Assumed {
    reader: KeyPolicyReader,
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
        if let Some(known) = assumed.iter().find(|known| known.reader == *reader) {
            return Ok(known.kms.clone());
        }
        let new = self.assume(reader).await?;
        let kms = new.kms.clone();
        assumed.push(new);
        Ok(kms)
    }

    async fn assume(&self, reader: &KeyPolicyReader) -> Result<Assumed, AwsError> {
        let session = RoleSession {
            role_arn: &reader.role_arn,
            name: SESSION_NAME,
            external_id: reader.external_id.as_deref(),
            policy: &session_policy(&reader.role_arn),
            seconds: LIFETIME.as_secs(),
        };
        let credentials = self.assume_role(&session).await?;
        let expires = credentials.expiry().unwrap_or(SystemTime::UNIX_EPOCH);
        let config = self.kms.config().to_builder().credentials_provider(credentials).build();
        Ok(Assumed { reader: reader.clone(), kms: aws_sdk_kms::Client::from_conf(config), expires })
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
