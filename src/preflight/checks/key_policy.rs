//! The check *key policy admits users / nodes*: the key's policy and grants admit each principal to its call,
//! with the context that a session really has.

use super::unread::unread;
use crate::access::{DecidingRule, KeyRules, KeyVerdict, KnownContext};
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{AccessObservation, Read, Subject};

/// The key's side, compiled, if Context says this. Otherwise why the key's side is not known.
pub(in crate::preflight) fn rules(
    observation: &AccessObservation,
    known: &KnownContext,
) -> Result<KeyRules, String> {
    let policy = match &observation.policy {
        Read::Known(policy) => policy,
        Read::Unknown(why) => return Err(why.clone()),
    };
    with_policy(observation, known, policy)
}

/// The key's side if its policy admitted everybody. What even that refuses, every policy refuses.
pub(in crate::preflight) fn most_permissive(
    observation: &AccessObservation,
    known: &KnownContext,
) -> Option<KeyRules> {
    const ADMITS_ALL: &str =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}}"#;
    with_policy(observation, known, ADMITS_ALL).ok()
}

fn with_policy(
    observation: &AccessObservation,
    known: &KnownContext,
    policy: &str,
) -> Result<KeyRules, String> {
    // Grants can only allow. So a verdict that allows holds without them, and `assess` corrects the others.
    let grants = observation
        .grants
        .known()
        .map_or_else(|| "[]".to_owned(), |grants| serde_json::Value::Array(grants.clone()).to_string());
    let facts = observation.facts(known);
    KeyRules::new(observation.arn().clone(), facts, policy, &grants).map_err(|error| error.to_string())
}

/// What the key's side says of a subject. The error is why that is not known.
pub(in crate::preflight) fn assess(
    rules: &Result<KeyRules, String>,
    observation: &AccessObservation,
    subject: &Subject,
) -> Result<KeyVerdict, String> {
    let rules = rules.as_ref().map_err(Clone::clone)?;
    let verdict = rules.evaluate(&subject.principal, subject.side).map_err(|error| error.to_string())?;
    match (&verdict, &observation.grants) {
        (KeyVerdict::ImplicitDeny { why }, Read::Unknown(unread)) => {
            Err(format!("{why}, but the key's grants are not known: {unread}"))
        }
        _ => Ok(verdict),
    }
}

/// The finding about one subject.
pub(in crate::preflight) fn finding(
    subject: &Subject,
    observation: &AccessObservation,
    verdict: &Result<KeyVerdict, String>,
) -> Finding {
    let action = subject.side.call().action();
    let (answer, evidence, remedy) = match verdict {
        Ok(KeyVerdict::Allows { is_sufficient, by }) => {
            let also = if *is_sufficient { "" } else { "; its own policies have to allow it too" };
            (Verdict::Pass, format!("{} admits it to {action}{also}", listed(by)), None)
        }
        Ok(KeyVerdict::ExplicitDeny { by }) => (
            Verdict::Fail,
            format!("{} denies it {action}", listed(by)),
            Some("a Deny wins over every Allow: except the principal from that statement".to_owned()),
        ),
        Ok(KeyVerdict::ImplicitDeny { why }) => (
            Verdict::Fail,
            format!("{action}: {why}"),
            Some(format!("allow it {action} by a statement of the key policy")),
        ),
        Ok(KeyVerdict::Depends { on, keys, by }) => {
            let account = subject.principal.account();
            let why = unread(observation, account, subject.tags.as_ref(), keys);
            (
                Verdict::Unknown,
                match by.as_slice() {
                    [] => format!("whether it may {action} depends on {on}{why}"),
                    by => format!("whether {} admits it to {action} depends on {on}{why}", listed(by)),
                },
                None,
            )
        }
        Err(why) => (Verdict::Unknown, format!("{action}: the key's side is not known: {why}"), None),
    };
    Finding {
        remedy,
        side: Some(subject.side),
        key_policy_statements: verdict.as_ref().map(KeyVerdict::key_policy_statements).unwrap_or_default(),
        ..Finding::new(Check::KeyPolicy, answer, subject.principal.to_string(), evidence)
    }
}

/// What AWS accepts in the policy although nobody can want it.
pub(in crate::preflight) fn warnings(rules: &Result<KeyRules, String>, key: &str) -> Vec<Finding> {
    let Ok(rules) = rules else { return Vec::new() };
    let warning = |evidence| Finding::new(Check::KeyPolicy, Verdict::Warning, key, evidence);
    rules.warnings().map(warning).collect()
}

fn listed(by: &[DecidingRule]) -> String {
    if by.is_empty() { "the key policy".to_owned() } else { DecidingRule::names(by) }
}
