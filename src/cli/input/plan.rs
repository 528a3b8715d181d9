//! A plan or a state of Terraform or OpenTofu, as `terraform show -json` prints it, and the key policy in it.

mod document;
mod modules;

use std::fs::File;
use std::io::Read as _;

use super::assumed_key::PolicyKeyQuestion;
use super::bounds::{BOUNDS, PolicyBounds, UnknownWhole};
use super::error::InputError;
use super::json;
use super::node::{SourceNode, SourceValue};
use super::outcomes::{KeyTraits, OutcomePolicy};
use super::resolved::{Resolved, Unknown};
use super::{PolicyCase, PolicyInput};
use crate::key::KeyArn;
use crate::report::SourcePlace;
use document::{KeyResource, OtherPolicy, PlanDocument};
use kms_key_policy::{Policy, PolicyKind};

/// The resource that gives a policy to a key of its own.
const POLICY_RESOURCE: &str = "aws_kms_key_policy";

/// Reads the policy of a key of a plan. Without an address, the plan must have exactly one key policy.
pub(in crate::cli) fn read_plan(
    file: &str,
    text: &str,
    address: Option<&str>,
    question: &PolicyKeyQuestion<'_>,
) -> Result<PolicyInput, InputError> {
    let plan = PlanDocument::read(file, text)?;
    let resource = plan.choose(address)?;
    let arn = plan.key_arn(&resource);
    let key = match (question.key, &arn) {
        (Some(given), Some(own)) if given != own => {
            return Err(InputError::Options(format!(
                "--key {given} is not the key of {}, which is {own}; leave --key out",
                resource.address
            )));
        }
        (given, own) => given.or(own.as_ref()),
    };
    let question = PolicyKeyQuestion { key, ..question.clone() };
    let (policy, place) = planned_policy(&plan, &resource)?;
    let traits = traits(&resource);
    let mut cases = Vec::new();
    for key in question.keys()? {
        let policy = match &policy {
            PlannedPolicy::Default => OutcomePolicy::Default,
            PlannedPolicy::Unknown(unknown) => OutcomePolicy::Unknown(vec![unknown.clone()]),
            PlannedPolicy::Known(policy) => match PolicyBounds::new(policy, &question.rules(&key, &traits)) {
                Ok(bounds) => checked(&plan, place.line, &bounds).map(|()| OutcomePolicy::Between(bounds))?,
                Err(UnknownWhole(unknowns)) => OutcomePolicy::Unknown(unknowns),
            },
        };
        cases.push(PolicyCase { key, policy, traits: traits.clone(), taken: Vec::new() });
    }
    let mut notes = vec![format!("the key policy is that of {} in `{file}`", resource.address)];
    let is_sensitive = resource.is_sensitive();
    if is_sensitive {
        notes.push("the plan marks the policy as sensitive, so no report shows it".to_owned());
    }
    Ok(PolicyInput { place, cases, notes, is_sensitive })
}

/// That a file is a plan in Terraform's binary form, which is no text; `None` if it is something else.
pub(in crate::cli) fn not_a_plan(file: &str) -> Option<InputError> {
    let mut start = [0_u8; 2];
    File::open(file).and_then(|mut opened| opened.read_exact(&mut start)).ok()?;
    let what = document::other_form(std::str::from_utf8(&start).ok()?)?;
    Some(InputError::File { file: file.to_owned(), what: format!("{what}; {}", document::HOW_TO_SHOW) })
}

/// The policy that a resource is to have.
enum PlannedPolicy {
    Known(Resolved),
    /// None is written, so that KMS gives the key its default policy.
    Default,
    Unknown(Unknown),
}

/// The policy, and where it stands in the file.
fn planned_policy(
    plan: &PlanDocument,
    resource: &KeyResource<'_>,
) -> Result<(PlannedPolicy, SourcePlace), InputError> {
    let attribute = resource.policy_attribute();
    let place = resource.node.place;
    if let Some(other) = plan.other_policy(resource) {
        return match other {
            OtherPolicy::Certain(address) => Err(plan.part(
                place.line,
                format!("the policy of {} is that of {address}; give it by --address", resource.address),
            )),
            OtherPolicy::Possible(address) => {
                let what = format!("which key {address} is for");
                let hint = format!("if it is this one, give --address {address}");
                Ok((PlannedPolicy::Unknown(Unknown { line: place.line, what, hint }), place))
            }
        };
    }
    let value = resource.values().and_then(|values| values.get(attribute));
    match value.map(|node| (&node.value, node.place)) {
        Some((SourceValue::Text(text), place)) if !text.is_empty() => {
            let inner = json::read(text).map_err(|problem| {
                plan.part(place.line, format!("{attribute} of {} is no JSON: {problem}", resource.address))
            })?;
            Ok((PlannedPolicy::Known(Resolved::literal(&inner, place)), place))
        }
        Some((SourceValue::Null | SourceValue::Text(_), _)) | None => {
            let references = plan.references(resource, attribute);
            // The provider computes what the configuration leaves out, and a new key gets KMS's default policy.
            if references.as_ref().is_some_and(Vec::is_empty) && plan.is_created(resource) {
                return Ok((PlannedPolicy::Default, place));
            }
            let open = plan.unknown_after(resource, attribute);
            let what = format!("{attribute} of {}", resource.address);
            let hint = match (open, references) {
                (Some(_), Some(names)) if !names.is_empty() => {
                    format!("Terraform knows it after apply: it depends on {}", names.join(", "))
                }
                (Some(_), _) => "Terraform knows it after apply".to_owned(),
                (None, _) => "the file does not hold it".to_owned(),
            };
            let place = open.unwrap_or(place);
            Ok((PlannedPolicy::Unknown(Unknown { line: place.line, what, hint }), place))
        }
        Some((_, place)) => {
            Err(plan.part(place.line, format!("{attribute} of {} must be a text", resource.address)))
        }
    }
}

fn checked(plan: &PlanDocument, line: u32, bounds: &PolicyBounds) -> Result<(), InputError> {
    for bound in BOUNDS {
        Policy::parse(PolicyKind::Key, &bounds.text(|_| bound))
            .map_err(|error| plan.part(line, format!("the key policy is wrong: {error}")))?;
    }
    Ok(())
}

/// What the plan says of the key besides its policy.
fn traits(resource: &KeyResource<'_>) -> KeyTraits {
    let scalar =
        |name: &str| resource.values().and_then(|values| values.get(name)).and_then(SourceNode::scalar);
    let flag = |name: &str| scalar(name).and_then(|text| text.parse().ok());
    KeyTraits {
        spec: scalar("customer_master_key_spec").or_else(|| scalar("key_spec")),
        usage: scalar("key_usage"),
        is_enabled: flag("is_enabled").or_else(|| flag("enabled")),
        is_multi_region: flag("multi_region").or_else(|| resource.is_replica().then_some(true)),
        is_replica: resource.is_replica(),
    }
}

/// The ARN of a key, if a text is one.
fn key_arn(node: Option<&SourceNode>) -> Option<KeyArn> {
    KeyArn::parse(node?.text()?).ok()
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
