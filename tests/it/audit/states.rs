//! Each state of an account and Region, and what the line says about it.

use serde_json::json;
use session_kms::access::CallerKind;
use session_kms::audit::{AuditLine, AuditState, LockedOut};
use session_kms::preflight::{Check, Verdict};

use super::{
    AGENT, OTHER_KEY_ID, add_session, audit, call, call_with, document, in_target, key, other_key, principal,
    record, seeded,
};
use crate::fixture::{NAME, RECORD};
use crate::stub::{Document, Format, REGION, SimulatedAnswer, World};

/// What is changed in the target account, the state that the line then has, and whether the line says what it should.
struct Case {
    name: &'static str,
    change: fn(&mut World),
    state: AuditState,
    says: fn(&AuditLine) -> bool,
}

const fn case(
    name: &'static str,
    change: fn(&mut World),
    state: AuditState,
    says: fn(&AuditLine) -> bool,
) -> Case {
    Case { name, change, state, says }
}

fn locked_out(line: &AuditLine, role: &str, side: CallerKind) -> bool {
    line.locked_out == [LockedOut { principal: principal(role), side }]
}

fn has_line(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

/// A role that has used sessions and may not use the key.
fn add_intruder(world: &mut World) {
    world.add_role("Intern");
    add_session(world, "Intern");
}

fn put_record(world: &mut World, wanted: &str) {
    world.put_parameter(RECORD, &record(wanted));
}

fn put_content(world: &mut World, content: &str) {
    world.put_document(NAME, Document::session(Format::Json, content));
}

const CASES: [Case; 27] = [
    case(
        "as it should be",
        |_| {},
        AuditState::Encrypted,
        |line| {
            let document = line.document.as_ref().unwrap();
            (document.latest, document.default, document.kms_key_id.as_str()) == (1, 1, &key())
                && line.keys.len() == 1
                && line.keys[0].is_fit == Some(true)
                && line.keys[0].account.as_deref() == Some(super::TARGET)
                && line.network == Some(Verdict::Pass)
                && line.owner.is_none()
                && line.wanted.is_none()
                && line.locked_out.is_empty()
                && line.problems.is_empty()
                && line.unknown.is_empty()
                && line.findings.is_empty()
        },
    ),
    case(
        "by an alias",
        |world| {
            world.add_alias("alias/session", &key());
            world.put_document(NAME, document("alias/session"));
        },
        AuditState::Encrypted,
        |line| line.keys[0].kms_key_id == "alias/session" && line.keys[0].arn == Some(key()),
    ),
    case(
        "with an owner",
        |world| put_record(world, &key()),
        AuditState::Encrypted,
        |line| {
            line.owner.as_ref().unwrap().contains("stack/demo/1")
                && line.wanted == Some(key())
                && !line.drifted
        },
    ),
    case(
        "no document",
        |world| world.documents.held.clear(),
        AuditState::Unencrypted,
        |line| line.document.is_none() && line.keys.is_empty() && line.network.is_none(),
    ),
    case(
        "no key in the document",
        |world| world.put_document(NAME, document("")),
        AuditState::Unencrypted,
        |line| line.document.as_ref().unwrap().kms_key_id.is_empty() && line.keys.is_empty(),
    ),
    case(
        "no key in the default version",
        |world| {
            let two = document("").with_version(Format::Json, &super::content(&key()));
            world.put_document(NAME, two);
        },
        AuditState::Unencrypted,
        |line| {
            line.document.as_ref().unwrap().default_kms_key_id.as_deref() == Some("") && line.keys.len() == 1
        },
    ),
    case(
        "encryption off, as its owner wants",
        |world| {
            world.put_document(NAME, document(""));
            put_record(world, "");
        },
        AuditState::Unencrypted,
        |line| !line.drifted && line.wanted.as_deref() == Some(""),
    ),
    case(
        "another key than its owner wants",
        |world| put_record(world, &other_key()),
        AuditState::Drifted,
        |line| line.drifted && has_line(&line.problems, "does not have the key that"),
    ),
    case(
        "no document for its owner's key",
        |world| {
            world.documents.held.clear();
            put_record(world, &key());
        },
        AuditState::Drifted,
        |line| line.drifted && line.document.is_none(),
    ),
    case(
        "another key in the default version than its owner wants",
        |world| {
            let other = world.add_key(OTHER_KEY_ID);
            world.put_document(NAME, document(&other).with_version(Format::Json, &super::content(&key())));
            put_record(world, &key());
        },
        AuditState::Drifted,
        |line| line.drifted && line.keys.len() == 2,
    ),
    case("a user who may not use the key", add_intruder, AuditState::LockedOut, |line| {
        locked_out(line, "Intern", CallerKind::User)
            && line.findings[0].verdict == Verdict::Fail
            && line.findings[0].remedy.is_some()
    }),
    case(
        "a node that may not use the key",
        |world| {
            let role = world.add_role("Batch");
            let profile = world.add_instance_profile("Batch", Some(&role));
            world.add_node("i-2", AGENT);
            world.associate("i-2", &profile);
        },
        AuditState::LockedOut,
        |line| locked_out(line, "Batch", CallerKind::Node),
    ),
    case(
        "drifted, and a user who may not use the key",
        |world| {
            add_intruder(world);
            put_record(world, &other_key());
        },
        AuditState::LockedOut,
        |line| line.drifted,
    ),
    case(
        "a user who may not use the key of the default version",
        |world| {
            let other = world.add_key(OTHER_KEY_ID);
            world.simulates(&principal("Ops"), "*", &other, SimulatedAnswer::denied("No"));
            world.put_document(NAME, document(&other).with_version(Format::Json, &super::content(&key())));
        },
        AuditState::LockedOut,
        |line| {
            locked_out(line, "Ops", CallerKind::User)
                && line.keys.iter().map(|key| key.kms_key_id.clone()).collect::<Vec<_>>()
                    == [key(), other_key()]
                && line.document.as_ref().unwrap().default_kms_key_id == Some(other_key())
                && has_line(&line.problems, "which of them a session takes is not sure")
        },
    ),
    case(
        "an agent that cannot encrypt",
        |world| {
            world.fleet.nodes[0].agent_version = "2.3.538.0".to_owned();
        },
        AuditState::LockedOut,
        |line| line.locked_out.is_empty() && line.findings[0].check == Check::Nodes,
    ),
    case(
        "a node that does not reach KMS",
        |world| {
            world.add_subnet("subnet-1", "vpc-1");
            world.add_instance("i-1", "subnet-1");
            world.add_endpoint("vpce-m", "subnet-1", "ssmmessages");
        },
        AuditState::LockedOut,
        |line| line.network == Some(Verdict::Fail) && line.locked_out.is_empty(),
    ),
    case(
        "a disabled key",
        |world| world.key(&key()).state = "Disabled",
        AuditState::SessionsFail,
        |line| {
            line.keys[0].is_fit == Some(false)
                && line.keys[0].problem.as_ref().unwrap().contains("Disabled")
                && has_line(&line.problems, "sessions fail: ")
                && line.locked_out.len() == 2
        },
    ),
    case(
        "a key that does not exist",
        |world| world.put_document(NAME, document(&other_key())),
        AuditState::SessionsFail,
        |line| line.keys[0].is_fit == Some(false) && line.keys[0].arn.is_none() && line.locked_out.is_empty(),
    ),
    case(
        "a key of another Region",
        |world| {
            world.put_document(NAME, document(&key().replace(REGION, "eu-central-1")));
        },
        AuditState::SessionsFail,
        |line| line.keys[0].problem.as_ref().unwrap().contains("eu-central-1"),
    ),
    case(
        "what names no key",
        |world| world.put_document(NAME, document("sesame")),
        AuditState::SessionsFail,
        |line| line.keys[0].problem.as_ref().unwrap().contains("names no KMS key"),
    ),
    case(
        "a disabled key in the default version",
        |world| {
            let other = world.add_key(OTHER_KEY_ID);
            world.key(&other).state = "Disabled";
            world.put_document(NAME, document(&other).with_version(Format::Json, &super::content(&key())));
        },
        AuditState::SessionsFail,
        |line| line.keys[0].is_fit == Some(true) && line.keys[1].is_fit == Some(false),
    ),
    case(
        "a key of an account that shows nothing",
        |world| {
            let foreign = world.add_key_at(&crate::stub::Location::new("444455556666", REGION), OTHER_KEY_ID);
            world.key(&foreign).allow(super::TARGET, "kms:DescribeKey");
            world.put_document(NAME, document(&foreign));
        },
        AuditState::Unknown,
        |line| {
            line.keys[0].account.as_deref() == Some("444455556666")
                && line.keys[0].is_fit == Some(true)
                && has_line(&line.unknown, "the policy of key 66666666")
        },
    ),
    case(
        "a key that may not be described",
        |world| {
            world.key(&key()).deny("*", "kms:DescribeKey");
        },
        AuditState::Unknown,
        |line| line.keys[0].is_fit.is_none() && has_line(&line.unknown, "it is not known whether key"),
    ),
    case(
        "a record that is none",
        |world| world.put_parameter(RECORD, "{}"),
        AuditState::Unknown,
        |line| {
            has_line(&line.problems, "is not one of session-kms")
                && has_line(&line.unknown, "who owns the document")
        },
    ),
    case(
        "a document that cannot be edited",
        |world| put_content(world, r#"["sesame"]"#),
        AuditState::Unknown,
        |line| has_line(&line.unknown, "which key version 1 has is not known") && line.keys.is_empty(),
    ),
    case(
        "a user of another account",
        |world| {
            let owner = "arn:aws:sts::444455556666:assumed-role/Guest/joe";
            world.add_session("s-guest", owner, 4_000_000_000.0);
        },
        AuditState::Unknown,
        |line| line.findings[0].verdict == Verdict::Unknown && line.findings_left_out == 0,
    ),
    case(
        "a document of another schema",
        |world| put_content(world, r#"{"schemaVersion": "1.0"}"#),
        AuditState::Unencrypted,
        |line| line.document.is_some(),
    ),
];

#[tokio::test]
async fn each_state_is_told_with_its_reasons() {
    for Case { name, change, state, says } in CASES {
        let stub = seeded().await;
        stub.world(|world| in_target(world, REGION, change));
        let line = audit(&stub, &call()).await;
        assert_eq!(line.state, state, "{name}: {line:#?}");
        assert!(says(&line), "{name}: {line:#?}");
        assert_eq!(line.unreadable, None, "{name}");
    }
}

#[tokio::test]
async fn who_is_exempt_is_a_warning_and_not_locked_out() {
    let stub = seeded().await;
    stub.world(|world| in_target(world, REGION, add_intruder));
    let line = audit(&stub, &call_with("exempt", "arn:aws:iam::*:role/Int*")).await;
    assert_eq!(line.state, AuditState::Encrypted, "{line:#?}");
    assert!(line.locked_out.is_empty());
    let of_intern: Vec<_> =
        line.findings.iter().filter(|finding| finding.subject == principal("Intern")).collect();
    assert!(!of_intern.is_empty());
    assert!(of_intern.iter().all(|finding| finding.exempt && finding.verdict == Verdict::Warning));
}

#[tokio::test]
async fn who_is_named_counts_and_nobody_is_discovered_who_should_not_be() {
    let stub = seeded().await;
    stub.world(|world| {
        in_target(world, REGION, |world| {
            world.add_role("Named");
            add_intruder(world);
        });
    });
    let mut call = call_with("users", principal("Named"));
    (call["discoverUsers"], call["discoverNodes"]) = (json!(false), json!(false));
    let line = audit(&stub, &call).await;
    assert!(locked_out(&line, "Named", CallerKind::User), "{line:#?}");
    assert_eq!(line.network, None, "nodes are not discovered");
    assert!(stub.calls_of("DescribeSessions").is_empty());
}

#[tokio::test]
async fn another_document_is_audited_by_its_name() {
    let stub = seeded().await;
    stub.world(|world| in_target(world, REGION, |world| world.put_document("Other", document(""))));
    let line = audit(&stub, &call_with("documentName", "Other")).await;
    assert_eq!((line.state, line.document.unwrap().name.as_str()), (AuditState::Unencrypted, "Other"));
}
