//! Refusals: what is true of the key in each case, the command that shows the whole report, and the remedies for a key
//! that can never encrypt sessions.

use serde_json::{Value, json};
use session_kms::cli::Exit;
use session_kms::function::{Function, FunctionSettings};

use super::{Terminal, on};
use crate::change_events::UPDATED;
use crate::fixture::{Fixture, NAME, PATIENCE, handle, id_of, resource, rival_key};
use crate::stub::{ReceivedResponse, Request, Resource, SimulatedAnswer};

/// A fixture with a role that may use no key, and properties that name it.
async fn fixture() -> (Fixture, String, Value) {
    let fixture = Fixture::with_settings().await;
    let role = fixture.stub.world(|world| world.add_role("App"));
    let properties = naming(&fixture.k1, &role);
    (fixture, role, properties)
}

fn naming(key: &str, role: &str) -> Value {
    json!({"KmsKeyId": key, "Users": [role], "DiscoverUsers": false, "DiscoverNodes": false})
}

fn and(mut properties: Value, more: &Value) -> Value {
    properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    properties
}

/// The words of a command as a shell of Unix reads them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        let word = words.last_mut().unwrap();
        match letter {
            '\'' => is_quoted = !is_quoted,
            '\\' if !is_quoted => word.extend(letters.next()),
            ' ' if !is_quoted => words.push(String::new()),
            letter => word.push(letter),
        }
    }
    words
}

/// Runs the command in which a reason ends, and returns its report.
async fn command_of(fixture: &Fixture, reason: &str) -> Value {
    let (_, command) = reason.split_once("; to see it all: session-kms ").expect(reason);
    let words = words(command);
    let arguments: Vec<&str> = words.iter().map(String::as_str).chain(["--format", "json"]).collect();
    let ran = on(fixture, &arguments, &Terminal::None).await;
    assert!(matches!(ran.exit, Exit::Fails), "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[tokio::test]
async fn a_refusal_ends_in_the_command_that_shows_the_whole_report() {
    let (fixture, role, properties) = fixture().await;
    let more = json!({
        "Preflight": "Strict", "DocumentName": "Team", "CreateDocument": true, "Exempt": ["arn:aws:iam::*:role/Break Glass's"],
        "Context": {"aws:SourceVpce": null, "aws:PrincipalTag/team": ["a b", "c"]},
    });
    for properties in [properties.clone(), and(properties, &more)] {
        let refused = fixture.send(&resource("demo").create(&fixture.stub, &properties)).await;
        assert!(!refused.success);
        let report = command_of(&fixture, &refused.reason).await;
        let subjects: Vec<_> =
            report["blocking"].as_array().unwrap().iter().map(|finding| &finding["subject"]).collect();
        assert_eq!(subjects, [&json!(role)], "{report:#}");
        assert!(
            refused
                .reason
                .contains(report["blocking"][0]["evidence"].as_str().unwrap().split(" (").next().unwrap())
        );
    }
}

#[tokio::test]
async fn a_key_that_admits_not_everybody_is_shown_by_a_command_too() {
    let fixture = Fixture::empty().await;
    let properties = json!({
        "KmsKeyId": fixture.k1, "ConsumerAccounts": ["999999999999"],
        "Users": ["arn:aws:iam::222222222222:role/Ops"], "Nodes": ["arn:aws:iam::222222222222:role/Node"],
    });
    let question = Resource::new("keys", "Access", "Custom::SessionKeyAccess");
    let refused = fixture.send(&question.create(&fixture.stub, &properties)).await;
    assert!(!refused.success);
    let report = command_of(&fixture, &refused.reason).await;
    let statements = report["remedies"]["keyPolicyStatements"].as_array().unwrap();
    assert_eq!(statements.len(), 4, "{report:#}");
    for (statement, whom) in
        statements.iter().zip(["role/Ops", "role/Node", "account 999999999999", "account 999999999999"])
    {
        let title = format!("; add to the list Statement of the key policy, for {whom}: {statement}");
        assert!(refused.reason.contains(&title), "no `{title}` in {}", refused.reason);
    }
}

#[tokio::test]
async fn a_refusal_names_the_log_group_of_the_function() {
    let (fixture, _, properties) = fixture().await;
    let function = fixture.function(None);
    let settings = FunctionSettings { log_group: Some("/aws/lambda/demo".to_owned()), ..function.settings };
    let request = resource("demo").create(&fixture.stub, &properties);
    handle(&Function { settings, ..function }, &request.payload, PATIENCE).await.unwrap();
    let reason = fixture.stub.answers(&request.url).remove(0).reason;
    assert!(
        reason.contains("; the whole report is in the function's log group /aws/lambda/demo, request "),
        "{reason}"
    );
}

/// A stack whose key is on, and its resource.
async fn deployed(fixture: &Fixture, properties: &Value) -> Resource {
    let stack = resource("demo");
    let created = fixture.send(&stack.create(&fixture.stub, properties)).await;
    assert!(created.success, "{}", created.reason);
    stack
}

fn update(fixture: &Fixture, stack: &Resource, new: &Value, old: &Value) -> Request {
    stack.update(&fixture.stub, &id_of(NAME), new, old)
}

fn assert_refused(answer: &ReceivedResponse, words: &str) {
    assert!(!answer.success);
    assert!(answer.reason.contains(words), "no `{words}` in {}", answer.reason);
}

#[tokio::test]
async fn a_refusal_says_whether_the_key_is_on() {
    let (fixture, role, properties) = fixture().await;
    let (k1, k2) = (&fixture.k1, &fixture.k2);
    let off = json!({"KmsKeyId": k1, "Preflight": "Off"});
    let stack = deployed(&fixture, &off).await;

    let answer = fixture.send(&update(&fixture, &stack, &properties, &off)).await;
    assert_refused(&answer, &format!("key {k1} is on and stays on, and nothing was changed: {role}"));

    let other = naming(k2, &role);
    let answer = fixture.send(&update(&fixture, &stack, &other, &off)).await;
    assert_refused(&answer, &format!("key {k2} is not switched on, and nothing was changed: {role}"));

    fixture.stub.world(|world| {
        let mut document = world.document(NAME).unwrap().clone();
        document.default = document.versions.first().unwrap().number;
        world.put_document(NAME, document);
    });
    let answer = fixture.send(&update(&fixture, &stack, &properties, &off)).await;
    let words = format!("key {k1} is on in only one of the document's latest and default versions");
    assert_refused(&answer, &words);
}

#[tokio::test]
async fn a_standby_key_that_is_refused_is_not_said_to_be_switched_on() {
    let (fixture, role, properties) = fixture().await;
    let (k1, k2) = (&fixture.k1, &fixture.k2);
    fixture.stub.world(|world| {
        world.simulates(&role, "kms:GenerateDataKey", k1, SimulatedAnswer::allowed("UseFirst"));
    });
    let properties = and(properties, &json!({"OnKeyTrouble": "Standby", "StandbyKmsKeyId": k2}));
    let answer = fixture.send(&resource("demo").create(&fixture.stub, &properties)).await;
    assert_refused(&answer, &format!("key {k2} is not accepted as the standby key, and nothing was changed"));
    assert!(command_of(&fixture, &answer.reason).await["key"] == json!(k2));
}

#[tokio::test]
async fn a_repair_that_is_refused_says_that_its_key_is_not_switched_on() {
    let (fixture, role, properties) = fixture().await;
    let k1 = &fixture.k1;
    fixture.stub.world(|world| world.simulates(&role, "*", "*", SimulatedAnswer::allowed("UseKeys")));
    deployed(&fixture, &properties).await;
    fixture.stub.world(|world| world.simulates(&role, "*", "*", SimulatedAnswer::default()));
    fixture.stub.world(rival_key("alias/theirs"));
    let event = serde_json::from_str(UPDATED).unwrap();
    let report = handle(&fixture.function(None), &event, PATIENCE).await.unwrap();
    let alert = report["alerts"][0].as_str().unwrap();
    assert!(
        alert.starts_with(&format!("key {k1} is not switched on, and nothing was changed: {role}")),
        "{alert}"
    );
    assert!(!alert.contains("of the report"), "{alert}");
}

/// The remedy for a key of the wrong kind is another key. A key in the wrong state can be used again.
#[tokio::test]
async fn a_key_of_the_wrong_kind_gets_no_remedy_that_admits_anybody_to_it() {
    for (spec, usage, manager, state, has_remedies) in [
        ("RSA_2048", "SIGN_VERIFY", "CUSTOMER", "Enabled", false),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "CUSTOMER", "Enabled", false),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS", "Enabled", false),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER", "Disabled", true),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER", "PendingDeletion", true),
    ] {
        let (fixture, role, _) = fixture().await;
        fixture.stub.world(|world| {
            let key = world.key(&fixture.k1);
            (key.spec, key.usage, key.manager, key.state) = (spec, usage, manager, state);
        });
        let arguments =
            ["check", "--key", &fixture.k1, "--user", &role, "--account", "999999999999", "--format", "json"];
        let ran = on(&fixture, &arguments, &Terminal::None).await;
        assert!(matches!(ran.exit, Exit::Fails), "{}", ran.err);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let count = |list: &str| report["remedies"][list].as_array().unwrap().len();
        let counts = (count("identityPolicies"), count("keyPolicyStatements"));
        assert_eq!(
            counts,
            if has_remedies { (1, 2) } else { (0, 0) },
            "{spec} {usage} {manager} {state}: {report:#}"
        );
        for finding in report["findings"].as_array().unwrap() {
            if finding["verdict"] == "fail" {
                let is_of_key = finding["check"] == "keyFitness";
                assert_eq!(finding["remedy"].is_string(), is_of_key || has_remedies, "{finding:#}");
            }
        }
    }
}
