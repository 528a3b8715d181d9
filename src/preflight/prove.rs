//! Prove: that those who need a key can use it, before it is written.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::gather::{gather, gather_again, is_fresh};
use crate::access::{PrincipalArn, Side};
use crate::intent::Safeguards;
use crate::key::KeyDescription;
use crate::location::Location;
use crate::ports::AccessPorts;
use crate::preflight::{AccessObservation, Assessment, Check, Finding, Mode, Verdict, assess};
use crate::reconcile::ReconcileError;

/// How often a refusal is asked again: policies and roles, whose age nothing tells, take seconds to be seen
/// everywhere.
const ASKS: u32 = 6;
/// The same for a key or a grant of the last minutes: with the pauses between, about five minutes.
const ASKS_WHILE_FRESH: u32 = 140;
/// A log line that CloudWatch takes whole (262,144 bytes, some of them escapes).
const LONGEST_LINE: usize = 120_000;
/// How many findings or verdicts such a line takes.
const LISTED: usize = 150;

/// Assesses who can use a key. A refusal is asked again, for as long as `patience` lasts, before it counts.
pub async fn prove<P: AccessPorts>(
    ports: &P,
    location: &Location,
    key: &KeyDescription,
    safeguards: &Safeguards,
    patience: Duration,
    progress: &dyn Fn(&str),
) -> Assessment {
    progress("finding out who needs the key and whether they may use it");
    let begun = ports.now();
    // Boxed, like this future itself: many calls in flight make for a large state.
    let mut observation = Box::pin(gather(ports, location, key, safeguards)).await;
    let mut assessment = assess(&observation, &safeguards.exempt);
    for attempt in 1..=asks(&observation, ports.now()) {
        if !may_pass_later(&assessment, safeguards.mode) || is_over(begun, patience, ports.now()) {
            break;
        }
        let refused = refused(&assessment);
        progress("asking again who may use the key, since changes take a while to be seen");
        tracing::info!(attempt, refused = refused.len(), "asking again");
        ports.pause(attempt).await;
        Box::pin(gather_again(ports, location, safeguards, &mut observation, &refused)).await;
        assessment = assess(&observation, &safeguards.exempt);
    }
    assessment
}

/// How often a refusal is asked again before it counts.
pub(crate) fn asks(observation: &AccessObservation, now: SystemTime) -> u32 {
    if is_fresh(observation, now) { ASKS_WHILE_FRESH } else { ASKS }
}

/// Whether asking has taken as long as it may. Calls count like the pauses between them.
pub(crate) fn is_over(begun: SystemTime, patience: Duration, now: SystemTime) -> bool {
    now.duration_since(begun).is_ok_and(|taken| taken >= patience)
}

/// The findings of an assessment that block in a mode.
#[must_use]
pub fn blocking(assessment: &Assessment, mode: Mode) -> Vec<Finding> {
    assessment.findings.iter().filter(|finding| mode.blocks(finding)).cloned().collect()
}

/// Logs an assessment as the one line that answers refer to; where it is too long, in several, without what
/// passes.
pub(crate) fn log(key: &KeyDescription, assessment: &Assessment) {
    let text = |part: &Assessment| serde_json::to_value(part).unwrap_or_default().to_string();
    let whole = text(assessment);
    if whole.len() <= LONGEST_LINE {
        tracing::info!(key = %key.arn, report = whole, "report");
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
        tracing::info!(key = %key.arn, report = text(&part), "report, in parts, without what passes");
    }
}

/// Fails where findings block.
pub(crate) fn check(key: &KeyDescription, assessment: &Assessment, mode: Mode) -> Result<(), ReconcileError> {
    match blocking(assessment, mode) {
        blocking if blocking.is_empty() => Ok(()),
        blocking => Err(ReconcileError::Blocked {
            key: key.arn.clone(),
            blocking,
            remedies: assessment.remedies.clone(),
        }),
    }
}

/// Whether something blocks that a change on its way to be seen may mend: an access refused, a key not usable yet.
fn may_pass_later(assessment: &Assessment, mode: Mode) -> bool {
    let is_of_access = |check| matches!(check, Check::KeyPolicy | Check::Identities | Check::DryRun);
    let mut failing = assessment.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failing.any(|finding| is_of_access(finding.check) && mode.blocks(finding))
}

fn refused(assessment: &Assessment) -> BTreeSet<(PrincipalArn, Side)> {
    let refused = assessment.access.iter().filter(|access| access.verdict == Verdict::Fail && !access.exempt);
    refused.map(|access| (access.principal.clone(), access.side)).collect()
}
