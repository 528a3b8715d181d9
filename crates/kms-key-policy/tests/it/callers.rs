//! Groups of callers, and the rules of a key: what is said of those whom no statement names.

use kms_key_policy::{
    AccountId, Action, CallerGroup, Context, Decision, Grants, GroupRequest, KeyArn, NamedCaller, OtherKeys,
    Policy, PolicyKind, group_side, key_rules,
};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALL: &str = r#""Action":"kms:*","Resource":"*""#;

fn request(group: CallerGroup, context: Context) -> GroupRequest {
    GroupRequest::new(group, Action::parse("kms:Decrypt").unwrap(), KeyArn::parse(KEY).unwrap(), context)
        .unwrap()
}

/// What the statements and grants say of account 444455556666, and of everybody.
fn decided(statements: &str, grants: &str) -> [(Decision, bool); 2] {
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let policy = Policy::parse(PolicyKind::Key, &policy).unwrap();
    let grants = Grants::parse(grants).unwrap();
    let account = AccountId::parse("444455556666").unwrap();
    [CallerGroup::Account(account), CallerGroup::Everyone].map(|group| {
        let side = group_side(&request(group, Context::new(OtherKeys::Absent)), &policy, &grants);
        (side.decision, side.explicit)
    })
}

#[test]
fn a_group_is_admitted_denied_or_depends() {
    use Decision::{Allowed, Denied, Depends};
    let everyone = format!(r#"{{"Effect":"Allow","Principal":"*",{ALL}}}"#);
    let account = format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"444455556666"}},{ALL}}}"#);
    let conditional = |key: &str, value: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":"*",{ALL},"Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        )
    };
    let deny = |principal: &str| format!(r#"{{"Effect":"Deny",{principal},{ALL}}}"#);
    for (statements, expected) in [
        (String::new(), [(Denied, false), (Denied, false)]),
        (everyone.clone(), [(Allowed, false), (Allowed, false)]),
        (account.clone(), [(Allowed, false), (Denied, false)]),
        // The root user of another partition is nobody of this one.
        (
            format!(
                r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws-cn:iam::444455556666:root"}},{ALL}}}"#
            ),
            [(Denied, false), (Denied, false)],
        ),
        // The account of a group is known, and of everybody it is not.
        (conditional("aws:PrincipalAccount", "444455556666"), [(Allowed, false), (Depends, false)]),
        (conditional("kms:CallerAccount", "111122223333"), [(Denied, false), (Depends, false)]),
        // What tells the members apart is unknown, even if all other keys are absent.
        (
            conditional("aws:PrincipalArn", "arn:aws:iam::444455556666:role/App"),
            [(Depends, false), (Depends, false)],
        ),
        (conditional("aws:username", "ann"), [(Depends, false), (Depends, false)]),
        (conditional("aws:PrincipalOrgID", "o-1"), [(Depends, false), (Depends, false)]),
        (format!("{everyone},{}", deny(r#""Principal":"*""#)), [(Denied, true), (Denied, true)]),
        (
            format!("{everyone},{}", deny(r#""Principal":{"AWS":"444455556666"}"#)),
            [(Denied, true), (Allowed, false)],
        ),
        // A role that is denied by name is another row.
        (
            format!("{everyone},{}", deny(r#""Principal":{"AWS":"arn:aws:iam::444455556666:role/App"}"#)),
            [(Allowed, false), (Allowed, false)],
        ),
        (
            format!("{everyone},{}", deny(r#""NotPrincipal":{"AWS":"111122223333"}"#)),
            [(Denied, true), (Denied, true)],
        ),
        (
            format!("{everyone},{}", deny(r#""NotPrincipal":{"AWS":"444455556666"}"#)),
            [(Depends, false), (Denied, true)],
        ),
        (format!("{account},{}", deny(r#""NotPrincipal":"*""#)), [(Allowed, false), (Denied, false)]),
        (
            format!(r#"{{"Effect":"Allow","NotPrincipal":{{"AWS":"111122223333"}},{ALL}}}"#),
            [(Depends, false), (Depends, false)],
        ),
    ] {
        assert_eq!(decided(&statements, "[]"), expected, "{statements}");
    }
    for (grants, expected) in [
        (
            r#"[{"GranteePrincipal":"444455556666","Operations":["Decrypt"]}]"#,
            [(Depends, false), (Denied, false)],
        ),
        (r#"[{"Operations":["Decrypt"]}]"#, [(Depends, false), (Depends, false)]),
        (
            r#"[{"GranteePrincipal":"444455556666","Operations":["Encrypt"]}]"#,
            [(Denied, false), (Denied, false)],
        ),
        (
            r#"[{"GranteePrincipal":"arn:aws:iam::444455556666:role/App","Operations":["Decrypt"]}]"#,
            [(Denied, false), (Denied, false)],
        ),
    ] {
        assert_eq!(decided("", grants), expected, "{grants}");
    }
}

#[test]
fn a_rule_names_its_callers_and_leaves_out_those_that_nobody_can_be() {
    let statement = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":["AROAEXAMPLEEXAMPLE00","111122223333","arn:aws-cn:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/ann"],"Service":"logs.amazonaws.com"}},{ALL}}}"#
    );
    let other = r#"{"Effect":"Allow","Principal":"*","Action":"kms:Encrypt","Resource":"*"}"#;
    let policy = format!(r#"{{"Statement":[{other},{statement}]}}"#);
    let policy = Policy::parse(PolicyKind::Key, &policy).unwrap();
    let grants = Grants::parse(r#"[{"GrantId":"g","Operations":["Decrypt"]}]"#).unwrap();
    let rules = key_rules(&request(CallerGroup::Everyone, Context::default()), &policy, &grants);
    assert_eq!(rules.len(), 2, "{rules:#?}");
    assert_eq!(
        rules[0].callers,
        [
            NamedCaller::Account(AccountId::parse("111122223333").unwrap()),
            NamedCaller::Principal("arn:aws-cn:iam::111122223333:root".to_owned()),
            NamedCaller::Principal("arn:aws:iam::111122223333:user/ann".to_owned()),
            NamedCaller::Service("logs.amazonaws.com".to_owned()),
        ]
    );
    assert_eq!((rules[0].applies, rules[1].applies), (Decision::Allowed, Decision::Depends));
    assert_eq!(rules[1].callers, [NamedCaller::Everyone]);
}
