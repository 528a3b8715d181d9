//! What names in a template stand for: parameters, pseudo parameters, and resources with their attributes.

use super::resolved::{PartialText, Resolved, ResolvedValue, Unknown};
use super::resolver::{Resolver, StackFacts, Stop};
use crate::report::SourcePlace;

impl Resolver<'_> {
    /// `Ref`.
    pub(super) fn reference(&self, name: &str, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        if let Some(value) = self.pseudo_parameter(name, line) {
            return Ok(value);
        }
        if self.template.root.at(&["Parameters", name]).is_some() {
            return self.parameter(name, line, depth);
        }
        if name == self.template.logical_id {
            return Ok(known(self.stack.key.id(), line));
        }
        let what = format!("!Ref {name}");
        let Some(resource) = self.template.root.at(&["Resources", name]) else {
            let hint = "the template has no parameter and no resource of this name".to_owned();
            return Ok(ResolvedValue::Unknown(vec![Unknown { line, what, hint }]));
        };
        let named_by = match resource.get("Type").and_then(|node| node.text()) {
            Some("AWS::IAM::Role") => "RoleName",
            Some("AWS::IAM::User") => "UserName",
            _ => return Ok(unknown(what, line, "it is known when the resource exists")),
        };
        match resource.at(&["Properties", named_by]) {
            Some(node) => self.name_of(&self.resolve(node, depth)?, &what, line),
            None => Ok(unknown(what, line, "CloudFormation makes a name for the resource")),
        }
    }

    /// `Fn::GetAtt`.
    pub(super) fn attribute(
        &self,
        resource: &str,
        attribute: &str,
        line: u32,
        depth: usize,
    ) -> Result<ResolvedValue, Stop> {
        let what = format!("!GetAtt {resource}.{attribute}");
        if resource == self.template.logical_id {
            return Ok(match attribute {
                "Arn" => known(self.stack.key.as_str(), line),
                "KeyId" => known(self.stack.key.id(), line),
                _ => unknown(what, line, "a key has the attributes Arn and KeyId"),
            });
        }
        let Some(node) = self.template.root.at(&["Resources", resource]) else {
            return Ok(unknown(what, line, "the template has no resource of this name"));
        };
        let (type_word, named_by) = match node.get("Type").and_then(|node| node.text()) {
            Some("AWS::IAM::Role") if attribute == "Arn" => ("role", "RoleName"),
            Some("AWS::IAM::User") if attribute == "Arn" => ("user", "UserName"),
            _ => return Ok(unknown(what, line, "it is known when the resource exists")),
        };
        // The ARN of a role or user whose name or path is unknown is still known to be one.
        let mut arn = PartialText::known("arn:", line);
        arn.append(&self.fact(&self.stack.partition, "AWS::Partition", line), line);
        arn.push(":iam::", line);
        arn.append(&self.fact(&self.stack.account, "AWS::AccountId", line), line);
        arn.push(&format!(":{type_word}"), line);
        let unnamed = || {
            let hint = "CloudFormation makes a name for the resource".to_owned();
            PartialText::unknown(Unknown { line, what: what.clone(), hint })
        };
        match node.at(&["Properties", "Path"]) {
            Some(path) => {
                let path = self.resolve(path, depth)?;
                match path.value {
                    ResolvedValue::Absent => arn.push("/", line),
                    _ => arn.append(&path.as_text().unwrap_or_else(unnamed), line),
                }
            }
            None => arn.push("/", line),
        }
        let name = node.at(&["Properties", named_by]).map(|name| self.resolve(name, depth)).transpose()?;
        let name = name.filter(|name| name.value != ResolvedValue::Absent).and_then(|name| name.as_text());
        arn.append(&name.unwrap_or_else(unnamed), line);
        Ok(ResolvedValue::Text(arn))
    }

    fn name_of(&self, name: &Resolved, what: &str, line: u32) -> Result<ResolvedValue, Stop> {
        Ok(match name.as_text() {
            Some(name) => ResolvedValue::Text(name),
            None => unknown(what.to_owned(), line, "CloudFormation makes a name for the resource"),
        })
    }

    fn pseudo_parameter(&self, name: &str, line: u32) -> Option<ResolvedValue> {
        let StackFacts { partition, region, account, .. } = self.stack;
        Some(match name {
            "AWS::NoValue" => ResolvedValue::Absent,
            "AWS::Partition" => ResolvedValue::Text(self.fact(partition, name, line)),
            "AWS::Region" => ResolvedValue::Text(self.fact(region, name, line)),
            "AWS::AccountId" => ResolvedValue::Text(self.fact(account, name, line)),
            "AWS::URLSuffix" => match partition.as_deref() {
                Some("aws" | "aws-us-gov") => known("amazonaws.com", line),
                Some("aws-cn") => known("amazonaws.com.cn", line),
                _ => unknown("!Ref AWS::URLSuffix".to_owned(), line, "give the key by --key"),
            },
            "AWS::StackName" | "AWS::StackId" | "AWS::NotificationARNs" => {
                unknown(format!("!Ref {name}"), line, "it is the stack's")
            }
            _ => return None,
        })
    }

    /// A fact of the stack as a text.
    fn fact(&self, fact: &Option<String>, name: &str, line: u32) -> PartialText {
        match fact {
            Some(fact) => PartialText::known(fact, line),
            None => {
                let option = if name == "AWS::AccountId" { "--account-id" } else { "--region" };
                let hint = format!("give it by {option}, or the key by --key");
                PartialText::unknown(Unknown { line, what: format!("!Ref {name}"), hint })
            }
        }
    }

    /// The value of a parameter: what an option says, or else its default.
    fn parameter(&self, name: &str, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let declared = |member| self.template.root.at(&["Parameters", name, member]);
        let type_name = declared("Type").and_then(|node| node.text()).unwrap_or("String");
        let is_stored = type_name.starts_with("AWS::SSM::Parameter::Value<");
        let is_list = type_name.contains("CommaDelimitedList") || type_name.contains("List<");
        let text = match (self.template.parameters.get(name), declared("Default")) {
            (Some(given), _) => PartialText::known(given, line),
            // The default of such a parameter is the name of an entry in Parameter Store.
            (None, _) if is_stored => {
                let hint = format!("Parameter Store has its value; give that by --parameter {name}=VALUE");
                return Ok(unknown(format!("!Ref {name}"), line, &hint));
            }
            (None, Some(default)) => {
                self.use_default(name);
                let place = default.place;
                match self.resolve(default, depth)?.as_text() {
                    Some(text) => text,
                    None => {
                        let what = format!("the default of the parameter `{name}` must be a text");
                        return Err(Stop::Error(self.template.part(place.line, what)));
                    }
                }
            }
            (None, None) => {
                let hint = format!("give its value by --parameter {name}=VALUE");
                return Ok(unknown(format!("!Ref {name}"), line, &hint));
            }
        };
        if !is_list {
            return Ok(ResolvedValue::Text(text));
        }
        let place = SourcePlace { line, column: 1, end_line: line };
        Ok(match text.as_known() {
            Some("") => unknown(format!("!Ref {name}"), line, "nobody says what an empty list becomes"),
            Some(list) => {
                let item = |item: &str| Resolved::new(place, known(item.trim(), line));
                ResolvedValue::List(list.split(',').map(item).collect())
            }
            None => ResolvedValue::Unknown(text.unknowns().cloned().collect()),
        })
    }
}

fn known(text: &str, line: u32) -> ResolvedValue {
    ResolvedValue::Text(PartialText::known(text, line))
}

fn unknown(what: String, line: u32, hint: &str) -> ResolvedValue {
    ResolvedValue::Unknown(vec![Unknown { line, what, hint: hint.to_owned() }])
}
