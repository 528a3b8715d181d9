//! The operation key-report: a key seen from its own account. Whom its policy and grants admit for sessions, which accounts
//! of an audit use it, and which of them it refuses.

mod key_use;

use serde_json::Value;
use thiserror::Error;

use crate::access::{KeyRules, KeyRulesError, KnownContext};
use crate::audit::Audit;
use crate::intent::Safeguards;
use crate::key::{KeyArn, KeyDescription, KeyRef, fitness};
use crate::location::Location;
use crate::ports::{AwsError, Environment, PreflightPorts};
use crate::preflight::{AccessObservation, Attributes, KeyError, Read, describe_key, read_attributes};
use crate::report::{KeyCallers, KeyUse, Report, ReportHeader};
use key_use::{consequences, key_use};

/// What is to be found out about a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyQuestion<'a> {
    /// The key.
    pub key: &'a KeyRef,
    /// The condition keys that are known of every call.
    pub context: &'a KnownContext,
    /// An audit that shows who uses the key, and where it was read from.
    pub audit: Option<(&'a str, &'a Audit)>,
}

/// Why there is no report on a key.
#[derive(Debug, Error)]
pub enum KeyReportError {
    /// The key does not exist, cannot be described, or is in another Region or partition.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its policy or its grants could not be read.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The key belongs to another account.
    #[error(
        "key {key} belongs to account {}, and only that account can read its policy and grants; run key-report with \
         credentials of that account, not of account {account}", key.location().account
    )]
    OtherAccount {
        /// The key.
        key: KeyArn,
        /// The account of the credentials.
        account: String,
    },
    /// The evaluator cannot read the policy or the grants.
    #[error(transparent)]
    Rules(#[from] KeyRulesError),
}

/// Reads a key's policy and grants, and says whom they admit for sessions. Conditions of which nothing is known stay
/// unknown.
///
/// # Errors
/// See [`KeyReportError`]. That the key refuses somebody is no error.
pub async fn key_report<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: KeyQuestion<'_>,
) -> Result<Report, KeyReportError> {
    let Environment { ports, location, .. } = environment;
    let key = describe_key(environment, question.key).await?;
    if key.arn.location().account != location.account {
        return Err(KeyReportError::OtherAccount { key: key.arn, account: location.account.clone() });
    }
    // Boxed: each call in flight has a large state.
    let (policy, grants) =
        tokio::try_join!(Box::pin(ports.key_policy(&key.arn, None)), Box::pin(ports.grants(&key.arn, None)))?;
    let safeguards = Safeguards { context: question.context.clone(), ..Safeguards::default() };
    let mut observation = AccessObservation {
        key: key.clone(),
        account: location.account.clone(),
        context: question.context.clone(),
        attributes: Attributes::default(),
        policy: Read::Known(policy.clone()),
        grants: Read::Known(grants.clone()),
        dry_runs: Vec::new(),
        subjects: Vec::new(),
        unlisted_policies: None,
        nodes: None,
        network: None,
        sessions: None,
    };
    Box::pin(read_attributes(environment, &safeguards, &mut observation)).await;
    let facts = observation.attributes.facts(&key, &location.account, question.context);
    let listed = Value::Array(grants.clone()).to_string();
    let rules = KeyRules::new(key.arn.clone(), facts, &policy, &listed)?;
    let policy: Option<Value> = serde_json::from_str(&policy).ok();
    let admissions = rules.admissions()?;
    let mut callers = KeyCallers::new(&admissions, &rules.session_rules()?, policy.as_ref(), &grants);
    callers.key_use = match question.audit {
        Some((source, audit)) => Some(key_use(&rules, &admissions, &key.arn, source, audit)?),
        None => None,
    };
    callers.consequences = consequences(callers.key_use.as_ref());
    let notes = notes(&key, &rules, &observation.attributes, callers.key_use.as_ref());
    Ok(Report { header: header(&key, location), key_callers: Some(callers), notes, ..Report::default() })
}

fn header(key: &KeyDescription, location: &Location) -> ReportHeader {
    ReportHeader {
        command: "key-report".to_owned(),
        account: Some(location.account.clone()),
        regions: vec![location.region.clone()],
        key: Some(key.arn.to_string()),
        ..ReportHeader::default()
    }
}

/// What else the reader should know: what is wrong with the key or odd in its policy, and what could not be read.
fn notes(
    key: &KeyDescription,
    rules: &KeyRules,
    attributes: &Attributes,
    key_use: Option<&KeyUse>,
) -> Vec<String> {
    let fitness = fitness(key);
    let mut notes: Vec<String> =
        fitness.faults.iter().map(|fault| format!("the key cannot encrypt sessions: {fault}")).collect();
    notes.extend(fitness.cautions.iter().map(|caution| format!("of the key: {caution}")));
    notes.extend(rules.warnings().map(|warning| format!("of the key policy: {warning}")));
    let Attributes { organization, resource_tags, aliases } = attributes;
    for (what, why) in [
        ("the own organization", organization.as_ref().and_then(Read::why)),
        ("the key's tags", resource_tags.as_ref().and_then(Read::why)),
        ("the key's aliases", aliases.as_ref().and_then(Read::why)),
    ] {
        notes.extend(why.map(|why| format!("a condition asks for {what}, which could not be read: {why}")));
    }
    notes.push(
        "own policies, permissions boundaries, service control policies and resource control policies are not part of this \
         report; each of them can still deny"
            .to_owned(),
    );
    if key_use.is_none() {
        notes.push("who uses the key is not known: give an audit with --audit".to_owned());
    }
    notes
}
