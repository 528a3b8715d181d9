use super::*;
use crate::key::example_arn;

const ROLE: &str = "arn:aws:iam::111122223333:role/App";
const ALLOW: &str = r#""Effect":"Allow","Action":"kms:*","Resource":"*""#;

fn rules(statements: &str, grants: &str) -> KeyRules {
    let key = example_arn();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    KeyRules::new(key, KeyFacts::default(), &policy, grants).unwrap()
}

fn evaluated(statements: &str, grants: &str) -> KeyVerdict {
    rules(statements, grants).evaluate(&PrincipalArn::parse(ROLE).unwrap(), CallerKind::Node).unwrap()
}

#[test]
fn a_verdict_names_what_decided() {
    let named = format!(r#"{{"Sid":"Use","Principal":{{"AWS":"{ROLE}"}},{ALLOW}}}"#);
    let root = format!(r#"{{"Principal":{{"AWS":"111122223333"}},{ALLOW}}}"#);
    let denied = r#"{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
    let grant = format!(r#"[{{"GrantId":"g1","GranteePrincipal":"{ROLE}","Operations":["Decrypt"]}}]"#);
    let by =
        |name: &str, index| vec![DecidingRule { name: name.to_owned(), key_policy_statement: Some(index) }];
    assert_eq!(
        evaluated(&named, "[]"),
        KeyVerdict::Allows { is_sufficient: true, by: by("statement 0 `Use` of the key policy", 0) }
    );
    assert_eq!(
        evaluated(&root, "[]"),
        KeyVerdict::Allows { is_sufficient: false, by: by("statement 0 of the key policy", 0) }
    );
    assert_eq!(
        evaluated(&format!("{named},{denied}"), "[]"),
        KeyVerdict::ExplicitDeny { by: by("statement 1 `Never` of the key policy", 1) }
    );
    let KeyVerdict::Allows { is_sufficient: true, by: of_grant } = evaluated(&root, &grant) else {
        panic!("the grant does not allow it")
    };
    assert!(
        of_grant.iter().any(|rule| rule.name == "grant g1" && rule.key_policy_statement.is_none()),
        "{of_grant:?}"
    );
    assert!(matches!(evaluated("", "[]"), KeyVerdict::ImplicitDeny { why } if !why.is_empty()));
}

#[test]
fn the_key_leaves_the_call_to_an_account_or_does_not() {
    let other = "arn:aws:iam::222222222222";
    for (principal, condition, expected) in [
        (format!(r#"{{"AWS":"{other}:root"}}"#), "{}".to_owned(), "allows"),
        (r#""*""#.to_owned(), "{}".to_owned(), "allows"),
        (format!(r#"{{"AWS":"{other}:role/App"}}"#), "{}".to_owned(), "implicit deny"),
        (r#"{"AWS":"333333333333"}"#.to_owned(), "{}".to_owned(), "implicit deny"),
        // The root user starts no sessions, so a statement for it alone does not count.
        (
            r#""*""#.to_owned(),
            format!(r#"{{"ArnEquals":{{"aws:PrincipalArn":"{other}:root"}}}}"#),
            "implicit deny",
        ),
        (r#""*""#.to_owned(), r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#.to_owned(), "depends"),
    ] {
        let rules = rules(&format!(r#"{{"Principal":{principal},"Condition":{condition},{ALLOW}}}"#), "[]");
        for side in [CallerKind::User, CallerKind::Node] {
            let word = match rules.evaluate_account("222222222222", side).unwrap() {
                KeyVerdict::Allows { .. } => "allows",
                KeyVerdict::ImplicitDeny { .. } => "implicit deny",
                KeyVerdict::Depends { .. } => "depends",
                KeyVerdict::ExplicitDeny { .. } => "explicit deny",
            };
            assert_eq!(word, expected, "{principal} {condition}");
        }
    }
}

#[test]
fn a_malformed_policy_or_grant_is_an_error() {
    let key = example_arn();
    let error = KeyRules::new(key.clone(), KeyFacts::default(), "{", "[]").unwrap_err();
    assert!(error.to_string().starts_with("the key policy cannot be read"), "{error}");
    let error = KeyRules::new(key, KeyFacts::default(), r#"{"Statement":[]}"#, "{").unwrap_err();
    assert!(error.to_string().starts_with("the grants cannot be read"), "{error}");
}
