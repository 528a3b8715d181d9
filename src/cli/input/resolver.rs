//! Resolves the intrinsic functions of a template, as far as they can be known.
//!
//! INVARIANT: what cannot be known becomes unknown, and never a guess. A condition that cannot be known stops the
//! resolver, so that the caller can go on with each of its two values.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::error::InputError;
use super::node::{SourceNode, SourceValue};
use super::resolved::{PartialText, Resolved, ResolvedValue, Unknown};
use super::template::Template;
use crate::key::KeyArn;

/// What is known of the stack that a template is deployed to.
#[derive(Clone, Debug)]
pub(super) struct StackFacts {
    pub(super) partition: Option<String>,
    pub(super) region: Option<String>,
    pub(super) account: Option<String>,
    /// The key that the template creates, as it is known or assumed.
    pub(super) key: KeyArn,
}

/// A comparison in a condition of which the outcome cannot be known.
#[derive(Clone, Debug)]
pub(super) struct Undecided {
    /// What is compared; the same text stands for the same comparison.
    pub(super) comparison: String,
    pub(super) unknown: Unknown,
}

/// Why the resolver stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// A condition cannot be known.
    Undecided(Undecided),
    /// The template is malformed.
    Error(InputError),
}

/// Resolves one template for one stack and one outcome of what is undecided.
#[derive(Debug)]
pub(super) struct Resolver<'t> {
    pub(super) template: &'t Template,
    pub(super) stack: &'t StackFacts,
    /// The outcomes of comparisons, as they are taken for now.
    pub(super) decided: &'t BTreeMap<String, bool>,
    /// The parameters whose default was used.
    defaults: RefCell<BTreeSet<String>>,
}

/// The deepest that functions and conditions may refer to each other.
const MAX_DEPTH: usize = 64;

impl<'t> Resolver<'t> {
    pub(super) fn new(
        template: &'t Template,
        stack: &'t StackFacts,
        decided: &'t BTreeMap<String, bool>,
    ) -> Self {
        Self { template, stack, decided, defaults: RefCell::default() }
    }

    /// The names of the parameters whose default was used so far.
    pub(super) fn defaults(&self) -> BTreeSet<String> {
        self.defaults.borrow().clone()
    }

    pub(super) fn use_default(&self, name: &str) {
        self.defaults.borrow_mut().insert(name.to_owned());
    }

    /// The value of a node.
    pub(super) fn resolve(&self, node: &SourceNode, depth: usize) -> Result<Resolved, Stop> {
        if depth > MAX_DEPTH {
            return Err(
                self.part(node, "functions and conditions refer to each other in a circle".to_owned())
            );
        }
        let value = match &node.value {
            SourceValue::Null => ResolvedValue::Null,
            SourceValue::Bool(value) => ResolvedValue::Bool(*value),
            SourceValue::Number(text) => ResolvedValue::Number(text.clone()),
            SourceValue::Text(text) => ResolvedValue::Text(PartialText::known(text, node.place.line)),
            SourceValue::Ambiguous(text) => ResolvedValue::Unknown(vec![Unknown {
                line: node.place.line,
                what: format!("`{text}` without quotes"),
                hint: "versions of YAML read it differently; write it in quotes".to_owned(),
            }]),
            SourceValue::List(items) => ResolvedValue::List(
                items.iter().map(|item| self.resolve(item, depth + 1)).collect::<Result<_, _>>()?,
            ),
            SourceValue::Map(members) => {
                let function = members.iter().find(|member| is_function(&member.name));
                match (function, members.as_slice()) {
                    (Some(function), [_]) => {
                        self.function(&function.name, &function.node, node.place.line, depth + 1)?
                    }
                    // A macro may change everything beside it, and no other function has neighbours.
                    (Some(function), _) => {
                        let hint = "it may change everything that stands beside it";
                        ResolvedValue::Unknown(vec![Unknown {
                            line: function.line,
                            what: function.name.clone(),
                            hint: hint.to_owned(),
                        }])
                    }
                    (None, _) => ResolvedValue::Map(
                        members
                            .iter()
                            .map(|member| Ok((member.name.clone(), self.resolve(&member.node, depth + 1)?)))
                            .collect::<Result<_, Stop>>()?,
                    ),
                }
            }
        };
        Ok(Resolved::new(node.place, value))
    }

    /// That a part of the template is not as it must be.
    pub(super) fn part(&self, node: &SourceNode, what: String) -> Stop {
        Stop::Error(self.template.part(node.place.line, what))
    }
}

/// Whether a member's name is that of an intrinsic function.
pub(super) fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

/// A function as people write it in YAML: `!Ref Name`, `!Sub`.
pub(super) fn shown(name: &str, argument: &SourceNode) -> String {
    let short = name.strip_prefix("Fn::").unwrap_or(name);
    match (&argument.value, argument.items()) {
        (SourceValue::Text(text), _) if short != "Sub" => format!("!{short} {text}"),
        (_, Some(items)) if short == "GetAtt" => {
            let parts: Vec<_> = items.iter().filter_map(SourceNode::text).collect();
            format!("!{short} {}", parts.join("."))
        }
        _ => format!("!{short}"),
    }
}
