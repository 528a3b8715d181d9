//! The AWS Config of the stub: what custom rules report with PutEvaluations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::call::{Call, Location, Outcome, Refusal};
use super::services::Operation;
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[Operation::write("PutEvaluations", put)]];

/// What the rules were asked, and what they reported.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The result tokens that were issued, each with its account and Region.
    asked: BTreeMap<String, Location>,
    /// What was reported, in order. It includes trial runs, which change nothing at AWS.
    pub evaluations: Vec<Evaluation>,
    /// The ids of resources whose evaluations are answered as failed.
    pub rejected: BTreeSet<String>,
}

/// An evaluation that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    pub resource_type: String,
    pub resource_id: String,
    pub compliance: String,
    pub annotation: Option<String>,
    /// Epoch seconds.
    pub ordering: f64,
    /// Whether it was a trial run.
    pub test_mode: bool,
}

/// The token must have been issued in this account and Region, except in a trial run.
fn put(world: &mut World, call: &Call) -> Outcome {
    call.only(&["Evaluations", "ResultToken", "TestMode"])?;
    let (token, test_mode) = (call.required("ResultToken")?, call.flag("TestMode")?);
    if !test_mode && world.rules.asked.get(token) != Some(&call.location()) {
        return Err(Refusal::client(
            "InvalidResultTokenException",
            format!("The specified ResultToken {token} is invalid."),
        ));
    }
    let all = match call.body.get("Evaluations") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(all)) => all,
        Some(_) => return Err(Refusal::wrong_type("Evaluations")),
    };
    if all.len() > 100 {
        return Err(Refusal::validation(
            "1 validation error detected: Value at 'evaluations' failed to satisfy constraint: Member must have \
            length less than or equal to 100",
        ));
    }
    let read = all.iter().map(|one| evaluation(one, test_mode)).collect::<Result<Vec<_>, _>>()?;
    let mut failed = Vec::new();
    for (one, evaluation) in all.iter().zip(read) {
        if world.rules.rejected.contains(&evaluation.resource_id) {
            failed.push(one.clone());
        } else {
            world.rules.evaluations.push(evaluation);
        }
    }
    Ok(if failed.is_empty() { json!({}) } else { json!({"FailedEvaluations": failed}) })
}

fn evaluation(one: &Value, test_mode: bool) -> Result<Evaluation, Refusal> {
    const MEMBERS: [&str; 5] = [
        "ComplianceResourceType",
        "ComplianceResourceId",
        "ComplianceType",
        "Annotation",
        "OrderingTimestamp",
    ];
    let Value::Object(members) = one else { return Err(Refusal::wrong_type("Evaluations")) };
    if let Some(unknown) = members.keys().find(|member| !MEMBERS.contains(&member.as_str())) {
        return Err(Refusal::validation(format!("Unknown parameter in input: `{unknown}`")));
    }
    let compliance = required(members, "ComplianceType", 64)?;
    if !["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"].contains(&compliance.as_str()) {
        return Err(Refusal::client(
            "InvalidParameterValueException",
            format!("ComplianceType {compliance} is not one that PutEvaluations takes."),
        ));
    }
    let annotation = match members.get("Annotation") {
        None | Some(Value::Null) => None,
        Some(_) => Some(required(members, "Annotation", 256)?),
    };
    let ordering = members.get("OrderingTimestamp").unwrap_or(&Value::Null);
    Ok(Evaluation {
        resource_type: required(members, "ComplianceResourceType", 256)?,
        resource_id: required(members, "ComplianceResourceId", 768)?,
        compliance,
        annotation,
        ordering: ordering.as_f64().ok_or_else(|| Refusal::wrong_type("OrderingTimestamp"))?,
        test_mode,
    })
}

/// A text of 1 to `longest` characters.
fn required(members: &Map<String, Value>, member: &str, longest: usize) -> Result<String, Refusal> {
    match members.get(member) {
        Some(Value::String(text)) if (1..=longest).contains(&text.chars().count()) => Ok(text.clone()),
        None | Some(Value::Null | Value::String(_)) => Err(Refusal::validation(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have \
            length between 1 and {longest}"
        ))),
        Some(_) => Err(Refusal::wrong_type(member)),
    }
}

impl World {
    /// Issues a result token: AWS Config has invoked a rule of the default account and Region with it.
    pub fn asks_rule(&mut self, result_token: &str) {
        self.rules.asked.insert(result_token.to_owned(), self.location.clone());
    }
}
