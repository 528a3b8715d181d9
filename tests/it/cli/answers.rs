//! Answers that somebody can act on: what is wrong now, who owns a document and how it becomes free, and what a change
//! costs, said before it is made. The command line and direct calls give the same answers.

use serde_json::{Value, json};
use session_kms::cli::Exit;

use super::{Ran, Terminal, on};
use crate::fixture::{Fixture, NAME, PATIENCE, and, created, enabled, handle, key_in, settings};
use crate::stub::{ACCOUNT, Fault, SimulatedAnswer, StackStatus, When};

const TEAM: &str = "Team-Sessions";

async fn run(fixture: &Fixture, arguments: &[&str]) -> Ran {
    on(fixture, arguments, &Terminal::None).await
}

/// The answer to a direct call that is no error of the function.
async fn call(fixture: &Fixture, payload: Value) -> Value {
    handle(&fixture.function(None), &payload, PATIENCE).await.unwrap()
}

/// Sets the key by the command line.
async fn applied(fixture: &Fixture) {
    let ran = run(fixture, &["apply", "--yes", "--preflight", "off", "--key", &fixture.k1]).await;
    assert_eq!(ran.exit, Exit::Good, "{}{}", ran.out, ran.err);
}

#[tokio::test]
async fn status_says_that_sessions_fail_if_the_key_cannot_be_used() {
    for (state, said) in [
        ("Disabled", "its state is Disabled, not Enabled; enable the key (kms:EnableKey)"),
        ("PendingDeletion", "its state is PendingDeletion, not Enabled: it will be deleted on 20"),
    ] {
        let fixture = Fixture::with_settings().await;
        applied(&fixture).await;
        assert_eq!(run(&fixture, &["status"]).await.exit, Exit::Good);
        fixture.stub.world(|world| {
            let key = world.key(&fixture.k1);
            key.state = state;
            key.deletion_date = (state == "PendingDeletion").then_some(2_000_000_000.0);
        });
        for format in ["text", "json", "markdown", "html"] {
            let ran = run(&fixture, &["status", "--format", format]).await;
            assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{format}");
            for part in [said, "sessions fail: key", "1 where sessions fail, since the key cannot be used"] {
                assert!(
                    ran.out.replace("<code>", "").replace("</code>", "").contains(part),
                    "{format} {part}: {}",
                    ran.out
                );
            }
        }
        let answer = call(&fixture, json!({"action": "status"})).await;
        assert_eq!((&answer["fails"], &answer["status"][0]["sessionsFail"]), (&true.into(), &true.into()));
        assert!(answer["status"][0]["problems"][0].as_str().unwrap().contains(said), "{answer:#}");
    }
}

#[tokio::test]
async fn status_never_takes_a_key_for_usable_that_it_may_not_describe() {
    let fixture = Fixture::with_settings().await;
    applied(&fixture).await;
    let denied = Fault::AccessDenied { action: "kms:DescribeKey" };
    fixture.stub.fault(When::operation("kms", "DescribeKey"), denied);
    let ran = run(&fixture, &["status"]).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
    assert!(ran.out.contains("1 where it is not known whether the key can be used"), "{}", ran.out);
    assert!(
        ran.out.contains(&format!("? it is not known whether key {} can be used", fixture.k1)),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn nobody_can_use_a_key_that_is_disabled() {
    let fixture = Fixture::with_settings().await;
    let ops = fixture.stub.world(|world| {
        world.key(&fixture.k1).state = "Disabled";
        world.add_role("Ops")
    });
    for command in ["check", "plan"] {
        let arguments = [command, "--key", &fixture.k1, "--node", &ops, "--account", ACCOUNT];
        let arguments = if command == "plan" { &arguments[..5] } else { &arguments[..] };
        let ran = run(&fixture, arguments).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""));
        let rows = ran.out.lines().filter(|line| line.contains("role/Ops") && line.contains("✘ FAIL"));
        assert!(rows.count() > 0 && !ran.out.contains("can use the key;"), "{}", ran.out);
        assert!(!ran.out.contains("asked about can use the key"), "{}", ran.out);
        let ran = run(&fixture, &[arguments, &["--format", "json"]].concat()).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["principals"]["pass"], 0, "{report:#}");
        assert_eq!(report["access"][0]["verdict"], "fail");
        let said = "nobody can use the key: its state is Disabled, not Enabled";
        assert_eq!(report["access"][0]["keySide"], said);
    }
}

#[tokio::test]
async fn whoever_cannot_use_the_standby_key_has_no_tick() {
    let fixture = Fixture::with_settings().await;
    let ops = fixture.stub.world(|world| {
        let ops = world.add_role("Ops");
        for key in [&fixture.k1, &fixture.k2] {
            let admitted = if *key == fixture.k1 { "Nobody" } else { "Ops" };
            world.key(key).policy = json!({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:role/{admitted}")},
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*",
            }})
            .to_string();
        }
        world.simulates(&ops, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        ops
    });
    for (key, standby) in [(&fixture.k1, &fixture.k2), (&fixture.k2, &fixture.k1)] {
        let report = call(
            &fixture,
            json!({"action": "check", "kmsKeyId": key, "onKeyTrouble": "Standby", "standbyKmsKeyId": standby, "users": [ops]}),
        )
        .await;
        assert_eq!(
            (&report["principals"]["pass"], &report["principals"]["fail"]),
            (&0.into(), &1.into()),
            "{report:#}"
        );
    }
}

#[tokio::test]
async fn each_kind_of_owner_is_named_with_the_way_to_become_free_of_it() {
    let fixture = Fixture::with_settings().await;
    applied(&fixture).await;
    // The command line has it.
    let answer = fixture
        .stack("demo")
        .create(&enabled(&fixture.k2), &async |payload| fixture.run(payload).await)
        .await;
    let reason = answer.reason();
    assert!(reason.contains("is owned by the command line; run `session-kms release --document"), "{reason}");
    assert!(reason.contains("first, or set OnConflict to TakeOver"), "{reason}");
    let plan = json!({"action": "plan", "kmsKeyId": fixture.k2, "preflight": "Off"});
    let said = call(&fixture, plan.clone()).await["blocking"][0]["evidence"].to_string();
    assert!(said.contains("is owned by the command line") && said.contains("set `onConflict` to"), "{said}");
    // Then a direct call.
    let took =
        json!({"action": "reconcile", "kmsKeyId": fixture.k2, "preflight": "Off", "onConflict": "TakeOver"});
    assert_eq!(call(&fixture, took).await["change"]["done"], true);
    let ran = run(&fixture, &["plan", "--key", &fixture.k1, "--preflight", "off"]).await;
    assert!(
        ran.out.contains("is owned by a direct call of the function; call the function with"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("first, or give --take-over"), "{}", ran.out);
    // Then a stack.
    let properties = and(enabled(&fixture.k2), "OnConflict", "TakeOver");
    let _stack = fixture.deployed("demo", &properties).await;
    let ran = run(&fixture, &["release", "--yes"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""));
    assert!(ran.out.contains("is owned by resource Encryption of stack"), "{}", ran.out);
    assert!(ran.out.contains("who alone can give it back; remove it there"), "{}", ran.out);
}

#[tokio::test]
async fn release_gives_a_document_back_as_the_deletion_of_a_stack_does() {
    for (on_delete, left) in [("restore", "alias/old"), ("Clear", "none"), ("retain", "k1")] {
        let fixture = Fixture::with_settings().await;
        applied(&fixture).await;
        let writes = fixture.stub.writes().len();
        let ran = on(&fixture, &["release", "--on-delete", on_delete], &Terminal::Types("no\n")).await;
        assert_eq!(fixture.stub.writes().len(), writes, "{}", ran.err);
        assert!(
            ran.err.contains("Give the document back?") && ran.err.contains("remove the record"),
            "{}",
            ran.err
        );
        let cost = ran.err.contains("password reset");
        assert_eq!(cost, on_delete == "Clear", "the cost is said before: {}", ran.err);
        let ran = on(&fixture, &["release", "--on-delete", on_delete], &Terminal::Types("y\n")).await;
        assert_eq!(ran.exit, Exit::Good, "{}{}", ran.out, ran.err);
        assert_eq!(fixture.state(), format!("latest {left}, default {left}; no record"));
        let ran = run(&fixture, &["release", "--yes"]).await;
        assert_eq!(ran.exit, Exit::Good);
        assert!(
            ran.out.contains("nobody owns document") && ran.out.contains("nothing was changed"),
            "{}",
            ran.out
        );
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_direct_call_releases_what_a_direct_call_has_set() {
    let fixture = Fixture::with_settings().await;
    let set = json!({"action": "reconcile", "kmsKeyId": fixture.k1, "preflight": "Off", "onDelete": "Clear"});
    assert_eq!(call(&fixture, set).await["change"]["done"], true);
    let report = call(&fixture, json!({"action": "release"})).await;
    assert_eq!(
        (&report["command"], &report["fails"], &report["change"]["done"]),
        (&"release".into(), &false.into(), &true.into())
    );
    assert_eq!(report["change"]["after"]["kmsKeyId"], "", "as onDelete said when the document was taken");
    assert_eq!(fixture.state(), "latest none, default none; no record");
    let wrong = json!({"action": "release", "kmsKeyId": fixture.k1});
    let error = handle(&fixture.function(None), &wrong, PATIENCE).await.unwrap_err().to_string();
    assert!(error.contains("`kmsKeyId`") && error.contains("takes `documentName` and `onDelete`"), "{error}");
}

#[tokio::test]
async fn a_key_from_before_that_cannot_be_used_is_not_restored() {
    let fixture = Fixture::with(&settings("")).await;
    fixture.stub.world(|world| world.key(&fixture.k2).state = "Enabled");
    let first =
        json!({"action": "reconcile", "kmsKeyId": fixture.k2, "preflight": "Off", "onDelete": "Retain"});
    assert_eq!(call(&fixture, first).await["change"]["done"], true);
    call(&fixture, json!({"action": "release"})).await;
    applied(&fixture).await;
    fixture.stub.world(|world| world.key(&fixture.k2).state = "Disabled");
    let writes = fixture.stub.writes().len();
    let ran = run(&fixture, &["release", "--yes"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{}", ran.out);
    assert!(ran.out.contains("is not usable") && ran.out.contains("nothing was changed"), "{}", ran.out);
    assert_eq!(fixture.stub.writes().len(), writes);
}

#[tokio::test]
async fn a_plan_shows_what_refuses_it_in_every_format() {
    let fixture = Fixture::with_settings().await;
    let _stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
    fixture.stub.world(|world| world.key(&fixture.k2).state = "Disabled");
    for format in ["text", "json", "markdown", "html"] {
        let arguments = ["plan", "--key", &fixture.k2, "--preflight", "off", "--format", format];
        let ran = run(&fixture, &arguments).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{format}");
        let out = ran.out.replace("<code>", "").replace("</code>", "").replace('`', "");
        for part in ["is owned by resource Encryption of stack", "its state is Disabled", "kmsKeyId"] {
            assert!(out.contains(part), "{format}: {part}: {out}");
        }
    }
    assert_eq!(fixture.state(), "latest k1, default k1; demo wants k1, before alias/old");
    let apply = run(&fixture, &["apply", "--yes", "--key", &fixture.k2]).await;
    assert_eq!((apply.exit, apply.err.as_str()), (Exit::Fails, ""));
    assert!(apply.out.contains("nothing was changed"), "{}", apply.out);
}

#[tokio::test]
async fn a_plan_for_a_document_that_cannot_be_edited_says_why() {
    let fixture = Fixture::with(&settings("{{ Key }}")).await;
    let ran = run(&fixture, &["plan", "--key", &fixture.k1, "--preflight", "off"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""), "{}", ran.out);
    assert!(ran.out.contains("is left as it is") && ran.out.contains("is a template"), "{}", ran.out);
}

#[tokio::test]
async fn a_question_by_a_direct_call_is_never_an_error_of_the_function() {
    let fixture = Fixture::with_settings().await;
    for (payload, kind, said) in [
        (json!({"action": "status", "key": "1"}), "BadCall", "`key`"),
        (json!({"action": "check"}), "BadCall", "`kmsKeyId` is missing"),
        (json!({"action": "Check"}), "BadCall", "`kmsKeyId` is missing"),
        (json!({"action": "check", "encryption": "disabled"}), "BadCall", "action `check` is about a key"),
        (json!({"action": "plan", "kmsKeyId": "alias/none"}), "Refused", "KMS finds no key"),
    ] {
        let answer = call(&fixture, payload).await;
        assert_eq!((&answer["fails"], &answer["error"]["type"]), (&true.into(), &kind.into()), "{answer:#}");
        assert!(answer["summary"].as_str().unwrap().contains(said), "{answer:#}");
    }
    fixture.stub.fault(
        When::operation("ssm", "DescribeDocument"),
        Fault::AccessDenied { action: "ssm:DescribeDocument" },
    );
    let answer = call(&fixture, json!({"action": "status"})).await;
    assert_eq!(
        (&answer["command"], &answer["error"]["type"]),
        (&"status".into(), &"Aws".into()),
        "{answer:#}"
    );
    // A change that is not made is an error, so that a pipeline stops. A misspelt action may be meant as one.
    let misspelt = json!({"action": "relaese"});
    for payload in
        [json!({"action": "reconcile", "kmsKeyId": "no key"}), json!({"action": "release"}), misspelt]
    {
        assert!(handle(&fixture.function(None), &payload, PATIENCE).await.is_err(), "{payload}");
    }
}

#[tokio::test]
async fn a_document_that_does_not_exist_is_created_only_if_somebody_says_so() {
    let fixture = Fixture::with_settings().await;
    let lacking = "document Team-Sessions does not exist; look for a typing error";
    let run_it = async |payload| fixture.run(payload).await;
    let misspelt = and(enabled(&fixture.k1), "DocumentName", TEAM);
    let refused = fixture.stack("demo").create(&misspelt, &run_it).await;
    assert_eq!(refused.status, StackStatus::RollbackComplete);
    assert!(refused.reason().contains(lacking), "{}", refused.reason());
    assert!(refused.reason().contains("set CreateDocument to true; no session uses"), "{}", refused.reason());
    let apply = ["apply", "--preflight", "off", "--document", TEAM, "--key", &fixture.k1];
    let ran = run(&fixture, &[&apply[..], &["--yes"]].concat()).await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Fails, ""));
    assert!(ran.out.contains(lacking) && ran.out.contains("give --create-document"), "{}", ran.out);
    assert_eq!(fixture.state_of(TEAM), "no document; no record");
    // Whoever is asked sees it.
    let ran = on(&fixture, &apply, &Terminal::Types("n\n")).await;
    assert!(
        ran.err.contains("document Team-Sessions did not exist; no session uses the document unless"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("Create the document, and encrypt its sessions with this key?"), "{}", ran.err);
    assert_eq!(fixture.state_of(TEAM), "no document; no record");
    let ran = on(&fixture, &apply, &Terminal::Types("y\n")).await;
    assert_eq!(ran.exit, Exit::Good, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("aws ssm start-session --document-name Team-Sessions"), "{}", ran.out);
    let key = fixture.stub.world(|world| key_in(world.document(TEAM).unwrap().latest_content()));
    assert_eq!(key, fixture.k1);
    let other = fixture.stack("other").create(&created(&fixture.k1, "Team-Other"), &run_it).await;
    assert_eq!(other.status, StackStatus::CreateComplete, "{}", other.reason());
    let said = &other.last_answer().unwrap().reason;
    assert!(said.contains("document Team-Other did not exist; no session uses"), "{said}");
}

#[tokio::test]
async fn clear_says_what_it_costs_before_it_asks() {
    let fixture = Fixture::with_settings().await;
    let ran = on(&fixture, &["clear"], &Terminal::Types("n\n")).await;
    let (cost, question) = (ran.err.find("password reset").unwrap(), ran.err.find("[y/N]").unwrap());
    assert!(cost < question, "{}", ran.err);
}

#[tokio::test]
async fn clear_on_a_document_that_does_not_exist_changes_nothing_and_says_so() {
    let fixture = Fixture::with_settings().await;
    let ran = run(&fixture, &["clear", "--yes", "--document", TEAM]).await;
    assert_eq!((ran.exit, fixture.stub.writes().len()), (Exit::Good, 0), "{}", ran.err);
    assert!(
        ran.out.contains("document Team-Sessions does not exist, so there is no encryption"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("password reset"), "{}", ran.out);
    assert_eq!(fixture.state_of(TEAM), "no document; no record");
    assert!(fixture.state().starts_with("latest alias/old"), "{NAME} is another document");
}
