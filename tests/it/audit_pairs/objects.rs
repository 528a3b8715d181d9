//! Where the list is written to, and where a list of accounts is read from.

use serde_json::json;

use super::{BUCKET, KEY, PAYMENTS, SHOP, ask, counted, list, organization, pairs, refused};
use crate::stub::{Fault, REGION, When};

#[tokio::test]
async fn accounts_are_read_from_an_object() {
    let stub = organization().await;
    let accounts = format!("# audited\n{SHOP},the shop\n{PAYMENTS}\n");
    stub.world(|world| world.put_object(BUCKET, "accounts #1.txt", &accounts));
    ask(&stub, &json!({"accounts": format!("s3://{BUCKET}/accounts #1.txt")})).await.unwrap();
    assert_eq!(pairs(&stub), [format!("{PAYMENTS} {REGION}"), format!("{SHOP} {REGION}")]);
    assert_eq!(list(&stub)[1]["accountName"], "the shop");
}

#[tokio::test]
async fn a_list_of_accounts_that_is_missing_or_none_is_named() {
    let stub = organization().await;
    stub.world(|world| {
        world.put_object(BUCKET, "empty", "");
        world.put_object(BUCKET, "page", "<html></html>");
    });
    for (object, words) in [
        ("audit-results/none", vec!["the list of the accounts is not there", "s3://audit-results/none"]),
        ("audit-results/page", vec!["s3://audit-results/page cannot be read", "is no account id"]),
        ("audit-results/empty", vec!["no account is left to audit"]),
        ("no-such-bucket/accounts", vec!["s3:GetObject on s3://no-such-bucket/accounts", "NoSuchBucket"]),
    ] {
        let (message, _) = refused(&stub, &json!({"accounts": format!("s3://{object}")})).await;
        for word in words {
            assert!(message.contains(word), "{message} does not hold {word}");
        }
    }
}

#[tokio::test]
async fn a_key_may_have_any_character_and_is_signed_as_it_is_sent() {
    for key in
        ["a b+c.json", "a//b.json", "a/../b.json", "./a.json", "ü/50%/a&b=c;d@e:f.json", "a'(b)!*.json"]
    {
        let stub = organization().await;
        ask(&stub, &json!({"output": format!("s3://{BUCKET}/{key}")})).await.unwrap();
        assert_eq!(stub.world(|world| world.keys_of(BUCKET)), [key]);
    }
}

#[tokio::test]
async fn a_bucket_in_another_region_is_found_once() {
    let stub = organization().await;
    stub.world(|world| {
        world.add_bucket("far-results", "eu-central-1");
        world.put_object("far-results", "accounts", PAYMENTS);
    });
    let call = json!({"accounts": "s3://far-results/accounts", "output": "s3://far-results/pairs.json"});
    ask(&stub, &call).await.unwrap();
    assert!(stub.world(|world| world.object("far-results", "pairs.json").is_some()));
    assert_eq!(counted(&stub, "GetObject"), 2, "the first call is sent to the own Region");
    assert_eq!(counted(&stub, "PutObject"), 1, "then it is known where the bucket is");
    let signed_for: Vec<_> = stub.calls_of("PutObject").into_iter().map(|call| call.region).collect();
    assert_eq!(signed_for, ["eu-central-1"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_written_is_an_error() {
    let stub = organization().await;
    let (message, kind) = refused(&stub, &json!({"output": "s3://no-such-bucket/pairs.json"})).await;
    assert!(message.contains("s3:PutObject on s3://no-such-bucket/pairs.json"), "{message}");
    assert_eq!(kind, "Aws");
    stub.fault(When::operation("s3", "PutObject"), Fault::AccessDenied { action: "s3:PutObject" });
    let (message, kind) = refused(&stub, &json!({})).await;
    assert!(message.contains("allow s3:PutObject") && message.contains(KEY), "{message}");
    assert_eq!(kind, "Aws");
}

#[tokio::test]
async fn a_write_is_made_again_after_an_error_of_s3() {
    let stub = organization().await;
    for fault in [Fault::Throttle, Fault::InternalError, Fault::CutBefore, Fault::CutAfter] {
        stub.clear_faults();
        stub.fault(When::operation("s3", "PutObject").nth(1), fault);
        ask(&stub, &json!({})).await.unwrap();
        assert_eq!(pairs(&stub).len(), 4);
    }
}
