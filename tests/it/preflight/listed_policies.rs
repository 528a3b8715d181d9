//! The policies of many principals, from IAM's list of the account: the same verdicts as those of the evaluator and of the
//! simulator, and few calls.

use std::collections::BTreeMap;

use kms_key_policy::{Policy, PolicyKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use session_kms::access::{
    CallerKind, KeyFacts, KeyRules, KeyVerdict, Organization, OwnLayers, PrincipalArn, PrincipalType, Tags,
};
use session_kms::intent::Safeguards;
use session_kms::key::KeyDescription;
use session_kms::location::Location;
use session_kms::ports::{Environment, FleetMemory, Keys};
use session_kms::preflight::{
    AccessQuestion, Assessment, Check, Finding, PrincipalAccess, Verdict, assess, observe_access,
};
use session_kms::session::DocumentName;

use super::{allow, arn, function, reset_with_key};
use crate::stub::{ACCOUNT, Fault, REGION, SimulatedAnswer, SimulatedDecision, Stub, When, World};

/// The fewest principals of which the list is read.
const MANY: usize = 101;

/// The assessment of these principals, roles as nodes and users as users.
struct Asked<'a> {
    stub: &'a Stub,
    key: &'a str,
    principals: &'a [String],
    memory: Option<&'a FleetMemory>,
}

impl Asked<'_> {
    async fn assess(&self, lists_policies: bool) -> Assessment {
        let ports = function(self.stub).ports;
        let location = Location { partition: "aws".into(), region: REGION.into(), account: ACCOUNT.into() };
        let (users, nodes) = parsed(self.principals)
            .into_iter()
            .partition(|principal| principal.principal_type() == PrincipalType::User);
        let safeguards = Safeguards { users, nodes, ..Safeguards::default() };
        let described = ports.describe(self.key).await.unwrap().unwrap();
        let mut environment = Environment::new(&ports, &location).with_listed_policies(lists_policies);
        if let Some(memory) = self.memory {
            environment = environment.with_memory(memory);
        }
        let question =
            AccessQuestion { key: &described, document: &DocumentName::default(), safeguards: &safeguards };
        assess(&Box::pin(observe_access(environment, question)).await, &[])
    }
}

fn parsed(principals: &[String]) -> Vec<PrincipalArn> {
    principals.iter().map(|principal| PrincipalArn::parse(principal).unwrap()).collect()
}

fn verdicts(assessment: &Assessment) -> BTreeMap<&str, Verdict> {
    let verdict = |access: &'_ PrincipalAccess| access.verdict;
    assessment.access.iter().map(|access| (access.principal.as_str(), verdict(access))).collect()
}

fn calls(stub: &Stub) -> [usize; 3] {
    ["GetAccountAuthorizationDetails", "SimulatePrincipalPolicy", "GetRole"]
        .map(|operation| stub.calls_of(operation).len())
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allows_kms() -> Value {
    json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"})
}

/// Adds so many roles that a managed policy allows the calls, and as many users in a group that it allows them. The last
/// role has no policy.
fn add_many(world: &mut World, roles: usize, users: usize) -> (String, Vec<String>) {
    let key = reset_with_key(world, ACCOUNT);
    let policy = world.add_policy("team/Sessions", document(&[allows_kms()]));
    let mut principals = Vec::new();
    for number in 0..roles {
        let role = world.add_role(&format!("no<d>&es/Web-{number}"));
        world.simulates(&role, "*", "*", SimulatedAnswer::default());
        if number + 1 < roles {
            world.attach_policy(&role, &policy);
            world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Sessions"));
        }
        principals.push(role);
    }
    world.attach_policy("Ops", &policy);
    for number in 0..users {
        let user = world.add_user(&format!("user-{number}"));
        world.join_group("Ops", &user);
        world.simulates(&user, "*", "*", SimulatedAnswer::allowed("Sessions"));
        principals.push(user);
    }
    (key, principals)
}

#[tokio::test]
async fn the_list_takes_one_call_a_page_and_the_simulator_one_a_principal() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| add_many(world, 300, 50));
    let asked = Asked { stub: &stub, key: &key, principals: &principals, memory: None };
    let simulated = asked.assess(false).await;
    assert_eq!(calls(&stub), [0, 350, 0]);
    stub.forget_calls();
    let listed = asked.assess(true).await;
    // All of it is on one page: 300 roles, 50 users, one group and one policy.
    assert_eq!(calls(&stub), [1, 0, 0]);
    assert_eq!(stub.calls_of("DescribeOrganization").len(), 1);
    assert_eq!(verdicts(&listed), verdicts(&simulated));
    assert_eq!(listed.access.iter().filter(|access| access.verdict == Verdict::Fail).count(), 1);
    // Pages may be shorter than what was asked for.
    stub.world(|world| world.page_size = Some(100));
    stub.forget_calls();
    let by_pages = asked.assess(true).await;
    assert_eq!(calls(&stub), [4, 0, 0]);
    assert_eq!(by_pages, listed);
    let body = &stub.calls_of("GetAccountAuthorizationDetails")[1].body;
    assert_eq!((&body["MaxItems"], &body["Marker"]), (&json!("1000"), &json!("page-100")));
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn few_principals_are_simulated() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| add_many(world, MANY, 0));
    let few = &principals[1..];
    Asked { stub: &stub, key: &key, principals: few, memory: None }.assess(true).await;
    assert_eq!(calls(&stub), [0, few.len(), 0]);
    stub.forget_calls();
    Asked { stub: &stub, key: &key, principals: &principals, memory: None }.assess(true).await;
    assert_eq!(calls(&stub), [1, 0, 0]);
}

#[tokio::test]
async fn in_an_organization_an_allow_is_unknown_and_a_refusal_stays_one() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| {
        world.organization = None;
        let built = add_many(world, MANY, 1);
        world.organization = Some("o-a1b2c3d4e5".to_owned());
        built
    });
    let asked = Asked { stub: &stub, key: &key, principals: &principals, memory: None };
    let assessment = asked.assess(true).await;
    let refused = &principals[MANY - 1];
    for access in &assessment.access {
        let expected = if access.principal.as_str() == refused { Verdict::Fail } else { Verdict::Unknown };
        assert_eq!(access.verdict, expected, "{access:?}");
        let says = access.own_side.contains("a control policy of the organization")
            && access.own_side.contains("o-a1b2c3d4e5");
        assert_eq!(says, expected == Verdict::Unknown, "{}", access.own_side);
    }
    // If it is not known whether there is an organization, that is no pass either.
    let action = "organizations:DescribeOrganization";
    stub.fault(When::operation("organizations", "DescribeOrganization"), Fault::AccessDenied { action });
    let assessment = asked.assess(true).await;
    assert_eq!(verdicts(&assessment).values().filter(|verdict| **verdict == Verdict::Pass).count(), 0);
}

#[tokio::test]
async fn if_the_list_is_denied_the_simulator_is_asked_and_the_report_says_so() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| add_many(world, MANY, 0));
    let action = "iam:GetAccountAuthorizationDetails";
    stub.fault(When::operation("iam", "GetAccountAuthorizationDetails"), Fault::AccessDenied { action });
    let memory = FleetMemory::default();
    let asked = Asked { stub: &stub, key: &key, principals: &principals, memory: Some(&memory) };
    let first = asked.assess(true).await;
    assert_eq!(calls(&stub), [1, MANY, 0]);
    let says = |finding: &&Finding| {
        finding.check == Check::Identities
            && finding.verdict == Verdict::Warning
            && finding.subject == ACCOUNT
    };
    let finding = first.findings.iter().find(says).expect("a finding says it");
    assert!(finding.evidence.contains(action), "{}", finding.evidence);
    // In one run it is not asked for again.
    let second = asked.assess(true).await;
    assert_eq!(calls(&stub), [1, 2 * MANY, 0]);
    assert_eq!(second, first);
    stub.clear_faults();
    let simulated = asked.assess(false).await;
    assert_eq!(verdicts(&simulated), verdicts(&first));
}

#[tokio::test]
async fn a_principal_whose_policies_the_list_lacks_is_simulated() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| {
        let (key, principals) = add_many(world, MANY, 0);
        world.attach_policy(&principals[0], &arn("policy/made-a-moment-ago"));
        world.put_policy(
            &principals[1],
            "Odd",
            json!({"Statement": [{"Effect": "Allow", "Action": "kms:*"}, 7]}),
        );
        (key, principals)
    });
    let asked = Asked { stub: &stub, key: &key, principals: &principals, memory: None };
    asked.assess(true).await;
    let simulated: Vec<_> = stub
        .calls_of("SimulatePrincipalPolicy")
        .into_iter()
        .map(|call| call.body["PolicySourceArn"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(simulated, principals[..2]);
}

#[tokio::test]
async fn the_tags_of_the_list_count_and_are_not_read_again() {
    let stub = Stub::start().await;
    let (key, principals) = stub.world(|world| {
        let (key, principals) = add_many(world, MANY, 1);
        let team = json!({"StringEquals": {"aws:PrincipalTag/team": "web"}});
        let mut statement = allow(json!({"AWS": arn("root")}), Value::Null);
        statement["Condition"] = team;
        world.key(&key).policy = document(&[statement]).to_string();
        for principal in &principals[1..] {
            world.tag(principal, "team", "web");
        }
        (key, principals)
    });
    let asked = Asked { stub: &stub, key: &key, principals: &principals, memory: None };
    let assessment = asked.assess(true).await;
    assert_eq!(calls(&stub), [1, 0, 0]);
    assert_eq!(stub.calls_of("GetUser").len(), 0);
    let verdicts = verdicts(&assessment);
    assert_eq!(verdicts[principals[0].as_str()], Verdict::Fail);
    assert_eq!(verdicts[principals[1].as_str()], Verdict::Pass);
    assert_eq!(verdicts[principals[MANY].as_str()], Verdict::Pass);
}

/// The policies of a generated principal.
#[derive(Clone, Debug)]
struct Generated {
    is_user: bool,
    inline: Vec<Value>,
    attached: Vec<usize>,
    groups: Vec<usize>,
    boundary: Option<usize>,
    tag: Option<&'static str>,
}

/// A generated account.
#[derive(Clone, Debug)]
struct Account {
    key_policy: Vec<Value>,
    managed: Vec<Value>,
    /// The inline policy and the managed policies of each group.
    groups: Vec<(Value, Vec<usize>)>,
    principals: Vec<Generated>,
}

const MANAGED: usize = 6;
const GROUPS: usize = 3;

/// A statement of an identity policy. Without `unknown` every condition is about what is known.
fn statement(unknown: bool) -> impl Strategy<Value = Value> {
    let effect = prop_oneof![4 => Just("Allow"), 1 => Just("Deny")];
    let action = select(vec![
        json!({"Action": "kms:*"}),
        json!({"Action": ["kms:Decrypt"]}),
        json!({"Action": ["s3:GetObject", "kms:Generate*"]}),
        json!({"Action": "*"}),
        json!({"Action": ["kms:Encrypt", "ec2:*"]}),
        json!({"NotAction": "kms:*"}),
        json!({"NotAction": ["iam:*", "kms:Decrypt"]}),
    ]);
    let resource = select(vec![
        json!({"Resource": "*"}),
        json!({"Resource": "arn:aws:kms:*:*:key/*"}),
        json!({"Resource": ["arn:aws:s3:::bucket/*", format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/33333333*")]}),
        json!({"Resource": format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/*")}),
        json!({"NotResource": "arn:aws:kms:*:*:key/33333333-*"}),
        json!({"NotResource": "arn:aws:s3:::*"}),
    ]);
    let mut conditions = vec![
        Value::Null,
        Value::Null,
        Value::Null,
        json!({"StringEquals": {"aws:RequestedRegion": REGION}}),
        json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-3"]}}),
        json!({"StringEquals": {"kms:ViaService": format!("ssm.{REGION}.amazonaws.com")}}),
        json!({"StringEquals": {"aws:PrincipalTag/team": "web"}}),
        json!({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:username}"}}),
        json!({"Null": {"aws:PrincipalOrgID": "true"}}),
    ];
    if unknown {
        conditions.extend([
            json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
            json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
            json!({"StringEquals": {"aws:SourceVpce": "vpce-2"}}),
        ]);
    }
    (effect, action, resource, select(conditions)).prop_map(|(effect, action, resource, condition)| {
        let mut statement = json!({"Effect": effect});
        for part in [action, resource] {
            statement.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    })
}

fn policy(unknown: bool) -> impl Strategy<Value = Value> {
    vec(statement(unknown), 1..3).prop_map(|statements| document(&statements))
}

fn some(of: usize) -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..of).collect::<Vec<_>>(), 0..=2)
}

fn principal(unknown: bool) -> impl Strategy<Value = Generated> {
    let boundary = prop_oneof![2 => Just(None), 1 => (0..MANAGED).prop_map(Some)];
    let tag = select(vec![None, Some("web"), Some("db")]);
    let parts = (any::<bool>(), vec(policy(unknown), 0..2), some(MANAGED), some(GROUPS), boundary, tag);
    parts.prop_map(|(is_user, inline, attached, groups, boundary, tag)| Generated {
        is_user,
        inline,
        attached,
        groups: if is_user { groups } else { Vec::new() },
        boundary,
        tag,
    })
}

fn account(unknown: bool) -> impl Strategy<Value = Account> {
    let root = allow(json!({"AWS": arn("root")}), Value::Null);
    let named = allow(
        json!({"AWS": [arn("role/p-0"), arn("role/p-1"), arn("user/p-2"), arn("user/p-3")]}),
        Value::Null,
    );
    let mut from = root.clone();
    from["Condition"] = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}});
    let mut keys = vec![vec![root.clone()], vec![root, named.clone()], vec![named]];
    if unknown {
        keys.push(vec![from]);
    }
    let groups = vec((policy(unknown), some(MANAGED)), GROUPS);
    let parts =
        (select(keys), vec(policy(unknown), MANAGED), groups, vec(principal(unknown), MANY..MANY + 20));
    parts.prop_map(|(key_policy, managed, groups, principals)| Account {
        key_policy,
        managed,
        groups,
        principals,
    })
}

impl Account {
    /// Builds the account: the ARNs of the key and of the principals.
    fn build(&self, world: &mut World) -> (String, Vec<String>) {
        let key = reset_with_key(world, ACCOUNT);
        world.key(&key).policy = document(&self.key_policy).to_string();
        let managed: Vec<_> = self
            .managed
            .iter()
            .enumerate()
            .map(|(number, document)| match number % 2 {
                0 => world.add_policy(&format!("Managed-{number}"), document.clone()),
                _ => world.add_aws_policy(&format!("job-function/Managed-{number}"), document.clone()),
            })
            .collect();
        for (number, (inline, attached)) in self.groups.iter().enumerate() {
            let group = format!("group-{number}");
            world.put_policy(&group, "Inline", inline.clone());
            attached.iter().for_each(|policy| world.attach_policy(&group, &managed[*policy]));
        }
        let mut arns = Vec::new();
        for (number, principal) in self.principals.iter().enumerate() {
            let name = format!("p-{number}");
            let arn = if principal.is_user { world.add_user(&name) } else { world.add_role(&name) };
            for (number, inline) in principal.inline.iter().enumerate() {
                world.put_policy(&arn, &format!("Inline-{number}"), inline.clone());
            }
            principal.attached.iter().for_each(|policy| world.attach_policy(&arn, &managed[*policy]));
            principal.groups.iter().for_each(|group| world.join_group(&format!("group-{group}"), &arn));
            if let Some(boundary) = principal.boundary {
                world.set_boundary(&arn, &managed[boundary]);
            }
            if let Some(team) = principal.tag {
                world.tag(&arn, "team", team);
            }
            arns.push(arn);
        }
        (key, arns)
    }

    /// The identity policies and the boundary of a principal, straight from the generated account.
    fn own(&self, principal: &Generated) -> (Vec<Policy>, Option<Policy>) {
        let mut documents: Vec<&Value> = principal.inline.iter().collect();
        documents.extend(principal.attached.iter().map(|policy| &self.managed[*policy]));
        for group in &principal.groups {
            let (inline, attached) = &self.groups[*group];
            documents.push(inline);
            documents.extend(attached.iter().map(|policy| &self.managed[*policy]));
        }
        let parse = |kind, document: &Value| Policy::parse(kind, &document.to_string()).unwrap();
        let boundary = principal.boundary.map(|policy| parse(PolicyKind::Boundary, &self.managed[policy]));
        (documents.into_iter().map(|document| parse(PolicyKind::Identity, document)).collect(), boundary)
    }

    fn rules(&self, described: &KeyDescription, arn: &PrincipalArn, principal: &Generated) -> KeyRules {
        let mut facts = KeyFacts::from(described);
        facts.organization = Some(Organization { account: ACCOUNT.to_owned(), id: None });
        let tags = principal.tag.iter().map(|team| ("team".to_owned(), (*team).to_owned())).collect();
        facts.principal_tags = [((arn.clone(), side(principal)), Tags(tags))].into();
        KeyRules::new(described.arn.clone(), facts, &document(&self.key_policy).to_string(), "[]").unwrap()
    }
}

fn side(principal: &Generated) -> CallerKind {
    if principal.is_user { CallerKind::User } else { CallerKind::Node }
}

/// What the evaluator says of all policies together.
fn expected(rules: &KeyRules, arn: &PrincipalArn, side: CallerKind, own: OwnLayers<'_>) -> Verdict {
    match rules.evaluate_with(arn, side, own).unwrap() {
        KeyVerdict::Allows { .. } => Verdict::Pass,
        KeyVerdict::Depends { .. } => Verdict::Unknown,
        KeyVerdict::ExplicitDeny { .. } | KeyVerdict::ImplicitDeny { .. } => Verdict::Fail,
    }
}

/// The simulator's answer about a principal, if every condition key is known.
#[expect(clippy::panic, reason = "a test that panics has failed")]
fn simulated(rules: &KeyRules, arn: &PrincipalArn, side: CallerKind, own: OwnLayers<'_>) -> SimulatedAnswer {
    let decide = |own| match rules.evaluate_own(arn, side, own).unwrap() {
        KeyVerdict::Allows { .. } => SimulatedDecision::Allowed,
        KeyVerdict::ImplicitDeny { .. } => SimulatedDecision::ImplicitDeny,
        KeyVerdict::ExplicitDeny { .. } => SimulatedDecision::ExplicitDeny,
        KeyVerdict::Depends { on, .. } => panic!("{on} is not known"),
    };
    let all = Policy::parse(
        PolicyKind::Identity,
        &document(&[json!({"Effect": "Allow", "Action": "*", "Resource": "*"})]).to_string(),
    );
    let all = [all.unwrap()];
    let limits =
        own.boundary.map(|boundary| decide(OwnLayers { boundary: Some(boundary), ..OwnLayers::of(&all) }));
    let decision = match (decide(OwnLayers { boundary: None, ..own }), limits) {
        (_, Some(SimulatedDecision::ExplicitDeny)) => SimulatedDecision::ExplicitDeny,
        (decision, _) => decision,
    };
    let boundary = limits.map(|limits| limits == SimulatedDecision::Allowed);
    SimulatedAnswer { decision, boundary, ..SimulatedAnswer::default() }
}

/// Generated accounts, each with more than a hundred principals.
fn accounts(unknown: bool, count: usize) -> Vec<Account> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| account(unknown).new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test]
async fn the_verdicts_by_the_list_are_those_of_the_evaluator() {
    let mut seen: BTreeMap<Verdict, usize> = BTreeMap::new();
    for account in accounts(true, 8) {
        let stub = Stub::start().await;
        let (key, arns) = stub.world(|world| account.build(world));
        stub.world(|world| world.page_size = Some(50));
        let described = function(&stub).ports.describe(&key).await.unwrap().unwrap();
        let asked = Asked { stub: &stub, key: &key, principals: &arns, memory: None };
        let assessment = asked.assess(true).await;
        assert_eq!(stub.calls_of("SimulatePrincipalPolicy").len(), 0);
        let found = verdicts(&assessment);
        for (arn, principal) in parsed(&arns).iter().zip(&account.principals) {
            let (identity, boundary) = account.own(principal);
            let own = OwnLayers { boundary: boundary.as_ref(), ..OwnLayers::of(&identity) };
            let rules = account.rules(&described, arn, principal);
            let expected = expected(&rules, arn, side(principal), own);
            assert_eq!(found[arn.as_str()], expected, "{arn} {principal:?} in {account:?}");
            *seen.entry(expected).or_default() += 1;
        }
    }
    assert!(seen.len() == 3 && seen.values().all(|count| *count >= 50), "{seen:?}");
}

#[tokio::test]
async fn the_list_and_the_simulator_lead_to_the_same_verdicts() {
    let mut seen: BTreeMap<Verdict, usize> = BTreeMap::new();
    for account in accounts(false, 4) {
        let stub = Stub::start().await;
        let (key, arns) = stub.world(|world| account.build(world));
        let described = function(&stub).ports.describe(&key).await.unwrap().unwrap();
        for (arn, principal) in parsed(&arns).iter().zip(&account.principals) {
            let (identity, boundary) = account.own(principal);
            let own = OwnLayers { boundary: boundary.as_ref(), ..OwnLayers::of(&identity) };
            let answer = simulated(&account.rules(&described, arn, principal), arn, side(principal), own);
            stub.world(|world| world.simulates(arn.as_str(), "*", "*", answer));
        }
        let asked = Asked { stub: &stub, key: &key, principals: &arns, memory: None };
        let (by_list, by_simulator) = (asked.assess(true).await, asked.assess(false).await);
        assert_eq!(calls(&stub)[0], 1);
        assert_eq!(verdicts(&by_list), verdicts(&by_simulator), "{account:?}");
        for verdict in verdicts(&by_list).into_values() {
            *seen.entry(verdict).or_default() += 1;
        }
    }
    assert!(seen[&Verdict::Pass] >= 50 && seen[&Verdict::Fail] >= 50, "{seen:?}");
}
