//! A CloudFormation or SAM template, and the key in it that is asked about.

use std::collections::BTreeMap;

use super::error::{InputError, SyntaxProblem};
use super::nearest::suggestion;
use super::node::{SourceMember, SourceNode};
use super::{json, yaml};

/// The types of resources that have a key policy.
const KEY_TYPES: [&str; 2] = ["AWS::KMS::Key", REPLICA];
const REPLICA: &str = "AWS::KMS::ReplicaKey";

/// Macros of AWS that leave keys and their policies as they are.
const HARMLESS_MACROS: [&str; 6] = [
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::CodeDeployBlueGreen",
    "AWS::ServiceCatalog",
];

/// A template, with the key that is asked about.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) file: String,
    pub(super) root: SourceNode,
    /// The name of the key in the template.
    pub(super) logical_id: String,
    /// The values of parameters that options give.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Template {
    /// Reads a template and finds the key in it. Without a logical id, the template must have exactly one key.
    pub(super) fn read(
        file: &str,
        text: &str,
        logical_id: Option<&str>,
        parameters: &[(String, String)],
    ) -> Result<Self, InputError> {
        let root = parse(text).map_err(|problem| InputError::Syntax {
            file: file.to_owned(),
            what: "template in JSON or YAML",
            problem,
        })?;
        let mut template =
            Self { file: file.to_owned(), root, logical_id: String::new(), parameters: BTreeMap::new() };
        if template.root.get("Resources").and_then(SourceNode::members).is_none() {
            return Err(template.whole(no_template(&template.root)));
        }
        template.logical_id = template.choose(logical_id)?;
        let declared = template.root.get("Parameters").and_then(SourceNode::members).unwrap_or_default();
        let names = || declared.iter().map(|member| member.name.as_str());
        for (name, value) in parameters {
            if !names().any(|declared| declared == name) {
                let nearest = suggestion(name, names());
                let known = match names().collect::<Vec<_>>().join(", ") {
                    known if known.is_empty() => "none".to_owned(),
                    known => known,
                };
                return Err(InputError::Options(format!(
                    "--parameter {name}: `{file}` has no such parameter{nearest} (it has {known})"
                )));
            }
            template.parameters.insert(name.clone(), value.clone());
        }
        Ok(template)
    }

    /// The key's logical id: the one that is asked for, or else that of the only key.
    fn choose(&self, logical_id: Option<&str>) -> Result<String, InputError> {
        let resources = self.root.get("Resources").and_then(SourceNode::members).unwrap_or_default();
        let type_of = |node: &SourceNode| node.get("Type").and_then(SourceNode::text).map(str::to_owned);
        let is_key = |member: &&SourceMember| {
            type_of(&member.node).is_some_and(|name| KEY_TYPES.contains(&name.as_str()))
        };
        let keys: Vec<&SourceMember> = resources.iter().filter(is_key).collect();
        let listed: Vec<_> = keys.iter().map(|key| format!("`{}` (line {})", key.name, key.line)).collect();
        let listed = listed.join(", ");
        let Some(wanted) = logical_id else {
            return match keys.as_slice() {
                [key] => Ok(key.name.clone()),
                [] => Err(self.whole(no_key(resources))),
                _ => Err(self.whole(format!("has several keys; choose one by --logical-id: {listed}"))),
            };
        };
        if keys.iter().any(|key| key.name == wanted) {
            return Ok(wanted.to_owned());
        }
        if keys.is_empty() {
            return Err(self.whole(no_key(resources)));
        }
        if let Some(other) = resources.iter().find(|member| member.name == wanted) {
            let of_type = type_of(&other.node).unwrap_or_else(|| "resource without a type".to_owned());
            let what = format!("`{wanted}` is of type {of_type} and no key; the keys are {listed}");
            return Err(self.part(other.line, what));
        }
        let nearest = suggestion(wanted, keys.iter().map(|key| key.name.as_str()));
        Err(self.whole(format!("has no key `{wanted}`{nearest} (its keys are {listed})")))
    }

    /// The resource that is the key.
    pub(super) fn key(&self) -> &SourceNode {
        self.root.at(&["Resources", &self.logical_id]).unwrap_or(&self.root)
    }

    /// Whether the key is a replica of another one.
    pub(super) fn is_replica(&self) -> bool {
        self.key().get("Type").and_then(SourceNode::text) == Some(REPLICA)
    }

    /// The macro that may change everything in the key's policy, and its line.
    pub(super) fn macro_over_key(&self) -> Option<(String, u32)> {
        let transform = self.root.get("Transform");
        let names = transform.map(|node| node.items().unwrap_or(std::slice::from_ref(node)));
        for node in names.unwrap_or_default() {
            let name = node.text().or_else(|| node.get("Name").and_then(SourceNode::text));
            if !name.is_some_and(|name| HARMLESS_MACROS.contains(&name)) {
                return Some((format!("Transform {}", name.unwrap_or("of another form")), node.place.line));
            }
        }
        // A macro in a part of the template may change what stands beside it.
        let parts =
            [Some(&self.root), self.root.get("Resources"), Some(self.key()), self.key().get("Properties")];
        let members = parts.into_iter().flatten().filter_map(SourceNode::members).flatten();
        let transform = members.into_iter().find(|member| member.name == "Fn::Transform");
        transform.map(|member| (member.name.clone(), member.line))
    }

    /// That a part of the template is not as it must be.
    pub(super) fn part(&self, line: u32, what: String) -> InputError {
        InputError::Part { file: self.file.clone(), line, what }
    }

    fn whole(&self, what: impl Into<String>) -> InputError {
        InputError::File { file: self.file.clone(), what: what.into() }
    }
}

/// A text in JSON or in YAML, of which JSON is nearly a part.
fn parse(text: &str) -> Result<SourceNode, SyntaxProblem> {
    if text.trim_start().starts_with(['{', '[']) {
        return json::read(text).or_else(|problem| yaml::read(text).map_err(|_| problem));
    }
    yaml::read(text)
}

/// What a file is that has no resources.
fn no_template(root: &SourceNode) -> &'static str {
    if root.get("Statement").is_some() {
        "is a policy and no template; give it by --policy"
    } else if root.get("planned_values").is_some() || root.get("terraform_version").is_some() {
        "is of Terraform and no template; give it by --plan"
    } else {
        "is no template of CloudFormation: it has no mapping `Resources`"
    }
}

/// That a template has no key, and where one may be.
fn no_key(resources: &[SourceMember]) -> String {
    let has = |kind: &str| {
        resources.iter().any(|member| member.node.get("Type").and_then(SourceNode::text) == Some(kind))
    };
    let types = KEY_TYPES.join(" or ");
    let elsewhere = if resources.iter().any(|member| member.name.starts_with("Fn::")) {
        "; resources that a function of the template makes are not seen"
    } else if has("AWS::CloudFormation::Stack") || has("AWS::Serverless::Application") {
        "; a key of a nested stack is in that stack's template"
    } else {
        ""
    };
    format!("has no resource of type {types}{elsewhere}")
}

#[cfg(test)]
#[path = "template/tests.rs"]
mod tests;
