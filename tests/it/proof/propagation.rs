//! A change that is on its way is waited for, and a refusal that stays is one in the end.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use session_kms::access::PrincipalArn;
use session_kms::intent::{Mode, Safeguards};
use session_kms::location::Location;
use session_kms::ports::Environment;
use session_kms::ports::Keys as _;
use session_kms::preflight::{blocking, check_access};

use super::lists::Caller;
use super::{BEFORE, arn, carried, create, function, furnish, named};
use crate::stub::{ACCOUNT, Fault, REGION, Refusal, SimulatedAnswer, Stub, When, World};

/// How often a refusal is asked about, the first time included.
const ASKS: usize = 7;
/// The same where the key or a grant is new.
const ASKS_WHILE_FRESH: usize = 141;

fn policy(principal: &str) -> String {
    json!({"Statement": {
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*",
    }})
    .to_string()
}

/// A key that admits nobody, and a node's role that is allowed to use it.
fn refused(world: &mut World) -> (String, Value) {
    let key = furnish(world, ACCOUNT);
    world.key(&key).policy = policy("999999999999");
    let node = world.add_role("team/Node");
    world.simulates(&node, "*", "*", SimulatedAnswer::allowed("Kms"));
    let properties = named(&key, &[], &[&node], "Enforce");
    (key, properties)
}

fn grant(created: f64) -> Value {
    json!({
        "GrantId": "g1", "CreationDate": created, "GranteePrincipal": arn("role/Other"),
        "Operations": ["Decrypt"],
    })
}

fn seconds_ago(seconds: u64) -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    (now - Duration::from_secs(seconds)).as_secs_f64()
}

#[tokio::test]
async fn an_allow_that_comes_with_a_later_ask_counts() {
    for k in [2, 3, ASKS] {
        let stub = Stub::start().await;
        let (key, properties) = stub.world(refused);
        let of = key.clone();
        let admit = Fault::before(move |world| world.key(&of).policy = policy(&arn("root")));
        stub.fault(When::operation("kms", "GetKeyPolicy").nth(k), admit);
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(answer.success, "at ask {k}: {}", answer.reason);
        assert_eq!(carried(&stub), Some(key));
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), k);
        assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), k);
    }
}

#[tokio::test]
async fn a_policy_attached_a_moment_ago_is_waited_for() {
    let stub = Stub::start().await;
    let node = arn("role/team/Node");
    let (key, properties) = stub.world(|world| {
        let key = furnish(world, ACCOUNT);
        world.add_role("team/Node");
        let other = world.add_role("Other");
        world.simulates(&other, "*", "*", SimulatedAnswer::allowed("Kms"));
        let properties = named(&key, &[], &[&node, &other], "Enforce");
        (key, properties)
    });
    let attach =
        Fault::before(move |world| world.simulates(&node, "*", "*", SimulatedAnswer::allowed("Kms")));
    stub.fault(When::operation("iam", "SimulatePrincipalPolicy").nth(4), attach);
    let answer = create(&stub, &function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(carried(&stub), Some(key));
    // Both at first, then only the one that was refused.
    assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), 2 + 2);
}

#[tokio::test]
async fn a_refusal_that_stays_is_asked_a_bounded_number_of_times() {
    for (created, asks) in [
        (seconds_ago(3600), ASKS),
        (seconds_ago(120), ASKS_WHILE_FRESH),
        // Another clock's.
        (seconds_ago(0) + 30.0, ASKS_WHILE_FRESH),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let (key, properties) = refused(world);
            world.key(&key).grants = vec![grant(created)];
            properties
        });
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(
            !answer.success && answer.reason.contains("neither the key policy nor a grant"),
            "{}",
            answer.reason
        );
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), asks);
        assert_eq!(stub.writes().len(), 0);
    }
}

#[tokio::test]
async fn nobody_is_asked_again_who_passes_or_is_unknown_or_exempt() {
    for (own, exempt) in [
        (SimulatedAnswer::allowed("Kms"), ""),
        (SimulatedAnswer { asks_for: vec!["aws:SourceVpc".to_owned()], ..SimulatedAnswer::default() }, ""),
        (SimulatedAnswer::default(), "*"),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let key = furnish(world, ACCOUNT);
            let node = world.add_role("team/Node");
            world.simulates(&node, "*", "*", own);
            let mut properties = named(&key, &[], &[&node], "Enforce");
            properties["Exempt"] = exempt.into();
            properties
        });
        assert!(create(&stub, &function(&stub), &properties).await.success);
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_is_not_forgotten_over_a_call_that_fails() {
    for (service, operation, action) in [
        ("kms", "GetKeyPolicy", "kms:GetKeyPolicy"),
        ("kms", "ListGrants", "kms:ListGrants"),
        ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let (key, properties) = refused(world);
            if service == "iam" {
                // The key delegates, and the role's own side refuses.
                world.key(&key).policy = policy(&arn("root"));
                world.simulates(&arn("role/team/Node"), "*", "*", SimulatedAnswer::default());
            }
            properties
        });
        // From the second time on it is denied: what was known then is all that is known.
        for n in 2..=ASKS {
            stub.fault(When::operation(service, operation).nth(n), Fault::AccessDenied { action });
        }
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(!answer.success, "{action}");
        assert_eq!(carried(&stub).as_deref(), Some(BEFORE));
    }
}

#[tokio::test]
async fn asking_ends_with_the_patience() {
    let stub = Stub::start().await;
    let (key, node) = stub.world(|world| {
        let (key, _) = refused(world);
        world.key(&key).grants = vec![grant(seconds_ago(60))];
        (key, arn("role/team/Node"))
    });
    let ports = function(&stub).ports;
    let location = Location { partition: "aws".into(), region: REGION.into(), account: ACCOUNT.into() };
    let nodes = vec![PrincipalArn::parse(&node).unwrap()];
    let safeguards = Safeguards { mode: Mode::Enforce, nodes, ..Safeguards::default() };
    let described = ports.describe(&key).await.unwrap().unwrap();
    let environment = Environment::new(&ports, &location);
    let assessment = check_access(environment, &described, &safeguards, Duration::ZERO).await;
    assert_eq!(blocking(&assessment, Mode::Enforce).len(), 1);
    assert_eq!(stub.calls_of("GetKeyPolicy").len(), 1);
}

#[tokio::test]
async fn a_key_that_is_not_usable_yet_is_asked_again() {
    let stub = Stub::start().await;
    let (key, properties) = stub.world(|world| {
        let (key, properties) = refused(world);
        world.key(&key).policy = policy(&arn("root"));
        (key, properties)
    });
    let unusable = Refusal::client("KMSInvalidStateException", "the key is Creating.");
    stub.fault(When::operation("kms", "Decrypt").first(2), Fault::Refuse(unusable));
    let answer = create(&stub, &function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(carried(&stub), Some(key));
    assert_eq!(stub.calls_of("Decrypt").len(), 3);
}

#[tokio::test]
async fn a_role_is_asked_about_each_encryption_context_where_its_policies_look_at_it() {
    // The second of two contexts comes of newer clients, and the policies do not allow it.
    for (caller, contexts, success) in [(Caller::NodeRole, 2, false), (Caller::UserRole, 2, false)] {
        let stub = Stub::start().await;
        let (who, asks_for) = (caller.arn(), vec!["kms:EncryptionContextKeys".to_owned()]);
        let properties = stub.world(|world| {
            let key = furnish(world, ACCOUNT);
            world.add_role("team/Node");
            world.add_role("Ops");
            world.simulates(&who, "*", "*", SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Kms") });
            match caller.is_node() {
                true => named(&key, &[], &[&who], "Enforce"),
                false => named(&key, &[&who], &[], "Enforce"),
            }
        });
        let refuse = Fault::before(move |world| world.simulates(&who, "*", "*", SimulatedAnswer::default()));
        stub.fault(When::operation("iam", "SimulatePrincipalPolicy").nth(3), refuse);
        let answer = create(&stub, &function(&stub), &properties).await;
        assert_eq!(answer.success, success, "{}", answer.reason);
        let calls = stub.calls_of("SimulatePrincipalPolicy");
        let names: Vec<usize> =
            calls.iter().take(1 + contexts).map(|call| context_names(&call.body)).collect();
        assert_eq!(names, [0, 2, 3][..=contexts]);
    }
}

/// How many names of the encryption context a simulation was told of.
fn context_names(body: &Value) -> usize {
    let entries = body["ContextEntries"].as_array().unwrap();
    let names = entries.iter().find(|entry| entry["ContextKeyName"] == "kms:EncryptionContextKeys");
    names.map_or(0, |names| names["ContextKeyValues"].as_array().unwrap().len())
}
