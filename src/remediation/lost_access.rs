//! Checking after an event whether those who need a key can still use it. Nothing is written.

use std::collections::BTreeMap;

use serde_json::Value;

use super::RemediationRequest;
use super::outcome::Alert;
use crate::change_event::{ChangeDetail, ChangeEvent, ChangeSource, Scope};
use crate::intent::PreflightMode;
use crate::key::{KeyArn, KeyDescription};
use crate::ports::{AwsError, Environment, PreflightPorts};
use crate::preflight::{
    AccessQuestion, Check, Finding, KeyUsability, Read, Remedies, Verdict, assess, key_usability,
    observe_access, read_attributes,
};
use crate::reconcile::Record;
use crate::session::{DocumentName, Target};

/// How many of those who fail an alert names. The report's findings name more.
const NAMED: usize = 10;

/// What the checks found.
#[derive(Debug, Default)]
pub(super) struct AccessCheck {
    pub(super) alerts: Vec<Alert>,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// Whether a policy asks for the aliases of a key that was checked.
    pub(super) asks_for_aliases: bool,
    /// What cannot be read now, with the reason, and could be read at the owner's last request as far as that is known.
    pub(super) newly_unread: BTreeMap<String, String>,
}

/// Checks the keys that an event is about, if the event may mean lost access: it is a call on a key, the schedule, or a
/// direct call. `in_force` is what the document carries. `checked` is what the caller has just checked and reported.
///
/// # Errors
/// If AWS refused to describe a key for another reason than a missing permission, or did not answer.
pub(super) async fn check_lost_access<P: PreflightPorts>(
    environment: Environment<'_, P>,
    RemediationRequest { document, event, .. }: RemediationRequest<'_>,
    record: &Record,
    in_force: &Target,
    checked: Option<&Target>,
) -> Result<AccessCheck, AwsError> {
    let mut lost = AccessCheck::default();
    let may_mean_lost_access =
        matches!(event.source, ChangeSource::KeyCall | ChangeSource::Schedule | ChangeSource::DirectCall);
    if !may_mean_lost_access || record.safeguards.mode == PreflightMode::Off {
        return Ok(lost);
    }
    let keys = match &event.scope {
        Scope::Key(key) => vec![key.to_string()],
        // The standby key is checked like the key in force, because when it has to stand in it is too late to check.
        Scope::Document(_) | Scope::Everything => {
            let in_force = in_force.key().or(record.wanted.key());
            let standby = record.standby().filter(|standby| Some(*standby) != in_force);
            in_force.into_iter().chain(standby).map(str::to_owned).collect()
        }
    };
    for key in keys {
        if checked.is_some_and(|checked| checked.is_key(&key)) {
            continue;
        }
        let of_key = check_key_of_event(environment, document, record, event, &key).await?;
        lost.alerts.extend(of_key.alerts);
        lost.findings.extend(of_key.findings);
        lost.notes.extend(of_key.notes);
        lost.asks_for_aliases |= of_key.asks_for_aliases;
        lost.newly_unread.extend(of_key.newly_unread);
    }
    // Of a record from an earlier version it is not known what could be read, so only the metric counts it.
    let is_known = record.remediation.unread.is_some();
    lost.alerts.extend(lost.newly_unread.iter().filter(|_| is_known).map(|(what, why)| {
        Alert::Other(format!(
            "{what} could be read at the owner's last request, and cannot be read now: {why}; whether everybody who needs \
             the key can use it is not known any more"
        ))
    }));
    Ok(lost)
}

/// The policy that an event says was put on its key.
pub(super) fn new_key_policy(event: &ChangeEvent) -> Option<&String> {
    match &event.detail {
        Some(ChangeDetail::KeyPolicy(policy)) => Some(policy),
        Some(ChangeDetail::DeletionDate(_)) | None => None,
    }
}

async fn check_key_of_event<P: PreflightPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
    record: &Record,
    event: &ChangeEvent,
    key: &str,
) -> Result<AccessCheck, AwsError> {
    let mut lost = AccessCheck::default();
    let Ok(arn) = KeyArn::parse(key) else { return Ok(lost) };
    let new_policy = new_key_policy(event);
    let key = match key_usability(environment, key).await? {
        KeyUsability::Usable(key) => *key,
        // A new policy may have locked out this function too. Spec and usage are fixed at creation, and they were
        // checked when the key was chosen.
        KeyUsability::Unknown(_) => KeyDescription::assumed(arn),
        // There is another alert that the key cannot be used. But no later event says whom the new policy leaves out.
        KeyUsability::Unusable(_) if new_policy.is_some() => KeyDescription::assumed(arn),
        KeyUsability::Unusable(_) => return Ok(lost),
    };
    let question = AccessQuestion { key: &key, document, safeguards: &record.safeguards };
    let mut observation = Box::pin(observe_access(environment, question)).await;
    lost.asks_for_aliases = observation.attributes.aliases.is_some();
    // Aliases are read only if a policy asks for them. If none does, an alias lets nobody in and locks nobody out.
    if event.is_alias_call() && !lost.asks_for_aliases {
        return Ok(lost);
    }
    // The event's policy is assessed: the key may be another account's, and its policy unreadable from here.
    if let Some(policy) = new_policy {
        if observation.policy.known().is_some_and(|observed| !is_same_json(observed, policy)) {
            lost.notes.push(format!("the policy of key {} is another by now than that of {event}", key.arn));
        }
        observation.policy = Read::Known(policy.clone());
        read_attributes(environment, &record.safeguards, &mut observation).await;
    }
    let assessment = assess(&observation, &record.safeguards.exempt);
    lost.alerts.extend(lost_access_alert(&key, event, &assessment.findings, assessment.remedies));
    if new_policy.is_some() && matches!(observation.grants, Read::Unknown(_)) {
        lost.alerts.extend(uncertain_access_alert(&key, event, &assessment.findings));
    }
    let read_before = record.remediation.unread.as_ref();
    let is_new = |what: &String| read_before.is_none_or(|known| !known.contains(what));
    let unread = assessment.unread.into_iter().filter(|unread| is_new(&unread.what));
    lost.newly_unread = unread.map(|unread| (unread.what, unread.why)).collect();
    lost.findings =
        assessment.findings.into_iter().filter(|finding| finding.check != Check::KeyFitness).collect();
    Ok(lost)
}

/// An alert that names those whom a key does not admit, if there are any.
pub(super) fn lost_access_alert(
    key: &KeyDescription,
    event: &ChangeEvent,
    findings: &[Finding],
    remedies: Remedies,
) -> Option<Alert> {
    let failed: Vec<&Finding> = findings.iter().filter(|finding| is_lost_access(finding)).collect();
    let after = match event.source {
        ChangeSource::KeyCall => format!(" after {event}"),
        _ => String::new(),
    };
    (!failed.is_empty()).then(|| Alert::LostAccess {
        text: format!("key {}{after}: not everybody who needs it can use it: {}", key.arn, first_of(&failed)),
        failed: failed.len(),
        remedies,
    })
}

/// An alert that names those whose access to a key is unknown, if there are any.
pub(super) fn uncertain_access_alert(
    key: &KeyDescription,
    event: &ChangeEvent,
    findings: &[Finding],
) -> Option<Alert> {
    let uncertain = findings.iter().filter(|finding| {
        finding.verdict == Verdict::Unknown && !finding.exempt && finding.check == Check::KeyPolicy
    });
    let uncertain: Vec<_> = uncertain.collect();
    (!uncertain.is_empty()).then(|| {
        Alert::UncertainAccess(format!(
            "key {} after {event}: it is not known whether everybody who needs it can use it: {}",
            key.arn,
            first_of(&uncertain)
        ))
    })
}

fn is_same_json(text: &str, other: &str) -> bool {
    let parsed = |text| serde_json::from_str::<Value>(text).ok();
    parsed(text) == parsed(other)
}

fn is_lost_access(finding: &Finding) -> bool {
    finding.verdict == Verdict::Fail && !finding.exempt && finding.check != Check::KeyFitness
}

/// The first findings, and how many more there are.
fn first_of(findings: &[&Finding]) -> String {
    let named: Vec<_> = findings.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match findings.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", named.join("; "))
}
