//! `check --policy`: makes the observation from files. Only what the files say counts. What the options give besides the key
//! policy is the same for a template and a plan.

use super::super::Console;
use super::super::error::CliError;
use super::super::files::Files;
use super::super::input::places;
use super::CheckOptions;
use crate::access::{CallerKind, KeyFacts, KeyRules, OwnSide, PrincipalArn};
use crate::cli::options::PreflightOptions;
use crate::key::{KeyArn, KeyDescription};
use crate::preflight::{AccessObservation, Attributes, Check, Finding, Need, Read, Subject, Verdict};
use crate::report::{Report, ReportHeader};
use kms_key_policy::Policy;
use serde_json::Value;

pub(super) fn run(
    options: &CheckOptions,
    key_policy: &str,
    console: &mut Console<'_>,
) -> Result<Report, CliError> {
    let Some(key) = options.key_arn()? else {
        return Err(options.key().err().unwrap_or(CliError::InputTwice));
    };
    let mut files = Files::new(console.input);
    let text = files.key_policy(key_policy)?;
    // Standard input has no lines that a reader could look up.
    let source = match key_policy {
        "-" => None,
        path => places(path, &files.text(path)?),
    };
    let given = Given::read(options, &mut files)?;
    let observation = given.observation(options, KeyDescription::assumed(key.clone()), Read::Known(text))?;
    let mut assessment = super::assess_all(options, &observation);
    // The key itself was assumed to be fit, so a finding that it is fit would be no answer.
    assessment.findings.retain(|finding| finding.check != Check::KeyFitness);
    assessment.findings.insert(0, assumed_fit(key, "it is taken for"));
    let header = ReportHeader { regions: vec![key.location().region.clone()], ..ReportHeader::default() };
    let mut report = super::report(options, header, &observation, assessment);
    report.policy_source = source;
    add_notes(options, &mut report);
    Ok(report)
}

/// That nobody knows whether the key is fit. `why` begins what is assumed of it.
pub(super) fn assumed_fit(key: &KeyArn, why: &str) -> Finding {
    let assumed =
        format!("nothing was asked of AWS; {why} an enabled, symmetric, customer managed encryption key");
    Finding::new(Check::KeyFitness, Verdict::Unknown, key.as_str(), assumed)
}

/// What a reader has to know of every check without AWS.
pub(super) fn add_notes(options: &CheckOptions, report: &mut Report) {
    report.notes.push(
        "decided by the files given, without AWS: service control policies, resource control policies and \
         permissions boundaries are not known"
            .to_owned(),
    );
    if options.grants.is_none() {
        report.notes.push("no grants were given (--grants), and none are taken to be there".to_owned());
    }
}

/// What the options give besides the key policy.
#[derive(Debug)]
pub(super) struct Given {
    grants: Vec<Value>,
    /// The identity policies that are given, by principal.
    pub(super) own: Vec<(PrincipalArn, Vec<Policy>)>,
}

impl Given {
    pub(super) fn read(options: &CheckOptions, files: &mut Files<'_>) -> Result<Self, CliError> {
        let grants =
            options.grants.as_deref().map(|path| files.grants(path)).transpose()?.unwrap_or_default();
        Ok(Self { grants, own: identity_policies(options, files)? })
    }

    /// The observation of a key with this policy.
    pub(super) fn observation(
        &self,
        options: &CheckOptions,
        key: KeyDescription,
        policy: Read<String>,
    ) -> Result<AccessObservation, CliError> {
        // A file that cannot be read is bad input: it must not become a finding.
        if let Read::Known(policy) = &policy {
            let listed = Value::Array(self.grants.clone()).to_string();
            KeyRules::new(key.arn.clone(), KeyFacts::from(&key), policy, &listed)?;
        }
        let mut subjects = Vec::new();
        for (side, principals) in
            [(CallerKind::User, &options.preflight.users), (CallerKind::Node, &options.preflight.nodes)]
        {
            for principal in principals {
                let known = |subject: &Subject| subject.side == side && subject.principal == *principal;
                if !subjects.iter().any(known) {
                    subjects.push(subject(principal, side, &self.own));
                }
            }
        }
        Ok(AccessObservation {
            account: key.arn.location().account.clone(),
            key,
            context: options.preflight.context()?,
            attributes: Attributes::default(),
            policy,
            grants: Read::Known(self.grants.clone()),
            dry_runs: Vec::new(),
            unlisted_policies: None,
            subjects,
            nodes: None,
            network: None,
            sessions: None,
        })
    }
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
    let PreflightOptions { users, nodes, .. } = &options.preflight;
    let is_named = |principal: &PrincipalArn| users.contains(principal) || nodes.contains(principal);
    let given = options.identity_policies.iter();
    for (principal, path) in given.filter_map(|given| given.resolve(is_named)) {
        if !is_named(principal) {
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
