//! `check --template` and `check --plan`: key policies in which not everything is known.

mod substitution;

use serde_json::Value;
use session_kms::cli::Exit;

use super::{Ran, offline, piped};

const ACCOUNT: [&str; 4] = ["--account-id", "111122223333", "--region", "eu-west-1"];
const USERS: &str = "arn:aws:iam::111122223333:role/sessions/prod-users";
const NODE: &str = "arn:aws:iam::111122223333:role/team/Node";
const OTHER: &str = "arn:aws:iam::111122223333:role/Other";
const ADMIN: &str = "arn:aws:iam::111122223333:role/Admin";

/// A file of `tests/data/templates`.
fn sample(name: &str) -> String {
    format!("{}/tests/data/templates/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn check(option: &str, file: &str, options: &[&str]) -> Ran {
    offline(&[&["check", option, &sample(file)], options].concat()).await
}

async fn check_json(option: &str, file: &str, options: &[&str]) -> Value {
    let ran = check(option, file, &[options, &["--format", "json"]].concat()).await;
    serde_json::from_str(&ran.out).map_err(|_| ran.err).unwrap()
}

/// The verdict on the key policy for a principal, and the evidence.
fn key_policy(report: &Value, principal: &str) -> (String, String) {
    let findings = report["findings"].as_array().unwrap();
    let is_it = |finding: &&Value| finding["check"] == "keyPolicy" && finding["subject"] == principal;
    let finding = findings.iter().find(is_it).ok_or_else(|| report.to_string()).unwrap();
    (finding["verdict"].as_str().unwrap().to_owned(), finding["evidence"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_every_value_of_an_unknown_parameter_gives_is_certain_and_the_rest_is_unknown() {
    let asked = [&ACCOUNT[..], &["--user", USERS, "--node", NODE, "--user", OTHER]].concat();
    let report = check_json("--template", "key.yaml", &asked).await;
    assert_eq!(
        key_policy(&report, USERS),
        (
            "pass".to_owned(),
            "statement 2 `Users` of the key policy admits it to kms:GenerateDataKey".to_owned()
        )
    );
    assert_eq!(key_policy(&report, NODE).0, "pass");
    let (verdict, evidence) = key_policy(&report, OTHER);
    assert_eq!(verdict, "unknown");
    assert_eq!(
        evidence,
        "whether it may kms:GenerateDataKey depends on !Ref AdminRole (line 33: give its value by --parameter \
         AdminRole=VALUE)"
    );
    let notes = report["notes"].to_string();
    for words in ["`SessionKey`", "NodeRoles, Stage", "00000000-0000-0000-0000-000000000000"] {
        assert!(notes.contains(words), "{notes}");
    }
    for (admin, expected) in [(OTHER, "pass"), (ADMIN, "fail")] {
        let parameter = format!("AdminRole={admin}");
        let report =
            check_json("--template", "key.yaml", &[&asked[..], &["--parameter", &parameter]].concat()).await;
        assert_eq!(key_policy(&report, OTHER).0, expected, "{admin}");
    }
    let admin = format!("AdminRole={ADMIN}");
    // In another stage the users have no statement, and their role has another name.
    let stage = [&asked[..], &["--parameter", "Stage=dev", "--parameter", &admin]].concat();
    assert_eq!(key_policy(&check_json("--template", "key.yaml", &stage).await, USERS).0, "fail");
}

#[tokio::test]
async fn an_unknown_deny_is_neither_a_pass_nor_a_fail() {
    let asked = ["--account-id", "111122223333", "--user", ADMIN, "--node", ADMIN];
    let report = check_json("--template", "unknown-deny.json", &asked).await;
    let findings = report["findings"].as_array().unwrap();
    let verdict = |side: &str| {
        let is_it = |finding: &&Value| finding["check"] == "keyPolicy" && finding["side"] == side;
        let finding = findings.iter().find(is_it).unwrap();
        (finding["verdict"].as_str().unwrap(), finding["evidence"].as_str().unwrap())
    };
    assert_eq!(verdict("node").0, "pass", "the Deny is about another action");
    let (user, evidence) = verdict("user");
    assert!(user == "unknown" && evidence.contains("!Ref Organization (line 23"), "{evidence}");
    let strict = [&asked[..], &["--preflight", "strict"]].concat();
    assert_eq!(check("--template", "unknown-deny.json", &strict).await.exit, Exit::Fails);
    assert_eq!(check("--template", "unknown-deny.json", &asked).await.exit, Exit::Good);
}

#[tokio::test]
async fn an_account_that_is_not_known_is_every_account() {
    // The statement for the account admits the role in the key's account only.
    let report = check_json("--template", "unknown-deny.json", &["--node", ADMIN]).await;
    let (verdict, evidence) = key_policy(&report, ADMIN);
    assert!(verdict == "unknown" && evidence.contains("--account-id"), "{evidence}");
    let report =
        check_json("--template", "unknown-deny.json", &["--node", ADMIN, "--account-id", "222222222222"])
            .await;
    assert_eq!(key_policy(&report, ADMIN).0, "fail");
}

#[tokio::test]
async fn a_key_of_the_template_is_chosen_by_its_name() {
    for (options, expected) in [
        (&[][..], "has several keys; choose one by --logical-id: `SessionKey` (line 3), `AuditKey` (line 6)"),
        (&["--logical-id", "SesionKey"], "has no key `SesionKey`; did you mean `SessionKey`?"),
        (
            &["--logical-id", "Function"],
            "line 22: `Function` is of type AWS::Serverless::Function and no key",
        ),
        (&["--logical-id", "AuditKey", "--parameter", "A=b"], "has no such parameter (it has none)"),
    ] {
        let ran = check("--template", "several.yaml", options).await;
        assert!(ran.exit == Exit::BadInput && ran.err.contains(expected), "{}", ran.err);
    }
    let asked = [&ACCOUNT[..], &["--user", ADMIN, "--logical-id"]].concat();
    for (key, verdict, access) in
        [("SessionKey", "pass", "unknown"), ("AuditKey", "pass", "unknown"), ("Signing", "pass", "fail")]
    {
        let report = check_json("--template", "several.yaml", &[&asked[..], &[key]].concat()).await;
        assert_eq!(key_policy(&report, ADMIN).0, verdict, "{key}");
        assert_eq!(report["access"][0]["verdict"], access, "{key}: a key for signatures encrypts nothing");
    }
}

#[tokio::test]
async fn a_condition_of_the_key_decides_whether_it_is_there() {
    let template = |condition: &str| {
        format!(
            "Parameters: {{Stage: {{Type: String}}}}\nConditions:\n  Wanted: {condition}\nResources:\n  Key:\n    \
             Type: AWS::KMS::Key\n    Condition: Wanted\n"
        )
    };
    let asked =
        ["check", "--template", "-", "--account-id", "111122223333", "--user", ADMIN, "--format", "json"];
    // Without a policy of its own, a key has KMS's default policy.
    for condition in ["!Equals [a, a]", "!Equals [!Ref Stage, prod]"] {
        let ran = piped(&asked, &template(condition)).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(key_policy(&report, ADMIN).0, "pass", "{condition}");
    }
    let ran = piped(&asked, &template("!Equals [a, b]")).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("is not created"), "{}", ran.err);
}

#[tokio::test]
async fn an_error_names_the_line_of_the_template() {
    let template = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy:\n        Statement:\n          - \
                    Effect: Allow\n            Principal: '*'\n            Action: 'kms:*'\n            Resource: '*'\n          \
                    - Effect: Alow\n            Principal: '*'\n            Action: 'kms:*'\n            Resource: '*'\n";
    for (text, expected) in [
        (
            template,
            "`standard input` line 11: the key policy is wrong: $.Statement[1].Effect: `Alow` is not one of",
        ),
        ("Resources: [", "`standard input` is no template in JSON or YAML: line 2"),
        ("{\"Statement\": []}", "`standard input` is a policy and no template; give it by --policy"),
        ("a: b", "it has no mapping `Resources`"),
        (
            "Resources: {A: {Type: AWS::CloudFormation::Stack}}",
            "a key of a nested stack is in that stack's template",
        ),
    ] {
        let ran = piped(&["check", "--template", "-"], text).await;
        assert!(ran.exit == Exit::BadInput && ran.err.contains(expected), "{}", ran.err);
    }
}

#[tokio::test]
async fn the_options_that_belong_together_are_checked() {
    let template = sample("key.yaml");
    for (options, expected) in [
        (&["--user", ADMIN][..], "--key <KEY>"),
        (&["--template", &template, "--plan", "p"], "cannot be used with"),
        (&["--template", &template, "--policy", "p"], "cannot be used with"),
        (&["--template", &template, "--key", "alias/k"], "--key must be the key's ARN"),
        (&["--template", &template, "--list-policies"], "cannot be used with"),
        (&["--key", "alias/k", "--logical-id", "K"], "--template"),
        (&["--key", "alias/k", "--address", "K"], "--plan"),
        (&["--key", "alias/k", "--account-id", "111122223333"], "give it with --template or --plan"),
        (&["--key", "alias/k", "--grants", "g"], "--policy"),
    ] {
        let ran = offline(&[&["check"], options].concat()).await;
        assert!(ran.exit == Exit::BadInput && ran.err.contains(expected), "{options:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_plan_of_terraform_has_the_policy_or_says_what_it_waits_for() {
    let asked = [&ACCOUNT[..], &["--user", ADMIN, "--user", OTHER, "--address"]].concat();
    let known = [&asked[..], &[r#"module.sessions.aws_kms_key.this["eu"]"#]].concat();
    let report = check_json("--plan", "plan.json", &known).await;
    assert_eq!((key_policy(&report, ADMIN).0, key_policy(&report, OTHER).0), ("pass".into(), "fail".into()));
    let computed = [&asked[..], &["module.sessions.aws_kms_key.computed"]].concat();
    let (verdict, evidence) = key_policy(&check_json("--plan", "plan.json", &computed).await, ADMIN);
    assert!(verdict == "unknown" && evidence.contains("data.aws_iam_policy_document.key.json"), "{evidence}");
    let ran = check("--plan", "plan.json", &[]).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("choose one by --address"), "{}", ran.err);
    let folder = std::env::temp_dir().join(format!("session-kms-plan-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let binary = folder.join("plan.bin");
    std::fs::write(&binary, b"PK\x03\x04\xff\xfe\x00\x80").unwrap();
    let ran = offline(&["check", "--plan", binary.to_str().unwrap()]).await;
    assert!(ran.exit == Exit::BadInput && ran.err.contains("terraform show -json"), "{}", ran.err);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn an_identity_policy_that_names_keys_needs_the_key() {
    let folder = std::env::temp_dir().join(format!("session-kms-own-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("own.json");
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let own = serde_json::json!({ "Statement": { "Effect": "Allow", "Action": "kms:*", "Resource": key } });
    std::fs::write(&path, own.to_string()).unwrap();
    let given = format!("{ADMIN}={}", path.display());
    let asked = ["--node", ADMIN, "--identity-policy", &given];
    let verdict = async |options: &[&str]| {
        let report = check_json("--template", "unknown-deny.json", &[&asked[..], options].concat()).await;
        report["access"][0]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&ACCOUNT).await, "unknown");
    assert_eq!(verdict(&["--key", key]).await, "pass");
    assert_eq!(verdict(&["--key", &key.replace("1234abcd", "aaaaaaaa")]).await, "fail");
    std::fs::remove_dir_all(&folder).unwrap();
}
