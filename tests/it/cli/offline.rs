//! `check --policy`, which needs no network and no credentials.

use serde_json::Value;
use session_kms::cli::Exit;

use super::{data, offline};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ADMIN: &str = "arn:aws:iam::111122223333:role/Admin";
const OTHER: &str = "arn:aws:iam::111122223333:role/Other";
const NODE: &str = "arn:aws:iam::222222222222:role/team/Node";
const STRANGER: &str = "arn:aws:iam::222222222222:role/Stranger";

/// Runs `check` with the key, its policy and these options.
async fn check(options: &[&str]) -> super::Ran {
    let policy = data("key-policy.json");
    let all = [&["check", "--key", KEY, "--policy", &policy], options].concat();
    offline(&all).await
}

async fn check_json(options: &[&str]) -> (Exit, Value) {
    let ran = check(&[options, &["--format", "json"]].concat()).await;
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

#[tokio::test]
async fn a_principal_that_both_sides_allow_passes() {
    let given = format!("{NODE}={}", data("uses-key.json"));
    let (exit, report) = check_json(&["--node", NODE, "--identity-policy", &given]).await;
    assert_eq!(exit, Exit::Good);
    assert_eq!(report["access"][0]["verdict"], "pass");
    assert_eq!((&report["fails"], &report["blocks"]), (&false.into(), &false.into()));
    assert_eq!(report["access"][0]["ownSide"], "kms:Decrypt: statement 0 `Use` of its policy 0 allows it");
}

#[tokio::test]
async fn a_principal_that_is_not_admitted_fails_with_the_statement_that_would_admit_it() {
    let (exit, report) = check_json(&["--user", STRANGER, "--user", STRANGER]).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(report["access"].as_array().unwrap().len(), 1, "asked about once");
    let statement = &report["remedies"]["keyPolicyStatements"][0];
    assert_eq!(statement["Principal"]["AWS"][0], STRANGER);
    assert_eq!(statement["Action"], "kms:GenerateDataKey");
}

#[tokio::test]
async fn a_principal_without_a_policy_of_its_own_fails_with_the_policy_to_attach() {
    let given = format!("{ADMIN}={}", data("uses-s3.json"));
    let (exit, report) = check_json(&["--user", ADMIN, "--identity-policy", &given]).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(report["remedies"]["identityPolicies"][0]["principals"][0], ADMIN);
    assert_eq!(report["remedies"]["identityPolicies"][0]["policy"]["Statement"][0]["Resource"], KEY);
    let both = [given, format!("{ADMIN}={}", data("uses-key.json"))];
    let options = ["--user", ADMIN, "--identity-policy", &both[0], "--identity-policy", &both[1]];
    assert_eq!(check_json(&options).await.0, Exit::Good);
}

#[tokio::test]
async fn a_grant_admits_a_principal_that_the_key_policy_does_not() {
    let given = format!("{OTHER}={}", data("uses-s3.json"));
    let options = ["--node", OTHER, "--identity-policy", &given];
    assert_eq!(check(&options).await.exit, Exit::Fails);
    let grants = data("grants.json");
    let (exit, report) = check_json(&[&options[..], &["--grants", &grants]].concat()).await;
    assert_eq!(exit, Exit::Good, "{report:#}");
    assert!(report["access"][0]["keySide"].as_str().unwrap().contains("grant 0c23"));
}

#[tokio::test]
async fn unknown_is_no_pass_and_blocks_in_strict_mode_only() {
    let (exit, report) = check_json(&["--user", ADMIN]).await;
    assert_eq!((exit, &report["access"][0]["verdict"]), (Exit::Good, &"unknown".into()));
    assert_eq!(check(&["--user", ADMIN, "--preflight", "strict"]).await.exit, Exit::Fails);
    let fitness = &report["findings"][0];
    assert_eq!((&fitness["check"], &fitness["verdict"]), (&"keyFitness".into(), &"unknown".into()));
}

#[tokio::test]
async fn who_is_named_by_the_policy_of_its_own_account_is_admitted_and_hears_what_could_still_deny_it() {
    let folder = std::env::temp_dir().join(format!("session-kms-named-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("key-policy.json");
    let (user, foreign) = ("arn:aws:iam::111122223333:user/Ann", "arn:aws:iam::222222222222:role/Ops");
    let policy = serde_json::json!({ "Statement": [
        {
            "Sid": "Named", "Effect": "Allow", "Principal": { "AWS": [ADMIN, user, foreign] }, "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*",
            "Resource": "*",
        },
    ]});
    std::fs::write(&path, policy.to_string()).unwrap();
    let base = ["check", "--key", KEY, "--policy", path.to_str().unwrap(), "--format"];
    let run = async |format: &'static str, principals: &[&str]| {
        let users = principals.iter().flat_map(|user| ["--user", user]);
        let all: Vec<&str> = base.into_iter().chain([format]).chain(users).collect();
        offline(&all).await
    };
    // A boundary without an Allow limits a role that a key policy names, and no user.
    for (principal, boundary) in
        [(ADMIN, "by its permissions boundary"), (user, "by a Deny in its permissions boundary")]
    {
        let ran = run("json", &[principal]).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let access = &report["access"][0];
        assert_eq!(
            (ran.exit, &access["verdict"], &access["isAdmitted"]),
            (Exit::Good, &"unknown".into(), &true.into())
        );
        let own_side = access["ownSide"].as_str().unwrap();
        for words in
            ["statement 0 `Named` of the key policy admits it", "a Deny in its own policies", boundary]
        {
            assert!(own_side.contains(words), "{own_side}");
        }
        let summary = report["summary"].as_str().unwrap();
        assert!(
            summary.contains("1 of 1 is admitted by the key alone") && !summary.contains("not proven"),
            "{summary}"
        );
    }
    // An account's own policies decide, and another account's always do: that is not proven.
    for principal in [OTHER, foreign] {
        let ran = run("json", &[principal]).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            (&report["access"][0]["verdict"], report["access"][0].get("isAdmitted")),
            (&"unknown".into(), None)
        );
        assert!(report["summary"].as_str().unwrap().contains("1 of 1 not proven"), "{report:#}");
    }
    let text = run("text", &[ADMIN, user, OTHER]).await.out;
    for words in ["1 of 3 not proven", "2 of 3 are admitted by the key alone", "? unknown (admitted)"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(run("html", &[ADMIN]).await.out.contains("1 admitted, could still be denied"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn failures_in_warn_mode_and_of_exempt_principals_are_reported_and_do_not_block() {
    for options in [["--preflight", "warn"], ["--exempt", "arn:aws:iam::*:role/Strang?r"]] {
        let (exit, report) = check_json(&[&["--user", STRANGER], &options[..]].concat()).await;
        assert_eq!((exit, &report["access"][0]["verdict"]), (Exit::Good, &"fail".into()), "{options:?}");
    }
}

#[tokio::test]
async fn an_account_as_such_is_admitted_for_each_call_or_not() {
    let (exit, report) = check_json(&["--account", "111122223333"]).await;
    assert_eq!(exit, Exit::Good, "{report:#}");
    let (exit, report) = check_json(&["--account", "222222222222"]).await;
    assert_eq!(exit, Exit::Fails);
    let statements = report["remedies"]["keyPolicyStatements"].as_array().unwrap();
    let actions: Vec<_> = statements.iter().map(|statement| &statement["Action"]).collect();
    assert_eq!(actions, ["kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(statements[0]["Principal"]["AWS"][0], "arn:aws:iam::222222222222:root");
}

#[tokio::test]
async fn known_context_counts_and_is_reported() {
    let policy = data("key-policy-network.json");
    let own = format!("{OTHER}={}", data("uses-s3.json"));
    let base = ["check", "--key", KEY, "--policy", &policy, "--node", OTHER, "--identity-policy", &own];
    let check = async |context: &[&str]| {
        let options = context.iter().flat_map(|known| ["--context", known]);
        let all: Vec<&str> = base.into_iter().chain(options).chain(["--format", "json"]).collect();
        let ran = offline(&all).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        report["access"][0].clone()
    };
    assert_eq!(check(&[]).await["verdict"], "unknown");
    let paths = [
        vec!["aws:PrincipalOrgPaths=o-1/r-1/ou-1/", "aws:principalorgpaths=o-1/r-1/ou-2/ou-3/"],
        vec![r#"aws:PrincipalOrgPaths=["o-1/r-1/ou-1/","o-1/r-1/ou-2/ou-3/"]"#],
    ];
    for paths in paths {
        let known = [&["aws:SourceVpce=vpce-1", "aws:SourceVpc=null"], &paths[..]].concat();
        let access = check(&known).await;
        assert_eq!(access["verdict"], "pass", "{access:#}");
        for side in ["keySide", "ownSide"] {
            let said = access[side].as_str().unwrap();
            let given = "(given that aws:SourceVpce is vpce-1 and aws:SourceVpc is absent and aws:PrincipalOrgPaths is \
                         o-1/r-1/ou-1/, o-1/r-1/ou-2/ou-3/, as Context says)";
            assert!(said.ends_with(given), "{said}");
        }
    }
    let access = check(&["aws:SourceVpc=vpc-1"]).await;
    assert_eq!(access["verdict"], "fail");
    assert!(
        access["keySide"].as_str().unwrap().contains("aws:SourceVpc is vpc-1, as Context says"),
        "{access:#}"
    );
}

#[tokio::test]
async fn bad_input_ends_with_2_and_says_what_is_wrong_and_where() {
    let policy = data("key-policy.json");
    let malformed = data("malformed.json");
    let gone = data("gone.json");
    let of_nobody = format!("{ADMIN}={policy}");
    let broken_own = format!("{ADMIN}={malformed}");
    let table: [(&[&str], &[&str]); 15] = [
        (&["--key", KEY, "--policy", &gone], &["gone.json", "cannot read"]),
        (&["--key", KEY, "--policy", &malformed], &["malformed.json", "$.Statement[1].Effect", "`Maybe`"]),
        (&["--key", KEY, "--policy", &policy, "--grants", &malformed], &["malformed.json", "Grants"]),
        (&["--key", KEY, "--policy", &policy, "--user", "ann"], &["--user", "`ann`"]),
        (&["--key", KEY, "--policy", &policy, "--account", "1"], &["--account", "`1`", "twelve digits"]),
        (&["--key", "alias/session", "--policy", &policy], &["`alias/session`", "key's ARN"]),
        (&["--key", "nonsense", "--policy", &policy], &["--key", "`nonsense`"]),
        (&["--key", KEY, "--policy", &policy, "--identity-policy", &of_nobody], &[ADMIN, "--user"]),
        (
            &["--key", KEY, "--policy", &policy, "--user", ADMIN, "--identity-policy", &broken_own],
            &["malformed.json", "Principal"],
        ),
        (&["--key", KEY, "--grants", &policy], &["--policy"]),
        (&["--policy", &policy], &["--key"]),
        (&["--key", KEY, "--policy", &policy, "--context", "aws:SourceVpc"], &["--context", "KEY=VALUE"]),
        (
            &["--key", KEY, "--policy", &policy, "--context", "SourceVpc=x"],
            &["--context", "`SourceVpc`", "aws:"],
        ),
        (
            &["--key", KEY, "--policy", &policy, "--context", "kms:ViaService=ssm.amazonaws.com"],
            &["--context", "`kms:ViaService`", "absent"],
        ),
        (
            &[
                "--key",
                KEY,
                "--policy",
                &policy,
                "--context",
                "aws:SourceVpc=x",
                "--context",
                "aws:sourcevpc=null",
            ],
            &["--context", "`aws:SourceVpc`", "null"],
        ),
    ];
    for (options, words) in table {
        let ran = offline(&[&["check"], options].concat()).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{options:?}");
        for word in words {
            assert!(ran.err.contains(word), "{options:?}: {}", ran.err);
        }
    }
}

#[tokio::test]
async fn the_key_policy_may_be_the_output_of_get_key_policy() {
    let policy = std::fs::read_to_string(data("key-policy.json")).unwrap();
    let folder = std::env::temp_dir().join(format!("session-kms-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("enveloped.json");
    let envelope = serde_json::json!({ "Policy": policy, "PolicyName": "default" });
    std::fs::write(&path, envelope.to_string()).unwrap();
    let path = path.to_str().unwrap();
    let ran = offline(&["check", "--key", KEY, "--policy", path, "--account", "111122223333"]).await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
}

#[tokio::test]
async fn the_report_comes_in_four_formats() {
    let roles = |name: &str| format!("arn:aws:iam::222222222222:role/{name}");
    let own = |arn: &str, file: &str| format!("{arn}={}", data(file));
    let (ops, contractor) = (roles("Ops"), roles("Contractor"));
    let given = [
        own(&ops, "uses-key.json"),
        own(NODE, "uses-key.json"),
        own(OTHER, "uses-s3.json"),
        own(ADMIN, "uses-s3.json"),
    ];
    let mut options = vec!["--user", &ops, "--user", &contractor, "--user", STRANGER, "--user", ADMIN];
    options.extend(["--node", NODE, "--node", OTHER, "--account", "222222222222", "--exempt", "*Contractor"]);
    options.extend(given.iter().flat_map(|given| ["--identity-policy", given]));
    for (format, extension) in [("text", "txt"), ("json", "json"), ("markdown", "md"), ("html", "html")] {
        let ran = check(&[&options[..], &["--format", format]].concat()).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{format}");
        crate::golden::check(&format!("check.{extension}"), &ran.out);
    }
}

#[tokio::test]
async fn a_sid_that_reads_like_the_name_of_another_statement_opens_its_own_statement_alone() {
    let policy = serde_json::json!({ "Statement": [
        { "Sid": "Admin", "Effect": "Allow", "Principal": { "AWS": ADMIN }, "Action": "kms:*", "Resource": "*" },
        {
            "Sid": "x` of the key policy, statement 0 `Admin", "Effect": "Allow", "Principal": { "AWS": OTHER },
            "Action": "kms:*", "Resource": "*",
        },
    ]});
    let folder = std::env::temp_dir().join(format!("session-kms-sid-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("key-policy.json");
    std::fs::write(&path, policy.to_string()).unwrap();
    let options =
        ["check", "--key", KEY, "--policy", path.to_str().unwrap(), "--user", OTHER, "--format", "html"];
    let ran = offline(&options).await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(ran.out.contains("<dt>Statement 1 of the key policy</dt>"), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("<dt>Statement 0 of the key policy</dt>"), "{}", ran.out);
}

#[tokio::test]
async fn help_and_version_are_no_error() {
    for word in ["--help", "--version", "help"] {
        let ran = offline(&[word]).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{word}");
        assert!(ran.out.contains("session-kms"));
    }
    let ran = offline(&["plan", "--keys", "x"]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
}
