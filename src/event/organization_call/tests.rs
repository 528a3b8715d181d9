use serde_json::json;

use super::*;
use crate::event::Event;
use crate::event::direct::DirectCall;
use crate::event::tests::{function, parsed, sample};

fn read(event: &Value) -> Result<OrganizationCall, String> {
    match crate::event::read(event, function()) {
        Event::DirectCall { call: Ok(DirectCall::Organization(call)), is_question: false, .. } => Ok(*call),
        Event::DirectCall { call: Err(problems), is_question: false, .. } => Err(problems.to_string()),
        other => panic!("{other:?}"),
    }
}

fn pairs_of(event: &Value) -> PairsQuestion {
    match read(event) {
        Ok(OrganizationCall::Pairs(question)) => question,
        other => panic!("{other:?}"),
    }
}

fn object(text: &str) -> ObjectAddress {
    ObjectAddress::parse(text).unwrap()
}

/// A call for the list with one property more or another one.
fn pairs_with(name: &str, value: Value) -> Value {
    let mut call = json!({
        "action": "auditPairs", "accounts": "organization", "roleName": "session-kms-audit",
        "output": "s3://audit-results/run/pairs.json",
    });
    call[name] = value;
    call
}

/// A call for the report with one property more or another one.
fn report_with(name: &str, value: Value) -> Value {
    let mut call = json!({
        "action": "auditReport", "results": "s3://audit-results/run/", "output": "s3://audit-results/reports/",
    });
    call[name] = value;
    call
}

#[test]
fn the_samples_ask_for_an_organization() {
    let question = pairs_of(&parsed(sample!("direct-audit-pairs")));
    let units = vec!["Root/Workloads".to_owned()];
    assert_eq!(question.accounts, AuditedAccounts::Organization { units });
    assert_eq!(question.regions, AuditedRegions::Enabled);
    assert_eq!(question.role.map(|role| role.name.to_string()).as_deref(), Some("session-kms-audit"));
    let in_each: Vec<_> = question.call.keys().map(String::as_str).collect();
    assert_eq!(in_each, ["roleName", "externalId", "exempt"]);
    let expected = ReportQuestion {
        manifest: object(
            "s3://session-kms-audit-123456789012/results/8f1c7d6e-5d0c-3a8b-9a54-1f6f4c2b7e90/manifest.json",
        ),
        pairs: Some(object("s3://session-kms-audit-123456789012/pairs/2026-03-01.json")),
        output: ObjectAddress::parse_folder("s3://session-kms-audit-123456789012/reports").unwrap(),
        compare_with: None,
    };
    assert_eq!(read(&parsed(sample!("direct-audit-report"))), Ok(OrganizationCall::Report(expected)));
}

#[test]
fn accounts_are_an_organization_a_list_or_an_object() {
    let ids = ["111122223333", "444455556666"];
    for (given, expected) in [
        (json!("organization"), AuditedAccounts::Organization { units: Vec::new() }),
        (json!(["Organization"]), AuditedAccounts::Organization { units: Vec::new() }),
        (json!(ids), AuditedAccounts::Listed(ids.map(str::to_owned).to_vec())),
        (json!(111_122_223_333_u64), AuditedAccounts::Listed(vec![ids[0].to_owned()])),
        (json!("s3://bucket/ids.txt"), AuditedAccounts::Stored(object("s3://bucket/ids.txt"))),
    ] {
        assert_eq!(pairs_of(&pairs_with("accounts", given)).accounts, expected);
    }
}

#[test]
fn regions_are_those_that_are_enabled_or_a_list() {
    let listed = |names: &[&str]| AuditedRegions::Listed(names.iter().map(|&name| name.to_owned()).collect());
    for (given, expected) in [
        (json!(null), AuditedRegions::Enabled),
        (json!([]), AuditedRegions::Enabled),
        (json!([""]), AuditedRegions::Enabled),
        (json!("enabled"), AuditedRegions::Enabled),
        (json!(["Enabled"]), AuditedRegions::Enabled),
        (json!("eu-west-1"), listed(&["eu-west-1"])),
        (json!(["eu-west-1", "us-gov-east-1"]), listed(&["eu-west-1", "us-gov-east-1"])),
    ] {
        assert_eq!(pairs_of(&pairs_with("regions", given)).regions, expected);
    }
}

#[test]
fn each_call_of_the_list_has_what_is_not_about_the_list() {
    let question = pairs_of(&pairs_with("users", json!(["arn:aws:iam::111122223333:role/Ops"])));
    let expected = json!({"roleName": "session-kms-audit", "users": ["arn:aws:iam::111122223333:role/Ops"]});
    assert_eq!(Value::Object(question.call), expected);
}

#[test]
fn the_manifest_of_the_results_may_be_named_by_its_folder() {
    for (results, manifest) in [
        ("s3://bucket/run", "s3://bucket/run/manifest.json"),
        ("s3://bucket/run/", "s3://bucket/run/manifest.json"),
        ("s3://bucket", "s3://bucket/manifest.json"),
        ("s3://bucket/run/manifest.json", "s3://bucket/run/manifest.json"),
    ] {
        let Ok(OrganizationCall::Report(question)) = read(&report_with("results", json!(results))) else {
            panic!("{results}");
        };
        assert_eq!(question.manifest, object(manifest));
    }
}

#[test]
fn each_mistake_is_named_with_what_is_allowed() {
    for (event, words) in [
        (
            json!({"action": "auditPairs"}),
            vec![
                "`accounts` is required",
                "`organization`",
                "`roleName` is required",
                "`output` is required",
            ],
        ),
        (pairs_with("accounts", json!(["1111"])), vec!["`accounts` holds `1111`", "twelve digits"]),
        (pairs_with("accounts", json!(["organization", "1"])), vec!["`accounts` holds `organization`"]),
        (pairs_with("accounts", json!("s3://b/x")), vec!["`accounts` is", "names no bucket"]),
        (pairs_with("accounts", json!({})), vec!["`accounts`", "a list of texts"]),
        (pairs_with("regions", json!("all")), vec!["`regions` holds `all`", "`enabled`", "`eu-west-1`"]),
        (pairs_with("output", json!("s3://bucket/run/")), vec!["`output` is", "names a folder"]),
        (pairs_with("output", json!("pairs.json")), vec!["`output` is", "s3://BUCKET/KEY"]),
        (pairs_with("roleName", json!("a b")), vec!["`roleName` is `a b`"]),
        (pairs_with("users", json!(["Ops"])), vec!["`users`", "`Ops`"]),
        (pairs_with("documentName", json!("a/b")), vec!["`documentName`", "`a/b`"]),
        (pairs_with("region", json!("eu-west-1")), vec!["`region` is not a property", "`regions`"]),
        (pairs_with("account", json!("111122223333")), vec!["`account` is not a property"]),
        (json!({"action": "auditReport"}), vec!["`results` is required", "`output` is required"]),
        (report_with("results", json!("bucket/run")), vec!["`results` is", "does not begin with `s3://`"]),
        (report_with("pairs", json!("s3://bucket/run/")), vec!["`pairs` is", "names a folder"]),
        (report_with("compareWith", json!("latest")), vec!["`compareWith` is", "s3://BUCKET/KEY"]),
        (report_with("roleName", json!("audit")), vec!["`roleName` is not a property"]),
    ] {
        let message = read(&event).unwrap_err();
        for word in words {
            assert!(message.contains(word), "{event}: {message} does not hold {word}");
        }
    }
    let mut units = pairs_with("accounts", json!(["111122223333"]));
    units["organizationalUnits"] = json!(["ou-1"]);
    let message = read(&units).unwrap_err();
    assert!(
        message.contains("`organizationalUnits` is taken only with accounts `organization`"),
        "{message}"
    );
    let secret = read(&pairs_with("externalId", json!("sesame*open"))).unwrap_err();
    assert!(secret.contains("`externalId`") && !secret.contains("sesame"), "{secret}");
}
