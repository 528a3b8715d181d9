//! The decision table: key policy, grants, own side, how the key's side is read, caller and mode. Each row runs through
//! the function and is compared with the oracle.

use serde_json::{Value, json};

use super::grants_and_own_sides::{GRANTS, GrantsCase, OWN_SIDES, OwnSideCase};
use super::key_policies::{CALLERS, Caller, KEY_POLICIES, KeyPolicyCase};
use super::oracle::{GrantSide, KeySide, Situation, Truth};
use super::{
    BEFORE, OTHER, admit_function, create, function, key_in_document, properties_naming, reset_with_key,
};
use crate::stub::{ACCOUNT, Fault, Stub, When};

/// How the function learns the key policy and the grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The key is of the own account, and the function reads both.
    OwnSide,
    OwnWithoutPolicy,
    OwnWithoutGrants,
    /// The key is another account's, and the function reads both through a role there.
    Reader,
    /// That role cannot be assumed, and the property KeyPolicy holds the policy.
    ReaderLost,
    /// The property KeyPolicy holds the policy. The key admits the account to list the grants.
    HandedIn,
    /// Neither the policy nor the grants are known.
    Neither,
}

impl Reading {
    fn is_own(self) -> bool {
        matches!(self, Self::OwnSide | Self::OwnWithoutPolicy | Self::OwnWithoutGrants)
    }

    fn has_policy(self) -> bool {
        !matches!(self, Self::OwnWithoutPolicy | Self::Neither)
    }

    fn has_grants(self) -> bool {
        matches!(self, Self::OwnSide | Self::OwnWithoutPolicy | Self::Reader | Self::HandedIn)
    }
}

#[derive(Clone, Copy)]
struct Row {
    caller: Caller,
    policy: &'static KeyPolicyCase,
    grants: &'static GrantsCase,
    own: &'static OwnSideCase,
    reading: Reading,
}

impl Row {
    fn name(&self) -> String {
        let Self { caller, policy, grants, own, reading } = self;
        format!("{caller:?}, {reading:?}: the policy {}, {}, {}", policy.0, grants.0, own.0)
    }

    fn truth(&self) -> Truth {
        let mut key = (self.policy.2)(self.caller);
        let mut grant = (self.grants.2)(self.caller);
        if !self.reading.has_policy() {
            key = vec![KeySide::Named, KeySide::Account, KeySide::Silent, KeySide::Denied];
        }
        if !self.reading.has_grants() {
            grant = vec![GrantSide::Nothing, GrantSide::Unseen];
        }
        let (is_user, own) = (self.caller == Caller::User, self.own.2.to_vec());
        Situation { is_user, same_account: self.reading.is_own(), key, grant, own }.truth()
    }

    /// Whether AWS does not document what is true: whether a boundary limits a grant, or an Allow to everybody.
    fn is_open(&self) -> bool {
        let grants = (self.grants.2)(self.caller) != [GrantSide::Nothing] || !self.reading.has_grants();
        let by_wildcard = self.policy.0.starts_with("admits");
        self.own.0.starts_with("bounded") && (grants || by_wildcard)
    }

    /// Sets the world up, and returns the properties of the resource.
    fn set(&self, stub: &Stub, mode: &str) -> Value {
        stub.clear_faults();
        let caller = self.caller.arn();
        let policy = json!({"Version": "2012-10-17", "Statement": (self.policy.1)(self.caller)});
        let account = if self.reading.is_own() { ACCOUNT } else { OTHER };
        let mut properties = stub.world(|world| {
            let key = reset_with_key(world, account);
            world.key(&key).policy = policy.to_string();
            world.key(&key).grants = (self.grants.1)(self.caller);
            // The row is not about the function's own role, so its dry runs succeed.
            admit_function(world, &key);
            if self.reading == Reading::HandedIn {
                world.key(&key).allow(ACCOUNT, "kms:ListGrants");
            }
            match self.caller {
                Caller::NodeRole => world.add_role("team/Node"),
                Caller::UserRole => world.add_role("Ops"),
                Caller::User => world.add_user("ann"),
            };
            // The condition keys that the policies ask for and that one read answers.
            world.organization = Some("o-1".to_owned());
            world.tag(&caller, "Team", "ops");
            world.key(&key).tags = vec![("stage".to_owned(), "prod".to_owned())];
            world.add_alias("alias/session-1", &key);
            if let Some(answer) = (self.own.1)() {
                world.simulates(&caller, self.caller.action(), &key, answer);
            }
            match self.caller.is_node() {
                true => properties_naming(&key, &[], &[&caller], mode),
                false => properties_naming(&key, &[&caller], &[], mode),
            }
        });
        let denied = |service, operation, action| {
            stub.fault(When::operation(service, operation), Fault::AccessDenied { action });
        };
        if (self.own.1)().is_none() {
            denied("iam", "SimulatePrincipalPolicy", "iam:SimulatePrincipalPolicy");
        }
        match self.reading {
            Reading::OwnSide | Reading::Neither => {}
            Reading::OwnWithoutPolicy => denied("kms", "GetKeyPolicy", "kms:GetKeyPolicy"),
            Reading::OwnWithoutGrants => denied("kms", "ListGrants", "kms:ListGrants"),
            Reading::Reader | Reading::ReaderLost => {
                let reader = stub.world(|world| {
                    let reader = world.add_role_in(OTHER, "readers/Reader");
                    world.role(&reader).external_id = Some("word".to_owned());
                    if self.reading == Reading::Reader {
                        world.role(&reader).trusted = vec![ACCOUNT.to_owned()];
                    }
                    reader
                });
                properties["KeyPolicyReaderRoleArn"] = reader.into();
                properties["KeyPolicyReaderExternalId"] = "word".into();
            }
            Reading::HandedIn => {}
        }
        if matches!(self.reading, Reading::HandedIn | Reading::ReaderLost) {
            properties["KeyPolicy"] = policy.to_string().into();
        }
        properties
    }
}

/// Runs each row in the modes that tell its truth from the other two: a pass passes in Strict, a fail fails in Enforce,
/// and an unknown passes in Enforce and fails in Strict. Returns the number of runs.
async fn check(rows: Vec<Row>) -> usize {
    let stub = Stub::start().await;
    let mut function = function(&stub);
    let mut count = 0;
    let mut wrong = Vec::new();
    for row in rows.into_iter().filter(|row| !row.is_open()) {
        let truth = row.truth();
        let modes: &[&str] = match truth {
            Truth::Can => &["Strict"],
            Truth::Cannot => &["Enforce"],
            Truth::Unknown => &["Enforce", "Strict"],
        };
        for &mode in modes {
            let properties = row.set(&stub, mode);
            stub.forget_calls();
            if row.reading == Reading::Reader {
                // A function remembers the credentials of the role that it assumed, and the last row took the role away.
                function = super::function(&stub);
            }
            let answer = create(&stub, &function, &properties).await;
            count += 1;
            let key = properties["KmsKeyId"].as_str().unwrap();
            let refused = truth.refuses(mode);
            let right = if refused {
                let untouched = stub.writes().is_empty() && key_in_document(&stub).as_deref() == Some(BEFORE);
                !answer.success && untouched && answer.reason.contains(&row.caller.arn())
            } else {
                answer.success && key_in_document(&stub).as_deref() == Some(key)
            };
            if !right {
                let said = if answer.success { answer.data["Findings"].to_string() } else { answer.reason };
                wrong.push(format!("{mode}, {}: it is {truth:?}, and the function says: {said}", row.name()));
            }
        }
    }
    assert_eq!(stub.violations(), Vec::<String>::new());
    assert!(wrong.is_empty(), "{} of {count} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    count
}

/// Every combination of the three lists. The callers take turns.
fn crossed(
    policies: &'static [KeyPolicyCase],
    grants: &'static [GrantsCase],
    owns: &'static [OwnSideCase],
    reading: Reading,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for own in owns {
        for grants in grants {
            for policy in policies {
                let caller = CALLERS[rows.len() % CALLERS.len()];
                rows.push(Row { caller, policy, grants, own, reading });
            }
        }
    }
    rows
}

#[tokio::test]
async fn every_key_policy_for_every_caller() {
    let mut rows = Vec::new();
    for policy in KEY_POLICIES {
        for caller in CALLERS {
            for own in &OWN_SIDES[..2] {
                rows.push(Row { caller, policy, grants: &GRANTS[0], own, reading: Reading::OwnSide });
            }
        }
    }
    let count = check(rows).await;
    assert!(count > 200, "{count} rows");
}

/// Picks one row in `share`, scattered so that the choice does not follow the length of a list.
fn one_in(share: usize, rows: Vec<Row>) -> Vec<Row> {
    let scattered = |at: usize| (at.wrapping_mul(2_654_435_761) >> 16).is_multiple_of(share);
    rows.into_iter().enumerate().filter(|(at, _)| scattered(*at)).map(|(_, row)| row).collect()
}

#[tokio::test]
async fn every_own_side_with_every_grant() {
    // The policies that delegate, name the caller, name another, and admit everybody.
    let count = check(one_in(2, crossed(&KEY_POLICIES[..4], GRANTS, OWN_SIDES, Reading::OwnSide))).await;
    assert!(count > 150, "{count} rows");
}

#[tokio::test]
async fn policies_and_grants_that_cannot_be_read_in_the_own_account() {
    let few = &OWN_SIDES[..3];
    let mut rows = one_in(2, crossed(KEY_POLICIES, &GRANTS[..1], few, Reading::OwnWithoutGrants));
    rows.extend(one_in(4, crossed(&KEY_POLICIES[..4], GRANTS, OWN_SIDES, Reading::OwnWithoutPolicy)));
    let count = check(rows).await;
    assert!(count > 100, "{count} rows");
}

#[tokio::test]
async fn a_foreign_key_in_each_way_of_reading_its_side() {
    let mut rows = one_in(2, crossed(KEY_POLICIES, &GRANTS[..2], &OWN_SIDES[..3], Reading::Reader));
    for reading in [Reading::HandedIn, Reading::ReaderLost, Reading::Neither] {
        rows.extend(one_in(2, crossed(&KEY_POLICIES[..4], GRANTS, &OWN_SIDES[..4], reading)));
    }
    let count = check(rows).await;
    assert!(count > 200, "{count} rows");
}
