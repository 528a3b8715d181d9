use super::*;
use crate::key::KeyArn;

const ROLE: &str = "arn:aws:iam::111122223333:role/App";
const ALLOW: &str = r#""Effect":"Allow","Action":"kms:*","Resource":"*""#;

fn rules(statements: &str, grants: &str) -> KeyRules {
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1-2").unwrap();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    KeyRules::new(key, KeyFacts::default(), &policy, grants).unwrap()
}

fn judged(statements: &str, grants: &str) -> KeyVerdict {
    rules(statements, grants).evaluate(&PrincipalArn::parse(ROLE).unwrap(), Side::Node).unwrap()
}

#[test]
fn a_verdict_names_what_decided() {
    let named = format!(r#"{{"Sid":"Use","Principal":{{"AWS":"{ROLE}"}},{ALLOW}}}"#);
    let root = format!(r#"{{"Principal":{{"AWS":"111122223333"}},{ALLOW}}}"#);
    let denied = r#"{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}"#;
    let grant = format!(r#"[{{"GrantId":"g1","GranteePrincipal":"{ROLE}","Operations":["Decrypt"]}}]"#);
    let by = |name: &str| vec![name.to_owned()];
    assert_eq!(
        judged(&named, "[]"),
        KeyVerdict::Allows { is_sufficient: true, by: by("statement 0 `Use` of the key policy") }
    );
    assert_eq!(
        judged(&root, "[]"),
        KeyVerdict::Allows { is_sufficient: false, by: by("statement 0 of the key policy") }
    );
    assert_eq!(
        judged(&format!("{named},{denied}"), "[]"),
        KeyVerdict::ExplicitDeny { by: by("statement 1 `Never` of the key policy") }
    );
    let KeyVerdict::Allows { is_sufficient: true, by: of_grant } = judged(&root, &grant) else {
        panic!("a grant admits")
    };
    assert!(of_grant.contains(&"grant g1".to_owned()), "{of_grant:?}");
    assert!(matches!(judged("", "[]"), KeyVerdict::ImplicitDeny { why } if !why.is_empty()));
}

#[test]
fn an_account_is_admitted_as_such_or_not() {
    let other = "arn:aws:iam::222222222222";
    for (principal, condition, expected) in [
        (format!(r#"{{"AWS":"{other}:root"}}"#), "{}".to_owned(), "allows"),
        (r#""*""#.to_owned(), "{}".to_owned(), "allows"),
        (format!(r#"{{"AWS":"{other}:role/App"}}"#), "{}".to_owned(), "implicit deny"),
        (r#"{"AWS":"333333333333"}"#.to_owned(), "{}".to_owned(), "implicit deny"),
        // What is for the root user alone is for nobody who starts sessions.
        (
            r#""*""#.to_owned(),
            format!(r#"{{"ArnEquals":{{"aws:PrincipalArn":"{other}:root"}}}}"#),
            "implicit deny",
        ),
        (r#""*""#.to_owned(), r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#.to_owned(), "depends"),
    ] {
        let rules = rules(&format!(r#"{{"Principal":{principal},"Condition":{condition},{ALLOW}}}"#), "[]");
        for side in [Side::User, Side::Node] {
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
fn what_cannot_be_read_is_an_error() {
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1-2").unwrap();
    let error = KeyRules::new(key.clone(), KeyFacts::default(), "{", "[]").unwrap_err();
    assert!(error.to_string().starts_with("the key policy cannot be read"), "{error}");
    let error = KeyRules::new(key, KeyFacts::default(), r#"{"Statement":[]}"#, "{").unwrap_err();
    assert!(error.to_string().starts_with("the grants cannot be read"), "{error}");
}
