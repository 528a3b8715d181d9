//! `plan`, `apply`, `clear` and `check` on AWS.

use serde_json::Value;
use session_kms::cli::Exit;

use super::{Terminal, on};
use crate::fixture::{Fixture, NAME, RECORD, SECRET, enabled, key_in, settings};
use crate::stub::{ACCOUNT, Fault, SimulatedAnswer, When};

/// A fixture in which one role may use any key, and another may not.
async fn fixture() -> (Fixture, String, String) {
    let fixture = Fixture::with_settings().await;
    let (ops, dev) = fixture.stub.world(|world| {
        let (ops, dev) = (world.add_role("team/Ops"), world.add_role("Dev"));
        world.simulates(&ops, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        (ops, dev)
    });
    (fixture, ops, dev)
}

async fn json_on(fixture: &Fixture, arguments: &[&str]) -> (Exit, Value) {
    let ran = on(fixture, &[arguments, &["--format", "json"]].concat(), &Terminal::None).await;
    assert_eq!(ran.err, "", "{arguments:?}");
    (ran.exit, serde_json::from_str(&ran.out).unwrap())
}

/// The keys of the latest and of the default version.
fn keys(fixture: &Fixture) -> [String; 2] {
    fixture.stub.world(|world| {
        let document = world.document(NAME).unwrap();
        [document.latest_content(), document.default_content()].map(key_in)
    })
}

#[tokio::test]
async fn a_plan_shows_the_one_field_and_writes_nothing() {
    let (fixture, ops, _) = fixture().await;
    let before = fixture.state();
    let (exit, report) = json_on(&fixture, &["plan", "--key", &fixture.k1, "--user", &ops]).await;
    assert_eq!(exit, Exit::Good, "{report:#}");
    assert_eq!(report["access"][0]["verdict"], "pass");
    let diff = report["change"]["diff"].as_str().unwrap();
    assert!(diff.contains("-    \"kmsKeyId\": \"alias/old\""), "{diff}");
    assert!(diff.contains(&format!("+    \"kmsKeyId\": \"{}\"", fixture.k1)), "{diff}");
    assert_eq!((fixture.state(), fixture.stub.writes().len()), (before, 0));
}

#[tokio::test]
async fn no_format_shows_anything_else_of_the_document() {
    let (fixture, ..) = fixture().await;
    for format in ["text", "json", "markdown", "html"] {
        let ran = on(&fixture, &["plan", "--key", &fixture.k1, "--format", format], &Terminal::None).await;
        assert!(ran.out.contains("alias/old"), "{format}: {}", ran.err);
        for other in [SECRET, "shellProfile", "s3BucketName", "/sessions"] {
            assert!(!ran.out.contains(other) && !ran.err.contains(other), "{format}: {other}");
        }
    }
}

#[tokio::test]
async fn a_principal_that_would_be_locked_out_blocks_until_the_remedy_is_applied() {
    let (fixture, _, dev) = fixture().await;
    let arguments = ["apply", "--yes", "--key", &fixture.k1, "--user", &dev];
    let (exit, report) = json_on(&fixture, &arguments).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(report["remedies"]["identityPolicies"][0]["principals"][0], dev);
    assert_eq!(fixture.stub.writes().len(), 0);
    // After somebody has applied the remedy, the same command succeeds.
    fixture.stub.world(|world| world.simulates(&dev, "*", "*", SimulatedAnswer::allowed("UseSessionKey")));
    let (exit, report) = json_on(&fixture, &arguments).await;
    assert_eq!(exit, Exit::Good, "{report:#}");
    assert_eq!(report["change"]["done"], true);
    assert_eq!(keys(&fixture), [fixture.k1.as_str(); 2]);
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn nothing_is_changed_without_a_yes() {
    let (fixture, ops, _) = fixture().await;
    let before = fixture.state();
    let arguments = ["apply", "--key", &fixture.k1, "--user", &ops];
    let ran = on(&fixture, &arguments, &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    for answer in ["n\n", "\n", "", "yesterday\n"] {
        let ran = on(&fixture, &arguments, &Terminal::Types(answer)).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Fails, ""), "{answer:?}");
        assert!(ran.err.contains("not confirmed"), "{}", ran.err);
    }
    assert_eq!((fixture.state(), fixture.stub.writes().len()), (before, 0));
}

#[tokio::test]
async fn a_yes_is_asked_for_after_the_plan_is_shown() {
    let (fixture, ops, _) = fixture().await;
    let arguments = ["apply", "--key", &fixture.k1, "--user", &ops];
    let ran = on(&fixture, &arguments, &Terminal::Types("y\n")).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
    let (shown, question) = (ran.err.find("\"kmsKeyId\"").unwrap(), ran.err.find("[y/N]").unwrap());
    assert!(shown < question);
    assert!(ran.out.contains("✔ Done and read back"), "{}", ran.out);
    assert_eq!(keys(&fixture), [fixture.k1.as_str(); 2]);
    // The second time nothing differs, so nobody is asked.
    fixture.stub.forget_calls();
    let ran = on(&fixture, &arguments, &Terminal::None).await;
    assert_eq!((ran.exit, fixture.stub.writes().len()), (Exit::Good, 0), "{}", ran.err);
    assert!(ran.out.contains("✔ Nothing to change"), "{}", ran.out);
}

#[tokio::test]
async fn the_first_key_comes_with_a_line_about_clients_in_the_plan_and_when_it_is_done() {
    let fixture = Fixture::with(&settings("")).await;
    let ops = fixture.stub.world(|world| {
        let ops = world.add_role("team/Ops");
        world.simulates(&ops, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        ops
    });
    for (command, lines) in [("plan", 1), ("apply", 1), ("plan", 0), ("apply", 0)] {
        let yes: &[&str] = if command == "apply" { &["--yes"] } else { &[] };
        let arguments = [&[command, "--key", &fixture.k1, "--user", &ops], yes].concat();
        let ran = on(&fixture, &arguments, &Terminal::None).await;
        assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
        assert_eq!(
            ran.out.matches("session-manager-plugin 1.1.17.0").count(),
            lines,
            "{command}: {}",
            ran.out
        );
    }
}

#[tokio::test]
async fn clear_turns_encryption_off() {
    let (fixture, ..) = fixture().await;
    let ran = on(&fixture, &["clear"], &Terminal::Types("YES\n")).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
    assert!(ran.out.contains("password reset"), "{}", ran.out);
    assert_eq!(keys(&fixture), [""; 2]);
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

#[tokio::test]
async fn a_document_of_a_stack_is_taken_over_only_with_the_option() {
    let (fixture, ops, _) = fixture().await;
    let _stack = fixture.deployed("demo", &enabled(&fixture.k2)).await;
    let arguments = ["apply", "--yes", "--key", &fixture.k1, "--user", &ops];
    let ran = on(&fixture, &arguments, &Terminal::None).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""));
    assert!(ran.out.contains("is owned by resource Encryption of stack"), "{}", ran.out);
    let ran = on(&fixture, &[&arguments[..], &["--take-over"]].concat(), &Terminal::None).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
}

#[tokio::test]
async fn check_online_asks_and_writes_nothing() {
    let (fixture, ops, dev) = fixture().await;
    let arguments = ["check", "--key", "alias/old", "--user", &ops, "--node", &dev];
    let (exit, report) = json_on(&fixture, &[&arguments[..], &["--account", ACCOUNT]].concat()).await;
    assert_eq!(exit, Exit::Fails);
    let verdicts: Vec<_> =
        report["access"].as_array().unwrap().iter().map(|access| &access["verdict"]).collect();
    assert!(verdicts.contains(&&"pass".into()) && verdicts.contains(&&"fail".into()), "{report:#}");
    assert_eq!(report["keyPolicy"]["Id"], "key-default-1");
    assert_eq!(fixture.stub.writes().len(), 0);
}

#[tokio::test]
async fn an_unfit_key_fails_and_a_key_that_is_none_is_bad_input() {
    let (fixture, ops, _) = fixture().await;
    fixture.stub.world(|world| world.key(&fixture.k2).state = "Disabled");
    for command in ["plan", "check"] {
        let ran = on(&fixture, &[command, "--key", &fixture.k2, "--user", &ops], &Terminal::None).await;
        assert_eq!(ran.exit, Exit::Fails, "{command}");
        assert!(format!("{}{}", ran.out, ran.err).contains("its state is Disabled"), "{command}");
        let ran = on(&fixture, &[command, "--key", "alias/nothing"], &Terminal::None).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{command}");
    }
}

#[tokio::test]
async fn a_call_that_aws_refuses_ends_with_3() {
    let (fixture, ..) = fixture().await;
    fixture
        .stub
        .fault(When::operation("kms", "DescribeKey"), Fault::AccessDenied { action: "kms:DescribeKey" });
    let ran = on(&fixture, &["plan", "--key", &fixture.k1], &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Aws, ""));
    assert!(ran.err.contains("AccessDenied") && ran.err.contains("kms:DescribeKey"), "{}", ran.err);
    assert!(fixture.stub.world(|world| world.document(NAME).is_some()));
}

#[tokio::test]
async fn known_context_counts_on_aws_and_is_in_the_record() {
    let (fixture, ops, _) = fixture().await;
    fixture.stub.world(|world| {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"AWS": ops}, "Action": "kms:*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}, "Null": {"aws:SourceVpc": "true"}},
        }});
        world.key(&fixture.k1).policy = policy.to_string();
    });
    let known = ["--context", "aws:SourceVpce=vpce-1", "--context", "aws:SourceVpc=null"];
    for command in [&["check"][..], &["plan"], &["apply", "--yes"]] {
        let asked = ["--key", &fixture.k1, "--user", &ops, "--preflight", "strict"];
        let (exit, report) = json_on(&fixture, &[command, &asked].concat()).await;
        assert_eq!((exit, &report["access"][0]["verdict"]), (Exit::Fails, &"unknown".into()), "{command:?}");
        assert_eq!(fixture.stub.writes().len(), 0);
        let (exit, report) = json_on(&fixture, &[command, &asked, &known].concat()).await;
        assert_eq!(exit, Exit::Good, "{report:#}");
        let said = report["access"][0]["keySide"].as_str().unwrap();
        assert!(
            said.ends_with("aws:SourceVpce is vpce-1 and aws:SourceVpc is absent, as Context says)"),
            "{said}"
        );
    }
    assert_eq!(keys(&fixture), [fixture.k1.as_str(); 2]);
    let record: Value =
        fixture.stub.world(|world| serde_json::from_str(world.parameter(RECORD).unwrap()).unwrap());
    let context = serde_json::json!({"aws:SourceVpce": "vpce-1", "aws:SourceVpc": null});
    assert_eq!(record["safeguards"]["context"], context);
}
