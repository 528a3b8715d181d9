//! What the key of a template can become: one outcome for each value of the conditions that cannot be known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::bounds::{BoundRules, PolicyBounds, UnknownWhole};
use super::error::InputError;
use super::json as json_text;
use super::node::SourceNode;
use super::resolved::{Resolved, ResolvedValue, Unknown};
use super::resolver::{Resolver, StackFacts, Stop};
use super::template::Template;
use kms_key_policy::{ParseError, Policy, PolicyKind};

/// The most combinations of values of unknown conditions. If there are more, the policy is unknown whole.
const MOST_OUTCOMES: usize = 32;

/// What the template makes of the key, for one value of each condition that cannot be known.
#[derive(Debug)]
pub(super) struct KeyOutcome {
    pub(super) policy: OutcomePolicy,
    pub(super) traits: KeyTraits,
    /// The conditions that were taken to have a value.
    pub(super) taken: Vec<Unknown>,
    /// The parameters whose default was used.
    pub(super) defaults: BTreeSet<String>,
}

/// A key policy of a template.
#[derive(Debug)]
pub(in crate::cli) enum OutcomePolicy {
    /// It lies between two bounds, which are the same if everything is known.
    Between(PolicyBounds),
    /// The template gives none, so that KMS gives the key its default policy.
    Default,
    /// Nothing is known of it, for these reasons.
    Unknown(Vec<Unknown>),
}

/// What a template says of its key besides the policy. What it leaves out has KMS's default; `None` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct KeyTraits {
    pub(in crate::cli) spec: Option<String>,
    pub(in crate::cli) usage: Option<String>,
    pub(in crate::cli) is_enabled: Option<bool>,
    pub(in crate::cli) is_multi_region: Option<bool>,
    pub(in crate::cli) is_replica: bool,
}

/// All outcomes of a template for one stack. `rules` says how the bounds of a policy are found for these traits.
pub(super) fn outcomes(
    template: &Template,
    stack: &StackFacts,
    rules: &dyn Fn(&KeyTraits) -> BoundRules,
) -> Result<Vec<KeyOutcome>, InputError> {
    let mut open: Vec<(BTreeMap<String, bool>, Vec<Unknown>)> = vec![Default::default()];
    let mut found = Vec::new();
    let mut unknowns: Vec<Unknown> = Vec::new();
    let mut error = None;
    while let Some((decided, taken)) = open.pop() {
        let resolver = Resolver::new(template, stack, &decided);
        match outcome(&resolver, rules) {
            Ok(Some((policy, traits))) => {
                found.push(KeyOutcome { policy, traits, taken, defaults: resolver.defaults() });
            }
            // The key is not created then, and nobody needs it.
            Ok(None) => {}
            Err(Stop::Error(problem)) => error = error.or(Some(problem)),
            Err(Stop::Undecided(undecided)) => {
                if !unknowns.contains(&undecided.unknown) {
                    unknowns.push(undecided.unknown.clone());
                }
                if open.len() + found.len() >= MOST_OUTCOMES {
                    let (policy, traits) = (OutcomePolicy::Unknown(unknowns), KeyTraits::default());
                    return Ok(vec![KeyOutcome {
                        policy,
                        traits,
                        taken: Vec::new(),
                        defaults: BTreeSet::new(),
                    }]);
                }
                for value in [false, true] {
                    let mut decided = decided.clone();
                    decided.insert(undecided.comparison.clone(), value);
                    let taken = taken.iter().cloned().chain([undecided.unknown.clone()]).collect();
                    open.push((decided, taken));
                }
            }
        }
    }
    match (found.is_empty(), error) {
        (true, Some(error)) => Err(error),
        (true, None) => {
            let (key, line) = (&template.logical_id, template.key().place.line);
            let what = format!(
                "the key `{key}` is not created, since its Condition is not met; give other parameters by --parameter"
            );
            Err(template.part(line, what))
        }
        (false, None) => Ok(found),
        // What is wrong under some values of the conditions only is not deployed, or those values never come.
        (false, Some(error)) => {
            let what = "the template under some of its conditions".to_owned();
            let unknown = Unknown { line: template.key().place.line, what, hint: error.to_string() };
            let (policy, traits) = (OutcomePolicy::Unknown(vec![unknown]), KeyTraits::default());
            found.push(KeyOutcome { policy, traits, taken: unknowns, defaults: BTreeSet::new() });
            Ok(found)
        }
    }
}

/// The policy and the traits of the key; `None` if it is not created.
fn outcome(
    resolver: &Resolver<'_>,
    rules: &dyn Fn(&KeyTraits) -> BoundRules,
) -> Result<Option<(OutcomePolicy, KeyTraits)>, Stop> {
    let template = resolver.template;
    let key = template.key();
    if let Some((what, line)) = template.macro_over_key() {
        let hint = "it may change everything in the template".to_owned();
        let unknown = OutcomePolicy::Unknown(vec![Unknown { line, what, hint }]);
        return Ok(Some((unknown, KeyTraits::default())));
    }
    if let Some(condition) = key.get("Condition") {
        let Some(name) = condition.text() else {
            return Err(resolver.part(condition, "Condition is the name of a condition".to_owned()));
        };
        if !resolver.named_condition(name, condition, 0)? {
            return Ok(None);
        }
    }
    let traits = traits(resolver)?;
    let rules = rules(&traits);
    let Some(node) = key.at(&["Properties", "KeyPolicy"]) else {
        return Ok(Some((no_policy(resolver, key)?, traits)));
    };
    let resolved = resolver.resolve(node, 0)?;
    let policy = match &resolved.value {
        ResolvedValue::Absent => no_policy(resolver, node)?,
        ResolvedValue::Map(_) => bounded(resolver, &resolved, &rules)?,
        ResolvedValue::Unknown(unknowns) => OutcomePolicy::Unknown(unknowns.clone()),
        ResolvedValue::Text(text) => match text.as_known() {
            Some(text) => {
                let inner = json_text::read(text).map_err(|problem| {
                    resolver.part(node, format!("the text KeyPolicy is no JSON: {problem} of the text"))
                })?;
                bounded(resolver, &Resolved::literal(&inner, node.place), &rules)?
            }
            None => OutcomePolicy::Unknown(resolved.unknowns()),
        },
        _ => {
            let what = format!("KeyPolicy is a policy (a mapping), not {}", node.kind());
            return Err(resolver.part(node, what));
        }
    };
    Ok(Some((policy, traits)))
}

fn no_policy(resolver: &Resolver<'_>, node: &SourceNode) -> Result<OutcomePolicy, Stop> {
    if resolver.template.is_replica() {
        return Err(resolver.part(node, "a replica key needs the property KeyPolicy".to_owned()));
    }
    Ok(OutcomePolicy::Default)
}

/// The bounds of a policy, if the parser of policies accepts both.
fn bounded(resolver: &Resolver<'_>, policy: &Resolved, rules: &BoundRules) -> Result<OutcomePolicy, Stop> {
    let bounds = match PolicyBounds::new(policy, rules) {
        Ok(bounds) => bounds,
        Err(UnknownWhole(unknowns)) => return Ok(OutcomePolicy::Unknown(unknowns)),
    };
    for bound in super::bounds::BOUNDS {
        if let Err(error) = Policy::parse(PolicyKind::Key, &bounds.text(|_| bound)) {
            let line = line_of(policy, &error);
            return Err(Stop::Error(
                resolver.template.part(line, format!("the key policy is wrong: {error}")),
            ));
        }
    }
    Ok(OutcomePolicy::Between(bounds))
}

/// The line of the part of a policy that an error is about.
fn line_of(policy: &Resolved, error: &ParseError) -> u32 {
    let mut node = policy;
    let path = error.path.replace("[\"", ".").replace("\"]", "").replace('[', ".").replace(']', "");
    for name in path.split('.').skip(1) {
        let index = name.parse::<usize>().ok();
        let next = match (&node.value, index) {
            (ResolvedValue::List(items), Some(index)) => items.get(index),
            _ => node.get(name),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node.place.line
}

/// What the template says of the key besides its policy.
fn traits(resolver: &Resolver<'_>) -> Result<KeyTraits, Stop> {
    let property = |name: &str, default: &str| {
        let node = resolver.template.key().at(&["Properties", name]);
        let value = node.map(|node| resolver.resolve(node, 0)).transpose()?;
        Ok(match value.filter(|value| value.value != ResolvedValue::Absent) {
            Some(value) => value.as_known(),
            None => Some(default.to_owned()),
        })
    };
    let flag = |value: Option<String>| value.and_then(|value| value.to_lowercase().parse().ok());
    if resolver.template.is_replica() {
        // A replica has the spec and the usage of its primary.
        let is_enabled = flag(property("Enabled", "true")?);
        return Ok(KeyTraits {
            is_enabled,
            is_multi_region: Some(true),
            is_replica: true,
            ..KeyTraits::default()
        });
    }
    Ok(KeyTraits {
        spec: property("KeySpec", "SYMMETRIC_DEFAULT")?,
        usage: property("KeyUsage", "ENCRYPT_DECRYPT")?,
        is_enabled: flag(property("Enabled", "true")?),
        is_multi_region: flag(property("MultiRegion", "false")?),
        is_replica: false,
    })
}

/// The policy that KMS gives to a key that is created without one.
pub(in crate::cli) fn default_key_policy(partition: &str, account: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{partition}:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*"
        }]
    })
    .to_string()
}
