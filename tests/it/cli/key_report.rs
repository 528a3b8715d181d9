//! `key-report`: whom a key admits for sessions, and which accounts of an audit use it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use session_kms::cli::Exit;

use super::{Ran, Terminal, on};
use crate::fixture::Fixture;
use crate::golden;
use crate::stub::{ACCOUNT, Fault, Location, When};

const SHOP: &str = "111122223333";
const BANK: &str = "444455556666";
const OUTSIDE: &str = "777788889999";

/// A key that admits by name, by account, by organization and by a grant, and denies one account.
async fn shared_key() -> Fixture {
    let fixture = Fixture::empty().await;
    fixture.stub.world(|world| {
        world.organization = Some("o-a1b2c3d4e5".to_owned());
        let key = world.key(&fixture.k1);
        key.policy = json!({"Version": "2012-10-17", "Statement": [
            {"Sid": "Own", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                "Action": "kms:*", "Resource": "*"},
            {"Sid": "Shop", "Effect": "Allow", "Principal": {"AWS": [SHOP, format!("arn:aws:iam::{BANK}:role/Web")]},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"},
            {"Sid": "Nodes", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
            {"Sid": "Never", "Effect": "Deny", "Principal": {"AWS": OUTSIDE}, "Action": "kms:*", "Resource": "*"},
            {"Sid": "Buckets", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
                "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        ]})
        .to_string();
        key.grants = vec![json!({"KeyId": key.arn, "GrantId": "g-1", "IssuingAccount": ACCOUNT,
            "GranteePrincipal": format!("arn:aws:iam::{BANK}:role/Batch"), "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"aws:ssm:TargetId": "i-1"}}})];
    });
    fixture
}

/// A line of an audit in which the document has this key and these are locked out.
fn line(account: &str, region: &str, key: &str, locked_out: &[(&str, &str)]) -> Value {
    let locked: Vec<_> = locked_out
        .iter()
        .map(|(name, side)| json!({"principal": format!("arn:aws:iam::{account}:role/{name}"), "side": side}))
        .collect();
    json!({"account": account, "region": region, "accountName": format!("name of {account}"),
        "auditedAt": "2026-03-01T12:00:00Z", "state": if locked.is_empty() { "encrypted" } else { "lockedOut" },
        "document": {"name": "SSM-SessionManagerRunShell", "latest": 1, "default": 1, "kmsKeyId": key},
        "owner": null, "wanted": null, "drifted": false, "network": null, "problems": [], "unknown": [], "findings": [],
        "keys": [{"kmsKeyId": key, "arn": key, "account": ACCOUNT, "isFit": true}], "lockedOut": locked})
}

fn audit_file(name: &str, lines: &[Value]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("session-kms-key-report-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&file, lines).unwrap();
    file
}

async fn key_report(fixture: &Fixture, more: &[&str]) -> Ran {
    let words = [&["key-report", "--key", fixture.k1.as_str()], more].concat();
    on(fixture, &words, &Terminal::None).await
}

async fn json_of(fixture: &Fixture, more: &[&str]) -> (Exit, Value) {
    let ran = key_report(fixture, &[more, &["--format", "json"]].concat()).await;
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

fn caller<'a>(report: &'a Value, name: &str) -> &'a Value {
    let callers = report["keyCallers"]["callers"].as_array().unwrap();
    callers.iter().find(|caller| caller["caller"] == name).unwrap()
}

#[tokio::test]
async fn whoever_is_admitted_is_listed_by_name_account_or_organization() {
    let fixture = shared_key().await;
    let (exit, report) = json_of(&fixture, &[]).await;
    assert_eq!(exit, Exit::Good, "{report:#}");
    for (name, named_as, user, node) in [
        (&*format!("arn:aws:iam::{BANK}:role/Web"), "name", "ownPoliciesDecide", "ownPoliciesDecide"),
        (&format!("arn:aws:iam::{BANK}:role/Batch"), "name", "notAdmitted", "depends"),
        (&format!("account {ACCOUNT}"), "account", "ownPoliciesDecide", "ownPoliciesDecide"),
        (&format!("account {SHOP}"), "account", "ownPoliciesDecide", "ownPoliciesDecide"),
        (&format!("account {OUTSIDE}"), "account", "denied", "denied"),
        ("everyone in organization o-a1b2c3d4e5", "organization", "notAdmitted", "depends"),
    ] {
        let found = caller(&report, name);
        let cells = (&found["namedAs"], &found["user"]["admission"], &found["node"]["admission"]);
        assert_eq!(cells, (&named_as.into(), &user.into(), &node.into()), "{found:#}");
    }
    let batch = caller(&report, &format!("arn:aws:iam::{BANK}:role/Batch"));
    assert!(batch["node"]["by"].to_string().contains("grant g-1"), "{batch:#}");
    let rules = report["keyCallers"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 6);
    assert_eq!(rules[2]["conditions"]["StringEquals"]["aws:PrincipalOrgID"], "o-a1b2c3d4e5");
    assert_eq!((&rules[4]["user"], &rules[4]["node"]), (&"never".into(), &"never".into()));
    assert!(rules[5]["conditions"]["EncryptionContextSubset"].is_object(), "{:#}", rules[5]);
    assert!(report["summary"].as_str().unwrap().contains("2 accounts"), "{}", report["summary"]);
    assert!(fixture.stub.writes().is_empty());
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_audit_shows_who_uses_the_key_and_whom_it_refuses() {
    let fixture = shared_key().await;
    let unreadable = json!({"account": "222222222222", "region": "eu-west-1", "auditedAt": "2026-03-01T12:00:00Z",
        "state": "unreadable", "unreadable": {"reason": "denied", "message": "no"}, "document": null, "owner": null,
        "wanted": null, "drifted": false, "keys": [], "lockedOut": [], "network": null, "problems": [], "unknown": [],
        "findings": []});
    let lines = [
        // The own policies of App deny it, and the key does not.
        line(SHOP, "eu-west-1", &fixture.k1, &[("App", "user")]),
        line(SHOP, "eu-central-1", &fixture.k2, &[]),
        line(BANK, "eu-west-1", &fixture.k1, &[("Ops", "user"), ("Web", "node")]),
        line(OUTSIDE, "eu-west-1", &fixture.k1, &[]),
        unreadable,
    ];
    let file = audit_file("audit.jsonl", &lines);
    let (exit, report) = json_of(&fixture, &["--audit", file.to_str().unwrap()]).await;
    let key_use = &report["keyCallers"]["use"];
    assert_eq!((exit, &key_use["places"], &key_use["unreadable"]), (Exit::Fails, &5.into(), &1.into()));
    let accounts: Vec<_> = key_use["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["account"].as_str().unwrap(), one["users"].as_str().unwrap(), one["nodes"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        accounts,
        [(SHOP, "admitted", "admitted"), (BANK, "byNameOnly", "depends"), (OUTSIDE, "refused", "refused")]
    );
    assert_eq!(key_use["accounts"][0]["regions"], json!(["eu-west-1"]));
    assert_eq!(key_use["accounts"][0]["refused"], json!([]));
    let refused = key_use["accounts"][1]["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert_eq!(
        (&refused[0]["principal"], &refused[0]["side"]),
        (&format!("arn:aws:iam::{BANK}:role/Ops").into(), &"user".into())
    );
    let consequences = report["keyCallers"]["consequences"].to_string();
    assert!(consequences.contains(&format!("{BANK} in eu-west-1")), "{consequences}");
}

#[tokio::test]
async fn an_account_that_uses_another_key_is_none_of_it() {
    let fixture = shared_key().await;
    let file = audit_file("other.jsonl", &[line(OUTSIDE, "eu-west-1", &fixture.k2, &[("Ops", "user")])]);
    let (exit, report) = json_of(&fixture, &["--audit", file.to_str().unwrap()]).await;
    assert_eq!((exit, &report["keyCallers"]["use"]["accounts"]), (Exit::Good, &json!([])));
}

#[tokio::test]
async fn the_report_in_every_format() {
    let fixture = shared_key().await;
    let lines =
        [line(SHOP, "eu-west-1", &fixture.k1, &[]), line(BANK, "eu-west-1", &fixture.k1, &[("Ops", "user")])];
    let file = audit_file("formats.jsonl", &lines);
    let folder = file.parent().unwrap().to_str().unwrap().to_owned();
    for (format, name) in [
        ("text", "key-report.txt"),
        ("json", "key-report.json"),
        ("markdown", "key-report.md"),
        ("html", "key-report.html"),
    ] {
        let ran = key_report(&fixture, &["--audit", file.to_str().unwrap(), "--format", format]).await;
        assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
        golden::check(name, &ran.out.replace(&folder, "/audit"));
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_an_error_and_no_report() {
    let fixture = shared_key().await;
    let foreign = fixture.stub.world(|world| {
        let arn = world.add_key_at(&Location::new(SHOP, "eu-west-1"), "33333333-3333-4333-8333-333333333333");
        world.key(&arn).allow("*", "*");
        arn
    });
    let ran = on(&fixture, &["key-report", "--key", &foreign], &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{}", ran.err);
    assert!(
        ran.err.contains(&format!("credentials of that account, not of account {ACCOUNT}")),
        "{}",
        ran.err
    );
    for (operation, action) in [("GetKeyPolicy", "kms:GetKeyPolicy"), ("ListGrants", "kms:ListGrants")] {
        let fixture = shared_key().await;
        fixture.stub.fault(When::operation("kms", operation), Fault::AccessDenied { action });
        let ran = key_report(&fixture, &[]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Aws, ""), "{}", ran.err);
        assert!(ran.err.contains(action), "{}", ran.err);
    }
    let ran = key_report(&fixture, &["--audit", "/nowhere/at-all.jsonl"]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{}", ran.err);
}

#[tokio::test]
async fn known_condition_keys_settle_what_depends_on_them() {
    let fixture = shared_key().await;
    let (_, report) = json_of(&fixture, &["--context", "aws:PrincipalOrgID=o-a1b2c3d4e5"]).await;
    let everyone = caller(&report, "everyone in organization o-a1b2c3d4e5");
    assert_eq!(everyone["node"]["admission"], "ownPoliciesDecide");
}
