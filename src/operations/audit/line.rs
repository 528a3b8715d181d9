//! The line of what was found: its state, who is locked out, and the findings. Pure.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::key::ExaminedKey;
use crate::audit::{AuditFinding, AuditLine, AuditState, AuditedDocument, AuditedPlace, LockedOut};
use crate::preflight::{Assessment, Check, Verdict};
use crate::report::RegionStatus;

/// What was found in an account and Region.
pub(super) struct Examined {
    /// What the document and its record say.
    pub(super) status: RegionStatus,
    /// The keys that the document has.
    pub(super) keys: Vec<ExaminedKey>,
    /// Whether a version that sessions may use has another key than the owner wants.
    pub(super) is_drifted: bool,
    /// Whether a version that sessions may use has no key, or there is no document.
    pub(super) is_unencrypted: bool,
}

/// The line of what was found.
pub(super) fn line_of(place: AuditedPlace, audited_at: String, examined: Examined) -> AuditLine {
    let Examined { mut status, keys, is_drifted, is_unencrypted } = examined;
    let mut sessions_fail = false;
    let mut assessment = Assessment::default();
    let mut audited = Vec::new();
    for ExaminedKey { key, assessment: of_key } in keys {
        match (key.is_fit, &key.problem) {
            (Some(false), Some(problem)) => {
                sessions_fail = true;
                status.problems.push(format!("sessions fail: {problem}"));
            }
            (None, Some(problem)) => status
                .unknown
                .push(format!("it is not known whether key {} can be used: {problem}", key.kms_key_id)),
            _ => {}
        }
        audited.push(key);
        assessment.extend(of_key.unwrap_or_default());
    }
    let locked_out: BTreeSet<LockedOut> = assessment
        .access
        .iter()
        .filter(|access| access.verdict == Verdict::Fail && !access.exempt)
        .map(|access| LockedOut { principal: access.principal.to_string(), side: access.side })
        .collect();
    status.unknown.extend(unknown(&assessment));
    let network = assessment.findings.iter().filter(|finding| finding.check == Check::Network);
    let network = network.map(|finding| weighed(finding.verdict, finding.exempt)).max();
    let mut findings: Vec<_> = assessment
        .findings
        .into_iter()
        .map(|finding| AuditFinding {
            verdict: weighed(finding.verdict, finding.exempt),
            ..AuditFinding::from(finding)
        })
        .filter(|finding| finding.verdict != Verdict::Pass)
        .collect();
    findings.sort_by_key(|finding| Reverse(finding.verdict));
    let heaviest = findings.first().map(|finding| finding.verdict);
    let states = [
        (sessions_fail, AuditState::SessionsFail),
        (!locked_out.is_empty() || heaviest == Some(Verdict::Fail), AuditState::LockedOut),
        (is_drifted, AuditState::Drifted),
        (is_unencrypted, AuditState::Unencrypted),
        (heaviest == Some(Verdict::Unknown) || !status.unknown.is_empty(), AuditState::Unknown),
    ];
    let state = states.into_iter().find_map(|(holds, state)| holds.then_some(state));
    let document = status.versions.map(|versions| AuditedDocument {
        name: status.document,
        latest: versions.latest,
        default: versions.default,
        kms_key_id: versions.kms_key_id,
        default_kms_key_id: status.default_kms_key_id,
    });
    AuditLine {
        place,
        audited_at,
        state: state.unwrap_or(AuditState::Encrypted),
        unreadable: None,
        document,
        owner: status.owner,
        wanted: status.wanted,
        drifted: is_drifted,
        keys: audited,
        locked_out: locked_out.into_iter().collect(),
        network,
        problems: status.problems,
        unknown: status.unknown,
        findings,
        findings_left_out: 0,
    }
}

/// The verdict on somebody who may be exempt: the failure of an exempt principal is worth knowing, and no more. So is that
/// it is not known.
fn weighed(verdict: Verdict, is_exempt: bool) -> Verdict {
    if is_exempt { verdict.min(Verdict::Warning) } else { verdict }
}

/// What could not be found out of the keys: what could not be read, and of whom it is not known whether they can use the
/// key.
fn unknown(assessment: &Assessment) -> Vec<String> {
    let mut unknown: Vec<_> =
        assessment.unread.iter().map(|unread| format!("{}: {}", unread.what, unread.why)).collect();
    let who: BTreeSet<&str> = assessment
        .access
        .iter()
        .filter(|access| access.verdict == Verdict::Unknown && !access.exempt)
        .map(|access| access.principal.as_str())
        .collect();
    let mut who = who.into_iter();
    if let Some(first) = who.next() {
        unknown.push(match who.len() {
            0 => format!("it is not known whether {first} can use the key"),
            more => format!("it is not known whether {first} and {more} more can use the key"),
        });
    }
    unknown
}
