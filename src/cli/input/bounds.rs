//! The two bounds of a key policy that is not known whole: the policy that gives the least access, and the one that
//! gives the most. Every policy that the template can become lies between them.
//!
//! More access is an Allow that covers more, or a Deny that covers less. So each statement is widened or narrowed, one
//! element after the other. Whatever both bounds say alike holds for the policy that is deployed.
//!
//! INVARIANT: widening an element never makes a statement cover less, and narrowing it never makes it cover more, whatever
//! the unknown values become.

mod condition;
mod elements;

use serde_json::{Map, Value, json};

use super::resolved::{Resolved, ResolvedValue, Unknown};
use crate::key::KeyArn;
use crate::report::SourcePlace;

/// What the bounds depend on besides the policy: who is asked about, and what is known of the key.
#[derive(Clone, Debug)]
pub(in crate::cli) struct BoundRules {
    /// The principals of a statement that can cover somebody who is asked about: `*`, accounts, roles and users.
    pub(super) principals: Vec<String>,
    /// The key.
    pub(super) key: KeyArn,
    /// Whether somebody said which key it is. Otherwise its ARN is assumed, and no other text can be compared with it.
    pub(super) is_key_given: bool,
    /// Condition keys in lower case whose values depend on what is not known of the key.
    pub(super) hidden: Vec<&'static str>,
}

/// A key policy between two bounds.
#[derive(Clone, Debug)]
pub(in crate::cli) struct PolicyBounds {
    /// The members of the policy besides its statements.
    head: Map<String, Value>,
    /// Whether the policy has one statement without a list.
    is_single: bool,
    /// The statements, in their order. `None` if the policy has no such element.
    pub(in crate::cli) statements: Option<Vec<StatementBounds>>,
}

/// A statement between two bounds.
#[derive(Clone, Debug)]
pub(in crate::cli) struct StatementBounds {
    pub(in crate::cli) place: SourcePlace,
    least: Value,
    most: Value,
    /// What makes the difference.
    pub(in crate::cli) unknowns: Vec<Unknown>,
    /// The statement for people.
    pub(in crate::cli) shown: Value,
}

/// A bound of the access that a policy gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Bound {
    Least,
    Most,
}

/// Both bounds.
pub(in crate::cli) const BOUNDS: [Bound; 2] = [Bound::Least, Bound::Most];

/// What is done with the cover of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    Widest,
    Narrowest,
}

impl Cover {
    fn opposite(self) -> Self {
        match self {
            Self::Widest => Self::Narrowest,
            Self::Narrowest => Self::Widest,
        }
    }
}

/// Why a policy has no bounds: it is unknown whole, for these reasons.
pub(super) struct UnknownWhole(pub(super) Vec<Unknown>);

impl PolicyBounds {
    /// The bounds of a policy, which is a mapping.
    pub(super) fn new(policy: &Resolved, rules: &BoundRules) -> Result<Self, UnknownWhole> {
        let ResolvedValue::Map(members) = &policy.value else {
            return Err(UnknownWhole(policy.unknowns()));
        };
        let mut bounds = Self { head: Map::new(), is_single: false, statements: None };
        for (name, value) in members.iter().filter(|(_, value)| value.value != ResolvedValue::Absent) {
            match name.as_str() {
                "Statement" => {
                    bounds.is_single = !matches!(value.value, ResolvedValue::List(_));
                    let statements = value.one_or_many().iter();
                    bounds.statements =
                        Some(statements.map(|statement| StatementBounds::new(statement, rules)).collect());
                }
                // The version says whether `${…}` is a variable. Without one, it makes no difference.
                "Version" if !value.unknowns().is_empty() => {
                    if policy.holds("${") {
                        return Err(UnknownWhole(value.unknowns()));
                    }
                }
                _ if value.unknowns().is_empty() => {
                    bounds.head.insert(name.clone(), value.to_json());
                }
                "Id" => {}
                _ => return Err(UnknownWhole(value.unknowns())),
            }
        }
        Ok(bounds)
    }

    /// The policy as JSON text, with the bound that each statement is taken at.
    pub(in crate::cli) fn text(&self, bound: impl Fn(usize) -> Bound) -> String {
        let mut policy = self.head.clone();
        if let Some(statements) = &self.statements {
            let mut taken: Vec<Value> = statements
                .iter()
                .enumerate()
                .map(|(at, statement)| statement.at(bound(at)).clone())
                .collect();
            let only = taken.pop_if(|_| self.is_single && statements.len() == 1);
            policy.insert("Statement".to_owned(), only.unwrap_or(Value::Array(taken)));
        }
        Value::Object(policy).to_string()
    }

    /// Whether the bounds differ.
    pub(in crate::cli) fn is_open(&self) -> bool {
        self.statements.iter().flatten().any(StatementBounds::is_open)
    }

    /// The members of the policy besides its statements.
    pub(in crate::cli) fn head(&self) -> &Map<String, Value> {
        &self.head
    }
}

impl StatementBounds {
    fn new(statement: &Resolved, rules: &BoundRules) -> Self {
        let bounds = |least, most| Self {
            place: statement.place,
            least,
            most,
            unknowns: statement.unknowns(),
            shown: statement.to_json(),
        };
        match &statement.value {
            ResolvedValue::Absent => bounds(covers_nobody("Deny"), covers_nobody("Deny")),
            ResolvedValue::Unknown(_) => bounds(covers_everybody("Deny"), covers_everybody("Allow")),
            ResolvedValue::Map(members) => {
                let cover = |effect: Option<&str>, cover| rules.statement(members, effect, cover);
                let effect = statement.get("Effect").map(|effect| (effect, effect.as_known()));
                let (least, most) = match effect {
                    Some((effect, None)) if !effect.unknowns().is_empty() => {
                        (cover(Some("Deny"), Cover::Widest), cover(Some("Allow"), Cover::Widest))
                    }
                    Some((_, Some(effect))) if effect == "Deny" => {
                        (cover(None, Cover::Widest), cover(None, Cover::Narrowest))
                    }
                    // The parser of policies refuses an effect that is wrong or missing.
                    _ => (cover(None, Cover::Narrowest), cover(None, Cover::Widest)),
                };
                bounds(least, most)
            }
            _ => bounds(statement.to_json(), statement.to_json()),
        }
    }

    fn at(&self, bound: Bound) -> &Value {
        match bound {
            Bound::Least => &self.least,
            Bound::Most => &self.most,
        }
    }

    /// Whether the bounds differ.
    pub(in crate::cli) fn is_open(&self) -> bool {
        self.least != self.most
    }
}

impl BoundRules {
    /// The condition keys, in lower case, whose values depend on what is not known of the key.
    pub(in crate::cli) fn hidden(&self) -> &[&'static str] {
        &self.hidden
    }

    /// A statement with all its elements widened or narrowed. `effect` stands in for one that is unknown.
    fn statement(&self, members: &[(String, Resolved)], effect: Option<&str>, cover: Cover) -> Value {
        let mut statement = Map::new();
        for (name, value) in members.iter().filter(|(_, value)| value.value != ResolvedValue::Absent) {
            let element = match (name.as_str(), effect) {
                ("Effect", Some(effect)) => Some(Value::String(effect.to_owned())),
                ("Sid", _) => value.unknowns().is_empty().then(|| value.to_json()),
                ("Principal", _) => Some(self.principal(value, cover)),
                ("NotPrincipal", _) => Some(self.principal(value, cover.opposite())),
                ("Action", _) => Some(self.actions(value, cover)),
                ("NotAction", _) => Some(self.actions(value, cover.opposite())),
                ("Resource", _) => Some(self.resources(value, cover)),
                // A NotResource that is missing covers nothing, and one that may be missing is narrowed to that.
                ("NotResource", _) => Some(self.resources(value, cover.opposite())),
                ("Condition", _) => match self.conditions(value, cover) {
                    Ok(condition) => condition,
                    Err(condition::NeverMet) => {
                        return covers_nobody(effect.or(known_effect(members).as_deref()).unwrap_or("Deny"));
                    }
                },
                _ => Some(value.to_json()),
            };
            if let Some(element) = element {
                statement.insert(name.clone(), element);
            }
        }
        Value::Object(statement)
    }
}

fn known_effect(members: &[(String, Resolved)]) -> Option<String> {
    members.iter().find(|(name, _)| name == "Effect").and_then(|(_, effect)| effect.as_known())
}

/// A statement about nobody who is asked about and no call of a session.
fn covers_nobody(effect: &str) -> Value {
    json!({
        "Effect": effect, "Principal": { "Service": elements::NO_SERVICE }, "Action": elements::NO_ACTION, "Resource": "*"
    })
}

/// A statement about all callers and calls.
fn covers_everybody(effect: &str) -> Value {
    json!({ "Effect": effect, "Principal": "*", "Action": "kms:*", "Resource": "*" })
}

#[cfg(test)]
#[path = "bounds/tests.rs"]
mod tests;
