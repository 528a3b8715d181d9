//! The JSON form of a plan or a state: its resources with a key policy, and what is known of each.

use super::super::error::InputError;
use super::super::json;
use super::super::nearest::suggestion;
use super::super::node::{SourceNode, SourceValue};
use super::modules::{configuration, resources};
use super::{POLICY_RESOURCE, key_arn};
use crate::key::KeyArn;
use crate::report::SourcePlace;

/// The resources that have a key policy, and the name of the attribute that holds it.
const KEY_RESOURCES: [(&str, &str); 7] = [
    ("aws_kms_key", "policy"),
    (POLICY_RESOURCE, "policy"),
    ("aws_kms_external_key", "policy"),
    ("aws_kms_replica_key", "policy"),
    ("aws_kms_replica_external_key", "policy"),
    ("awscc_kms_key", "key_policy"),
    ("awscc_kms_replica_key", "key_policy"),
];

/// A plan or a state as JSON.
#[derive(Debug)]
pub(super) struct PlanDocument {
    file: String,
    root: SourceNode,
}

/// A resource with a key policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyResource<'p> {
    pub(super) address: &'p str,
    type_name: &'p str,
    attribute: &'static str,
    pub(super) node: &'p SourceNode,
}

/// Another resource that gives a key its policy.
pub(super) enum OtherPolicy {
    /// It is for this key.
    Certain(String),
    /// It may be for this key.
    Possible(String),
}

impl PlanDocument {
    /// Reads what `terraform show -json` prints.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, InputError> {
        let whole = |what: String| InputError::File { file: file.to_owned(), what };
        if let Some(what) = other_form(text) {
            return Err(whole(format!("{what}; {HOW_TO_SHOW}")));
        }
        let root = json::read(text).map_err(|problem| InputError::Syntax {
            file: file.to_owned(),
            what: "plan of Terraform in JSON",
            problem,
        })?;
        let is_state_file = root.get("lineage").is_some();
        let version = root.get("format_version").and_then(SourceNode::text).unwrap_or_default();
        let has_values = root.get("planned_values").is_some() || root.get("values").is_some();
        if is_state_file || (version.is_empty() && !has_values) {
            let what = if is_state_file {
                "is a state file of Terraform"
            } else if root.get("Resources").is_some() {
                "is a template of CloudFormation, which --template takes"
            } else if root.get("Statement").is_some() {
                "is a policy, which --policy takes"
            } else {
                "is no plan of Terraform"
            };
            return Err(whole(format!("{what}; {HOW_TO_SHOW}")));
        }
        if !version.starts_with("0.") && !version.starts_with("1.") && version != "1" {
            return Err(whole(format!("has the format version `{version}` of plans; known are 0 and 1")));
        }
        Ok(Self { file: file.to_owned(), root })
    }

    /// The resource with the key policy: the one that is asked for, or else the only one.
    pub(super) fn choose(&self, address: Option<&str>) -> Result<KeyResource<'_>, InputError> {
        let keys = self.keys();
        let listed: Vec<_> = keys.iter().map(|key| key.address).collect();
        let whole = |what: String| InputError::File { file: self.file.clone(), what };
        let Some(wanted) = address else {
            return match keys.as_slice() {
                [key] => Ok(*key),
                [] => Err(whole(no_key())),
                _ => Err(whole(format!(
                    "has several key policies; choose one by --address: {}",
                    listed.join(", ")
                ))),
            };
        };
        if let Some(key) = keys.iter().find(|key| key.address == wanted) {
            return Ok(*key);
        }
        if let Some(change) = self.change(wanted) {
            let kind = change.get("type").and_then(SourceNode::text).unwrap_or_default();
            let is_key = KEY_RESOURCES.iter().any(|(name, _)| *name == kind);
            let what = if is_key {
                format!("{wanted} is deleted by this plan, so that nobody uses it afterwards")
            } else {
                format!("{wanted} has no key policy; those that have one are: {}", listed.join(", "))
            };
            return Err(self.part(change.place.line, what));
        }
        if keys.is_empty() {
            return Err(whole(no_key()));
        }
        let nearest = suggestion(wanted, listed.iter().copied());
        Err(whole(format!("has no key policy at {wanted}{nearest} (there are {})", listed.join(", "))))
    }

    fn keys(&self) -> Vec<KeyResource<'_>> {
        let values = self.root.get("planned_values").or_else(|| self.root.get("values"));
        let mut keys = Vec::new();
        for node in values.map(|values| resources(values)).unwrap_or_default() {
            let text = |name: &str| node.get(name).and_then(SourceNode::text);
            let (Some(address), Some(type_name)) = (text("address"), text("type")) else { continue };
            let known = KEY_RESOURCES.iter().find(|(name, _)| *name == type_name);
            if let Some((_, attribute)) = known.filter(|_| text("mode") != Some("data")) {
                keys.push(KeyResource { address, type_name, attribute, node });
            }
        }
        keys
    }

    /// What the plan does to a resource.
    fn change(&self, address: &str) -> Option<&SourceNode> {
        let changes = self.root.get("resource_changes")?.items()?;
        changes.iter().find(|change| change.get("address").and_then(SourceNode::text) == Some(address))
    }

    /// Where the plan says that an attribute is not known before it is applied; `None` if it does not say so.
    pub(super) fn unknown_after(&self, resource: &KeyResource<'_>, attribute: &str) -> Option<SourcePlace> {
        let open = self.change(resource.address)?.at(&["change", "after_unknown", attribute])?;
        (open.value == SourceValue::Bool(true)).then_some(open.place)
    }

    /// Whether the plan creates the resource.
    pub(super) fn is_created(&self, resource: &KeyResource<'_>) -> bool {
        let actions = self.change(resource.address).and_then(|change| change.at(&["change", "actions"]));
        let actions = actions.and_then(SourceNode::items).unwrap_or_default();
        actions.iter().any(|action| action.text() == Some("create"))
    }

    /// What the configuration of an attribute refers to; empty if the configuration does not have the attribute, and `None`
    /// if the file does not hold the configuration.
    pub(super) fn references(&self, resource: &KeyResource<'_>, attribute: &str) -> Option<Vec<String>> {
        let node = configuration(self.root.get("configuration")?, resource.address, resource.type_name)?;
        let Some(expression) = node.at(&["expressions", attribute]) else { return Some(Vec::new()) };
        if expression.get("constant_value").is_some_and(|value| value.value == SourceValue::Null) {
            return Some(Vec::new());
        }
        let references = expression.get("references").and_then(SourceNode::items).unwrap_or_default();
        let names: Vec<_> = references.iter().filter_map(SourceNode::text).map(str::to_owned).collect();
        // What is configured and refers to nothing that is listed is not known for another reason.
        Some(if names.is_empty() { vec!["an expression of the configuration".to_owned()] } else { names })
    }

    /// The resource of its own that gives, or may give, the key of a resource its policy.
    pub(super) fn other_policy(&self, resource: &KeyResource<'_>) -> Option<OtherPolicy> {
        if resource.type_name == POLICY_RESOURCE {
            return None;
        }
        let own = |name: &str| resource.values()?.get(name)?.text();
        let ids: Vec<&str> = ["key_id", "arn", "id"].iter().filter_map(|name| own(name)).collect();
        let mut possible = None;
        for other in self.keys().into_iter().filter(|key| key.type_name == POLICY_RESOURCE) {
            let key_id = other.values().and_then(|values| values.get("key_id")).and_then(SourceNode::text);
            match key_id {
                Some(key_id) if ids.contains(&key_id) => {
                    return Some(OtherPolicy::Certain(other.address.to_owned()));
                }
                // The id is known, so that it is of a key that exists, and of another one.
                Some(_) => {}
                None => possible = possible.or(Some(other.address.to_owned())),
            }
        }
        possible.map(OtherPolicy::Possible)
    }

    /// The ARN of the key that a policy is for, if the file says it.
    pub(super) fn key_arn(&self, resource: &KeyResource<'_>) -> Option<KeyArn> {
        let value = |name: &str| resource.values().and_then(|values| values.get(name));
        if resource.type_name != POLICY_RESOURCE {
            return key_arn(value("arn"));
        }
        let key_id = value("key_id")?;
        key_arn(Some(key_id)).or_else(|| {
            let same = |key: &KeyResource<'_>| {
                key.type_name != POLICY_RESOURCE
                    && key.values().and_then(|values| values.get("key_id")).and_then(SourceNode::text)
                        == key_id.text()
            };
            let key = self.keys().into_iter().find(same)?;
            key_arn(key.values().and_then(|values| values.get("arn")))
        })
    }

    /// That a part of the file is not as it must be.
    pub(super) fn part(&self, line: u32, what: String) -> InputError {
        InputError::Part { file: self.file.clone(), line, what }
    }
}

impl<'p> KeyResource<'p> {
    /// The values that the resource is to have.
    pub(super) fn values(&self) -> Option<&'p SourceNode> {
        self.node.get("values")
    }

    /// The name of the attribute that holds the policy.
    pub(super) fn policy_attribute(&self) -> &'static str {
        self.attribute
    }

    /// Whether the policy is marked as sensitive.
    pub(super) fn is_sensitive(&self) -> bool {
        let mark = self.node.at(&["sensitive_values", self.attribute]);
        mark.is_some_and(|mark| mark.value == SourceValue::Bool(true))
    }

    /// Whether the key is a replica of another one.
    pub(super) fn is_replica(&self) -> bool {
        self.type_name.contains("_replica_")
    }
}

/// How a plan becomes what is read here.
pub(super) const HOW_TO_SHOW: &str =
    "make the file by `terraform plan -out=plan.bin` and `terraform show -json plan.bin > plan.json`";

/// What a file of Terraform is that is not the JSON of `terraform show`.
pub(super) fn other_form(text: &str) -> Option<&'static str> {
    let start: String = text.trim_start().chars().take(4096).collect();
    if start.starts_with("PK") {
        Some("is a plan in Terraform's binary form")
    } else if start.contains("\"@level\"") {
        Some("is the log of `terraform plan -json`")
    } else if !start.starts_with('{')
        && ["Terraform ", "OpenTofu ", "# aws_kms_", "# module."].iter().any(|word| text.contains(word))
    {
        Some("is what `terraform plan` prints for people")
    } else {
        None
    }
}

fn no_key() -> String {
    let names: Vec<_> = KEY_RESOURCES.iter().map(|(name, _)| *name).collect();
    format!("has no resource with a key policy: {}", names.join(", "))
}
