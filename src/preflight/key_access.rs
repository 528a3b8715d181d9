//! The key account's side of the proof: everybody named is admitted by the key, before its ARN is handed out.
//! Nothing is changed.

use std::time::Duration;

use super::judge::judge_key;
use super::lookups::read_what_is_asked;
use super::prove::{asks, is_over, log};
use crate::access::{OwnSide, PrincipalArn, Side};
use crate::intent::{KeyAccessQuestion, Require, Safeguards};
use crate::key::KeyDescription;
use crate::location::Location;
use crate::ports::AccessPorts;
use crate::preflight::{
    AccessObservation, Assessment, Attributes, Check, Finding, Read, Subject, Verdict, assess,
    assess_accounts,
};
use crate::reconcile::ReconcileError;

/// Proves that the key's policy and grants admit every account and principal of the question. A refusal is asked
/// again, for as long as `patience` lasts: a policy that the same stack has just written takes a while to be seen.
///
/// # Errors
/// [`ReconcileError::NotAdmitted`] names each one that they do not admit, with the statement that would. A policy
/// that cannot be read proves nothing, and is an error whatever is required.
pub async fn key_access<P: AccessPorts>(
    ports: &P,
    location: &Location,
    question: &KeyAccessQuestion,
    patience: Duration,
    progress: &dyn Fn(&str),
) -> Result<(KeyDescription, Assessment), ReconcileError> {
    let begun = ports.now();
    progress("describing the key");
    let (key, _) = judge_key(ports, location, &question.key).await?;
    if key.arn.location().account != location.account {
        return Err(ReconcileError::NotOurKey { key: key.arn, account: location.account.clone() });
    }
    progress("reading the key's policy and grants");
    let mut asked = 0;
    loop {
        let observation = observe(ports, location, question, &key).await?;
        let assessment = judge(&observation, question);
        let refused: Vec<_> = assessment
            .findings
            .iter()
            .filter(|finding| counts(finding, question.require, &observation))
            .cloned()
            .collect();
        if refused.is_empty() {
            log(&key, &assessment);
            return Ok((key, assessment));
        }
        asked += 1;
        if asked > asks(&observation, ports.now()) || is_over(begun, patience, ports.now()) {
            log(&key, &assessment);
            return Err(ReconcileError::NotAdmitted { key: key.arn, refused, remedies: assessment.remedies });
        }
        progress("asking again whom the key admits, since changes take a while to be seen");
        ports.pause(asked).await;
    }
}

/// Whether a finding says that somebody is not admitted. What depends on condition keys may be let pass; what
/// depends on grants that could not be read may not.
fn counts(finding: &Finding, require: Require, observation: &AccessObservation) -> bool {
    let unknown_counts = require == Require::Allowed || observation.grants.known().is_none();
    finding.check == Check::KeyPolicy
        && (finding.verdict == Verdict::Fail || (finding.verdict == Verdict::Unknown && unknown_counts))
}

async fn observe<P: AccessPorts>(
    ports: &P,
    location: &Location,
    question: &KeyAccessQuestion,
    key: &KeyDescription,
) -> Result<AccessObservation, ReconcileError> {
    let (policy, grants) = tokio::join!(ports.key_policy(&key.arn, None), ports.grants(&key.arn, None));
    let subject = |principal: &PrincipalArn, side| Subject {
        principal: principal.clone(),
        side,
        source: "named by a property".to_owned(),
        own: OwnSide::Unknown("its own account decides that".to_owned()),
        told: Vec::new(),
        tags: None,
    };
    let users = question.users.iter().map(|user| subject(user, Side::User));
    let nodes = question.nodes.iter().map(|node| subject(node, Side::Node));
    let mut observation = AccessObservation {
        key: key.clone(),
        account: location.account.clone(),
        context: question.context.clone(),
        attributes: Attributes::default(),
        policy: Read::Known(policy?),
        grants: Read::from(grants),
        dry_runs: Vec::new(),
        subjects: users.chain(nodes).collect(),
        nodes: None,
        sessions: None,
    };
    let safeguards = Safeguards { context: question.context.clone(), ..Safeguards::default() };
    read_what_is_asked(ports, location, &safeguards, &mut observation).await;
    Ok(observation)
}

/// The key's side alone: what the others' own policies say is for their accounts to prove.
fn judge(observation: &AccessObservation, question: &KeyAccessQuestion) -> Assessment {
    let mut assessment = assess(observation, &[]);
    let accounts = assess_accounts(observation, &question.accounts);
    assessment.findings.retain(|finding| finding.check != Check::Identities);
    assessment.findings.extend(accounts.findings);
    assessment.remedies.identity_policies.clear();
    assessment.remedies.key_policy_statements.extend(accounts.remedies.key_policy_statements);
    assessment
}
