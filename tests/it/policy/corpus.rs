//! The cases of `tests/policy`, each with its source: through the library, and through `evaluate`.

use std::collections::BTreeMap;
use std::path::Path;

use kms_key_policy::{
    Action, Context, Decider, Grants, KeyArn, Layers, OtherKeys, Policy, PolicyKind, Principal, Request,
    decide,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use session_kms::cli::evaluate;

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    point: String,
    about: String,
    source: String,
    defaults: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    input: Map<String, Value>,
    expect: Expect,
}

/// What must be in the answer; texts must occur in one of those that the answer has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expect {
    decision: Option<String>,
    explicit: Option<bool>,
    statements: Option<Vec<Value>>,
    depends_on: Option<Vec<String>>,
    allowed_if: Option<Value>,
    missing: Option<String>,
    /// An empty list: there are none.
    warnings: Option<Vec<String>>,
    error: Option<String>,
}

/// The cases of all files, with their defaults put in.
fn cases() -> Vec<(String, Map<String, Value>, Expect)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let group: Group =
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display())).unwrap();
        assert!(!group.about.is_empty() && !group.source.is_empty() && !group.cases.is_empty());
        for case in group.cases {
            let mut input = group.defaults.clone();
            input.extend(case.input);
            input.retain(|_, value| !value.is_null());
            cases.push((format!("{}: {}", group.point, case.name), input, case.expect));
        }
    }
    cases
}

fn check(name: &str, expect: &Expect, answer: &Value, problems: &mut Vec<String>) {
    let mut differ = |what: &str, expected: &dyn std::fmt::Debug| {
        problems.push(format!("{name}\n    {what}: expected {expected:?}\n    answer: {answer}"));
    };
    let texts = |field: &str| -> Vec<String> {
        let list = answer[field].as_array();
        list.into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    if let Some(error) = &expect.error {
        if !answer["error"].as_str().is_some_and(|found| found.contains(error.as_str())) {
            differ("error", error);
        }
        return;
    }
    if answer["decision"].as_str() != expect.decision.as_deref() {
        differ("decision", &expect.decision);
    }
    if expect.explicit.is_some() && answer["explicit"].as_bool() != expect.explicit {
        differ("explicit", &expect.explicit);
    }
    if let Some(statements) = &expect.statements {
        let found = answer["statements"].as_array().unwrap();
        let same = |one: &Value, other: &Value| ["policy", "index", "sid"].iter().all(|f| one[f] == other[f]);
        if found.len() != statements.len() || !found.iter().zip(statements).all(|(f, s)| same(f, s)) {
            differ("statements", statements);
        }
    }
    if let Some(depends_on) = &expect.depends_on
        && texts("dependsOn") != *depends_on
    {
        differ("dependsOn", depends_on);
    }
    if (answer["decision"] == "depends") == texts("dependsOn").is_empty() {
        differ("dependsOn is empty, or is not,", &answer["decision"]);
    }
    if expect
        .allowed_if
        .as_ref()
        .is_some_and(|cases| answer.get("allowedIf").is_some_and(|found| found != cases))
    {
        differ("allowedIf", &expect.allowed_if);
    }
    if let Some(missing) = &expect.missing
        && !answer["missing"].as_str().is_some_and(|found| found.contains(missing.as_str()))
    {
        differ("missing", missing);
    }
    if let Some(warnings) = &expect.warnings {
        let found = texts("warnings");
        let all = warnings.iter().all(|warning| found.iter().any(|f| f.contains(warning.as_str())));
        if !all || (warnings.is_empty() && !found.is_empty()) {
            differ("warnings", warnings);
        }
    }
}

#[test]
fn every_case_holds_through_evaluate() {
    let cases = cases();
    let mut lines = String::new();
    for (name, input, _) in &cases {
        let mut line = input.clone();
        line.insert("id".to_owned(), Value::String(name.clone()));
        lines.push_str(&serde_json::to_string(&line).unwrap());
        lines.push('\n');
    }
    let mut output = Vec::new();
    let summary = evaluate::run(lines.as_bytes(), &mut output, 2).unwrap();
    assert_eq!(summary.answered + summary.failed, u64::try_from(cases.len()).unwrap());
    let answers = std::str::from_utf8(&output).unwrap().lines();
    let mut problems = Vec::new();
    for ((name, _, expect), line) in cases.iter().zip(answers) {
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!(answer["id"], **name, "the answers keep the order of the cases");
        check(name, expect, &answer, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), cases.len(), problems.join("\n"));
}

#[test]
fn every_case_holds_through_the_library() {
    let mut problems = Vec::new();
    for (name, input, expect) in &cases() {
        match decide_on(input) {
            Ok(answer) => check(name, expect, &answer, &mut problems),
            Err(error) if expect.error.is_some() => drop(error),
            Err(error) => problems.push(format!("{name}\n    error: {error}")),
        }
    }
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

/// Decides on a case with the library alone, and writes down what the cases look at.
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
