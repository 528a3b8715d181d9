use serde_json::{Value, json};

use super::*;
use crate::access::PrincipalArn;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn policy() -> String {
    json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" }] })
        .to_string()
}

/// A plan with these resources, changes and configuration of the root module.
fn plan(resources: &Value, changes: &Value, configured: &Value) -> Value {
    json!({
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": { "root_module": { "resources": resources } },
        "resource_changes": changes,
        "configuration": { "root_module": { "resources": configured } }
    })
}

fn key(values: &Value) -> Value {
    json!({ "address": "aws_kms_key.this", "mode": "managed", "type": "aws_kms_key", "name": "this", "values": values })
}

fn change(action: &str, after_unknown: &Value) -> Value {
    json!({
        "address": "aws_kms_key.this", "type": "aws_kms_key",
        "change": { "actions": [action], "after_unknown": after_unknown }
    })
}

fn configured(expressions: &Value) -> Value {
    json!([{ "address": "aws_kms_key.this", "mode": "managed", "type": "aws_kms_key", "name": "this", "expressions": expressions }])
}

fn read(plan: &Value, address: Option<&str>) -> Result<PolicyInput, String> {
    let role = PrincipalArn::parse("arn:aws:iam::111122223333:role/App").unwrap();
    let question =
        PolicyKeyQuestion { key: None, account: None, region: None, principals: vec![&role], accounts: &[] };
    read_plan("plan.json", &format!("{plan:#}"), address, &question).map_err(|error| error.to_string())
}

/// What the policy is: `known`, `default`, or why it is unknown.
fn what(plan: &Value) -> String {
    match &read(plan, None).unwrap().cases[0].policy {
        OutcomePolicy::Between(_) => "known".to_owned(),
        OutcomePolicy::Default => "default".to_owned(),
        OutcomePolicy::Unknown(unknowns) => format!("{}: {}", unknowns[0].what, unknowns[0].hint),
    }
}

#[test]
fn a_policy_is_known_default_or_unknown_with_what_it_depends_on() {
    let create = |open: &Value| json!([change("create", open)]);
    let known = json!([key(&json!({ "policy": policy() }))]);
    assert_eq!(what(&plan(&known, &json!([]), &json!([]))), "known");
    let none = json!([key(&json!({}))]);
    let open = json!({ "policy": true });
    assert_eq!(what(&plan(&none, &create(&open), &configured(&json!({})))), "default");
    let null = json!({ "policy": { "constant_value": null } });
    assert_eq!(what(&plan(&none, &create(&open), &configured(&null))), "default");
    let refers = json!({ "policy": { "references": ["data.aws_iam_policy_document.key.json"] } });
    assert_eq!(
        what(&plan(&none, &create(&open), &configured(&refers))),
        "policy of aws_kms_key.this: Terraform knows it after apply: it depends on data.aws_iam_policy_document.key.json"
    );
    for (changes, configured) in [
        (json!([change("update", &open)]), configured(&json!({}))),
        (create(&open), json!([])),
        (create(&open), configured(&json!({ "policy": {} }))),
        (json!([]), configured(&json!({}))),
    ] {
        assert!(what(&plan(&none, &changes, &configured)).starts_with("policy of aws_kms_key.this: "));
    }
}

#[test]
fn the_policy_of_a_resource_of_its_own_wins() {
    let other = |key_id: Option<&str>| {
        let values = json!({ "policy": policy(), "key_id": key_id });
        json!({ "address": "aws_kms_key_policy.p", "mode": "managed", "type": "aws_kms_key_policy", "name": "p", "values": values })
    };
    let own = json!({ "policy": policy(), "key_id": "1234abcd-12ab-34cd-56ef-1234567890ab", "arn": KEY });
    let with = |key_id| plan(&json!([key(&own), other(key_id)]), &json!([]), &json!([]));
    let address = Some("aws_kms_key.this");
    let error = read(&with(Some("1234abcd-12ab-34cd-56ef-1234567890ab")), address).unwrap_err();
    assert!(error.contains("is that of aws_kms_key_policy.p; give it by --address"), "{error}");
    let possible = read(&with(None), address).unwrap();
    assert!(matches!(&possible.cases[0].policy, OutcomePolicy::Unknown(_)));
    let unrelated = read(&with(Some("other")), address).unwrap();
    assert!(matches!(&unrelated.cases[0].policy, OutcomePolicy::Between(_)));
    assert!(unrelated.cases[0].key.is_given, "the plan says the ARN");
    let of_policy =
        read(&with(Some("1234abcd-12ab-34cd-56ef-1234567890ab")), Some("aws_kms_key_policy.p")).unwrap();
    assert_eq!(of_policy.cases[0].key.arn.as_str(), KEY);
    assert!(
        read(&with(None), None)
            .unwrap_err()
            .contains("choose one by --address: aws_kms_key.this, aws_kms_key_policy.p")
    );
}

#[test]
fn keys_are_found_in_modules_and_states_and_under_the_nearest_name() {
    let address = r#"module.keys["eu.west"].aws_kms_key.this[0]"#;
    let resource = json!({
        "address": address, "mode": "managed", "type": "aws_kms_key", "name": "this", "index": 0,
        "values": { "policy": policy(), "arn": KEY }, "sensitive_values": { "policy": true }
    });
    let state = json!({
        "format_version": "1.0", "terraform_version": "1.9.0",
        "values": { "root_module": { "child_modules": [{ "child_modules": [{ "resources": [resource] }] }] } }
    });
    let found = read(&state, Some(address)).unwrap();
    assert!(found.is_sensitive && found.cases[0].key.is_given);
    assert!(read(&state, None).is_ok());
    let error = read(&state, Some(r#"module.keys["eu.west"].aws_kms_key.that[0]"#)).unwrap_err();
    assert!(error.contains("did you mean"), "{error}");
    let deleted = plan(&json!([]), &json!([change("delete", &json!({}))]), &json!([]));
    assert!(read(&deleted, Some("aws_kms_key.this")).unwrap_err().contains("is deleted by this plan"));
    assert!(read(&deleted, None).unwrap_err().contains("has no resource with a key policy"));
    let wrong = plan(&json!([key(&json!({ "policy": "{" }))]), &json!([]), &json!([]));
    assert!(read(&wrong, None).unwrap_err().contains("is no JSON: line 1"));
    let wrong = plan(&json!([key(&json!({ "policy": "{}" }))]), &json!([]), &json!([]));
    assert!(read(&wrong, None).unwrap_err().contains("the key policy is wrong: $: has no Statement"));
}

#[test]
fn another_form_of_a_plan_is_answered_with_the_command_to_run() {
    let question =
        PolicyKeyQuestion { key: None, account: None, region: None, principals: Vec::new(), accounts: &[] };
    for (text, expected) in [
        ("PK\u{3}\u{4}", "is a plan in Terraform's binary form"),
        ("{\"@level\":\"info\"}\n{\"@level\":\"info\"}", "is the log of `terraform plan -json`"),
        ("Terraform will perform the following actions:\n", "is what `terraform plan` prints for people"),
        ("{\"version\": 4, \"lineage\": \"x\"}", "is a state file of Terraform"),
        ("{\"Resources\": {}}", "is a template of CloudFormation, which --template takes"),
        ("{\"Statement\": []}", "is a policy, which --policy takes"),
        ("{}", "is no plan of Terraform"),
        ("{\"format_version\": \"2.0\", \"values\": {}}", "has the format version `2.0` of plans"),
        ("nonsense", "is no plan of Terraform in JSON: line 1"),
    ] {
        let error = read_plan("plan.json", text, None, &question).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        let shows_how = error.contains("terraform show -json");
        assert_eq!(shows_how, !error.contains("format version") && !error.contains("in JSON"), "{error}");
    }
}
