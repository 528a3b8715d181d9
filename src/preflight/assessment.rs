//! The assessment of who can use a key: all findings, each principal's verdict, and the remedies. Pure.

use std::collections::BTreeSet;

use kms_key_policy::matches_wildcards;
use serde::Serialize;

use super::assessor::{Assessor, SubjectAssessment};
use super::checks::{dry_run, identities, just_in_time, key_fitness, key_policy, network, nodes, users};
use super::finding::{Check, Finding, Verdict};
use super::observation::{AccessObservation, Need, Read, Subject};
use super::remedies::{Remedies, ResourceRemedy};
use super::unread::Unread;
use crate::access::{CallerKind, IdentityVerdict, KeyVerdict, PrincipalArn};
use crate::intent::PreflightMode;
use crate::key::KeyArn;

/// Whether one principal can make its call: both sides together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PrincipalAccess {
    /// Who.
    pub principal: PrincipalArn,
    /// As what.
    pub side: CallerKind,
    /// Pass, fail or unknown, of both sides together.
    pub verdict: Verdict,
    /// Whether the key's side admits it without a policy of its own, and something that is not known could still deny it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_admitted: bool,
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
    /// Whether a side refuses it, however certain it is that it needs the key.
    #[serde(skip)]
    pub is_refused: bool,
}

/// The assessment of a key for its users and nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Assessment {
    /// Each check's findings.
    pub findings: Vec<Finding>,
    /// Each principal's verdict.
    pub access: Vec<PrincipalAccess>,
    /// What to do for those who fail.
    pub remedies: Remedies,
    /// What the checks needed and could not read.
    #[serde(skip)]
    pub unread: Vec<Unread>,
}

/// Assesses everything that was observed. `exempt` holds patterns of ARNs, with `*` and `?`.
#[must_use]
pub fn assess(observation: &AccessObservation, exempt: &[String]) -> Assessment {
    let key = observation.arn();
    let assessor = Assessor::new(observation);
    let mut assessment = Assessment {
        findings: key_fitness(&observation.key),
        unread: observation.unread(),
        ..Assessment::default()
    };
    let unfit = assessment.unfit();
    assessment.findings.extend(key_policy::warnings(&assessor.all.rules, key.as_str()));
    assessment.findings.extend(identities::unlisted(observation));
    let mut refused: Vec<(&PrincipalArn, CallerKind)> = Vec::new();
    let mut lacking: Vec<(&PrincipalArn, CallerKind)> = Vec::new();
    let subjects: Vec<_> =
        observation.subjects.iter().map(|subject| (subject, assessor.assess(subject))).collect();
    let certain = certainly_needed(observation, &subjects, exempt);
    for (subject, found) in subjects {
        let is_refused = found.verdict() == Verdict::Fail;
        let SubjectAssessment { on_key, key_side, on_identity, own } = found;
        let is_certain = subject.side == CallerKind::Node && certain.contains(&subject.principal);
        let need = if is_certain { &Need::Certain } else { &subject.need };
        let is_exempt = is_exempt(&subject.principal, exempt);
        let weighed = |finding: Finding| need.weigh(Finding { exempt: is_exempt, ..finding });
        let (on_key, mut on_identity) = (weighed(on_key), weighed(on_identity));
        // Nobody is admitted of whom it is not known that it needs the key.
        let is_needed = !matches!(need, Need::Possible(_));
        if is_needed && matches!(key_side, Ok(KeyVerdict::ImplicitDeny { .. })) {
            refused.push((&subject.principal, subject.side));
        }
        if is_needed && matches!(own, IdentityVerdict::MissingAllow(_)) {
            match just_in_time::tag_remedy(subject, observation) {
                Some(remedy) => {
                    on_identity.remedy.clone_from(&remedy.command);
                    assessment.remedies.resources.push(remedy);
                }
                None => lacking.push((&subject.principal, subject.side)),
            }
        }
        assessment.access.push(PrincipalAccess {
            principal: subject.principal.clone(),
            side: subject.side,
            verdict: if unfit.is_some() { Verdict::Fail } else { on_key.verdict.and(on_identity.verdict) },
            is_admitted: unfit.is_none() && matches!(own, IdentityVerdict::Admitted(_)),
            source: subject.source.clone(),
            exempt: is_exempt,
            key_side: unfit.clone().unwrap_or_else(|| on_key.evidence.clone()),
            own_side: on_identity.evidence.clone(),
            key_policy_statements: on_key.key_policy_statements.clone(),
            is_refused,
        });
        assessment
            .findings
            .extend([on_key, on_identity].map(|finding| from_source(finding, &subject.source)));
    }
    assessment.findings.extend(
        observation.dry_runs.iter().map(|(side, dry_run)| dry_run::finding(*side, key.as_str(), dry_run)),
    );
    assessment.findings.extend(observation.nodes.iter().flat_map(nodes::findings));
    if let Some(network) = &observation.network {
        let (findings, remedies) = network::findings(observation, network, &|role| is_exempt(role, exempt));
        assessment.findings.extend(findings);
        assessment.remedies.resources.extend(remedies);
    }
    let of_users = observation.sessions.iter().flat_map(|sessions| users::findings(sessions, exempt));
    assessment.findings.extend(of_users);
    assessment.remedies.admit(key, &refused, &lacking);
    if observation.key.is_of_wrong_kind() {
        assessment.leave_only_another_key(key);
    }
    assessment
}

/// The roles that some nodes certainly need although it is not known which one they use: none of those that they may use
/// works.
fn certainly_needed<'a>(
    observation: &'a AccessObservation,
    subjects: &[(&Subject, SubjectAssessment)],
    exempt: &[String],
) -> BTreeSet<&'a PrincipalArn> {
    let fails = |role: &PrincipalArn| {
        let mut nodes = subjects.iter().filter(|(subject, _)| subject.side == CallerKind::Node);
        !is_exempt(role, exempt)
            && nodes.any(|(subject, found)| subject.principal == *role && found.verdict() == Verdict::Fail)
    };
    let nodes = observation.nodes.as_ref().and_then(Read::known);
    let alternative_roles = nodes.iter().flat_map(|nodes| &nodes.alternative_roles);
    alternative_roles.filter(|roles| roles.iter().all(fails)).flatten().collect()
}

fn is_exempt(principal: &PrincipalArn, exempt: &[String]) -> bool {
    exempt.iter().any(|pattern| matches_wildcards(pattern, principal.as_str()))
}

/// A finding that says how it is known that its subject needs the key, if there is something to do about it.
fn from_source(mut finding: Finding, source: &str) -> Finding {
    if matches!(finding.verdict, Verdict::Fail | Verdict::Warning) {
        finding.evidence.push_str(&format!(" ({source})"));
    }
    finding
}

impl Need {
    /// What a finding about somebody with this need means: the failure of somebody who does not certainly need the key
    /// is no failure.
    fn weigh(&self, finding: Finding) -> Finding {
        if finding.verdict != Verdict::Fail {
            return finding;
        }
        match self {
            Self::Certain => finding,
            Self::Possible(why) => Finding {
                verdict: Verdict::Unknown,
                evidence: format!("{}; whether it needs the key is not known: {why}", finding.evidence),
                remedy: None,
                ..finding
            },
            Self::StoppedOnly => Finding { verdict: Verdict::Warning, blocks_in_strict: true, ..finding },
        }
    }
}

impl Assessment {
    /// That nobody can use the key, and why, if it cannot encrypt sessions.
    #[must_use]
    pub fn unfit(&self) -> Option<String> {
        let is_unfit =
            |finding: &&Finding| finding.check == Check::KeyFitness && finding.verdict == Verdict::Fail;
        let finding = self.findings.iter().find(is_unfit)?;
        Some(format!("nobody can use the key: {}", finding.evidence))
    }

    /// Drops the remedies that are about this key. It can never encrypt sessions, so nobody needs to be admitted to it: the
    /// remedy is another key.
    fn leave_only_another_key(&mut self, key: &KeyArn) {
        let of_access =
            |finding: &&mut Finding| matches!(finding.check, Check::KeyPolicy | Check::Identities);
        self.findings.iter_mut().filter(of_access).for_each(|finding| finding.remedy = None);
        let resources = std::mem::take(&mut self.remedies.resources);
        let is_about_key = |remedy: &ResourceRemedy| {
            remedy.resource == key.as_str() || remedy.snippet.to_string().contains(key.as_str())
        };
        let resources = resources.into_iter().filter(|remedy| !is_about_key(remedy)).collect();
        self.remedies = Remedies { resources, ..Remedies::default() };
    }

    /// Adds the assessment of another key. The indices of its statements count in another key policy, and are dropped.
    pub fn extend(&mut self, other: Self) {
        // What does not depend on the key is found again.
        let findings = other.findings.into_iter().filter(|finding| !self.findings.contains(finding));
        let findings: Vec<_> =
            findings.map(|finding| Finding { key_policy_statements: Vec::new(), ..finding }).collect();
        self.findings.extend(findings);
        let access = other.access.into_iter();
        self.access
            .extend(access.map(|access| PrincipalAccess { key_policy_statements: Vec::new(), ..access }));
        self.remedies.extend(other.remedies);
        let unread = other.unread.into_iter().filter(|unread| !self.unread.contains(unread));
        let unread: Vec<_> = unread.collect();
        self.unread.extend(unread);
    }
}

impl PreflightMode {
    /// Whether a finding blocks a change in this mode. An unfit key always does, and so does a document that cannot be
    /// changed.
    #[must_use]
    pub fn blocks(self, finding: &Finding) -> bool {
        if matches!(finding.check, Check::KeyFitness | Check::Document) {
            return finding.verdict == Verdict::Fail;
        }
        let weighs = match self {
            Self::Strict => {
                matches!(finding.verdict, Verdict::Fail | Verdict::Unknown) || finding.blocks_in_strict
            }
            Self::Enforce => finding.verdict == Verdict::Fail,
            Self::Warn | Self::Off => false,
        };
        weighs && !finding.exempt
    }
}

#[cfg(test)]
#[path = "assessment/tests.rs"]
mod tests;
