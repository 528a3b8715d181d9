//! The least waiting: how many dependent rounds of AWS calls each flow takes.
//!
//! The stub holds back every answer until all calls that the program can make without it have arrived. Then it answers
//! them together: that is a round. With a latency of L a call, a flow takes its rounds times L, whatever the number of its
//! calls.

use std::pin::pin;

use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::Function;
use session_kms::session::DocumentName;

use crate::audit;
use crate::fixture::{
    Fixture, NAME, PATIENCE, SET_TO_K1, and, created, enabled, handle, id_of, resource, rival_key,
};
use crate::stub::{ACCOUNT, Fault, Location, REGION, Request, Resource, SimulatedAnswer, When, World};

const UPDATED: &str = include_str!("../../events/document-update-call.json");
const SCHEDULE: &str = include_str!("../../events/schedule.json");
/// The account of a key that only a reader role can read, and the key.
const OWNER: &str = "210987654321";
const FOREIGN: &str = "44444444-4444-4444-8444-444444444444";
/// How often everything else gets a turn before the program counts as waiting for its calls.
const TURNS: usize = 200;

/// What a flow takes: its calls and its rounds.
type Effort = (usize, usize);

/// The rounds of an invocation, each with the operations of its calls.
async fn rounds(fixture: &Fixture, function: &Function<Aws>, event: &Value) -> Vec<Vec<String>> {
    let stub = &fixture.stub;
    stub.forget_calls();
    stub.hold_answers();
    let mut rounds: Vec<Vec<String>> = Vec::new();
    let mut handled = pin!(handle(function, event, PATIENCE));
    loop {
        tokio::select! {
            handled = handled.as_mut() => {
                handled.unwrap();
                assert_eq!(stub.violations(), Vec::<String>::new());
                return rounds;
            }
            () = all_held(fixture, function) => {}
        }
        let seen = rounds.iter().map(Vec::len).sum();
        let mut round: Vec<_> = stub.calls().into_iter().skip(seen).map(|call| call.operation).collect();
        round.sort_unstable();
        rounds.push(round);
        stub.answer_round();
    }
}

/// Resolves when the program has made every call that it can make without another answer.
async fn all_held(fixture: &Fixture, function: &Function<Aws>) {
    let mut turns = 0;
    while turns < TURNS {
        tokio::task::yield_now().await;
        let (held, under_way) = (fixture.stub.held(), function.ports.calls_under_way());
        turns = if held > 0 && held == under_way { turns + 1 } else { 0 };
    }
}

#[expect(clippy::print_stderr, reason = "a test that fails shows its rounds")]
async fn effort(fixture: &Fixture, function: &Function<Aws>, event: &Value) -> Effort {
    let rounds = rounds(fixture, function, event).await;
    for (at, round) in (1..).zip(&rounds) {
        eprintln!("{at}: {}", round.join(" "));
    }
    (rounds.iter().map(Vec::len).sum(), rounds.len())
}

/// The effort of a request, which succeeds.
async fn effort_of(fixture: &Fixture, request: &Request) -> Effort {
    let effort = effort(fixture, &fixture.function(None), &request.payload).await;
    let answers = fixture.stub.answers(&request.url);
    assert!(answers.iter().all(|answer| answer.success) && answers.len() == 1, "{answers:?}");
    effort
}

/// The effort of a change event, which ends in this state.
async fn effort_of_event(fixture: &Fixture, event: &str) -> Effort {
    let mut function = fixture.function(None);
    function.settings.document = DocumentName::parse(NAME).ok();
    let effort = effort(fixture, &function, &serde_json::from_str(event).unwrap()).await;
    assert_eq!(fixture.state(), SET_TO_K1);
    effort
}

/// Properties: this key, for whoever is discovered.
fn discovered(key: &str) -> Value {
    json!({"KmsKeyId": key})
}

/// A node on EC2, a hybrid node and two users, of whom all can use every key.
fn fleet(world: &mut World) {
    let roles = ["team/Web", "team/Hybrid", "team/Operators"].map(|role| world.add_role(role));
    let profile = world.add_instance_profile("web/Profile", Some(&roles[0]));
    world.add_subnet("subnet-1", "vpc-1");
    world.add_endpoint("vpce-1", "subnet-1", "kms");
    world.add_node("i-1", "3.3.808.0");
    world.add_instance("i-1", "subnet-1");
    world.associate("i-1", &profile);
    world.add_node("mi-1", "3.3.808.0").iam_role = Some("Hybrid".to_owned());
    let user = world.add_user("ann");
    world.add_session("s-1", &user, 4_000_000_000.0);
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/Operators/bob");
    world.add_session("s-2", &session, 4_000_000_000.0);
    for principal in roles.iter().chain([&user]) {
        world.simulates(principal, "*", "*", SimulatedAnswer::allowed("Kms"));
    }
}

/// A key of another account, which a reader role there can read.
fn foreign_key(world: &mut World) -> Value {
    let key = world.add_key_at(&Location::new(OWNER, REGION), FOREIGN);
    for action in ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"] {
        world.key(&key).allow(ACCOUNT, action);
    }
    let reader = world.add_role_in(OWNER, "Reader");
    world.role(&reader).trusted = vec![ACCOUNT.to_owned()];
    json!({"KmsKeyId": key, "KeyPolicyReaderRoleArn": reader, "DiscoverNodes": false, "DiscoverUsers": false})
}

/// The stack `demo` has set `k1`, with this resource.
async fn deployed() -> (Fixture, Resource) {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(fleet);
    let owner = resource("demo");
    let created = fixture.send(&owner.create(&fixture.stub, &discovered(&fixture.k1))).await;
    assert!(created.success, "{}", created.reason);
    (fixture, owner)
}

async fn create(properties: impl Fn(&Fixture) -> Value) -> Effort {
    let fixture = Fixture::with_settings().await;
    let request = resource("demo").create(&fixture.stub, &properties(&fixture));
    effort_of(&fixture, &request).await
}

#[tokio::test]
async fn a_create_on_an_existing_document() {
    assert_eq!(create(|fixture| enabled(&fixture.k1)).await, (14, 6));
}

#[tokio::test]
async fn a_create_without_a_document() {
    let fixture = Fixture::empty().await;
    let request = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
    assert_eq!(effort_of(&fixture, &request).await, (9, 4));
}

#[tokio::test]
async fn a_create_with_the_preflight_and_without_a_fleet() {
    assert_eq!(create(|fixture| discovered(&fixture.k1)).await, (22, 8));
}

#[tokio::test]
async fn a_create_with_a_fleet() {
    let with_fleet = |fixture: &Fixture| {
        fixture.stub.world(fleet);
        discovered(&fixture.k1)
    };
    assert_eq!(create(with_fleet).await, (35, 10));
}

#[tokio::test]
async fn a_create_with_a_fleet_and_a_standby_key() {
    let with_standby = |fixture: &Fixture| {
        fixture.stub.world(fleet);
        let properties = and(discovered(&fixture.k1), "OnKeyTrouble", "Standby");
        and(properties, "StandbyKmsKeyId", &fixture.k2)
    };
    assert_eq!(create(with_standby).await, (42, 10));
}

#[tokio::test]
async fn a_create_with_a_reader_role() {
    assert_eq!(create(|fixture| fixture.stub.world(foreign_key)).await, (17, 8));
}

#[tokio::test]
async fn an_update_to_another_key() {
    let (fixture, owner) = deployed().await;
    let (new, old) = (discovered(&fixture.k2), discovered(&fixture.k1));
    let update = owner.update(&fixture.stub, &id_of(NAME), &new, &old);
    assert_eq!(effort_of(&fixture, &update).await, (35, 10));
}

#[tokio::test]
async fn an_update_that_changes_nothing_of_the_document() {
    let (fixture, owner) = deployed().await;
    let old = discovered(&fixture.k1);
    let update = owner.update(&fixture.stub, &id_of(NAME), &old, &old);
    assert_eq!(effort_of(&fixture, &update).await, (4, 1));
}

#[tokio::test]
async fn a_delete() {
    let (fixture, owner) = deployed().await;
    let delete = owner.delete(&fixture.stub, &id_of(NAME), &discovered(&fixture.k1));
    assert_eq!(effort_of(&fixture, &delete).await, (22, 10));
}

#[tokio::test]
async fn a_repair_of_drift() {
    let (fixture, _) = deployed().await;
    fixture.stub.world(rival_key("alias/theirs"));
    assert_eq!(effort_of_event(&fixture, UPDATED).await, (36, 12));
}

#[tokio::test]
async fn a_change_event_that_leaves_nothing_to_do() {
    let (fixture, _) = deployed().await;
    assert_eq!(effort_of_event(&fixture, UPDATED).await, (3, 1));
}

#[tokio::test]
async fn the_schedule_on_a_healthy_document() {
    let (fixture, _) = deployed().await;
    assert_eq!(effort_of_event(&fixture, SCHEDULE).await, (26, 7));
}

#[tokio::test]
async fn the_schedule_on_four_healthy_documents() {
    let (fixture, _) = deployed().await;
    for name in ["Team-A", "Team-B", "Team-C"] {
        let properties = created(&fixture.k1, name);
        assert!(fixture.send(&resource(name).create(&fixture.stub, &properties)).await.success);
    }
    // Three documents more, and no round more: they are handled side by side, and the key is described once for all.
    assert_eq!(effort_of_event(&fixture, SCHEDULE).await, (35, 7));
}

#[tokio::test]
async fn a_check() {
    let fixture = Fixture::with_settings().await;
    fixture.stub.world(fleet);
    let check = json!({"action": "check", "kmsKeyId": fixture.k1});
    assert_eq!(effort(&fixture, &fixture.function(None), &check).await, (22, 5));
}

#[tokio::test]
async fn an_audit() {
    let fixture = Fixture { stub: audit::seeded().await, k1: String::new(), k2: String::new() };
    let function = fixture.function(None);
    let [first, second] = [
        effort(&fixture, &function, &audit::call()).await,
        effort(&fixture, &function, &audit::call()).await,
    ];
    assert_eq!(first, (23, 7));
    // The role stays assumed.
    assert_eq!(second, (22, 6));
}

#[tokio::test]
async fn throttled_calls_slow_the_next_ones_down_until_aws_answers_again() {
    let fixture = Fixture::with_settings().await;
    let users: Vec<String> = fixture.stub.world(|world| {
        (0..60)
            .map(|number| {
                let user = world.add_user(&format!("user-{number}"));
                world.simulates(&user, "*", "*", SimulatedAnswer::allowed("Kms"));
                user
            })
            .collect()
    });
    fixture.stub.fault(When::operation("iam", "SimulatePrincipalPolicy").first(8), Fault::Throttle);
    let check = json!({
        "action": "check", "kmsKeyId": fixture.k1, "users": users, "discoverNodes": false, "discoverUsers": false,
    });
    let rounds = rounds(&fixture, &fixture.function(None), &check).await;
    let simulations =
        |round: &Vec<String>| round.iter().filter(|call| *call == "SimulatePrincipalPolicy").count();
    let sizes: Vec<usize> = rounds.iter().map(simulations).filter(|size| *size > 0).collect();
    // The eight that are throttled are made again. Those after them are half as many and one more, and so on up to eight.
    assert_eq!(sizes[..7], [8, 8, 5, 6, 7, 8, 8], "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 60 + 8, "{sizes:?}");
}
