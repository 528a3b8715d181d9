//! Which behaviours of AWS that no source settles an answer depends on.

use crate::answer::OpenQuestion;
use crate::applicability::Applicability;
use crate::condition::OpenReason;
use crate::context::RequestView;
use crate::layers::{ApplicableRule, Layers};
use crate::pattern::Pattern;
use crate::policy::{Effect, Policy, PolicyKind, PoolRange};
use crate::principal::Coverage;
use crate::request::Request;

/// The open questions about the statements and grants that may apply, each once.
pub(crate) fn collect(request: &Request, layers: &Layers<'_>, rules: &[ApplicableRule]) -> Vec<OpenQuestion> {
    let view = RequestView::new(request);
    let mut questions = Vec::new();
    for rule in rules {
        match *rule {
            ApplicableRule::Statement { position, index, applies: Applicability::Unknown, .. } => {
                if let Some(policy) = layers.policy(position) {
                    of_statement(policy, index, &view, &mut questions);
                }
            }
            ApplicableRule::Statement { .. } => {}
            ApplicableRule::Grant { index, coverage, .. } => {
                of_grant(layers, index, coverage, request, &mut questions)
            }
        }
    }
    let mut once: Vec<OpenQuestion> = Vec::new();
    for question in questions {
        if !once.contains(&question) {
            once.push(question);
        }
    }
    once
}

fn of_statement(policy: &Policy, index: usize, view: &RequestView<'_>, questions: &mut Vec<OpenQuestion>) {
    let Some(statement) = policy.statements.get(index) else { return };
    let pools = &policy.pools;
    let resources = statement.resource.map_or(PoolRange::EMPTY, |resource| resource.entries);
    if resources.of(&pools.patterns).iter().any(|pattern| matches!(pattern, Pattern::UndocumentedArn(_))) {
        questions.push(OpenQuestion::IncompleteArn(policy.kind));
    }
    if statement.principal.is_some_and(|p| p.negated) && policy.kind == PolicyKind::Key {
        let in_doubt = statement.principal_applies(pools, view, false).0 == Applicability::Unknown;
        match statement.effect {
            Effect::Allow if in_doubt => questions.push(OpenQuestion::AllowNotPrincipal),
            Effect::Deny if in_doubt => questions.push(OpenQuestion::PartialNotPrincipal),
            _ => {}
        }
    }
    for condition in statement.conditions.of(&pools.conditions) {
        let key = pools.keys.get(condition.key as usize);
        let name = key.map_or("", |key| key.written.of(&pools.text)).to_owned();
        match condition.open_reason(pools, view) {
            Some(OpenReason::PlainOnMultivalued) => questions.push(OpenQuestion::PlainOnMultivalued(name)),
            Some(OpenReason::LoneStarArn) => questions.push(OpenQuestion::LoneStarArn(name)),
            Some(OpenReason::ForAllOnEmptyText) => questions.push(OpenQuestion::ForAllOnEmptyText(name)),
            None => {}
        }
    }
}

fn of_grant(
    layers: &Layers<'_>,
    index: usize,
    coverage: Coverage,
    request: &Request,
    questions: &mut Vec<OpenQuestion>,
) {
    let Some(grant) = layers.grants.list.get(index) else { return };
    if coverage == Coverage::Account {
        questions.push(OpenQuestion::GrantToAccount);
    } else if layers.permissions_boundary.is_some() || !layers.session_policies.is_empty() {
        questions.push(OpenQuestion::LimitedGrant);
    }
    if let Some(undocumented) = grant.undocumented {
        let name = grant.id.clone().unwrap_or_else(|| index.to_string());
        questions.push(OpenQuestion::UndocumentedGrant(name, undocumented));
    }
    if let Some(name) = &grant.constraints.unknown {
        questions.push(OpenQuestion::GrantConstraint(format!("`{name}`")));
    }
    if request.action.operation() == "creategrant" && grant.constraints.pairs().next().is_some() {
        let what = "on the encryption context, which a grant made under it must keep";
        questions.push(OpenQuestion::GrantConstraint(what.to_owned()));
    }
}
