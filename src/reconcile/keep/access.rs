//! Whether those who need the key can still use it, on the occasions that ask for it.

use serde_json::Value;

use super::kept::Kept;
use crate::intent::Mode;
use crate::key::{KeyDescription, KeyRef};
use crate::notice::{About, News, Notice, Source};
use crate::place::Place;
use crate::preflight::{Check, Finding, Read, Remedies, Verdict, assess};
use crate::reconcile::error::ReconcileError;
use crate::reconcile::gather::gather;
use crate::reconcile::judge::judge_key;
use crate::reconcile::lookups::read_what_is_asked;
use crate::reconcile::ports::{AccessPorts, AwsErrorKind};
use crate::reconcile::record::Record;

/// How many of those who fail an alert names; the report's findings have more.
const NAMED: usize = 10;

/// Checks the keys in question, where the occasion asks for it: a call on a key, the schedule, somebody's own wish.
/// Whom `told` lets in has been told a moment ago. Nothing is written.
pub(super) async fn check_access<P: AccessPorts>(
    ports: &P,
    home: &Place,
    record: &Record,
    notice: &Notice,
    told: Option<&str>,
    kept: &mut Kept,
) -> Result<(), ReconcileError> {
    let asked = matches!(notice.source, Source::KeyCall | Source::Schedule | Source::DirectCall);
    if !asked || record.safeguards.mode == Mode::Off {
        return Ok(());
    }
    let keys = match &notice.about {
        About::Key(key) => vec![key.to_string()],
        // The key that stands by is checked like the one in force: it is too late when it has to stand in.
        About::Document(_) | About::Everything => {
            let in_force = if kept.kms_key_id.is_empty() { &record.wanted } else { &kept.kms_key_id };
            let standby = record.standby().filter(|standby| standby != in_force);
            [in_force.clone()].into_iter().chain(standby.map(str::to_owned)).collect()
        }
    };
    for key in keys {
        if told != Some(&key) {
            check_key(ports, home, record, notice, &key, kept).await?;
        }
    }
    Ok(())
}

/// The policy that the notice says was put on its key.
pub(super) fn put(notice: &Notice) -> Option<&String> {
    match &notice.news {
        Some(News::KeyPolicy(policy)) => Some(policy),
        Some(News::DeletionDate(_)) | None => None,
    }
}

async fn check_key<P: AccessPorts>(
    ports: &P,
    home: &Place,
    record: &Record,
    notice: &Notice,
    key: &str,
    kept: &mut Kept,
) -> Result<(), ReconcileError> {
    let Ok(KeyRef::Arn(arn)) = KeyRef::parse(key) else { return Ok(()) };
    let put = put(notice);
    let key = match judge_key(ports, home, &KeyRef::Arn(arn.clone())).await {
        Ok((key, _)) => key,
        // A policy that was put may have locked out this function too. What spec and usage are is fixed at creation,
        // and they were looked at when the key was chosen.
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            KeyDescription::assumed(arn)
        }
        Err(error @ ReconcileError::Aws(_)) => return Err(error),
        // That it cannot be used is trouble of its own, and told as such; whom its policy forgets, nothing tells later.
        Err(_) if put.is_some() => KeyDescription::assumed(arn),
        Err(_) => return Ok(()),
    };
    let mut observation = Box::pin(gather(ports, home, &key, &record.safeguards)).await;
    // Judged by the policy that was put: it may be another account's, and not to be read from here.
    if let Some(put) = put {
        if observation.policy.known().is_some_and(|policy| !is_same(policy, put)) {
            kept.notes.push(format!("the policy of key {} is another by now than that of {notice}", key.arn));
        }
        observation.policy = Read::Known(put.clone());
        read_what_is_asked(ports, home, &record.safeguards, &mut observation).await;
    }
    let assessment = assess(&observation, &record.safeguards.exempt);
    tell_failing(&key, notice, &assessment.findings, assessment.remedies, kept);
    if put.is_some() && matches!(observation.grants, Read::Unknown(_)) {
        tell_doubtful(&key, notice, &assessment.findings, kept);
    }
    kept.find(assessment.findings.into_iter().filter(|finding| finding.check != Check::KeyFitness));
    Ok(())
}

/// An alert that names whom a key does not let in, where there is anybody.
pub(super) fn tell_failing(
    key: &KeyDescription,
    notice: &Notice,
    findings: &[Finding],
    remedies: Remedies,
    kept: &mut Kept,
) {
    let failing: Vec<&Finding> = findings.iter().filter(|finding| is_lost_access(finding)).collect();
    let told = told(key, notice, &failing);
    // A key may be judged twice, by the policy that is there and by that of an event.
    if !failing.is_empty() && !kept.alerts.contains(&told) {
        kept.checks_failed += failing.len();
        kept.alerts.push(told);
        kept.remedies = Some(remedies);
    }
}

/// An alert that names those of whom it is not known whether a key lets them in.
pub(super) fn tell_doubtful(key: &KeyDescription, notice: &Notice, findings: &[Finding], kept: &mut Kept) {
    let doubtful = findings.iter().filter(|finding| {
        finding.verdict == Verdict::Unknown && !finding.exempt && finding.check == Check::KeyPolicy
    });
    let doubtful: Vec<_> = doubtful.collect();
    let told = format!(
        "key {} after {notice}: it is not known whether everybody who needs it can use it: {}",
        key.arn,
        named(&doubtful)
    );
    if !doubtful.is_empty() && !kept.alerts.contains(&told) {
        kept.alerts.push(told);
    }
}

fn is_same(policy: &str, other: &str) -> bool {
    let parsed = |text| serde_json::from_str::<Value>(text).ok();
    parsed(policy) == parsed(other)
}

fn is_lost_access(finding: &Finding) -> bool {
    finding.verdict == Verdict::Fail && !finding.exempt && finding.check != Check::KeyFitness
}

fn told(key: &KeyDescription, notice: &Notice, failing: &[&Finding]) -> String {
    let after = match notice.source {
        Source::KeyCall => format!(" after {notice}"),
        _ => String::new(),
    };
    format!("key {}{after}: not everybody who needs it can use it: {}", key.arn, named(failing))
}

/// The first of them, and how many more there are.
fn named(findings: &[&Finding]) -> String {
    let named: Vec<_> = findings.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match findings.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("{}{more}", named.join("; "))
}
