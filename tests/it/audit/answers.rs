//! The line as an answer: its place, its bound, and what it never shows.

use serde_json::{Value, json};
use session_kms::audit::{AuditLine, AuditState};
use session_kms::preflight::Verdict;

use super::{EXTERNAL_ID, TARGET, audit, call, call_with, function, in_target, seeded};
use crate::fixture::{Logs, NAME, PATIENCE, RECORD, SECRET, handle};
use crate::stub::{Fault, Format, REGION, Stub, When};

#[tokio::test]
async fn the_line_repeats_its_place_and_says_when() {
    let stub = seeded().await;
    let mut call = call_with("accountName", "payments");
    call["organizationalUnit"] = "Root/Workloads".into();
    let line = audit(&stub, &call).await;
    let place = &line.place;
    assert_eq!((place.account.as_str(), place.region.as_str()), (TARGET, REGION));
    assert_eq!(place.account_name.as_deref(), Some("payments"));
    assert_eq!(place.organizational_unit.as_deref(), Some("Root/Workloads"));
    let at = line.audited_at.as_bytes();
    assert!(at.len() == 20 && line.audited_at.starts_with("20") && at.ends_with(b"Z"), "{}", line.audited_at);
}

#[tokio::test]
async fn an_answer_of_a_large_account_stays_within_its_bound() {
    let stub = seeded().await;
    stub.world(|world| {
        in_target(world, REGION, |world| {
            for number in 0..500 {
                let role = world.add_role(&format!("operations-{number:03}-of-a-team-with-a-long-name"));
                let name = role.rsplit('/').next().unwrap().to_owned();
                super::add_session(world, &name);
            }
        });
    });
    let answer = handle(&function(&stub), &call(), PATIENCE).await.unwrap();
    assert!(answer.to_string().len() <= 200_000);
    let line: AuditLine = serde_json::from_value(answer).unwrap();
    assert_eq!(line.state, AuditState::LockedOut);
    assert!(line.findings_left_out > 0, "{} findings", line.findings.len());
    assert!(line.findings.iter().all(|finding| finding.verdict == Verdict::Fail), "the heaviest stay");
    let left_out =
        line.problems.iter().find_map(|line| line.strip_suffix(" more are locked out than are listed"));
    let left_out = left_out.map_or(0, |number| number.parse::<usize>().unwrap());
    // So many principals are decided by IAM's list, in which the two that the simulator lets in have no policies.
    assert_eq!(line.locked_out.len() + left_out, 502);
}

/// Everything that a call logs and answers.
async fn told(stub: &Stub, call: &Value) -> String {
    let logs = Logs::captured();
    let answer = handle(&function(stub), call, PATIENCE).await;
    format!("{answer:?}\n{}", logs.text())
}

#[tokio::test]
async fn neither_log_nor_answer_has_an_external_id_a_token_or_the_document() {
    for fault in [None, Some("sts"), Some("ssm")] {
        let stub = seeded().await;
        if let Some(service) = fault {
            stub.fault(When::service(service), Fault::AccessDenied { action: "any:Action" });
        }
        let told = told(&stub, &call()).await;
        assert!(told.contains("sts:AssumeRole"), "the calls are logged: {told}");
        for secret in [EXTERNAL_ID, SECRET, "session-token-", "ASIA0"] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
    let stub = seeded().await;
    let told = told(&stub, &call_with("externalId", json!(format!("{EXTERNAL_ID} *")))).await;
    assert!(told.contains("externalId") && !told.contains(EXTERNAL_ID), "{told}");
}

#[tokio::test]
async fn a_log_line_says_what_came_of_each_audit() {
    let stub = seeded().await;
    let told = told(&stub, &call()).await;
    let line = told.lines().find(|line| line.contains(r#""message":"audited""#)).expect("a line");
    assert!(line.contains(TARGET) && line.contains(REGION) && line.contains("Encrypted"), "{line}");
}

#[tokio::test]
async fn nothing_is_read_twice() {
    let stub = seeded().await;
    stub.world(|world| {
        in_target(world, REGION, |world| {
            let two =
                super::document(&super::key()).with_version(Format::Json, &super::content("alias/other"));
            let other = world.add_key(super::OTHER_KEY_ID);
            world.add_alias("alias/other", &other);
            world.put_document(NAME, two);
            world.put_parameter(RECORD, &super::record("alias/other"));
        });
    });
    let line = audit(&stub, &call()).await;
    assert_eq!(line.keys.len(), 2, "both keys share what is read of users and nodes");
    let mut made: Vec<_> = stub
        .calls()
        .into_iter()
        .map(|call| format!("{}:{} {}", call.service, call.operation, call.body))
        .collect();
    made.sort_unstable();
    let twice: Vec<_> = made.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert_eq!(twice, Vec::<&String>::new());
}
