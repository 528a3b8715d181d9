//! Which Regions the accounts of the list have.

use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::Function;

use super::{FUNCTION, PAYMENTS, ROLE, SANDBOX, SHOP, ask, call, counted, organization, pairs, refused};
use crate::fixture::{PATIENCE, function_on, handle};
use crate::stub::{ACCOUNT, Fault, REGION, Stub, When};

fn enabled() -> Value {
    json!({"regions": "enabled", "accounts": [ACCOUNT, PAYMENTS, SHOP]})
}

/// Gives an account the audit role, which trusts the function.
fn add_audit_role(stub: &Stub, account: &str, external_id: Option<&str>) {
    stub.world(|world| {
        let arn = world.add_role_in(account, ROLE);
        let role = world.role(&arn);
        role.trusted = vec![FUNCTION.to_owned()];
        role.external_id = external_id.map(str::to_owned);
    });
}

#[tokio::test]
async fn regions_that_are_named_are_those_of_every_account() {
    let stub = organization().await;
    let regions = json!({"regions": ["us-east-1", "eu-west-1", "us-east-1"], "accounts": [SHOP, PAYMENTS]});
    let answer = ask(&stub, &regions).await.unwrap();
    assert_eq!(answer["pairs"], 4);
    let expected = [
        format!("{PAYMENTS} eu-west-1"),
        format!("{SHOP} eu-west-1"),
        format!("{PAYMENTS} us-east-1"),
        format!("{SHOP} us-east-1"),
    ];
    assert_eq!(pairs(&stub), expected);
    assert_eq!(counted(&stub, "ListRegions"), 0);
}

#[tokio::test]
async fn each_account_has_the_regions_that_are_enabled_in_it() {
    let stub = organization().await;
    stub.world(|world| {
        world.page_size = Some(2);
        let regions = vec![
            ("af-south-1", "ENABLED"),
            ("ap-east-1", "DISABLED"),
            ("eu-south-1", "ENABLING"),
            ("eu-west-1", "ENABLED_BY_DEFAULT"),
            ("me-south-1", "DISABLING"),
            ("us-east-1", "ENABLED_BY_DEFAULT"),
        ];
        world.account_regions.insert(PAYMENTS.to_owned(), regions);
        world.account_regions.insert(ACCOUNT.to_owned(), vec![("eu-west-1", "ENABLED_BY_DEFAULT")]);
    });
    let answer = ask(&stub, &enabled()).await.unwrap();
    assert_eq!(answer["regionsUnread"], json!({"count": 0, "first": []}));
    let expected = [
        format!("{PAYMENTS} af-south-1"),
        format!("{PAYMENTS} eu-west-1"),
        format!("{ACCOUNT} eu-west-1"),
        format!("{SHOP} eu-west-1"),
        format!("{PAYMENTS} us-east-1"),
        format!("{SHOP} us-east-1"),
    ];
    assert_eq!(pairs(&stub), expected);
    let named: Vec<_> = stub.calls_of("ListRegions");
    assert!(
        named.iter().all(|call| call.body["AccountId"] != ACCOUNT),
        "AWS refuses the own account by its id"
    );
    assert_eq!(counted(&stub, "DescribeRegions"), 0);
}

#[tokio::test]
async fn an_account_that_account_management_does_not_tell_of_is_asked_by_the_audit_role() {
    let stub = organization().await;
    stub.world(|world| {
        world.tree.trusts_account_management = false;
        let regions =
            vec![("ap-east-1", "DISABLED"), ("eu-west-3", "ENABLED"), ("us-east-1", "ENABLED_BY_DEFAULT")];
        world.account_regions.insert(PAYMENTS.to_owned(), regions);
    });
    add_audit_role(&stub, PAYMENTS, Some("audit-4711"));
    let mut call = enabled();
    call["externalId"] = "audit-4711".into();
    let answer = ask(&stub, &call).await.unwrap();
    let expected = [
        format!("{ACCOUNT} eu-west-1"),
        // The shop has no audit role. It stays a row, in the Region of the audit.
        format!("{SHOP} {REGION}"),
        format!("{PAYMENTS} eu-west-3"),
        format!("{PAYMENTS} us-east-1"),
        format!("{ACCOUNT} us-east-1"),
    ];
    let mut found = pairs(&stub);
    found.sort();
    let mut sorted = expected.to_vec();
    sorted.sort();
    assert_eq!(found, sorted);
    assert_eq!(answer["regionsUnread"]["count"], 1);
    let why = answer["regionsUnread"]["first"][0].as_str().unwrap();
    assert!(why.starts_with(SHOP), "{why}");
    for words in ["account:ListRegions", "sts:AssumeRole", "was denied"] {
        assert!(why.contains(words), "{why} does not hold {words}");
    }
    assert!(!answer.to_string().contains("audit-4711"));
}

#[tokio::test]
async fn the_own_account_is_asked_by_its_own_credentials() {
    let stub = organization().await;
    stub.fault(When::service("account"), Fault::AccessDenied { action: "account:ListRegions" });
    let answer = ask(&stub, &json!({"regions": "enabled", "accounts": [ACCOUNT]})).await.unwrap();
    assert_eq!(answer["pairs"], 2);
    assert_eq!(counted(&stub, "AssumeRole"), 0);
    stub.fault(When::service("ec2"), Fault::AccessDenied { action: "ec2:DescribeRegions" });
    let answer = ask(&stub, &json!({"regions": "enabled", "accounts": [ACCOUNT]})).await.unwrap();
    assert_eq!(pairs(&stub), [format!("{ACCOUNT} {REGION}")]);
    let why = answer["regionsUnread"]["first"][0].as_str().unwrap();
    assert!(why.contains("account:ListRegions") && why.contains("allow ec2:DescribeRegions"), "{why}");
}

#[tokio::test]
async fn throttling_costs_time_and_no_regions() {
    let stub = organization().await;
    // The SDK tries three times, so that the first accounts are throttled to its last attempt.
    stub.fault(When::operation("account", "ListRegions").first(40), Fault::Throttle);
    let answer = ask(&stub, &json!({"regions": "enabled"})).await.unwrap();
    assert_eq!((&answer["pairs"], &answer["regionsUnread"]["count"]), (&json!(8), &json!(0)));
    assert!(pairs(&stub).contains(&format!("{SANDBOX} us-east-1")));
}

/// An account that lost its Regions to throttling would be a gap.
#[tokio::test]
async fn throttling_to_the_end_is_an_error_to_try_again() {
    let stub = organization().await;
    stub.fault(When::operation("account", "ListRegions"), Fault::Throttle);
    let (message, kind) = refused(&stub, &json!({"regions": "enabled", "accounts": [SHOP]})).await;
    assert!(message.contains("account:ListRegions"), "{message}");
    assert_eq!(kind, "Throttled");
}

#[tokio::test]
async fn a_partition_without_account_management_asks_for_it_once() {
    let stub = organization().await;
    stub.fault(When::service("account"), Fault::CutBefore);
    let accounts: Vec<_> = (0..30).map(|number| format!("{:012}", 500_000_000_000_u64 + number)).collect();
    for account in &accounts {
        add_audit_role(&stub, account, None);
    }
    let answer = ask(&stub, &json!({"regions": "enabled", "accounts": accounts})).await.unwrap();
    assert_eq!((&answer["pairs"], &answer["regionsUnread"]["count"]), (&json!(60), &json!(0)));
    // Each of the first eight, which are asked together, is tried three times.
    assert!(counted(&stub, "ListRegions") <= 8 * 3);
    assert_eq!(counted(&stub, "DescribeRegions"), 30);
}

#[tokio::test]
async fn no_more_than_eight_accounts_are_asked_at_a_time() {
    let stub = organization().await;
    let accounts: Vec<_> = (0..30).map(|number| format!("{:012}", 500_000_000_000_u64 + number)).collect();
    stub.hold_answers();
    let function = function_on(&stub, &stub.sdk_config(1, None), Duration::from_millis(1));
    let event = call(&json!({"regions": "enabled", "accounts": accounts}));
    let mut handled = pin!(handle(&function, &event, PATIENCE));
    let mut most = 0;
    let answer = loop {
        tokio::select! {
            answer = handled.as_mut() => break answer.unwrap(),
            () = all_held(&stub, &function) => {}
        }
        most = most.max(stub.held());
        stub.answer_round();
    };
    assert_eq!(answer["accounts"], 30);
    assert_eq!(most, 8);
}

/// Resolves when the program has made every call that it can make without another answer.
async fn all_held(stub: &Stub, function: &Function<Aws>) {
    let mut turns = 0;
    while turns < 200 {
        tokio::task::yield_now().await;
        let (held, under_way) = (stub.held(), function.ports.calls_under_way());
        turns = if held > 0 && held == under_way { turns + 1 } else { 0 };
    }
}
