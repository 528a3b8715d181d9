//! The conditions of a statement, made easier or harder to meet.
//!
//! A condition with unknown values is replaced by one that certainly holds whenever it does, or only when it does. Of most
//! operators that is a test whether the request has the key at all.

use serde_json::{Map, Value, json};

use super::super::resolved::{Resolved, ResolvedValue};
use super::{BoundRules, Cover};

/// The conditions can be met by no call, as far as is certain.
pub(super) struct NeverMet;

/// How an operator treats its list and a request without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OperatorForm {
    /// Whether no value of the list may match.
    is_negated: bool,
    /// Whether the condition is met by a request without the key.
    is_met_without_key: bool,
}

/// What stands for one condition.
enum ConditionBound {
    /// The same operator with these values.
    Values(Value),
    /// Nothing: it is taken to be met.
    Met,
    /// The request has the key.
    KeyIsThere,
    /// The request does not have the key.
    KeyIsAbsent,
    Never,
}

impl BoundRules {
    /// The conditions at a bound. `None` stands for no conditions.
    pub(super) fn conditions(&self, conditions: &Resolved, cover: Cover) -> Result<Option<Value>, NeverMet> {
        let operators = match &conditions.value {
            ResolvedValue::Map(operators) => operators,
            ResolvedValue::Unknown(_) => return unknown(cover).map(|()| None),
            _ if !conditions.unknowns().is_empty() => return unknown(cover).map(|()| None),
            _ => return Ok(Some(conditions.to_json())),
        };
        let mut bounded: Map<String, Value> = Map::new();
        let mut presence: Vec<(String, &'static str)> = Vec::new();
        for (operator, keys) in operators.iter().filter(|(_, keys)| keys.value != ResolvedValue::Absent) {
            let ResolvedValue::Map(keys) = &keys.value else {
                if keys.unknowns().is_empty() {
                    bounded.insert(operator.clone(), keys.to_json());
                } else {
                    unknown(cover)?;
                }
                continue;
            };
            let mut kept = Map::new();
            for (key, values) in keys.iter().filter(|(_, values)| values.value != ResolvedValue::Absent) {
                match self.condition(operator, key, values, cover) {
                    ConditionBound::Values(values) => {
                        kept.insert(key.clone(), values);
                    }
                    ConditionBound::Met => {}
                    ConditionBound::KeyIsThere => presence.push((key.clone(), "false")),
                    ConditionBound::KeyIsAbsent => presence.push((key.clone(), "true")),
                    ConditionBound::Never => return Err(NeverMet),
                }
            }
            bounded.insert(operator.clone(), Value::Object(kept));
        }
        for (key, absent) in presence {
            add_presence(&mut bounded, key, absent, cover)?;
        }
        Ok(Some(Value::Object(bounded)))
    }

    fn condition(&self, operator: &str, key: &str, values: &Resolved, cover: Cover) -> ConditionBound {
        let is_hidden = self.hidden.iter().any(|hidden| key.eq_ignore_ascii_case(hidden));
        let uses_hidden = |item: &Resolved| {
            let text = item.as_known().unwrap_or_default().to_ascii_lowercase();
            self.hidden.iter().any(|hidden| text.contains(&format!("${{{hidden}")))
        };
        let items: Vec<&Resolved> =
            values.one_or_many().iter().filter(|item| item.value != ResolvedValue::Absent).collect();
        let is_open = |item: &Resolved| is_hidden || !item.unknowns().is_empty() || uses_hidden(item);
        if !items.iter().any(|item| is_open(item)) {
            return ConditionBound::Values(values.to_json());
        }
        let known: Vec<Value> =
            items.iter().filter(|item| !is_open(item)).map(|item| item.to_json()).collect();
        let Some(form) = OperatorForm::of(operator) else {
            // An operator that does not exist compares nothing.
            let is_real = matches!(operator, "Null");
            return match (is_real, cover) {
                (false, _) => ConditionBound::Values(json!("unknown")),
                (true, Cover::Widest) => ConditionBound::Met,
                (true, Cover::Narrowest) => ConditionBound::Never,
            };
        };
        // More values make a plain condition easier to meet, and a negated one harder.
        let known_is_bound = form.is_negated == (cover == Cover::Widest);
        if known_is_bound && !known.is_empty() {
            return ConditionBound::Values(Value::Array(known));
        }
        match (cover, form.is_met_without_key) {
            (Cover::Widest, true) => ConditionBound::Met,
            (Cover::Widest, false) => ConditionBound::KeyIsThere,
            (Cover::Narrowest, true) => ConditionBound::KeyIsAbsent,
            (Cover::Narrowest, false) => ConditionBound::Never,
        }
    }
}

impl OperatorForm {
    /// The form of an operator; `None` for `Null`, and for one that does not exist.
    fn of(operator: &str) -> Option<Self> {
        let (quantifier, rest) = match operator.split_once(':') {
            Some((quantifier @ ("ForAllValues" | "ForAnyValue"), rest)) => (quantifier, rest),
            Some(_) => return None,
            None => ("", operator),
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let is_negated = match name {
            "StringEquals"
            | "StringEqualsIgnoreCase"
            | "StringLike"
            | "ArnEquals"
            | "ArnLike"
            | "NumericEquals"
            | "NumericLessThan"
            | "NumericLessThanEquals"
            | "NumericGreaterThan"
            | "NumericGreaterThanEquals"
            | "DateEquals"
            | "DateLessThan"
            | "DateLessThanEquals"
            | "DateGreaterThan"
            | "DateGreaterThanEquals"
            | "Bool"
            | "IpAddress"
            | "BinaryEquals" => false,
            "StringNotEquals"
            | "StringNotEqualsIgnoreCase"
            | "StringNotLike"
            | "ArnNotEquals"
            | "ArnNotLike"
            | "NumericNotEquals"
            | "DateNotEquals"
            | "NotIpAddress" => true,
            _ => return None,
        };
        let is_met_without_key = match quantifier {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => is_negated || if_exists,
        };
        Some(Self { is_negated, is_met_without_key })
    }
}

/// Conditions of which nothing is known are met at the widest, and not at the narrowest.
fn unknown(cover: Cover) -> Result<(), NeverMet> {
    match cover {
        Cover::Widest => Ok(()),
        Cover::Narrowest => Err(NeverMet),
    }
}

/// Adds the condition whether the request has a key. If the statement asks that already, no second one can be added: then
/// the condition is met at the widest, and not at the narrowest.
fn add_presence(
    conditions: &mut Map<String, Value>,
    key: String,
    absent: &'static str,
    cover: Cover,
) -> Result<(), NeverMet> {
    let tests = conditions.entry("Null").or_insert_with(|| json!({}));
    let Value::Object(tests) = tests else { return unknown(cover) };
    match tests.iter().find(|(other, _)| other.eq_ignore_ascii_case(&key)) {
        Some((_, same)) if *same == json!(absent) => Ok(()),
        Some(_) => unknown(cover),
        None => {
            tests.insert(key, json!(absent));
            Ok(())
        }
    }
}
