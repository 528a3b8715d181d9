//! A key's policy, grants, tags and aliases, dry runs, the list of keys, and the reader role.

use serde_json::{Value, json};
use session_kms::intent::KeyPolicyReader;
use session_kms::ports::{AwsErrorKind, DryRun, KeyAccess as _, SessionCall};

use super::{OTHER, aws, foreign_key, key};
use crate::fixture::Logs;
use crate::stub::{ACCOUNT, DryRunOrder, Fault, Location, Refusal, Stub, When};

#[tokio::test]
async fn the_own_accounts_policy_is_read_without_a_reader() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| world.add_key("own"));
    let policy = aws(&stub).key_policy(&key(&arn), None).await.unwrap();
    assert_eq!(policy, stub.world(|world| world.key(&arn).policy.clone()));
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn a_foreign_keys_policy_and_grants_are_read_through_the_reader() {
    let stub = Stub::start().await;
    let (arn, reader) = foreign_key(&stub);
    let (ports, foreign) = (aws(&stub), key(&arn));
    let (policy, grants) =
        tokio::join!(ports.key_policy(&foreign, Some(&reader)), ports.grants(&foreign, Some(&reader)));
    assert_eq!(policy.unwrap(), stub.world(|world| world.key(&arn).policy.clone()));
    assert_eq!(grants.unwrap(), Vec::<Value>::new());
    ports.clone().key_policy(&foreign, Some(&reader)).await.unwrap();
    let assumed = stub.calls_of("AssumeRole");
    assert_eq!(assumed.len(), 1, "the credentials serve the whole run");
    assert_eq!(assumed[0].body["RoleSessionName"], "session-kms-key-policy-reader");
    let readers: Vec<_> = stub.calls().into_iter().filter(|call| call.service == "kms").collect();
    assert_eq!(readers.len(), 3);
    assert!(readers.iter().all(|call| call.account == OTHER));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn credentials_that_run_out_are_replaced() {
    let stub = Stub::start().await;
    let (arn, reader) = foreign_key(&stub);
    stub.world(|world| world.iam.longest_session = Some(60));
    let ports = aws(&stub);
    for _ in 0..2 {
        ports.key_policy(&key(&arn), Some(&reader)).await.unwrap();
    }
    assert_eq!(stub.calls_of("AssumeRole").len(), 2);
}

#[tokio::test]
async fn a_reader_that_does_not_trust_the_function_is_a_denial_of_assume_role() {
    let stub = Stub::start().await;
    let (arn, reader) = foreign_key(&stub);
    let ports = aws(&stub);
    let no_such_role =
        KeyPolicyReader { role_arn: format!("arn:aws:iam::{OTHER}:role/None"), ..reader.clone() };
    let no_external_id = KeyPolicyReader { external_id: None, ..reader.clone() };
    for reader in [no_such_role, no_external_id] {
        let error = ports.key_policy(&key(&arn), Some(&reader)).await.unwrap_err();
        assert!(matches!(error.kind, AwsErrorKind::Denied { action: "sts:AssumeRole", .. }), "{error}");
        assert_eq!(error.on, reader.role_arn);
        assert!(!error.to_string().contains("secret-word"));
    }
    // A refusal is not cached, because somebody may correct the trust policy.
    stub.world(|world| world.role(&reader.role_arn).external_id = None);
    assert!(
        ports.key_policy(&key(&arn), Some(&KeyPolicyReader { external_id: None, ..reader })).await.is_ok()
    );
}

#[tokio::test]
async fn a_denial_to_the_reader_names_the_reader() {
    let stub = Stub::start().await;
    let (arn, reader) = foreign_key(&stub);
    stub.world(|world| world.key(&arn).deny(OTHER, "kms:GetKeyPolicy"));
    let error = aws(&stub).key_policy(&key(&arn), Some(&reader)).await.unwrap_err();
    assert!(matches!(error.kind, AwsErrorKind::Denied { action: "kms:GetKeyPolicy", .. }), "{error}");
    assert!(error.on.contains(&arn) && error.on.contains(&reader.role_arn), "{error}");
    assert!(error.to_string().contains("assumed-role/Reader/session-kms-key-policy-reader"), "{error}");
    // Without the reader KMS refuses, whatever the key policy says.
    let error = aws(&stub).key_policy(&key(&arn), None).await.unwrap_err();
    assert!(matches!(error.kind, AwsErrorKind::Denied { action: "kms:GetKeyPolicy", .. }), "{error}");
}

#[tokio::test]
async fn grants_are_as_list_grants_returns_them() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| world.add_key("own"));
    let whole = json!({
        "KeyId": arn,
        "GrantId": "g0",
        "Name": "sessions",
        "CreationDate": 1_600_000_000.25,
        "GranteePrincipal": "arn:aws:iam::123456789012:role/Node",
        "RetiringPrincipal": "arn:aws:iam::123456789012:role/Owner",
        "IssuingAccount": "arn:aws:iam::123456789012:root",
        "Operations": ["Decrypt", "GenerateDataKey", "RetireGrant"],
        "Constraints": {
            "EncryptionContextSubset": {"aws:ssm:TargetId": "i-1"},
            "EncryptionContextEquals": {"aws:ssm:SessionId": "s", "aws:ssm:TargetId": "i-1"},
        },
    });
    let service = json!({
        "KeyId": arn,
        "GrantId": "g1",
        "GranteeServicePrincipal": "ssm.amazonaws.com",
        "RetiringServicePrincipal": "ssm.amazonaws.com",
        "Operations": [],
        "Constraints": {"SourceArn": "arn:aws:ssm:eu-west-1:123456789012:session/s"},
    });
    let bare =
        |number: usize| json!({"KeyId": arn, "GrantId": format!("g{number}"), "Operations": ["Decrypt"]});
    let all: Vec<_> = [whole, service].into_iter().chain((2..205).map(bare)).collect();
    stub.world(|world| world.key(&arn).grants.clone_from(&all));
    assert_eq!(aws(&stub).grants(&key(&arn), None).await.unwrap(), all);
    assert_eq!(stub.calls_of("ListGrants").len(), 3, "100 a page");
}

#[tokio::test]
async fn a_dry_run_has_the_request_of_a_session() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| world.add_key("own"));
    for call in [SessionCall::GenerateDataKey, SessionCall::Decrypt] {
        assert_eq!(aws(&stub).dry_run(&key(&arn), call).await.unwrap(), DryRun::WouldSucceed);
    }
    let bodies: Vec<_> = stub.calls().into_iter().map(|call| call.body).collect();
    assert_eq!((&bodies[0]["NumberOfBytes"], &bodies[0]["DryRun"]), (&json!(64), &json!(true)));
    assert_eq!(
        (&bodies[1]["DryRunModifiers"], &bodies[1]["DryRun"]),
        (&json!(["IGNORE_CIPHERTEXT"]), &json!(true))
    );
    for body in bodies {
        let context = body["EncryptionContext"].as_object().unwrap();
        let mut keys: Vec<_> = context.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["aws:ssm:SessionId", "aws:ssm:TargetId"]);
        assert_eq!(body["KeyId"], arn);
    }
}

#[tokio::test]
async fn a_dry_run_is_denied_fails_or_has_no_answer() {
    for (state, denied, expected) in [
        ("Enabled", true, "Denied AccessDeniedException"),
        ("Disabled", false, "WouldFail DisabledException"),
        ("PendingDeletion", false, "WouldFail KMSInvalidStateException"),
    ] {
        let stub = Stub::start().await;
        let arn = stub.world(|world| {
            let arn = world.add_key("own");
            world.key(&arn).state = state;
            if denied {
                world.key(&arn).deny("*", "*");
            }
            arn
        });
        for call in [SessionCall::GenerateDataKey, SessionCall::Decrypt] {
            let outcome = match aws(&stub).dry_run(&key(&arn), call).await.unwrap() {
                DryRun::WouldSucceed => "WouldSucceed".to_owned(),
                DryRun::Denied(answer) => format!("Denied {}", answer.code),
                DryRun::WouldFail(answer) => format!("WouldFail {}", answer.code),
            };
            assert_eq!(outcome, expected);
        }
    }
    let stub = Stub::start().await;
    let arn = stub.world(|world| world.add_key("own"));
    for (fault, code) in [
        (Fault::Throttle, "ThrottlingException"),
        (Fault::InternalError, "KMSInternalException"),
        (Fault::Refuse(Refusal::client("ExpiredTokenException", "expired")), "ExpiredTokenException"),
    ] {
        stub.clear_faults();
        stub.fault(When::any(), fault);
        let error = aws(&stub).dry_run(&key(&arn), SessionCall::Decrypt).await.unwrap_err();
        assert_eq!((error.operation, error.code()), ("kms:Decrypt", code));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_data_key_that_comes_back_although_it_is_a_dry_run_reaches_no_log() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| {
        world.keys.dry_run = DryRunOrder::Ignored;
        world.add_key("own")
    });
    let logs = Logs::captured();
    let run = aws(&stub).dry_run(&key(&arn), SessionCall::GenerateDataKey).await.unwrap();
    assert_eq!(run, DryRun::WouldSucceed);
    let given = stub.world(|world| world.keys.ciphertexts[0].clone());
    let text = logs.text();
    assert!(text.contains("kms:GenerateDataKey"), "the call is logged");
    assert!(!text.contains(&given.plaintext) && !text.contains(&given.blob));
}

#[tokio::test]
async fn keys_come_with_their_aliases() {
    let stub = Stub::start().await;
    stub.world(|world| {
        for number in 0..250 {
            let arn = world.add_key(&format!("key-{number}"));
            if number % 2 == 0 {
                world.add_alias(&format!("alias/a-{number}"), &arn);
                world.add_alias(&format!("alias/b-{number}"), &arn);
            }
        }
        world.add_key_at(&Location::new(ACCOUNT, "eu-central-1"), "far");
    });
    let keys = aws(&stub).keys().await.unwrap();
    assert_eq!(keys.len(), 250);
    let aliases = |id: &str| keys.iter().find(|(arn, _)| arn.id() == id).unwrap().1.clone();
    assert_eq!(aliases("key-248"), ["alias/a-248", "alias/b-248"]);
    assert_eq!(aliases("key-249"), Vec::<String>::new());
    assert_eq!((stub.calls_of("ListKeys").len(), stub.calls_of("ListAliases").len()), (1, 3));
    stub.world(|world| world.page_size = Some(100));
    assert_eq!(aws(&stub).keys().await.unwrap(), keys);
}

#[tokio::test]
async fn all_tags_and_aliases_of_a_key_are_read_and_no_others() {
    let stub = Stub::start().await;
    let (arn, bare) = stub.world(|world| {
        let (arn, bare) = (world.add_key("own"), world.add_key("bare"));
        for number in 0..120 {
            world.key(&arn).tags.push((format!("t{number}"), format!("v{number}")));
            world.add_alias(&format!("alias/a-{number:03}"), &arn);
        }
        (arn, bare)
    });
    let tags = aws(&stub).key_tags(&key(&arn), None).await.unwrap();
    assert_eq!((tags.len(), &tags[119]), (120, &("t119".to_owned(), "v119".to_owned())));
    let aliases = aws(&stub).key_aliases(&key(&arn), None).await.unwrap();
    assert_eq!((aliases.len(), aliases[7].as_str()), (120, "alias/a-007"));
    assert_eq!((stub.calls_of("ListResourceTags").len(), stub.calls_of("ListAliases").len()), (3, 2));
    assert_eq!(stub.calls_of("ListAliases")[0].body["KeyId"], arn);
    assert!(aws(&stub).key_tags(&key(&bare), None).await.unwrap().is_empty());
    assert!(aws(&stub).key_aliases(&key(&bare), None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_foreign_keys_tags_and_aliases_are_read_through_the_reader() {
    let stub = Stub::start().await;
    let (arn, reader) = foreign_key(&stub);
    stub.world(|world| {
        world.key(&arn).tags = vec![("stage".to_owned(), "prod".to_owned())];
        world.add_alias("alias/foreign", &arn);
    });
    let (ports, foreign) = (aws(&stub), key(&arn));
    let (tags, aliases) =
        tokio::join!(ports.key_tags(&foreign, Some(&reader)), ports.key_aliases(&foreign, Some(&reader)));
    assert_eq!(tags.unwrap(), [("stage".to_owned(), "prod".to_owned())]);
    assert_eq!(aliases.unwrap(), ["alias/foreign"]);
    assert_eq!(stub.calls_of("AssumeRole").len(), 1);
    for error in [
        ports.key_tags(&foreign, None).await.unwrap_err(),
        ports.key_aliases(&foreign, None).await.unwrap_err(),
    ] {
        assert!(matches!(error.kind, AwsErrorKind::Denied { .. }), "{error}");
    }
}
