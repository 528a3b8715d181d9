//! Eventual consistency: the function waits for a change that propagates, and a refusal that stays is one in the end.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use session_kms::access::PrincipalArn;
use session_kms::intent::{PreflightMode, Safeguards};
use session_kms::location::Location;
use session_kms::ports::Environment;
use session_kms::ports::Keys as _;
use session_kms::preflight::{AccessQuestion, blocking, check_access};
use session_kms::session::DocumentName;

use super::key_policies::Caller;
use super::{
    AGENT, BEFORE, admit_function, allow, arn, create, function, key_in_document, properties_naming,
    reset_with_key, trying_function,
};
use crate::stub::{ACCOUNT, Fault, REGION, Refusal, SimulatedAnswer, Stub, When, World};

/// How often a refused principal is checked, the first time included.
const CHECKS: usize = 7;
/// The same if the key or a grant is new.
const CHECKS_WHILE_NEW: usize = 141;

fn policy(principal: &str) -> String {
    json!({"Statement": allow(json!({"AWS": principal}), Value::Null)}).to_string()
}

/// Adds a key that refuses everybody, and a node's role whose own policies allow its use.
fn add_refusing_key(world: &mut World) -> (String, Value) {
    let key = reset_with_key(world, ACCOUNT);
    world.key(&key).policy = policy("999999999999");
    let node = world.add_role("team/Node");
    world.simulates(&node, "*", "*", SimulatedAnswer::allowed("Kms"));
    let properties = properties_naming(&key, &[], &[&node], "Enforce");
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
async fn an_allow_that_comes_later_counts() {
    for k in [2, 3, CHECKS] {
        let stub = Stub::start().await;
        let (key, properties) = stub.world(add_refusing_key);
        let of = key.clone();
        let admit = Fault::before(move |world| world.key(&of).policy = policy(&arn("root")));
        stub.fault(When::operation("kms", "GetKeyPolicy").nth(k), admit);
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(answer.success, "at check {k}: {}", answer.reason);
        assert_eq!(key_in_document(&stub), Some(key));
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), k);
        assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), k);
    }
}

#[tokio::test]
async fn a_policy_that_was_just_attached_is_waited_for() {
    let stub = Stub::start().await;
    let node = arn("role/team/Node");
    let (key, properties) = stub.world(|world| {
        let key = reset_with_key(world, ACCOUNT);
        world.add_role("team/Node");
        let other = world.add_role("Other");
        world.simulates(&other, "*", "*", SimulatedAnswer::allowed("Kms"));
        let properties = properties_naming(&key, &[], &[&node, &other], "Enforce");
        (key, properties)
    });
    let attach =
        Fault::before(move |world| world.simulates(&node, "*", "*", SimulatedAnswer::allowed("Kms")));
    stub.fault(When::operation("iam", "SimulatePrincipalPolicy").nth(4), attach);
    let answer = create(&stub, &function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
    // Both are checked at first, and then only the one that was refused.
    assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), 2 + 2);
}

#[tokio::test]
async fn strict_waits_for_whatever_blocks_there_and_may_pass_later() {
    /// Puts an instance of a role that lacks an Allow of its own into the world.
    type Instances = fn(&mut World, &str);
    // A stopped instance, and a node that may work by this role or by that of Default Host Management.
    let instances: [Instances; 2] = [
        |world, profile| {
            world.add_subnet("subnet-1", "vpc-1");
            world.add_instance("i-1", "subnet-1").state = "stopped";
            world.associate("i-1", profile);
        },
        |world, profile| {
            let host = world.add_role("Host");
            world.simulates(&host, "*", "*", SimulatedAnswer::allowed("Kms"));
            world.set_default_host_role("Host");
            world.add_node("i-1", AGENT);
            world.associate("i-1", profile);
            let asks_for = vec!["aws:SourceIp".to_owned()];
            let unknown = SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Ssm") };
            world.simulates(&arn("role/Batch"), "ssm:UpdateInstanceInformation", "*", unknown);
        },
    ];
    for set in instances {
        let stub = Stub::start().await;
        let key = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            admit_function(world, &key);
            let role = world.add_role("Batch");
            let profile = world.add_instance_profile("Batch", Some(&role));
            set(world, &profile);
            key
        });
        let attach = Fault::before(|world| {
            world.simulates(&arn("role/Batch"), "kms:Decrypt", "*", SimulatedAnswer::allowed("Kms"));
        });
        stub.fault(When::operation("kms", "GetKeyPolicy").nth(3), attach);
        let properties = json!({"KmsKeyId": key, "Preflight": "Strict", "DiscoverUsers": false});
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(answer.success, "{}", answer.reason);
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), 3);
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_checked_a_limited_number_of_times() {
    for (created, asks) in [
        (seconds_ago(3600), CHECKS),
        (seconds_ago(120), CHECKS_WHILE_NEW),
        // The date is in the future, because another clock wrote it.
        (seconds_ago(0) + 30.0, CHECKS_WHILE_NEW),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let (key, properties) = add_refusing_key(world);
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
async fn who_passes_or_is_unknown_or_exempt_is_not_checked_again() {
    for (own, exempt) in [
        (SimulatedAnswer::allowed("Kms"), ""),
        (SimulatedAnswer { asks_for: vec!["aws:SourceVpc".to_owned()], ..SimulatedAnswer::default() }, ""),
        (SimulatedAnswer::default(), "*"),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            let node = world.add_role("team/Node");
            world.simulates(&node, "*", "*", own);
            let mut properties = properties_naming(&key, &[], &[&node], "Enforce");
            properties["Exempt"] = exempt.into();
            properties
        });
        assert!(create(&stub, &function(&stub), &properties).await.success);
        assert_eq!(stub.calls_of("GetKeyPolicy").len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_is_not_forgotten_if_a_later_call_fails() {
    for (service, operation, action) in [
        ("kms", "GetKeyPolicy", "kms:GetKeyPolicy"),
        ("kms", "ListGrants", "kms:ListGrants"),
        ("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy"),
    ] {
        let stub = Stub::start().await;
        let properties = stub.world(|world| {
            let (key, properties) = add_refusing_key(world);
            if service == "iam" {
                // The key delegates, and the role's own side refuses.
                world.key(&key).policy = policy(&arn("root"));
                world.simulates(&arn("role/team/Node"), "*", "*", SimulatedAnswer::default());
            }
            properties
        });
        // The call is denied from the second time on, so what the first time showed counts.
        for n in 2..=CHECKS {
            stub.fault(When::operation(service, operation).nth(n), Fault::AccessDenied { action });
        }
        let answer = create(&stub, &function(&stub), &properties).await;
        assert!(!answer.success, "{action}");
        assert_eq!(key_in_document(&stub).as_deref(), Some(BEFORE));
    }
}

#[tokio::test]
async fn checking_ends_when_the_patience_is_over() {
    let stub = Stub::start().await;
    let (key, node) = stub.world(|world| {
        let (key, _) = add_refusing_key(world);
        world.key(&key).grants = vec![grant(seconds_ago(60))];
        (key, arn("role/team/Node"))
    });
    let ports = function(&stub).ports;
    let location = Location { partition: "aws".into(), region: REGION.into(), account: ACCOUNT.into() };
    let nodes = vec![PrincipalArn::parse(&node).unwrap()];
    let safeguards = Safeguards { mode: PreflightMode::Enforce, nodes, ..Safeguards::default() };
    let described = ports.describe(&key).await.unwrap().unwrap();
    let environment = Environment::new(&ports, &location);
    let question =
        AccessQuestion { key: &described, document: &DocumentName::default(), safeguards: &safeguards };
    let assessment = check_access(environment, question, Duration::ZERO).await;
    assert_eq!(blocking(&assessment, PreflightMode::Enforce).len(), 1);
    assert_eq!(stub.calls_of("GetKeyPolicy").len(), 1);
}

#[tokio::test]
async fn a_key_that_is_not_usable_yet_is_checked_again() {
    let stub = Stub::start().await;
    let (key, properties) = stub.world(|world| {
        let (key, properties) = add_refusing_key(world);
        world.key(&key).policy = policy(&arn("root"));
        (key, properties)
    });
    let unusable = Refusal::client("KMSInvalidStateException", "the key is Creating.");
    stub.fault(When::operation("kms", "Decrypt").first(2), Fault::Refuse(unusable));
    let answer = create(&stub, &trying_function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
    assert_eq!(stub.calls_of("Decrypt").len(), 3);
}

#[tokio::test]
async fn a_role_is_simulated_with_each_encryption_context_if_its_policies_use_it() {
    // The second of two contexts is that of newer clients, and the policies do not allow it.
    for (caller, contexts, success) in [(Caller::NodeRole, 2, false), (Caller::UserRole, 2, false)] {
        let stub = Stub::start().await;
        let (who, asks_for) = (caller.arn(), vec!["kms:EncryptionContextKeys".to_owned()]);
        let properties = stub.world(|world| {
            let key = reset_with_key(world, ACCOUNT);
            world.add_role("team/Node");
            world.add_role("Ops");
            world.simulates(&who, "*", "*", SimulatedAnswer { asks_for, ..SimulatedAnswer::allowed("Kms") });
            match caller.is_node() {
                true => properties_naming(&key, &[], &[&who], "Enforce"),
                false => properties_naming(&key, &[&who], &[], "Enforce"),
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

/// How many names of the encryption context a simulation was given.
fn context_names(body: &Value) -> usize {
    let entries = body["ContextEntries"].as_array().unwrap();
    let names = entries.iter().find(|entry| entry["ContextKeyName"] == "kms:EncryptionContextKeys");
    names.map_or(0, |names| names["ContextKeyValues"].as_array().unwrap().len())
}
