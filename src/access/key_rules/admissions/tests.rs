use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::*;
use crate::access::KeyFacts;
use crate::key::example_arn;
use kms_key_policy::{Policy, PolicyKind};

const OWN: &str = "111122223333";

fn rules_of(statements: &Value, grants: &Value) -> KeyRules {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    KeyRules::new(example_arn(), KeyFacts::default(), &policy.to_string(), &grants.to_string()).unwrap()
}

/// What the key's side says about a caller, in short.
fn short(verdict: &KeyVerdict) -> &'static str {
    match verdict {
        KeyVerdict::Allows { is_sufficient: true, .. } => "admits",
        KeyVerdict::Allows { is_sufficient: false, .. } => "own policies",
        KeyVerdict::Depends { .. } => "depends",
        KeyVerdict::ExplicitDeny { .. } => "denies",
        KeyVerdict::ImplicitDeny { .. } => "no",
    }
}

fn shown(rules: &KeyRules) -> Vec<(String, &'static str, &'static str)> {
    let admissions = rules.admissions().unwrap();
    admissions.iter().map(|one| (one.caller.to_string(), short(&one.user), short(&one.node))).collect()
}

fn allow(principal: &Value, action: &str, condition: &Value) -> Value {
    json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", "Condition": condition })
}

#[test]
fn whoever_is_named_is_listed_with_what_the_key_says() {
    let role = "arn:aws:iam::444455556666:role/App";
    let here = "arn:aws:iam::111122223333:user/ann";
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": "777788889999" }, "Action": "kms:D*", "Resource": "*" });
    let statements = json!([
        allow(&json!({ "AWS": [OWN, role, here, "777788889999"] }), "kms:*", &json!({})),
        deny,
        allow(&json!("*"), "kms:Decrypt", &json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } })),
        // It never applies to a session, and a service starts none.
        allow(
            &json!({ "AWS": "222222222222" }),
            "kms:*",
            &json!({ "StringLike": { "kms:ViaService": "s3.*" } })
        ),
        allow(&json!({ "Service": "logs.amazonaws.com" }), "kms:*", &json!({})),
    ]);
    let grants = json!([{ "GrantId": "g", "GranteePrincipal": "arn:aws:iam::222222222222:role/G",
        "Operations": ["Decrypt"] }]);
    assert_eq!(
        shown(&rules_of(&statements, &grants)),
        [
            ("everyone".to_owned(), "no", "depends"),
            (format!("account {OWN}"), "own policies", "own policies"),
            ("account 222222222222".to_owned(), "no", "depends"),
            ("account 777788889999".to_owned(), "own policies", "denies"),
            (here.to_owned(), "admits", "admits"),
            ("arn:aws:iam::222222222222:role/G".to_owned(), "no", "admits"),
            (role.to_owned(), "own policies", "own policies"),
        ]
    );
}

#[test]
fn a_rule_says_whom_it_is_about_and_when_it_applies() {
    let statements = json!([
        allow(&json!("*"), "kms:Decrypt", &json!({ "Bool": { "aws:ViaAWSService": "true" } })),
        { "Sid": "Only", "Effect": "Deny", "NotPrincipal": { "AWS": OWN }, "NotAction": "kms:Decrypt", "Resource": "*" },
        allow(&json!({ "AWS": OWN }), "kms:*", &json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } })),
        allow(&json!("*"), "kms:*", &json!({ "ForAllValues:StringEquals": {
            "kms:EncryptionContextKeys": ["aws:ssm:SessionId", "aws:ssm:TargetId"] } })),
        allow(&json!("*"), "kms:Encrypt", &json!({})),
    ]);
    let rules = rules_of(&statements, &json!([])).session_rules().unwrap();
    let on =
        |names: &[&str]| Some(RuleApplies::Depends(names.iter().map(|name| (*name).to_owned()).collect()));
    let shown: Vec<_> = rules
        .into_iter()
        .map(|rule| (rule.rule.key_policy_statement, rule.denies, rule.is_all_but, rule.user, rule.node))
        .collect();
    let source = on(&["aws:SourceIp"]);
    let contexts = on(&["kms:EncryptionContext:aws:ssm:RandomChallenge"]);
    assert_eq!(
        shown,
        [
            (Some(0), false, false, None, Some(RuleApplies::Never)),
            (Some(1), true, true, Some(RuleApplies::Always), None),
            (Some(2), false, false, source.clone(), source),
            (Some(3), false, false, contexts.clone(), contexts),
        ]
    );
}

const NAMES: [&str; 12] = [
    "*",
    OWN,
    "arn:aws:iam::444455556666:root",
    "arn:aws-cn:iam::444455556666:root",
    "arn:aws:iam::111122223333:role/App",
    "arn:aws:iam::111122223333:role/team/Ops",
    "arn:aws:sts::111122223333:assumed-role/App/one",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:iam::444455556666:role/App",
    "arn:aws:iam::444455556666:user/bob",
    "arn:aws:sts::444455556666:assumed-role/App/two",
    "AROAEXAMPLEEXAMPLE00",
];

const CALLERS: [&str; 10] = [
    "arn:aws:iam::111122223333:role/App",
    "arn:aws:iam::111122223333:role/team/Ops",
    "arn:aws:iam::111122223333:role/Other",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:sts::111122223333:assumed-role/App/one",
    "arn:aws:sts::111122223333:assumed-role/App/three",
    "arn:aws:iam::444455556666:role/App",
    "arn:aws:iam::444455556666:user/bob",
    "arn:aws:sts::444455556666:assumed-role/App/two",
    "arn:aws:iam::999999999999:role/App",
];

fn conditions() -> impl Strategy<Value = Value> {
    let one = select(vec![
        json!({}),
        json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } }),
        json!({ "StringEquals": { "aws:PrincipalAccount": ["444455556666", "999999999999"] } }),
        json!({ "StringNotEquals": { "kms:CallerAccount": "111122223333" } }),
        json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/App" } }),
        json!({ "StringNotLike": { "aws:PrincipalArn": "arn:aws:iam::111122223333:user/*" } }),
        json!({ "StringEquals": { "aws:PrincipalType": "User" } }),
        json!({ "StringLike": { "aws:username": "a*" } }),
        json!({ "Null": { "aws:PrincipalArn": "true" } }),
        json!({ "StringLike": { "kms:ViaService": "ssm.*" } }),
        json!({ "ForAllValues:StringLike": { "kms:EncryptionContextKeys": ["aws:ssm:SessionId", "aws:ssm:T*"] } }),
        json!({ "StringLike": { "kms:EncryptionContext:aws:ssm:RandomChallenge": "*" } }),
        json!({ "Null": { "kms:EncryptionContext:aws:ssm:SessionId": "true" } }),
        json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }),
    ]);
    prop_oneof![3 => Just(json!({})), 4 => one]
}

fn statements() -> impl Strategy<Value = Value> {
    let named = subsequence(&NAMES[1..], 1..4).prop_map(|names| json!({ "AWS": names }));
    let principal = prop_oneof![2 => Just(json!("*")), 3 => named];
    let effect = select(vec!["Allow", "Allow", "Deny"]);
    let action = select(vec![
        ("Action", json!("kms:*")),
        ("Action", json!(["kms:GenerateData*", "kms:Encrypt"])),
        ("Action", json!("KMS:Decr?pt")),
        ("NotAction", json!("kms:Decrypt")),
        ("NotAction", json!("kms:Put*")),
    ]);
    let resource = select(
        vec!["*", "*", example_arn().as_str(), "arn:aws:kms:*:*:key/other"]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    let statement = (effect, principal, prop::bool::weighted(0.2), action, resource, conditions()).prop_map(
        |(effect, principal, negated, (action, actions), resource, condition)| {
            let element = if negated { "NotPrincipal" } else { "Principal" };
            json!({ "Effect": effect, element: principal, action: actions, "Resource": resource, "Condition": condition })
        },
    );
    prop::collection::vec(statement, 0..6).prop_map(Value::from)
}

fn grants() -> impl Strategy<Value = Value> {
    let grantee = prop::option::of(select(&NAMES[1..11]));
    let constraints = select(vec![
        json!({}),
        json!({ "EncryptionContextSubset": { "aws:ssm:TargetId": "i-1" } }),
        json!({ "EncryptionContextEquals": { "team": "red" } }),
    ]);
    let operations =
        select(vec![json!(["Decrypt"]), json!(["GenerateDataKey", "Decrypt"]), json!(["Encrypt"])]);
    let grant = (grantee, operations, constraints).prop_map(|(grantee, operations, constraints)| {
        json!({ "GranteePrincipal": grantee, "Operations": operations, "Constraints": constraints })
    });
    prop::collection::vec(grant, 0..3).prop_map(Value::from)
}

/// Whether what the key says of `listed` counts for a caller.
fn covers(listed: &KeyCaller, caller: &str) -> bool {
    let role_of = |arn: &str| {
        let session = Arn::parse(arn)?;
        let role = session.resource.strip_prefix("assumed-role/")?.split('/').next()?;
        Some((session.account.to_owned(), role.to_owned()))
    };
    match listed {
        KeyCaller::Everyone => true,
        KeyCaller::Account(account) => Arn::parse(caller).unwrap().account == account,
        KeyCaller::Principal(arn) if arn == caller => true,
        KeyCaller::Principal(arn) => role_of(caller).is_some_and(|(account, name)| {
            PrincipalArn::parse(arn)
                .is_ok_and(|role| role.account() == account && role.name() == name && arn.contains(":role/"))
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whoever_the_evaluator_admits_is_listed(statements in statements(), grants in grants()) {
        let rules = rules_of(&statements, &grants);
        let admissions = rules.admissions().unwrap();
        for caller in CALLERS {
            for side in [CallerKind::User, CallerKind::Node] {
                let verdict = rules.evaluate_caller(&KeyCaller::Principal(caller.to_owned()), side).unwrap();
                // The ARN of a session does not have the path of its role, so that aws:PrincipalArn is unknown there. Of
                // the role it is known.
                let is_open = matches!(&verdict, KeyVerdict::Depends { keys, .. } if keys.iter().any(|key| key == "aws:PrincipalArn"));
                let listed = |one: &&KeyAdmission| {
                    let verdict = if side == CallerKind::User { &one.user } else { &one.node };
                    let is_of_its_role = matches!(&one.caller, KeyCaller::Principal(arn) if arn != caller);
                    covers(&one.caller, caller) && (!verdict.refuses() || (is_open && is_of_its_role))
                };
                prop_assert!(
                    verdict.refuses() || admissions.iter().any(|one| listed(&one)),
                    "{caller} as {side} is not listed: {verdict:?}\n{:?}",
                    shown(&rules)
                );
            }
        }
    }

    #[test]
    fn nobody_who_is_listed_by_name_as_admitted_is_denied(statements in statements(), grants in grants()) {
        let rules = rules_of(&statements, &grants);
        let all = [Policy::parse(PolicyKind::Identity,
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#).unwrap()];
        for one in rules.admissions().unwrap() {
            let KeyCaller::Principal(arn) = &one.caller else { continue };
            let Ok(principal) = PrincipalArn::parse(arn) else { continue };
            for (side, listed) in [(CallerKind::User, &one.user), (CallerKind::Node, &one.node)] {
                let KeyVerdict::Allows { is_sufficient, .. } = listed else { continue };
                let own: &[Policy] = if *is_sufficient { &[] } else { &all };
                let verdict = rules.evaluate_with(&principal, side, OwnLayers::of(own)).unwrap();
                prop_assert!(matches!(verdict, KeyVerdict::Allows { .. }), "{arn} as {side}: {verdict:?}");
            }
        }
    }

    #[test]
    fn an_account_that_is_admitted_admits_whoever_no_statement_names(statements in statements(), grants in grants()) {
        let rules = rules_of(&statements, &grants);
        for (caller, group) in [
            ("arn:aws:iam::999999999999:role/Unnamed", KeyCaller::Everyone),
            ("arn:aws:iam::444455556666:role/Unnamed", KeyCaller::Account("444455556666".to_owned())),
        ] {
            for side in [CallerKind::User, CallerKind::Node] {
                let one = rules.evaluate_caller(&KeyCaller::Principal(caller.to_owned()), side).unwrap();
                let all = rules.evaluate_caller(&group, side).unwrap();
                match &all {
                    KeyVerdict::Allows { .. } => prop_assert!(matches!(one, KeyVerdict::Allows { .. }), "{one:?} {all:?}"),
                    KeyVerdict::Depends { .. } => {}
                    _ => prop_assert!(one.refuses(), "{one:?} {all:?}"),
                }
            }
        }
    }
}
