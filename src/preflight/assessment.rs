//! The assessment of who can use a key: all findings, each principal's verdict, and the remedies. Pure.

use kms_key_policy::matches_wildcards;
use serde::Serialize;

use super::assessor::{Assessor, SubjectAssessment};
use super::checks::{dry_run, key_fitness, key_policy, network, nodes, users};
use super::finding::{Check, Finding, Verdict};
use super::observation::AccessObservation;
use super::remedies::Remedies;
pub(super) use super::remedies::ResourceRemedy;
use crate::access::{CallerKind, IdentityVerdict, KeyVerdict, PrincipalArn};
use crate::intent::PreflightMode;

/// Whether one principal can make its call: both sides together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalAccess {
    /// Who.
    pub principal: PrincipalArn,
    /// As what.
    pub side: CallerKind,
    /// Pass, fail or unknown, of both sides together.
    pub verdict: Verdict,
    /// How the principal is known.
    pub source: String,
    /// Whether it is exempt, so that its failure does not block.
    pub exempt: bool,
    /// What the key's side says.
    pub key_side: String,
    /// What its own side says.
    pub own_side: String,
    /// The indices of the statements of the key policy that `key_side` names, from 0.
    #[serde(skip)]
    pub key_policy_statements: Vec<usize>,
}

/// The assessment of a key for its users and nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// Each check's findings.
    pub findings: Vec<Finding>,
    /// Each principal's verdict.
    pub access: Vec<PrincipalAccess>,
    /// What to do for those who fail.
    pub remedies: Remedies,
}

/// Assesses everything that was observed. `exempt` holds patterns of ARNs, with `*` and `?`.
#[must_use]
pub fn assess(observation: &AccessObservation, exempt: &[String]) -> Assessment {
    let key = observation.arn();
    let assessor = Assessor::new(observation);
    let mut assessment = Assessment { findings: key_fitness(&observation.key), ..Assessment::default() };
    assessment.findings.extend(key_policy::warnings(&assessor.all.rules, key.as_str()));
    let mut refused: Vec<(&PrincipalArn, CallerKind)> = Vec::new();
    let mut lacking: Vec<(&PrincipalArn, CallerKind)> = Vec::new();
    for subject in &observation.subjects {
        let is_exempt = exempt.iter().any(|pattern| matches_wildcards(pattern, subject.principal.as_str()));
        let SubjectAssessment { on_key, key_side, on_identity, own } = assessor.assess(subject);
        let on_key = Finding { exempt: is_exempt, ..on_key };
        let on_identity = Finding { exempt: is_exempt, ..on_identity };
        if matches!(key_side, Ok(KeyVerdict::ImplicitDeny { .. })) {
            refused.push((&subject.principal, subject.side));
        }
        if matches!(own, IdentityVerdict::MissingAllow(_)) {
            lacking.push((&subject.principal, subject.side));
        }
        assessment.access.push(PrincipalAccess {
            principal: subject.principal.clone(),
            side: subject.side,
            verdict: on_key.verdict.and(on_identity.verdict),
            source: subject.source.clone(),
            exempt: is_exempt,
            key_side: on_key.evidence.clone(),
            own_side: on_identity.evidence.clone(),
            key_policy_statements: on_key.key_policy_statements.clone(),
        });
        assessment.findings.extend([on_key, on_identity]);
    }
    assessment.findings.extend(
        observation.dry_runs.iter().map(|(side, dry_run)| dry_run::finding(*side, key.as_str(), dry_run)),
    );
    assessment.findings.extend(observation.nodes.iter().flat_map(nodes::findings));
    if let Some(network) = &observation.network {
        let (findings, remedies) = network::findings(observation, network);
        assessment.findings.extend(findings);
        assessment.remedies.resources.extend(remedies);
    }
    let of_users = observation.sessions.iter().flat_map(|sessions| users::findings(sessions, exempt));
    assessment.findings.extend(of_users);
    assessment.remedies.admit(key, &refused, &lacking);
    assessment
}

impl Assessment {
    /// Adds the assessment of another key. The indices of its statements count in another key policy, and are dropped.
    pub fn extend(&mut self, other: Self) {
        let findings = other.findings.into_iter();
        self.findings
            .extend(findings.map(|finding| Finding { key_policy_statements: Vec::new(), ..finding }));
        let access = other.access.into_iter();
        self.access
            .extend(access.map(|access| PrincipalAccess { key_policy_statements: Vec::new(), ..access }));
        self.remedies.extend(other.remedies);
    }
}

impl PreflightMode {
    /// Whether a finding blocks a change in this mode. An unfit key always does.
    #[must_use]
    pub fn blocks(self, finding: &Finding) -> bool {
        if finding.check == Check::KeyFitness {
            return finding.verdict == Verdict::Fail;
        }
        let weighs = match self {
            Self::Strict => matches!(finding.verdict, Verdict::Fail | Verdict::Unknown),
            Self::Enforce => finding.verdict == Verdict::Fail,
            Self::Warn | Self::Off => false,
        };
        weighs && !finding.exempt
    }
}

#[cfg(test)]
#[path = "assessment/tests.rs"]
mod tests;
