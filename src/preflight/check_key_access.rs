//! Checks in the key's own account that the key admits everybody named, before its ARN is given to other accounts.

use std::time::Duration;

use super::assessment::{Assessment, assess};
use super::check_access::{is_over, log_assessment, retries};
use super::check_key::check_key;
use super::checks::assess_accounts;
use super::finding::{Check, Finding, Verdict};
use super::key_error::{KeyError, KeyFault};
use super::lookups::read_attributes;
use super::observation::{AccessObservation, Attributes, Need, Read, Subject};
use crate::access::{CallerKind, OwnSide, PrincipalArn};
use crate::intent::{KeyAccessQuestion, Require, Safeguards};
use crate::key::KeyDescription;
use crate::ports::{Environment, PreflightPorts};

/// Checks that the key's policy and grants admit every account and principal of the question. A refusal is asked about
/// again for as long as `patience` lasts: a policy that the same stack has just written takes a while to be seen.
///
/// # Errors
/// [`KeyFault::NotAdmitted`] names each one that they do not admit, with the statement that would. A policy that cannot
/// be read proves nothing, and is an error whatever is required.
pub async fn check_key_access<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: &KeyAccessQuestion,
    patience: Duration,
) -> Result<(KeyDescription, Assessment), KeyError> {
    let Environment { ports, location, .. } = environment;
    let begun = ports.now();
    environment.progress("describing the key");
    let (key, _) = check_key(environment, &question.key).await?;
    if key.arn.location().account != location.account {
        return Err(KeyFault::NotOurKey { key: key.arn, account: location.account.clone() }.into());
    }
    environment.progress("reading the key's policy and grants");
    let mut asked = 0;
    loop {
        // Boxed: many calls in flight make for a large state.
        let observation = Box::pin(observe_key_side(environment, question, &key)).await?;
        let assessment = assess_key_side(&observation, question);
        let refused: Vec<_> = assessment
            .findings
            .iter()
            .filter(|finding| is_refusal(finding, question.require, &observation))
            .cloned()
            .collect();
        if refused.is_empty() {
            log_assessment(&key, &assessment);
            return Ok((key, assessment));
        }
        asked += 1;
        if asked > retries(&observation, ports.now()) || is_over(begun, patience, ports.now()) {
            log_assessment(&key, &assessment);
            let remedies = assessment.remedies;
            return Err(KeyFault::NotAdmitted { key: key.arn, refused, remedies }.into());
        }
        environment.progress("asking again whom the key admits, since changes take a while to be seen");
        ports.pause(asked).await;
    }
}

/// Whether a finding says that somebody is not admitted. What depends on condition keys passes if that is asked for.
/// What depends on grants that could not be read never passes.
fn is_refusal(finding: &Finding, require: Require, observation: &AccessObservation) -> bool {
    let unknown_counts = require == Require::Allowed || observation.grants.known().is_none();
    finding.check == Check::KeyPolicy
        && (finding.verdict == Verdict::Fail || (finding.verdict == Verdict::Unknown && unknown_counts))
}

async fn observe_key_side<P: PreflightPorts>(
    environment: Environment<'_, P>,
    question: &KeyAccessQuestion,
    key: &KeyDescription,
) -> Result<AccessObservation, KeyError> {
    let Environment { ports, location, .. } = environment;
    let (policy, grants) = tokio::join!(ports.key_policy(&key.arn, None), ports.grants(&key.arn, None));
    let subject = |principal: &PrincipalArn, side| Subject {
        principal: principal.clone(),
        side,
        source: "named by a property".to_owned(),
        need: Need::Certain,
        own: OwnSide::Unknown("its own account decides that".to_owned()),
        asked_of_context: Vec::new(),
        tags: None,
    };
    let users = question.users.iter().map(|user| subject(user, CallerKind::User));
    let nodes = question.nodes.iter().map(|node| subject(node, CallerKind::Node));
    let mut observation = AccessObservation {
        key: key.clone(),
        account: location.account.clone(),
        context: question.context.clone(),
        attributes: Attributes::default(),
        policy: Read::Known(policy?),
        grants: Read::from(grants),
        dry_runs: Vec::new(),
        unlisted_policies: None,
        subjects: users.chain(nodes).collect(),
        nodes: None,
        network: None,
        sessions: None,
    };
    let safeguards = Safeguards { context: question.context.clone(), ..Safeguards::default() };
    Box::pin(read_attributes(environment, &safeguards, &mut observation)).await;
    Ok(observation)
}

/// Assesses the key's side alone. The principals' own policies are for their accounts to check.
fn assess_key_side(observation: &AccessObservation, question: &KeyAccessQuestion) -> Assessment {
    let mut assessment = assess(observation, &[]);
    let accounts = assess_accounts(observation, &question.accounts);
    assessment.findings.retain(|finding| finding.check != Check::Identities);
    assessment.findings.extend(accounts.findings);
    assessment.remedies.identity_policies.clear();
    assessment.remedies.key_policy_statements.extend(accounts.remedies.key_policy_statements);
    assessment
}
