//! Which accounts are in the list.

use serde_json::json;

use super::{
    BUCKET, CLOSED, KEY, PAYMENTS, ROLE, SANDBOX, SHOP, ask, counted, list, organization, pairs, refused,
};
use crate::fixture::Logs;
use crate::stub::{ACCOUNT, Fault, REGION, Stub, When, World};

#[tokio::test]
async fn the_active_accounts_of_the_organization_are_complete_calls_to_audit_them() {
    let stub = organization().await;
    // Every list has more than one page.
    stub.world(|world| world.page_size = Some(1));
    let answer = ask(&stub, &json!({"externalId": "audit-4711", "discoverNodes": false})).await.unwrap();
    assert_eq!((&answer["pairs"], &answer["accounts"]), (&json!(4), &json!(4)));
    assert_eq!((&answer["bucket"], &answer["key"]), (&json!(BUCKET), &json!(KEY)));
    assert_eq!(answer["notActive"], json!({"count": 1, "first": [format!("{CLOSED} (SUSPENDED)")]}));
    let call = |account: &str, name: &str, unit: &str| {
        json!({
            "action": "audit", "account": account, "region": REGION, "accountName": name, "organizationalUnit": unit,
            "roleName": ROLE, "externalId": "audit-4711", "discoverNodes": false,
        })
    };
    let production = "Root/Workloads/Production";
    let expected = [
        call(PAYMENTS, "payments", production),
        call(ACCOUNT, "audit", "Root"),
        call(SHOP, "shop", production),
        call(SANDBOX, "sandbox", "Root/Workloads/Sandbox"),
    ];
    assert_eq!(list(&stub), expected);
    let written: Vec<_> = stub.writes().into_iter().map(|call| call.operation).collect();
    assert_eq!(written, ["PutObject"], "it writes the list and nothing else");
    assert_eq!(stub.world(|world| world.buckets.held[BUCKET].types[KEY].clone()), "application/json");
}

#[tokio::test]
async fn a_call_of_the_list_is_one_that_the_function_takes() {
    let stub = organization().await;
    ask(&stub, &json!({"accounts": [ACCOUNT]})).await.unwrap();
    let item = list(&stub).remove(0);
    let function =
        crate::fixture::function_on(&stub, &stub.sdk_config(1, None), std::time::Duration::from_millis(1));
    let line = crate::fixture::handle(&function, &item, crate::fixture::PATIENCE).await.unwrap();
    assert_eq!((&line["account"], &line["region"]), (&json!(ACCOUNT), &json!(REGION)));
}

#[tokio::test]
async fn units_are_named_by_id_or_path_and_hold_what_is_below_them() {
    for (units, expected) in [
        (json!(["ou-1-production"]), vec![PAYMENTS, SHOP]),
        (json!("Root/Workloads/Sandbox"), vec![SANDBOX]),
        (json!(["Root/Workloads/", "ou-1-sandbox"]), vec![PAYMENTS, SHOP, SANDBOX]),
        (json!(["r-1"]), vec![PAYMENTS, ACCOUNT, SHOP, SANDBOX]),
        (json!("Root"), vec![PAYMENTS, ACCOUNT, SHOP, SANDBOX]),
    ] {
        let stub = organization().await;
        ask(&stub, &json!({"organizationalUnits": units})).await.unwrap();
        let expected: Vec<_> = expected.iter().map(|account| format!("{account} {REGION}")).collect();
        assert_eq!(pairs(&stub), expected, "{units}");
    }
}

#[tokio::test]
async fn a_unit_that_is_not_there_makes_no_smaller_audit() {
    let stub = organization().await;
    let units = json!({"organizationalUnits": ["ou-1-production", "Root/Workload"]});
    let (message, kind) = refused(&stub, &units).await;
    assert!(
        message.contains("no organizational unit `Root/Workload`") && message.contains("Root/Workloads/")
    );
    assert_eq!(kind, "Refused");
}

#[tokio::test]
async fn accounts_and_units_are_excluded() {
    let stub = organization().await;
    let exclude = json!({"exclude": [SHOP, "Root/Workloads/Sandbox", "999999999999", "ou-1-nowhere"]});
    let answer = ask(&stub, &exclude).await.unwrap();
    assert_eq!(pairs(&stub), [format!("{PAYMENTS} {REGION}"), format!("{ACCOUNT} {REGION}")]);
    assert_eq!(answer["excluded"], json!({"count": 1, "first": [SHOP]}));
    assert_eq!(answer["unknownExclusions"], json!({"count": 2, "first": ["999999999999", "ou-1-nowhere"]}));
    // Nothing below an excluded unit is listed.
    let asked: Vec<_> = stub.calls_of("ListAccountsForParent");
    assert!(asked.iter().all(|call| call.body["ParentId"] != "ou-1-sandbox"), "{asked:?}");
}

#[tokio::test]
async fn an_audit_of_nobody_is_refused() {
    let stub = organization().await;
    let (message, kind) = refused(&stub, &json!({"exclude": ["r-1"]})).await;
    assert!(message.contains("no account is left to audit"), "{message}");
    assert_eq!(kind, "Refused");
}

#[tokio::test]
async fn whoever_may_not_list_the_organization_is_told_who_may() {
    let stub = organization().await;
    stub.world(World::dismiss_administrators);
    let (message, kind) = refused(&stub, &json!({})).await;
    for words in
        ["organizations:ListRoots", "management account", "delegated administrator", "list the accounts"]
    {
        assert!(message.contains(words), "{message} does not hold {words}");
    }
    assert_eq!(kind, "Refused");
    stub.world(|world| world.organization = None);
    let (message, kind) = refused(&stub, &json!({})).await;
    assert!(message.contains("in no organization"), "{message}");
    assert_eq!(kind, "Refused");
    // A list needs no organization.
    stub.forget_calls();
    ask(&stub, &json!({"accounts": [PAYMENTS]})).await.unwrap();
    assert_eq!(counted(&stub, "ListRoots"), 0);
}

#[tokio::test]
async fn a_list_has_each_account_once() {
    let stub = organization().await;
    let accounts = json!({"accounts": [SHOP, PAYMENTS, SHOP], "exclude": [SANDBOX]});
    let answer = ask(&stub, &accounts).await.unwrap();
    assert_eq!(answer["accounts"], 2);
    assert_eq!(pairs(&stub), [format!("{PAYMENTS} {REGION}"), format!("{SHOP} {REGION}")]);
    assert_eq!(list(&stub)[0].get("accountName"), None);
}

#[tokio::test]
async fn a_throttled_list_is_read_to_its_end() {
    let stub = organization().await;
    stub.fault(When::operation("organizations", "ListAccountsForParent").first(2), Fault::Throttle);
    stub.fault(When::operation("organizations", "ListRoots").nth(1), Fault::InternalError);
    let answer = ask(&stub, &json!({})).await.unwrap();
    assert_eq!(answer["pairs"], 4);
}

#[tokio::test]
async fn aws_that_throttles_to_the_end_is_an_error_to_try_again() {
    let stub = organization().await;
    stub.fault(When::operation("organizations", "ListRoots"), Fault::Throttle);
    let (message, kind) = refused(&stub, &json!({})).await;
    assert!(message.contains("organizations:ListRoots") && message.contains("TooManyRequests"), "{message}");
    assert_eq!(kind, "Throttled");
}

#[tokio::test]
async fn a_large_organization_is_listed_with_few_calls() {
    let stub = Stub::start().await;
    stub.world(|world| {
        world.organize();
        world.add_bucket(BUCKET, REGION);
        for unit in 0..40 {
            let id = format!("ou-1-{unit}");
            world.add_unit(&id, "r-1", &format!("Team {unit}"));
            for account in 0..50 {
                let number = unit * 50 + account;
                world.add_account(&format!("{:012}", 100_000_000_000_u64 + number), &id, "team", "ACTIVE");
            }
        }
    });
    let regions: Vec<_> = (1..=17).map(|number| format!("eu-south-{number}")).collect();
    let answer = ask(&stub, &json!({"regions": regions})).await.unwrap();
    assert_eq!((&answer["accounts"], &answer["pairs"]), (&json!(2_000), &json!(34_000)));
    assert_eq!(list(&stub).len(), 34_000);
    // A page has 20 accounts or units: 3 pages of accounts and one of units for each of 40, and a few of the root.
    let listing = stub.calls().iter().filter(|call| call.service == "organizations").count();
    assert!(listing <= 40 * 4 + 5, "{listing} calls");
    // Accounts take turns, so that no account is asked about all of its Regions at once.
    let list = pairs(&stub);
    assert_ne!(list[0].split(' ').next(), list[1].split(' ').next());
    let answer = answer.to_string();
    assert!(answer.len() < 10_000, "a state of Step Functions carries the answer: {} bytes", answer.len());
}

#[tokio::test(flavor = "current_thread")]
async fn no_log_holds_the_external_id() {
    let stub = organization().await;
    let logs = Logs::captured();
    ask(&stub, &json!({"externalId": "audit-4711", "regions": "enabled"})).await.unwrap();
    let text = logs.text();
    assert!(text.contains("organizations:ListAccountsForParent") && text.contains("s3:PutObject"), "{text}");
    assert!(!text.contains("audit-4711"), "{text}");
}
