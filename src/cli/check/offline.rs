//! `check --policy`: makes the observation from files. Only what the files say counts.

use super::super::Console;
use super::super::error::CliError;
use super::super::files::Files;
use super::CheckOptions;
use crate::access::{CallerKind, KeyFacts, KeyRules, OwnSide, PrincipalArn};
use crate::key::{KeyArn, KeyDescription, KeyRef};
use crate::preflight::{AccessObservation, Attributes, Check, Finding, Need, Read, Subject, Verdict};
use crate::report::{Report, ReportHeader};
use kms_key_policy::Policy;

pub(super) fn run(
    options: &CheckOptions,
    key_policy: &str,
    console: &mut Console<'_>,
) -> Result<Report, CliError> {
    let KeyRef::Arn(key) = &options.key.key else {
        return Err(CliError::KeyArnNeeded(options.key.key.to_string()));
    };
    let mut files = Files::new(console.input);
    let observation = observation(options, key, key_policy, &mut files)?;
    let mut assessment = super::assess_all(options, &observation);
    // The key itself was assumed to be fit, so a finding that it is fit would be no answer.
    assessment.findings.retain(|finding| finding.check != Check::KeyFitness);
    let assumed =
        "nothing was asked of AWS; it is taken for an enabled, symmetric, customer managed encryption key";
    assessment.findings.insert(0, Finding::new(Check::KeyFitness, Verdict::Unknown, key.as_str(), assumed));
    let header = ReportHeader { regions: vec![key.location().region.clone()], ..ReportHeader::default() };
    let mut report = super::report(options, header, &observation, assessment);
    report.notes.push(
        "decided by the files given, without AWS: service control policies, resource control policies and \
         permissions boundaries are not known"
            .to_owned(),
    );
    if options.grants.is_none() {
        report.notes.push("no grants were given (--grants), and none are taken to be there".to_owned());
    }
    Ok(report)
}

fn observation(
    options: &CheckOptions,
    key: &KeyArn,
    key_policy: &str,
    files: &mut Files<'_>,
) -> Result<AccessObservation, CliError> {
    let key_policy = files.key_policy(key_policy)?;
    let grants = options.grants.as_deref().map(|path| files.grants(path)).transpose()?.unwrap_or_default();
    let description = KeyDescription::assumed(key.clone());
    // A file that cannot be read is bad input: it must not become a finding.
    let listed = serde_json::Value::Array(grants.clone()).to_string();
    KeyRules::new(key.clone(), KeyFacts::from(&description), &key_policy, &listed)?;
    let own = identity_policies(options, files)?;
    let mut subjects = Vec::new();
    for (side, principals) in
        [(CallerKind::User, &options.preflight.users), (CallerKind::Node, &options.preflight.nodes)]
    {
        for principal in principals {
            let known = |subject: &Subject| subject.side == side && subject.principal == *principal;
            if !subjects.iter().any(known) {
                subjects.push(subject(principal, side, &own));
            }
        }
    }
    Ok(AccessObservation {
        key: description,
        account: key.location().account.clone(),
        context: options.preflight.context()?,
        attributes: Attributes::default(),
        policy: Read::Known(key_policy),
        grants: Read::Known(grants),
        dry_runs: Vec::new(),
        unlisted_policies: None,
        subjects,
        nodes: None,
        network: None,
        sessions: None,
    })
}

fn subject(principal: &PrincipalArn, side: CallerKind, own: &[(PrincipalArn, Vec<Policy>)]) -> Subject {
    let own = match own.iter().find(|(owner, _)| owner == principal) {
        Some((_, policies)) => OwnSide::Given(policies.clone()),
        None => OwnSide::Unknown("no policy of its own was given (--identity-policy)".to_owned()),
    };
    let source = format!("named by --{side}");
    let (principal, need) = (principal.clone(), Need::Certain);
    Subject { principal, side, source, need, own, asked_of_context: Vec::new(), tags: None }
}

/// The identity policies that are given, by principal.
fn identity_policies(
    options: &CheckOptions,
    files: &mut Files<'_>,
) -> Result<Vec<(PrincipalArn, Vec<Policy>)>, CliError> {
    let mut all: Vec<(PrincipalArn, Vec<Policy>)> = Vec::new();
    for (principal, path) in &options.identity_policies {
        if ![&options.preflight.users, &options.preflight.nodes].iter().any(|list| list.contains(principal)) {
            return Err(CliError::PolicyOfNobody(principal.to_string()));
        }
        let policy = files.identity_policy(path)?;
        match all.iter_mut().find(|(owner, _)| owner == principal) {
            Some((_, policies)) => policies.push(policy),
            None => all.push((principal.clone(), vec![policy])),
        }
    }
    Ok(all)
}
