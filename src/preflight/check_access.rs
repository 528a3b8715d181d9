//! Checks whether those who need a key can use it. A check that fails is repeated before it counts, because changes of
//! policies and grants take a while to be seen everywhere.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::assessment::{Assessment, assess};
use super::finding::{Check, Finding, Verdict, counts};
use super::key_error::{KeyFault, KeyStanding};
use super::observation::{AccessObservation, AccessQuestion};
use super::observe::{observe_access, observe_again};
use crate::access::{CallerKind, PrincipalArn};
use crate::intent::PreflightMode;
use crate::key::KeyDescription;
use crate::ports::{Environment, PreflightPorts};

/// How many times a check that fails is repeated. The age of policies and roles is not known, and a change of one is
/// seen everywhere within seconds.
const RETRIES: u32 = 6;
/// The same for a key or a grant of the last minutes. With the pauses between, this is about five minutes.
const RETRIES_WHILE_FRESH: u32 = 140;
/// The longest log line, in bytes, that CloudWatch takes whole (262,144 bytes, some of them escapes).
const LONGEST_LINE: usize = 120_000;
/// How many findings or verdicts such a line holds.
const LISTED: usize = 150;

/// Checks who can use a key. A check that fails is repeated for as long as `patience` lasts before it counts.
pub async fn check_access<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: AccessQuestion<'_>,
    patience: Duration,
) -> Assessment {
    let safeguards = question.safeguards;
    environment.progress("finding out who needs the key and whether they may use it");
    let ports = environment.ports;
    let begun = ports.now();
    // Boxed, like this future itself: many calls in flight make for a large state.
    let mut observation = Box::pin(observe_access(environment, question)).await;
    let mut assessment = assess(&observation, &safeguards.exempt);
    for attempt in 1..=retries(&observation, ports.now()) {
        if !may_pass_later(&assessment, safeguards.mode) || is_over(begun, patience, ports.now()) {
            break;
        }
        let refused = refused(&assessment);
        environment.progress("asking again who may use the key, since changes take a while to be seen");
        tracing::info!(attempt, refused = refused.len(), "asking again");
        ports.pause(attempt).await;
        Box::pin(observe_again(environment, safeguards, &mut observation, &refused)).await;
        assessment = assess(&observation, &safeguards.exempt);
    }
    assessment
}

/// How many times a check that fails is repeated before it counts.
pub(super) fn retries(observation: &AccessObservation, now: SystemTime) -> u32 {
    if is_fresh(observation, now) { RETRIES_WHILE_FRESH } else { RETRIES }
}

/// Whether asking has taken as long as it may. Calls count, and so do the pauses between them.
pub(super) fn is_over(begun: SystemTime, patience: Duration, now: SystemTime) -> bool {
    now.duration_since(begun).is_ok_and(|taken| taken >= patience)
}

/// The findings of an assessment that block in a mode.
#[must_use]
pub fn blocking(assessment: &Assessment, mode: PreflightMode) -> Vec<Finding> {
    assessment.findings.iter().filter(|finding| mode.blocks(finding)).cloned().collect()
}

/// Logs an assessment as the one line that answers refer to, the heaviest findings and verdicts first. An assessment that
/// is too long for a line is logged in parts, without what passes.
pub(crate) fn log_assessment(key: &KeyDescription, assessment: &Assessment) {
    let text = |part: &Assessment| serde_json::to_value(part).unwrap_or_default().to_string();
    let mut assessment = assessment.clone();
    assessment.findings.sort_by_key(|finding| Reverse(finding.verdict));
    assessment.access.sort_by_key(|access| Reverse(access.verdict));
    let whole = text(&assessment);
    let summary = counts(&assessment.findings);
    if whole.len() <= LONGEST_LINE {
        tracing::info!(key = %key.arn, summary, report = whole, "report");
        return;
    }
    let findings: Vec<_> = assessment.findings.iter().filter(|one| one.verdict != Verdict::Pass).collect();
    let access: Vec<_> = assessment.access.iter().filter(|one| one.verdict != Verdict::Pass).collect();
    let remedies = Assessment { remedies: assessment.remedies.clone(), ..Assessment::default() };
    let of_findings = findings.chunks(LISTED).map(|part| Assessment {
        findings: part.iter().map(|one| (*one).clone()).collect(),
        ..Assessment::default()
    });
    let of_access = access.chunks(LISTED).map(|part| Assessment {
        access: part.iter().map(|one| (*one).clone()).collect(),
        ..Assessment::default()
    });
    for part in std::iter::once(remedies).chain(of_findings).chain(of_access) {
        tracing::info!(key = %key.arn, summary, report = text(&part), "report, in parts, without what passes");
    }
}

/// Fails if findings block in this mode. `standing` is what the key is to the document.
pub(crate) fn refuse_if_blocked(
    key: &KeyDescription,
    assessment: &Assessment,
    mode: PreflightMode,
    standing: KeyStanding,
) -> Result<(), KeyFault> {
    match blocking(assessment, mode) {
        blocking if blocking.is_empty() => Ok(()),
        blocking => {
            let (key, remedies) = (key.arn.clone(), assessment.remedies.clone());
            Err(KeyFault::Blocked { key, standing, blocking, remedies })
        }
    }
}

/// Whether a finding blocks that may pass once a recent change is seen everywhere.
fn may_pass_later(assessment: &Assessment, mode: PreflightMode) -> bool {
    let is_of_access = |check| matches!(check, Check::KeyPolicy | Check::Identities | Check::DryRun);
    let refused = refused(assessment);
    let is_of_refused = |finding: &Finding| {
        let mut refused = refused.iter();
        refused.any(|(principal, side)| Some(*side) == finding.side && principal.as_str() == finding.subject)
    };
    let mut blocking = assessment.findings.iter().filter(|finding| mode.blocks(finding));
    blocking.any(|finding| {
        is_of_access(finding.check) && (finding.verdict == Verdict::Fail || is_of_refused(finding))
    })
}

fn refused(assessment: &Assessment) -> BTreeSet<(PrincipalArn, CallerKind)> {
    let refused = assessment.access.iter().filter(|access| access.is_refused && !access.exempt);
    refused.map(|access| (access.principal.clone(), access.side)).collect()
}

/// Whether the key or one of its grants is so new that not everybody sees it yet: up to about five minutes (KMS
/// developer guide), and twice that is allowed for. A date in the future comes from another clock, and counts as new.
fn is_fresh(observation: &AccessObservation, now: SystemTime) -> bool {
    const FRESH: Duration = Duration::from_secs(600);
    let is_new =
        |created: SystemTime| now.duration_since(created).is_ok_and(|age| age < FRESH) || created > now;
    let of_grant = |grant: &Value| {
        let created = Duration::try_from_secs_f64(grant.get("CreationDate")?.as_f64()?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(created)
    };
    let grants = observation.grants.known().map(Vec::as_slice).unwrap_or_default();
    observation.key.created.into_iter().chain(grants.iter().filter_map(of_grant)).any(is_new)
}
