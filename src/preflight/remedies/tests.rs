use serde_json::json;

use super::*;
use crate::access::{KeyFacts, KeyRules, KeyVerdict, OwnLayers};
use crate::key::example_arn;
use kms_key_policy::{Policy, PolicyKind};

const OWNER: &str = "111122223333";
const OTHER: &str = "222222222222";

fn role(account: &str, path_and_name: &str) -> PrincipalArn {
    PrincipalArn::parse(&format!("arn:aws:iam::{account}:role/{path_and_name}")).unwrap()
}

fn sso(account: &str, name: &str, suffix: &str) -> PrincipalArn {
    role(account, &format!("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_{name}_{suffix}"))
}

fn remedies(refused: &[&PrincipalArn], lacking: &[&PrincipalArn]) -> Remedies {
    let as_users = |list: &[&PrincipalArn]| {
        let users: Vec<PrincipalArn> = list.iter().map(|principal| (*principal).clone()).collect();
        users
    };
    let (refused, lacking) = (as_users(refused), as_users(lacking));
    let mut remedies = Remedies::default();
    remedies.admit(
        &example_arn(),
        &refused.iter().map(|principal| (principal, CallerKind::User)).collect::<Vec<_>>(),
        &lacking.iter().map(|principal| (principal, CallerKind::User)).collect::<Vec<_>>(),
    );
    remedies
}

#[test]
fn a_policy_is_attached_to_roles_and_added_to_permission_sets() {
    let app = role(OWNER, "App");
    let (ops, again) = (sso(OWNER, "Ops", "0123456789abcdef"), sso(OWNER, "Ops", "fedcba9876543210"));
    let admin = sso(OWNER, "Ops_Admin", "0123456789abcdef");
    let abroad = sso(OTHER, "Ops", "0123456789abcdef");
    let unnamed = role(OWNER, "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1");
    let found = remedies(&[], &[&ops, &app, &admin, &again, &abroad, &unnamed]);
    let policy = identity_policy(CallerKind::User, &example_arn());
    assert!(found.identity_policies.iter().all(|remedy| remedy.policy == policy));
    let of = |title: &str| -> Vec<_> {
        let remedies = found.identity_policies.iter().filter(|remedy| remedy.title() == title);
        remedies.map(|remedy| (remedy.principals.clone(), remedy.instead.is_some())).collect()
    };
    assert_eq!(of("Attach as a policy to"), [(vec![app], false)]);
    // Another account's key needs both sides, so the key policy is no cure there.
    assert_eq!(of("Add to permission set Ops"), [(vec![abroad], false), (vec![ops, again], true)]);
    assert_eq!(of("Add to permission set Ops_Admin"), [(vec![admin], true)]);
    assert_eq!(of("Add to the permission set, in IAM Identity Center, of"), [(vec![unnamed], false)]);
    assert_eq!(found.identity_policies.len(), 5);
    assert_eq!(found.key_policy_statements, Vec::<Value>::new());
}

#[test]
fn the_key_policy_names_other_roles_and_never_those_of_identity_center() {
    let (app, node) = (role(OWNER, "App"), role(OWNER, "Node"));
    let (ops, again) = (sso(OWNER, "Ops", "0123456789abcdef"), sso(OWNER, "Ops", "fedcba9876543210"));
    let abroad = sso(OTHER, "Ops", "0123456789abcdef");
    let found = remedies(&[&app, &ops, &node, &again, &abroad], &[]).key_policy_statements;
    assert_eq!(
        found.iter().map(|statement| statement["Principal"]["AWS"].clone()).collect::<Vec<_>>(),
        [
            json!([app.as_str(), node.as_str()]),
            json!(format!("arn:aws:iam::{OWNER}:root")),
            json!(format!("arn:aws:iam::{OTHER}:root")),
        ]
    );
    let text = json!(found).to_string();
    for role in [ops, again, abroad] {
        assert!(!text.contains(role.as_str()), "{text}");
    }
    assert_eq!(remedies(&[], &[]), Remedies::default());
}

/// Whoever does all that the remedies say, or what may be done instead, is admitted.
#[test]
fn the_remedies_together_admit_everybody() {
    let key = example_arn();
    let everybody = [
        role(OWNER, "App"),
        role(OTHER, "team/App"),
        sso(OWNER, "Ops", "0123456789abcdef"),
        sso(OTHER, "Ops", "0123456789abcdef"),
        sso(OWNER, "Ops_Admin", "0123456789abcdef"),
    ];
    let all: Vec<&PrincipalArn> = everybody.iter().collect();
    let found = remedies(&all, &all);
    let instead = found.identity_policies.iter().filter_map(|remedy| remedy.instead.clone());
    let allows = |statements: &[Value], principal: &PrincipalArn, own: &[Policy]| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let rules = KeyRules::new(key.clone(), KeyFacts::default(), &policy, "[]").unwrap();
        let verdict = rules.evaluate_with(principal, CallerKind::User, OwnLayers::of(own)).unwrap();
        matches!(verdict, KeyVerdict::Allows { .. })
    };
    let instead: Vec<_> = instead.collect();
    for remedy in &found.identity_policies {
        for principal in &remedy.principals {
            let own = [Policy::parse(PolicyKind::Identity, &remedy.policy.to_string()).unwrap()];
            assert!(allows(&found.key_policy_statements, principal, &own), "{principal}");
            assert_eq!(allows(&instead, principal, &[]), remedy.instead.is_some(), "{principal}");
        }
    }
}

#[test]
fn a_statement_says_for_whom_it_is() {
    let (app, node) = (role(OWNER, "team/App"), role(OWNER, "Node"));
    let ops = sso(OWNER, "Ops_Admin", "0123456789abcdef");
    let titles = |refused: &[&PrincipalArn]| -> Vec<String> {
        remedies(refused, &[]).key_policy_statements.iter().map(key_policy_title).collect()
    };
    let add = "Add to the list Statement of the key policy, for";
    assert_eq!(titles(&[&app]), [format!("{add} role/team/App")]);
    assert_eq!(
        titles(&[&app, &node, &ops]),
        [
            format!("{add} role/team/App and role/Node"),
            format!("{add} permission set Ops_Admin in account {OWNER}")
        ]
    );
    assert_eq!(
        titles(&[&app, &role(OTHER, "App")]),
        [format!("{add} role/team/App of account {OWNER} and role/App of account {OTHER}")]
    );
    let many: Vec<_> = (0..17).map(|number| role(OWNER, &format!("R{number}"))).collect();
    assert_eq!(
        titles(&many.iter().collect::<Vec<_>>()),
        [format!("{add} role/R0, role/R1, role/R2, role/R3, role/R4 and 12 more")]
    );
    let of_accounts = json!({"Principal": {"AWS": [format!("arn:aws:iam::{OTHER}:root")]}});
    assert_eq!(key_policy_title(&of_accounts), format!("{add} account {OTHER}"));
    assert_eq!(key_policy_title(&json!({"Sid": "A"})), "Add to the list Statement of the key policy");
}
