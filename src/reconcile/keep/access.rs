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
use crate::reconcile::ports::{AccessPorts, AwsErrorKind};
use crate::reconcile::record::Record;

/// How many of those who fail an alert names; the report's findings have more.
const NAMED: usize = 10;
/// How many findings a report holds: it has to fit into a message (256 KB).
const REPORTED: usize = 100;

/// Checks the key that the notice is about, or the one in force, where the occasion asks for it: a call on the
/// key, the schedule, somebody's own wish. Nothing is written.
pub(super) async fn check_access<P: AccessPorts>(
    ports: &P,
    home: &Place,
    record: &Record,
    notice: &Notice,
    kept: &mut Kept,
) -> Result<(), ReconcileError> {
    let asked = matches!(notice.source, Source::KeyCall | Source::Schedule | Source::DirectCall);
    let key = match &notice.about {
        About::Key(key) => key.as_str(),
        About::Document(_) | About::Everything => kept.kms_key_id.as_str(),
    };
    if !asked || record.safeguards.mode == Mode::Off {
        return Ok(());
    }
    // A key that is no key, or cannot be used, is trouble of its own, and told as such.
    let Ok(KeyRef::Arn(arn)) = KeyRef::parse(key) else { return Ok(()) };
    let key = match judge_key(ports, home, &KeyRef::Arn(arn.clone())).await {
        Ok((key, _)) => key,
        // A policy that was put may have locked out this function too.
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            KeyDescription::unseen(arn)
        }
        Err(error @ ReconcileError::Aws(_)) => return Err(error),
        Err(_) => return Ok(()),
    };
    let mut observation = Box::pin(gather(ports, home, &key, &record.safeguards)).await;
    // Judged by the policy that was put: it may be another account's, and not to be read from here.
    let put = match &notice.news {
        Some(News::KeyPolicy(policy)) => Some(policy),
        Some(News::DeletionDate(_)) | None => None,
    };
    if let Some(put) = put {
        if observation.policy.known().is_some_and(|policy| !is_same(policy, put)) {
            kept.notes.push(format!("the policy of key {} is another by now than that of {notice}", key.arn));
        }
        observation.policy = Read::Known(put.clone());
    }
    let assessment = assess(&observation, &record.safeguards.exempt);
    tell_failing(&key, notice, &assessment.findings, assessment.remedies, kept);
    if put.is_some() && matches!(observation.grants, Read::Unknown(_)) {
        tell_doubtful(&key, notice, &assessment.findings, kept);
    }
    let worth = assessment.findings.iter();
    let worth =
        worth.filter(|finding| finding.verdict != Verdict::Pass && finding.check != Check::KeyFitness);
    kept.findings.extend(worth.take(REPORTED).cloned());
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
    kept.checks_failed += failing.len();
    if !failing.is_empty() {
        kept.alerts.push(told(key, notice, &failing));
        kept.remedies = Some(remedies);
    }
}

/// An alert that names whom a policy does not admit, where a grant that cannot be seen from here might.
fn tell_doubtful(key: &KeyDescription, notice: &Notice, findings: &[Finding], kept: &mut Kept) {
    let doubtful = findings.iter().filter(|finding| {
        finding.verdict == Verdict::Unknown && !finding.exempt && finding.check == Check::KeyPolicy
    });
    let doubtful: Vec<_> = doubtful.collect();
    if !doubtful.is_empty() {
        kept.alerts.push(format!(
            "key {} after {notice}: it is not known whether everybody who needs it can use it: {}",
            key.arn,
            named(&doubtful)
        ));
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
