use proptest::prelude::*;
use proptest::string::string_regex;

use super::*;
use crate::access::{KeyFacts, KeyRules, KeyVerdict, OwnLayers, identity_policy};
use crate::key::{KeyArn, example_arn};
use kms_key_policy::{Policy, PolicyKind};

const OWNER: &str = "111122223333";
const OTHER: &str = "222222222222";
const SIDES: [(CallerKind, CallerKind); 2] =
    [(CallerKind::User, CallerKind::Node), (CallerKind::Node, CallerKind::User)];

fn role(account: &str, path: &str, name: &str) -> PrincipalArn {
    PrincipalArn::parse(&format!("arn:aws:iam::{account}:{PATH}{path}{name}")).unwrap()
}

#[test]
fn the_permission_set_is_read_from_the_path_and_the_name() {
    for (arn, is_reserved, name) in [
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", true, Some("Ops")),
        (
            "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_Admin_0123456789abcdef",
            true,
            Some("Ops_Admin"),
        ),
        (
            "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_a.b@c=d,e+f-_0123456789abcdef",
            true,
            Some("a.b@c=d,e+f-"),
        ),
        // A name that ends like a suffix keeps it.
        (
            "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef_fedcba9876543210",
            true,
            Some("Ops_0123456789abcdef"),
        ),
        // It is Identity Center's, and the name is not certain.
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1", true, None),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdeg", true, None),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_00123456789abcdef", true, None),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_0123456789abcdef", true, None),
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO__0123456789abcdef", true, None),
        ("role/aws-reserved/sso.amazonaws.com/Other_Ops_0123456789abcdef", true, None),
        // Anybody may give a role such a name, but not the path.
        ("role/AWSReservedSSO_Ops_0123456789abcdef", false, None),
        ("role/team/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", false, None),
        ("role/aws-reserved/other.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", false, None),
        ("user/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", false, None),
    ] {
        let principal = PrincipalArn::parse(&format!("arn:aws:iam::{OWNER}:{arn}")).unwrap();
        assert_eq!(
            (principal.is_of_identity_center(), principal.permission_set_name()),
            (is_reserved, name),
            "{arn}"
        );
    }
}

#[test]
fn the_statements_are_ready_to_paste() {
    let principal = role(OWNER, "eu-west-1/", "AWSReservedSSO_Ops_Admin_0123456789abcdef");
    let set = PermissionSet::of(&principal).unwrap();
    let patterns = json!([
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_Admin_????????????????",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Ops_Admin_????????????????",
    ]);
    assert_eq!(
        set.sufficient_key_policy_statement(CallerKind::User),
        json!({
            "Sid": "AllowSessionManagerUsersOfOpsAdmin111122223333",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
            "Condition": {
                "StringEquals": { "kms:CallerAccount": "111122223333" },
                "ArnLike": { "aws:PrincipalArn": patterns }
            }
        })
    );
    assert_eq!(
        set.key_policy_statement(CallerKind::Node),
        json!({
            "Sid": "AllowSessionManagerNodesOfOpsAdmin111122223333",
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": { "ArnLike": { "aws:PrincipalArn": patterns } }
        })
    );
}

fn rules(key: &KeyArn, statement: &Value) -> KeyRules {
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    KeyRules::new(key.clone(), KeyFacts::default(), &policy.to_string(), "[]").unwrap()
}

/// Whether a role may make its call with this policy of the key and these of its own.
fn allows(rules: &KeyRules, role: &PrincipalArn, side: CallerKind, own: &[Policy]) -> bool {
    match rules.evaluate_with(role, side, OwnLayers::of(own)).unwrap() {
        KeyVerdict::Allows { .. } => true,
        KeyVerdict::ImplicitDeny { .. } => false,
        other => panic!("{role}: {other:?}"),
    }
}

/// Both paths of roles.
const PATHS: [&str; 2] = ["", "eu-central-1/"];

fn permission_set_names() -> impl Strategy<Value = String> {
    string_regex("[A-Za-z0-9_+=,.@-]{1,32}").unwrap()
}

fn suffixes() -> impl Strategy<Value = String> {
    string_regex("[0-9a-f]{16}").unwrap()
}

proptest! {
    #[test]
    fn the_statements_admit_the_permission_set_s_roles_and_nobody_else(
        name in permission_set_names(),
        more in permission_set_names(),
        (before, after) in (suffixes(), suffixes()),
        account in prop_oneof![Just(OWNER), Just(OTHER)],
    ) {
        let key = example_arn();
        let found = role(account, "", &format!("{PREFIX}{name}_{before}"));
        let set = PermissionSet::of(&found).unwrap();
        prop_assert_eq!(set.name(), name.as_str());
        let is_own_key = account == key.location().account;
        let another_account = if account == OWNER { OTHER } else { OWNER };
        for (side, other_side) in SIDES {
            let delegating = rules(&key, &set.key_policy_statement(side));
            let sufficient = rules(&key, &set.sufficient_key_policy_statement(side));
            prop_assert_eq!(delegating.warnings().chain(sufficient.warnings()).count(), 0);
            let own = [Policy::parse(PolicyKind::Identity, &identity_policy(side, &key).to_string()).unwrap()];
            for path in PATHS {
                // The role that was found, and what Identity Center makes of it later.
                for suffix in [&before, &after] {
                    let again = role(account, path, &format!("{PREFIX}{name}_{suffix}"));
                    prop_assert!(allows(&delegating, &again, side, &own), "{again}");
                    prop_assert!(!allows(&delegating, &again, side, &[]), "{again} needs an Allow of its own");
                    prop_assert!(!allows(&delegating, &again, other_side, &own), "{again}");
                    prop_assert_eq!(allows(&sufficient, &again, side, &[]), is_own_key, "{}", again);
                    prop_assert!(!allows(&sufficient, &again, other_side, &[]), "{again}");
                }
                let strangers = [
                    // Other permission sets, whose names begin or end the same.
                    role(account, path, &format!("{PREFIX}{name}{more}_{before}")),
                    role(account, path, &format!("{PREFIX}{name}_{more}_{before}")),
                    role(account, path, &format!("{PREFIX}{more}_{name}_{before}")),
                    role(another_account, path, &format!("{PREFIX}{name}_{before}")),
                    PrincipalArn::parse(&format!("arn:aws:iam::{account}:role/{PREFIX}{name}_{before}")).unwrap(),
                    PrincipalArn::parse(&format!("arn:aws:iam::{account}:role/App")).unwrap(),
                    PrincipalArn::parse(&format!("arn:aws:iam::{account}:user/{name}")).unwrap(),
                ];
                for stranger in strangers {
                    prop_assert!(!allows(&delegating, &stranger, side, &own), "{stranger}");
                    prop_assert!(!allows(&sufficient, &stranger, side, &own), "{stranger}");
                }
            }
        }
    }
}
