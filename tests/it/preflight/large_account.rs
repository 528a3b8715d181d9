//! An account with 20,000 nodes behind 300 roles, 5,000 sessions and a key policy of 32 KB. The number of calls grows
//! with the pages and the distinct roles, and the calls run concurrently under a limit.

use serde_json::{Value, json};

use super::{AGENT, allow, arn, create, key_in_document, reset_with_key, trying_function};
use crate::fixture::{PATIENCE, handle, resource};
use crate::stub::{ACCOUNT, Fault, SimulatedAnswer, Stop, Stub, When, World};

/// How large an account is.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Nodes with an instance profile, and how many profiles there are, each with a role of its own.
    instances: usize,
    profiles: usize,
    /// Nodes by hybrid activation, and how many roles they have.
    hybrids: usize,
    hybrid_roles: usize,
    /// Instances without a profile, behind the role of Default Host Management.
    hosts: usize,
    /// The VPCs of the instances, each with an endpoint for KMS.
    vpcs: usize,
    sessions: usize,
    user_roles: usize,
    users: usize,
}

const LARGE: Size = Size {
    instances: 18_000,
    profiles: 280,
    hybrids: 1_000,
    hybrid_roles: 19,
    hosts: 1_000,
    vpcs: 50,
    sessions: 5_000,
    user_roles: 40,
    users: 10,
};

const SMALL: Size = Size {
    instances: 60,
    profiles: 20,
    hybrids: 10,
    hybrid_roles: 4,
    hosts: 2,
    vpcs: 3,
    sessions: 30,
    user_roles: 6,
    users: 2,
};

impl Size {
    fn nodes(&self) -> usize {
        self.instances + self.hybrids + self.hosts
    }

    fn node_roles(&self) -> usize {
        self.profiles + self.hybrid_roles + 1
    }

    fn registrations(&self) -> usize {
        self.profiles
    }

    fn own_sides(&self) -> usize {
        self.node_roles() + self.user_roles + self.users
    }

    /// The calls of the preflight: one a page, and one a distinct role.
    fn calls(&self) -> [(&'static str, usize); 17] {
        [
            // Pages have the largest size that AWS gives. Active sessions are one page more.
            ("DescribeInstanceInformation", self.nodes().div_ceil(50)),
            ("DescribeIamInstanceProfileAssociations", self.instances.div_ceil(1000)),
            ("DescribeSessions", 1 + self.sessions.div_ceil(200)),
            ("GetServiceSetting", 1),
            // The network is read by pages, whatever the number of VPCs.
            ("DescribeInstances", (self.instances + self.hosts).div_ceil(1000)),
            ("DescribeVpcEndpoints", 1),
            ("DescribeSecurityGroups", 1),
            ("DescribeSubnets", 1),
            ("DescribeRouteTables", self.vpcs.div_ceil(100)),
            ("DescribeNatGateways", 1),
            // Each distinct role is looked up once and simulated once. The roles of instance profiles are simulated twice,
            // because Default Host Management is on: may they register a node? The last lookup is the role of just-in-time
            // node access.
            ("GetInstanceProfile", self.profiles),
            ("GetRole", self.hybrid_roles + 1 + self.user_roles + 1),
            ("SimulatePrincipalPolicy", self.registrations() + self.own_sides()),
            // The key's side is read once.
            ("GetKeyPolicy", 1),
            ("ListGrants", 1),
            ("GenerateDataKey", 1),
            ("Decrypt", 1),
        ]
    }

    /// The number of calls before the first simulation of a principal's own side.
    fn calls_before_own_sides(&self) -> usize {
        self.calls().iter().map(|(_, calls)| calls).sum::<usize>() - self.own_sides()
    }

    fn build(&self, world: &mut World) -> String {
        let key = reset_with_key(world, ACCOUNT);
        world.key(&key).policy = policy_of(32 * 1024);
        for vpc in 0..self.vpcs {
            world.add_subnet(&format!("subnet-{vpc}"), &format!("vpc-{vpc}"));
            world.add_endpoint(&format!("vpce-{vpc}"), &format!("subnet-{vpc}"), "kms");
        }
        let mut principals = Vec::new();
        let mut id = 0;
        let mut next = || {
            id += 1;
            format!("{id:017x}")
        };
        for number in 0..self.profiles {
            let role = world.add_role(&format!("nodes/Web-{number}"));
            world.add_instance_profile(&format!("nodes/Profile-{number}"), Some(&role));
            principals.push(role);
        }
        for number in 0..self.instances {
            let id = format!("i-{}", next());
            world.add_node(&id, AGENT);
            world.associate(&id, &arn(&format!("instance-profile/nodes/Profile-{}", number % self.profiles)));
            world.add_instance(&id, &format!("subnet-{}", number % self.vpcs));
        }
        principals.extend((0..self.hybrid_roles).map(|number| world.add_role(&format!("Hybrid-{number}"))));
        for number in 0..self.hybrids {
            let role = format!("Hybrid-{}", number % self.hybrid_roles);
            world.add_node(&format!("mi-{}", next()), AGENT).iam_role = Some(role);
        }
        principals.push(world.add_role("service-role/Host"));
        world.set_default_host_role("service-role/Host");
        for number in 0..self.hosts {
            let id = format!("i-{}", next());
            world.add_node(&id, AGENT);
            world.add_instance(&id, &format!("subnet-{}", number % self.vpcs));
        }
        principals.extend((0..self.user_roles).map(|number| world.add_role(&format!("sso/Ops-{number}"))));
        principals.extend((0..self.users).map(|number| world.add_user(&format!("user-{number}"))));
        for number in 0..self.sessions {
            let owner = match number % (self.user_roles + self.users) {
                role if role < self.user_roles => {
                    format!("arn:aws:sts::{ACCOUNT}:assumed-role/Ops-{role}/jane-{number}")
                }
                user => arn(&format!("user/user-{}", user - self.user_roles)),
            };
            world.add_session(&format!("s-{number}"), &owner, 4_000_000_000.0);
        }
        for principal in &principals {
            world.simulates(principal, "*", "*", SimulatedAnswer::allowed("Kms"));
        }
        key
    }
}

/// Builds the large account, and returns the ARN of its key.
pub fn build_large(world: &mut World) -> String {
    LARGE.build(world)
}

/// A key policy of almost as many bytes as given. The delegation comes last.
fn policy_of(bytes: usize) -> String {
    let mut statements = Vec::new();
    loop {
        let number = statements.len();
        statements.push(json!({
            "Sid": format!("Allow use of the key by team {number}"),
            "Effect": "Allow",
            "Principal": {"AWS": [arn(&format!("role/team-{number}/App")), arn(&format!("role/team-{number}/Batch"))]},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": ["s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"]}},
        }));
        let delegation = allow(json!({"AWS": arn("root")}), Value::Null);
        let all: Vec<&Value> = statements.iter().chain([&delegation]).collect();
        let text = json!({"Version": "2012-10-17", "Statement": all}).to_string();
        if text.len() > bytes - 500 {
            assert!(text.len() <= bytes);
            return text;
        }
    }
}

fn assert_calls(stub: &Stub, size: &Size, retries: usize) {
    for (operation, calls) in size.calls() {
        assert_eq!(stub.calls_of(operation).len(), calls + retries, "{operation}");
    }
    // The other calls are about the key, the document and the record, whatever the size of the fleet.
    let of_preflight: usize = size.calls().iter().map(|(_, calls)| calls + retries).sum();
    assert!(stub.calls().len() - of_preflight <= 20, "{} calls", stub.calls().len());
}

#[tokio::test]
async fn calls_grow_with_pages_and_roles() {
    let stub = Stub::start().await;
    let key = stub.world(|world| LARGE.build(world));
    assert_eq!((LARGE.nodes(), LARGE.node_roles()), (20_000, 300));
    let properties = json!({"KmsKeyId": key, "Preflight": "Strict"});
    let answer = create(&stub, &trying_function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
    assert_calls(&stub, &LARGE, 0);
    assert_eq!(stub.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn throttled_calls_are_retried_and_succeed() {
    let stub = Stub::start().await;
    let key = stub.world(|world| SMALL.build(world));
    for (operation, _) in SMALL.calls() {
        for service in ["ssm", "ec2", "iam", "kms"] {
            stub.fault(When::operation(service, operation).first(3), Fault::Throttle);
        }
    }
    let properties = json!({"KmsKeyId": key, "Preflight": "Strict"});
    let answer = create(&stub, &trying_function(&stub), &properties).await;
    assert!(answer.success, "{}", answer.reason);
    assert_eq!(key_in_document(&stub), Some(key));
    assert_calls(&stub, &SMALL, 3);
}

/// Runs the preflight until its n-th call. That call and all after it are never answered. Returns how many calls are
/// then under way, after waiting for `at_least` of them.
async fn under_way(properties: impl Fn(&str) -> Value, n: usize, at_least: usize) -> usize {
    let stub = Stub::start().await;
    let key = stub.world(|world| SMALL.build(world));
    // Before the preflight the function describes the key, and reads the document and the record.
    let before = ["DescribeKey", "DescribeDocument", "GetParameter", "GetDocument"].len();
    stub.stop_at(before + n, Stop::Before);
    let function = trying_function(&stub);
    let request = resource("demo").create(&stub, &properties(&key));
    let run = handle(&function, &request.payload, PATIENCE);
    let arrived = async {
        stub.arrived(before + n - 1 + at_least).await;
        // Give the function time to send every call that it would send.
        for _ in 0..20_000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run => panic!("it ended without the answers"),
        () = arrived => {}
    }
    stub.calls().len() - (before + n - 1)
}

#[tokio::test]
async fn reads_run_concurrently_under_a_limit() {
    // The simulations come last, eight at a time, and beside them the four lists of the network. The security groups are
    // known by these.
    let all = |key: &str| json!({"KmsKeyId": key});
    let before = SMALL.calls_before_own_sides() - 4 - 1;
    assert_eq!(under_way(all, before + 1, 8 + 4).await, 8 + 4);
    // When the nodes have been listed, the instance profiles are looked up, eight at a time, and beside them the instances
    // and the roles that are known by name: those of four hybrid activations and of Default Host Management.
    let nodes = |key: &str| json!({"KmsKeyId": key, "DiscoverUsers": false});
    let lists = SMALL.nodes().div_ceil(50) + 1 + 1 + 4;
    assert_eq!(under_way(nodes, lists + 1, 8 + 4 + 1 + 1).await, 8 + 4 + 1 + 1);
    // The first nine: the key policy, the grants, two dry runs, three lists about nodes, one list of sessions, and the
    // role of just-in-time node access.
    assert_eq!(under_way(all, 1, 9).await, 9);
}
