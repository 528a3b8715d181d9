//! The key's side: its policy, grants, tags and aliases, dry runs, and the list of keys.

use std::collections::HashMap;

use aws_sdk_kms::types::DryRunModifierType;
use serde_json::Value;

use super::Aws;
use super::error::{call, unreadable};
use super::grants::to_json;
use crate::intent::KeyPolicyReader;
use crate::key::KeyArn;
use crate::ports::{AwsError, AwsErrorKind, DryRun, KeyAccess, SessionCall};

/// The length of the data key that session-manager-plugin requests.
const DATA_KEY_BYTES: i32 = 64;

impl KeyAccess for Aws {
    async fn key_policy(&self, key: &KeyArn, reader: Option<&KeyPolicyReader>) -> Result<String, AwsError> {
        let operation = "kms:GetKeyPolicy";
        let on = subject(key, reader);
        let get = self.kms_as(reader).await?.get_key_policy().key_id(key.as_str()).send();
        let policy = call(operation, &on, get).await?.policy;
        policy.ok_or_else(|| unreadable(operation, &on, "the answer has no policy"))
    }

    async fn grants(&self, key: &KeyArn, reader: Option<&KeyPolicyReader>) -> Result<Vec<Value>, AwsError> {
        let on = subject(key, reader);
        let kms = self.kms_as(reader).await?;
        let mut grants = Vec::new();
        let mut marker = None;
        loop {
            let list = kms.list_grants().key_id(key.as_str()).limit(100).set_marker(marker).send();
            let page = call("kms:ListGrants", &on, list).await?;
            grants.extend(page.grants().iter().map(to_json));
            marker = page.next_marker.filter(|_| page.truncated);
            if marker.is_none() {
                return Ok(grants);
            }
        }
    }

    async fn dry_run(&self, key: &KeyArn, session_call: SessionCall) -> Result<DryRun, AwsError> {
        let (operation, on) = (session_call.action(), key.as_str());
        // The outputs are dropped unread: if AWS ignored DryRun, one would hold a plaintext data key.
        let run = match session_call {
            SessionCall::GenerateDataKey => {
                let generate = self.kms.generate_data_key().key_id(on).number_of_bytes(DATA_KEY_BYTES);
                let generate = generate.set_encryption_context(Some(session_context())).dry_run(true);
                call(operation, on, generate.send()).await.map(drop)
            }
            SessionCall::Decrypt => {
                let decrypt = self.kms.decrypt().key_id(on).set_encryption_context(Some(session_context()));
                let decrypt = decrypt.dry_run(true).dry_run_modifiers(DryRunModifierType::IgnoreCiphertext);
                call(operation, on, decrypt.send()).await.map(drop)
            }
        };
        let Err(error) = run else { return Ok(DryRun::WouldSucceed) };
        match error.kind {
            AwsErrorKind::Refused(answer) if answer.code == "DryRunOperationException" => {
                Ok(DryRun::WouldSucceed)
            }
            AwsErrorKind::Refused(answer) if is_about_key(&answer.code) => Ok(DryRun::WouldFail(answer)),
            AwsErrorKind::Denied { answer, .. } => Ok(DryRun::Denied(answer)),
            // Throttling and expired credentials, for example, say nothing about the key.
            kind => Err(AwsError { kind, ..error }),
        }
    }

    async fn key_tags(
        &self,
        key: &KeyArn,
        reader: Option<&KeyPolicyReader>,
    ) -> Result<Vec<(String, String)>, AwsError> {
        let on = subject(key, reader);
        let kms = self.kms_as(reader).await?;
        let mut tags = Vec::new();
        let mut marker = None;
        loop {
            let list = kms.list_resource_tags().key_id(key.as_str()).limit(50).set_marker(marker).send();
            let page = call("kms:ListResourceTags", &on, list).await?;
            tags.extend(page.tags.unwrap_or_default().into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
            marker = page.next_marker.filter(|_| page.truncated);
            if marker.is_none() {
                return Ok(tags);
            }
        }
    }

    async fn key_aliases(
        &self,
        key: &KeyArn,
        reader: Option<&KeyPolicyReader>,
    ) -> Result<Vec<String>, AwsError> {
        let on = subject(key, reader);
        let aliases = aliases(&self.kms_as(reader).await?, &on, Some(key)).await?;
        Ok(aliases.into_iter().map(|(_, name)| name).collect())
    }

    async fn keys(&self) -> Result<Vec<(KeyArn, Vec<String>)>, AwsError> {
        let (arns, aliases) = tokio::try_join!(self.key_arns(), aliases(&self.kms, "*", None))?;
        let mut of_keys: HashMap<_, Vec<_>> = HashMap::new();
        for (key, name) in aliases {
            of_keys.entry(key).or_default().push(name);
        }
        let with_aliases = |arn: KeyArn| {
            let names = of_keys.remove(arn.id()).unwrap_or_default();
            (arn, names)
        };
        Ok(arns.into_iter().map(with_aliases).collect())
    }
}

impl Aws {
    async fn key_arns(&self) -> Result<Vec<KeyArn>, AwsError> {
        let operation = "kms:ListKeys";
        let mut arns = Vec::new();
        let mut marker = None;
        loop {
            let list = self.kms.list_keys().limit(1000).set_marker(marker).send();
            let page = call(operation, "*", list).await?;
            for key in page.keys() {
                let arn = key.key_arn().and_then(|arn| KeyArn::parse(arn).ok());
                arns.push(arn.ok_or_else(|| unreadable(operation, "*", "a key has no key ARN"))?);
            }
            marker = page.next_marker.filter(|_| page.truncated);
            if marker.is_none() {
                return Ok(arns);
            }
        }
    }
}

/// The aliases of a key, or of all keys of the account and Region: the key's id and the alias's name. Aliases without a
/// key are left out.
async fn aliases(
    kms: &aws_sdk_kms::Client,
    on: &str,
    key: Option<&KeyArn>,
) -> Result<Vec<(String, String)>, AwsError> {
    let mut aliases = Vec::new();
    let mut marker = None;
    loop {
        let list = kms.list_aliases().set_key_id(key.map(ToString::to_string)).limit(100);
        let page = call("kms:ListAliases", on, list.set_marker(marker).send()).await?;
        for alias in page.aliases.unwrap_or_default() {
            if let (Some(key), Some(name)) = (alias.target_key_id, alias.alias_name) {
                aliases.push((key, name));
            }
        }
        marker = page.next_marker.filter(|_| page.truncated);
        if marker.is_none() {
            return Ok(aliases);
        }
    }
}

/// What the log and an error name: the key, and the reader role if one asks.
fn subject(key: &KeyArn, reader: Option<&KeyPolicyReader>) -> String {
    match reader {
        Some(reader) => format!("{key} as {}", reader.role_arn),
        None => key.to_string(),
    }
}

/// The encryption context of a session, with ids that no session has.
fn session_context() -> HashMap<String, String> {
    let pairs =
        [("aws:ssm:SessionId", "session-kms-00000000000000000"), ("aws:ssm:TargetId", "i-00000000000000000")];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Whether a refusal is about the key, so that a session's call would get it too.
fn is_about_key(code: &str) -> bool {
    matches!(
        code,
        "DisabledException"
            | "InvalidArnException"
            | "InvalidKeyUsageException"
            | "KMSInvalidStateException"
            | "KeyUnavailableException"
            | "NotFoundException"
    )
}
