//! Who uses the key in the flows whose preflight is on: one node, and one user who has had a session.

use serde_json::{Value, json};

use super::super::flow::K1;
use crate::stub::{ACCOUNT, Location, REGION, SimulatedAnswer, World};

/// The account of [`FOREIGN`].
const OWNER: &str = "210987654321";
/// A key of another account, whose policy a role there may read.
pub const FOREIGN: &str = "arn:aws:kms:eu-west-1:210987654321:key/44444444-4444-4444-8444-444444444444";
const READER: &str = "arn:aws:iam::210987654321:role/readers/Reader";

/// A node and a user, who can use every key.
pub fn able(world: &mut World) {
    let role = add(world);
    world.simulates(&role, "*", "*", SimulatedAnswer::allowed("Kms"));
}

/// A node that cannot use a key, and a user who can.
pub fn locked_out(world: &mut World) {
    let _ = add(world);
}

/// Returns the node's role, about which the simulator has not been told anything.
fn add(world: &mut World) -> String {
    let role = world.add_role("team/Web");
    let profile = world.add_instance_profile("web/Profile", Some(&role));
    world.add_node("i-1", "3.3.808.0");
    world.associate("i-1", &profile);
    let user = world.add_user("ann");
    world.simulates(&user, "*", "*", SimulatedAnswer::allowed("Kms"));
    world.add_session("s-1", &user, 4_000_000_000.0);
    role
}

/// The same with the key of another account.
pub fn with_foreign_key(world: &mut World) {
    able(world);
    let key = world.add_key_at(&Location::new(OWNER, REGION), FOREIGN.rsplit('/').next().unwrap());
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    world.key(&key).policy = policy(&root).to_string();
    for action in ["kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"] {
        world.key(&key).allow(ACCOUNT, action);
    }
    let reader = world.add_role_in(OWNER, "readers/Reader");
    let role = world.role(&reader);
    role.trusted = vec![format!("arn:aws:iam::{ACCOUNT}:role/session-kms")];
    role.external_id = Some(super::super::stage::EXTERNAL_ID.to_owned());
}

/// The key's policy admits nobody who uses it any more.
pub fn lock_out(world: &mut World) {
    world.key(K1).policy = policy(&format!("arn:aws:iam::{ACCOUNT}:role/Admin")).to_string();
}

fn policy(principal: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*",
    }]})
}

/// Properties: this key, for whoever is discovered.
pub fn discovered(key: &str, mode: &str) -> Value {
    json!({"KmsKeyId": key, "Preflight": mode})
}

/// Properties: the key of another account, whose policy is read through the reader.
pub fn through_reader() -> Value {
    json!({
        "KmsKeyId": FOREIGN,
        "KeyPolicyReaderRoleArn": READER,
        "KeyPolicyReaderExternalId": super::super::stage::EXTERNAL_ID,
    })
}
