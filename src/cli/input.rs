//! Key policies as people keep them: in a template of CloudFormation or SAM, and in a plan of Terraform.
//!
//! A template holds intrinsic functions whose values nobody knows before it is deployed. So a policy has two bounds: one
//! gives the least access that the template can mean, the other the most. Whatever both say alike is certain.

mod assumed_key;
mod bounds;
mod conditions;
mod error;
mod intrinsics;
mod json;
mod nearest;
mod node;
mod outcomes;
mod places;
mod plan;
mod references;
mod resolved;
mod resolver;
mod template;
mod yaml;

pub use error::{InputError, SyntaxProblem};

pub(super) use assumed_key::{AssumedKey, PolicyKeyQuestion};
pub(super) use bounds::{BOUNDS, Bound, PolicyBounds};
pub(super) use outcomes::{KeyTraits, OutcomePolicy, default_key_policy};
pub(super) use places::places;
pub(super) use plan::{not_a_plan, read_plan};
pub(super) use resolved::Unknown;

use std::collections::BTreeSet;

use crate::report::SourcePlace;

/// A key policy that was read from a file, in all forms that it can take.
#[derive(Debug)]
pub(super) struct PolicyInput {
    /// Where the policy stands in it.
    pub(super) place: SourcePlace,
    /// What the policy can be. There is at least one.
    pub(super) cases: Vec<PolicyCase>,
    /// What the reader of the report has to know, one line each.
    pub(super) notes: Vec<String>,
    /// Whether the file marks the policy as a secret, so that no report shows it.
    pub(super) is_sensitive: bool,
}

/// A form that the policy can take.
#[derive(Debug)]
pub(super) struct PolicyCase {
    pub(super) key: AssumedKey,
    pub(super) policy: OutcomePolicy,
    pub(super) traits: KeyTraits,
    /// The conditions of the template that were taken to have a value.
    pub(super) taken: Vec<Unknown>,
}

/// Reads the policy of a key of a template.
pub(super) fn read_template(
    file: &str,
    text: &str,
    logical_id: Option<&str>,
    parameters: &[(String, String)],
    question: &PolicyKeyQuestion<'_>,
) -> Result<PolicyInput, InputError> {
    let template = template::Template::read(file, text, logical_id, parameters)?;
    let mut cases = Vec::new();
    let mut defaults = BTreeSet::new();
    for key in question.keys()? {
        let stack = key.stack_facts();
        let rules = |traits: &KeyTraits| question.rules(&key, traits);
        for outcome in outcomes::outcomes(&template, &stack, &rules)? {
            let outcomes::KeyOutcome { policy, traits, taken, defaults: used } = outcome;
            defaults.extend(used);
            cases.push(PolicyCase { key: key.clone(), policy, traits, taken });
        }
    }
    let mut notes = vec![format!("the key policy is that of `{}` in `{file}`", template.logical_id)];
    if cases.iter().any(|case| matches!(case.policy, OutcomePolicy::Default)) {
        notes.push(
            "the template gives the key no policy; KMS's default policy leaves everything to the account's own policies"
                .to_owned(),
        );
    }
    if !defaults.is_empty() {
        let names: Vec<_> = defaults.into_iter().collect();
        notes.push(format!(
            "the template's defaults were used for: {}; give other values by --parameter NAME=VALUE",
            names.join(", ")
        ));
    }
    let policy = template.key().at(&["Properties", "KeyPolicy"]);
    let place = policy.unwrap_or_else(|| template.key()).place;
    Ok(PolicyInput { place, cases, notes, is_sensitive: false })
}
