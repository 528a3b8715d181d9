//! Every case of `tests/corpus`, each with its source, through the library.
//!
//! `session-kms` runs the same cases through its command `evaluate`.

mod cases;

use std::collections::BTreeMap;
use std::path::Path;

use kms_key_policy::{
    Action, Context, Decider, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request,
    decide,
};
use serde_json::{Map, Value};

#[test]
fn every_case_holds_through_the_library() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut problems = Vec::new();
    for (name, input, expect) in &cases::read(&folder) {
        match decide_on(input) {
            Ok(answer) => cases::check(name, expect, &answer, &mut problems),
            Err(error) if expect.error.is_some() => drop(error),
            Err(error) => problems.push(format!("{name}\n    error: {error}")),
        }
    }
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

/// Decides on a case, and writes the answer as JSON with the members that the cases look at.
fn decide_on(input: &Map<String, Value>) -> Result<Value, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parse = |kind, value: &Value| Policy::parse(kind, &text(value)).map_err(|e| e.to_string());
    let list = |kind, value: &Value| -> Result<Vec<Policy>, String> {
        value.as_array().into_iter().flatten().map(|policy| parse(kind, policy)).collect()
    };
    let levels = |kind, field: &str| -> Result<Vec<Vec<Policy>>, String> {
        input.get(field).and_then(Value::as_array).into_iter().flatten().map(|l| list(kind, l)).collect()
    };
    let field = |name: &str| input[name].as_str().unwrap();
    let others = if input.get("otherContext").is_some_and(|o| o == "absent") {
        OtherKeys::Absent
    } else {
        OtherKeys::Unknown
    };
    let mut context = Context::new(others);
    for (key, value) in input.get("context").and_then(Value::as_object).into_iter().flatten() {
        if context.names(key) {
            return Err(format!("{key} twice"));
        }
        context = match value {
            Value::Array(values) => context.values(key, values.iter().map(text)),
            value => context.value(key, text(value)),
        };
    }
    for key in input.get("absent").and_then(Value::as_array).into_iter().flatten() {
        context = context.absent(key.as_str().unwrap());
    }
    let request = Request::new(
        Principal::parse(field("principal")).map_err(|e| e.to_string())?,
        Action::parse(field("action")).map_err(|e| e.to_string())?,
        KeyArn::parse(field("keyArn")).map_err(|e| e.to_string())?,
        context,
    );
    let key_policy = parse(PolicyKind::Key, &input["keyPolicy"])?;
    let grants = input.get("grants").map_or(Ok(Grants::none()), |g| Grants::parse(&text(g)));
    let grants = grants.map_err(|e| e.to_string())?;
    let identity = input.get("identityPolicies").map(|l| list(PolicyKind::Identity, l)).transpose()?;
    let boundary = input.get("permissionsBoundary").map(|p| parse(PolicyKind::Boundary, p)).transpose()?;
    let session = list(PolicyKind::Session, input.get("sessionPolicies").unwrap_or(&Value::Null))?;
    let scps = levels(PolicyKind::ServiceControl, "serviceControlPolicies")?;
    let rcps = levels(PolicyKind::ResourceControl, "resourceControlPolicies")?;
    let answer = decide(
        &request,
        &Layers {
            key_policy: &key_policy,
            grants: &grants,
            identity_policies: identity.as_deref(),
            permissions_boundary: boundary.as_ref(),
            session_policies: &session,
            service_control_policies: &scps,
            resource_control_policies: &rcps,
        },
    );
    let statements = answer.statements.iter().map(|decider| match decider {
        Decider::Statement { layer, index, sid, .. } => {
            serde_json::json!({"policy": layer.short_name(), "index": index, "sid": sid})
        }
        Decider::Grant { index, .. } => serde_json::json!({"policy": "grant", "index": index, "sid": null}),
    });
    let texts = |texts: Vec<String>| Value::from(texts);
    let policies =
        [&key_policy].into_iter().chain(identity.iter().flatten()).chain(&boundary).chain(&session);
    let policies = policies.chain(scps.iter().flatten()).chain(rcps.iter().flatten());
    let warnings = policies.flat_map(Policy::warnings).map(ToString::to_string);
    let warnings = warnings.map(|w| format!("keyPolicy: {w}"));
    let caveats = answer.caveats.iter().map(ToString::to_string);
    let missing: Vec<String> = answer.missing.iter().map(ToString::to_string).collect();
    let mut shown: BTreeMap<&str, Value> = BTreeMap::new();
    shown.insert("decision", answer.decision.to_string().into());
    shown.insert("explicit", answer.explicit.into());
    shown.insert("statements", statements.collect());
    shown.insert("dependsOn", texts(answer.depends_on.iter().map(ToString::to_string).collect()));
    shown.insert("missing", missing.join("; ").into());
    shown.insert("warnings", texts(warnings.chain(caveats).collect()));
    Ok(serde_json::to_value(shown).unwrap())
}
