//! KMS, called with aws-sdk-kms.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DryRunModifierType, KeyState, OriginType};
use serde_json::json;

use super::{OTHER, code, kms};
use crate::stub::{ACCOUNT, Caller, DryRunOrder, Location, REGION, Stub};

const ID: &str = "11111111-2222-3333-4444-555555555555";
const DRY: &str = "DryRunOperationException";

#[tokio::test]
async fn a_key_has_four_names_and_a_foreign_one_has_two() {
    let stub = Stub::start().await;
    let (own, foreign) = stub.world(|world| {
        let own = world.add_key(ID);
        world.add_alias("alias/own", &own);
        let foreign = world.add_key_at(&Location::new(OTHER, REGION), "f");
        world.add_alias("alias/foreign", &foreign);
        world.key(&foreign).allow(ACCOUNT, "kms:DescribeKey");
        world.add_key_at(&Location::new(OTHER, REGION), "closed");
        world.add_key_at(&Location::new(ACCOUNT, "eu-central-1"), "far");
        (own, foreign)
    });
    let arn = |rest: &str| format!("arn:aws:kms:{rest}");
    for (name, expected) in [
        (ID.to_owned(), "ok"),
        (own, "ok"),
        ("alias/own".to_owned(), "ok"),
        (arn("eu-west-1:123456789012:alias/own"), "ok"),
        (foreign, "ok"),
        (arn("eu-west-1:210987654321:alias/foreign"), "ok"),
        ("f".to_owned(), "NotFoundException"),
        ("alias/foreign".to_owned(), "NotFoundException"),
        (arn("eu-west-1:123456789012:key/missing"), "NotFoundException"),
        (arn("eu-west-1:210987654321:key/missing"), "AccessDeniedException"),
        (arn("eu-west-1:210987654321:key/closed"), "AccessDeniedException"),
        ("far".to_owned(), "NotFoundException"),
        (arn("eu-central-1:210987654321:key/far"), "NotFoundException"),
        (arn("eu-central-1:123456789012:key/far"), "NotFoundException"),
        ("arn:aws-cn:kms:eu-west-1:123456789012:key/x".to_owned(), "InvalidArnException"),
        ("arn:aws:s3:::bucket".to_owned(), "InvalidArnException"),
    ] {
        let described = kms(&stub, "AKIA", "eu-west-1").describe_key().key_id(&name).send().await;
        assert_eq!(code(described), expected, "{name}");
    }
    let far = kms(&stub, "AKIA", "eu-central-1").describe_key().key_id("far").send().await;
    assert_eq!(code(far), "ok", "each Region has its own keys");
}

#[tokio::test]
async fn the_access_key_decides_who_the_caller_is() {
    let stub = Stub::start().await;
    let role = "arn:aws:sts::123456789012:assumed-role/Users/jane";
    let arn = stub.world(|world| {
        let user = Caller { account: ACCOUNT.to_owned(), arn: role.to_owned() };
        world.callers.insert("ASIAJANE".to_owned(), user);
        let arn = world.add_key_at(&Location::new(OTHER, REGION), ID);
        world.key(&arn).allow(ACCOUNT, "*");
        world.key(&arn).deny(role, "kms:DescribeKey");
        arn
    });
    for (access_key, expected) in [
        ("ASIAJANE", "AccessDeniedException"),
        ("AKIA", "ok"),
        (OTHER, "ok"),
        ("333333333333", "AccessDeniedException"),
    ] {
        let described = kms(&stub, access_key, "eu-west-1").describe_key().key_id(&arn).send().await;
        assert_eq!(code(described), expected, "{access_key}");
    }
    // The policy of a foreign key cannot be read, whatever the key admits.
    for (access_key, expected) in [("AKIA", "AccessDeniedException"), (OTHER, "ok")] {
        let policy = kms(&stub, access_key, "eu-west-1").get_key_policy().key_id(&arn).send().await;
        assert_eq!(code(policy), expected, "{access_key}");
    }
}

#[tokio::test]
async fn metadata_is_complete() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| {
        let arn = world.add_key(ID);
        let key = world.key(&arn);
        (key.state, key.origin, key.valid_to) = ("PendingDeletion", "EXTERNAL", Some(1_800_000_000.0));
        key.deletion_date = Some(1_790_000_000.0);
        key.custom_key_store_id = Some("cks-1".to_owned());
        key.multi_region = Some(json!({
            "MultiRegionKeyType": "PRIMARY",
            "PrimaryKey": {"Arn": arn, "Region": "eu-west-1"},
            "ReplicaKeys": [],
        }));
        arn
    });
    let key = kms(&stub, "AKIA", "eu-west-1")
        .describe_key()
        .key_id(&arn)
        .send()
        .await
        .unwrap()
        .key_metadata
        .unwrap();
    assert_eq!((key.aws_account_id(), key.arn()), (Some(ACCOUNT), Some(arn.as_str())));
    assert_eq!((key.key_state(), key.enabled()), (Some(&KeyState::PendingDeletion), false));
    assert_eq!((key.origin(), key.valid_to().unwrap().secs()), (Some(&OriginType::External), 1_800_000_000));
    assert_eq!(key.deletion_date().unwrap().secs(), 1_790_000_000);
    assert_eq!(key.custom_key_store_id(), Some("cks-1"));
    assert_eq!(key.multi_region_configuration().unwrap().primary_key().unwrap().region(), Some("eu-west-1"));
}

#[tokio::test]
async fn lists_have_pages() {
    let stub = Stub::start().await;
    let arn = stub.world(|world| {
        world.page_size = Some(2);
        let arn = world.add_key(ID);
        for index in 0..4 {
            let key = world.add_key(&format!("key-{index}"));
            world.add_alias(&format!("alias/{index}"), &key);
        }
        world.key(&arn).grants = (0..3)
            .map(|index| {
                json!({
                    "GrantId": format!("g{index}"),
                    "KeyId": arn,
                    "Operations": ["Decrypt"],
                    "GranteePrincipal": "arn:aws:iam::123456789012:role/App",
                })
            })
            .collect();
        world.add_key_at(&Location::new(OTHER, REGION), "not-mine");
        arn
    });
    let client = kms(&stub, "AKIA", "eu-west-1");
    let keys: Vec<_> =
        client.list_keys().into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    let aliases: Vec<_> =
        client.list_aliases().into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
    let grants: Vec<_> = client
        .list_grants()
        .key_id(&arn)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .unwrap();
    assert_eq!((keys.len(), aliases.len(), grants.len()), (5, 4, 3));
    assert_eq!(stub.calls().len(), 3 + 2 + 2);
    let one = client.list_aliases().key_id("key-2").send().await.unwrap();
    assert_eq!(one.aliases()[0].alias_name(), Some("alias/2"));
    assert_eq!(
        code(client.list_grants().key_id("alias/2").send().await),
        "NotFoundException",
        "no alias here"
    );
    assert_eq!(code(client.list_keys().marker("page-99").send().await), "InvalidMarkerException");
}

#[tokio::test]
async fn a_dry_run_is_always_an_error() {
    use DryRunOrder::{AccessOnly, AccessThenState, StateThenAccess};
    let (denied, disabled, invalid) =
        ("AccessDeniedException", "DisabledException", "KMSInvalidStateException");
    for (order, state, allowed, expected) in [
        (AccessThenState, "Enabled", true, DRY),
        (AccessThenState, "Enabled", false, denied),
        (AccessThenState, "Disabled", true, disabled),
        (AccessThenState, "PendingDeletion", true, invalid),
        (AccessThenState, "Disabled", false, denied),
        (StateThenAccess, "Disabled", false, disabled),
        (AccessOnly, "Disabled", true, DRY),
        (AccessOnly, "PendingImport", false, denied),
    ] {
        let stub = Stub::start().await;
        stub.world(|world| {
            world.keys.dry_run = order;
            let arn = world.add_key(ID);
            world.key(&arn).state = state;
            if !allowed {
                world.key(&arn).deny("*", "*");
            }
        });
        let client = kms(&stub, "AKIA", "eu-west-1");
        let generated = client.generate_data_key().key_id(ID).number_of_bytes(64).dry_run(true).send().await;
        assert_eq!(code(generated), expected, "{order:?} {state} {allowed}");
        let decrypt =
            client.decrypt().key_id(ID).dry_run(true).dry_run_modifiers(DryRunModifierType::IgnoreCiphertext);
        assert_eq!(code(decrypt.send().await), expected, "{order:?} {state} {allowed}");
    }
}

#[tokio::test]
async fn a_data_key_is_decrypted_only_with_its_context() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.add_key(ID);
        world.add_key("other");
        let signing = world.add_key("signing");
        (world.key(&signing).spec, world.key(&signing).usage) = ("RSA_2048", "SIGN_VERIFY");
    });
    let client = kms(&stub, "AKIA", "eu-west-1");
    let generate = || client.generate_data_key().encryption_context("aws:ssm:TargetId", "i-1");
    let data_key = generate().key_id(ID).number_of_bytes(64).send().await.unwrap();
    assert_eq!(data_key.plaintext().unwrap().as_ref().len(), 64);
    let decrypt = || client.decrypt().ciphertext_blob(data_key.ciphertext_blob().unwrap().clone());
    let with_context = || decrypt().encryption_context("aws:ssm:TargetId", "i-1");
    assert_eq!(with_context().send().await.unwrap().plaintext(), data_key.plaintext());
    assert_eq!(code(with_context().key_id(ID).dry_run(true).send().await), DRY);
    assert_eq!(code(with_context().key_id("other").send().await), "IncorrectKeyException");
    assert_eq!(code(decrypt().send().await), "InvalidCiphertextException");
    assert_eq!(
        code(client.decrypt().ciphertext_blob(Blob::new("x")).send().await),
        "InvalidCiphertextException"
    );
    assert_eq!(code(client.decrypt().key_id(ID).dry_run(true).send().await), "ValidationException");
    assert_eq!(code(generate().key_id(ID).send().await), "ValidationException");
    assert_eq!(
        code(generate().key_id("signing").number_of_bytes(1).send().await),
        "InvalidKeyUsageException"
    );
    let modifier = DryRunModifierType::IgnoreCiphertext;
    assert_eq!(
        code(client.decrypt().key_id(ID).dry_run_modifiers(modifier).send().await),
        "ValidationException"
    );
    assert!(stub.writes().is_empty());
}
