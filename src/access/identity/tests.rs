use super::*;
use crate::access::KeyFacts;
use crate::key::example_arn;
use kms_key_policy::PolicyKind;

const ROLE: &str = "arn:aws:iam::111122223333:role/App";
const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const NAMED: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/App"},"Action":"kms:*","Resource":"*"}"#;
const NAMED_FROM: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/App"},"Action":"kms:*","Resource":"*",
    "Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
const ROOT_FROM: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*",
    "Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
const NOBODY: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/Other"},"Action":"kms:*","Resource":"*"}"#;
const KEY_DENIES: &str = r#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}"#;

const ALLOWS: &str = r#"{"Sid":"Use","Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;
const ALLOWS_FROM: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
const ALLOWS_ELSEWHERE: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-2"}}}"#;
const OTHER_KEY: &str =
    r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111122223333:key/9-9"}"#;
const DENIES: &str = r#"{"Sid":"Never","Effect":"Deny","Action":"kms:*","Resource":"*"}"#;
const ALIAS: &str = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}}"#;

fn verdict(key_statement: &str, own: &[&str]) -> IdentityVerdict {
    let arn = example_arn();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{key_statement}]}}"#);
    let rules = KeyRules::new(arn, KeyFacts::default(), &policy, "[]").unwrap();
    let own: Vec<_> = own
        .iter()
        .map(|statement| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            Policy::parse(PolicyKind::Identity, &text).unwrap()
        })
        .collect();
    let principal = PrincipalArn::parse(ROLE).unwrap();
    let key_side = rules.evaluate(&principal, CallerKind::Node).unwrap();
    let key = KnownKeySide { rules: Ok(&rules), permissive: None, verdict: Some(&key_side) };
    evaluate_identity(&principal, CallerKind::Node, &OwnSide::Given(own), key)
}

#[test]
fn identity_policies_that_were_handed_in_are_evaluated() {
    use IdentityVerdict::{Allows, Denied, MissingAllow, Unknown};
    type Expected = fn(&IdentityVerdict) -> bool;
    let allows: Expected = |verdict| matches!(verdict, Allows(_));
    let missing_allow: Expected = |verdict| matches!(verdict, MissingAllow(_));
    let denied: Expected = |verdict| matches!(verdict, Denied(_));
    let unknown: Expected = |verdict| matches!(verdict, Unknown(_));
    for (key, own, expected) in [
        // The key leaves the call to the account, so the role needs an Allow of its own.
        (ROOT, vec![ALLOWS], allows),
        (ROOT, vec![], missing_allow),
        (ROOT, vec![OTHER_KEY], missing_allow),
        (ROOT, vec![ALIAS], missing_allow),
        (ROOT, vec![OTHER_KEY, ALLOWS], allows),
        (ROOT, vec![ALLOWS, DENIES], denied),
        (ROOT, vec![ALLOWS_FROM], unknown),
        // The key names the role, which needs no Allow of its own.
        (NAMED, vec![], allows),
        (NAMED, vec![ALLOWS_FROM], allows),
        (NAMED, vec![DENIES], denied),
        // The key names the role under a condition whose value is unknown.
        (NAMED_FROM, vec![], unknown),
        (NAMED_FROM, vec![ALLOWS], allows),
        (ROOT_FROM, vec![ALLOWS], allows),
        (ROOT_FROM, vec![], missing_allow),
        // Each side allows the call in another VPC, so together they never do.
        (ROOT_FROM, vec![ALLOWS_ELSEWHERE], missing_allow),
        // The key's side lacks or denies access, which does not change the verdict on the own side.
        (NOBODY, vec![ALLOWS], allows),
        (NOBODY, vec![], missing_allow),
        (KEY_DENIES, vec![ALLOWS], allows),
        (KEY_DENIES, vec![DENIES], denied),
    ] {
        let verdict = verdict(key, &own);
        assert!(expected(&verdict), "{key} with {own:?}: {verdict:?}");
    }
}

#[test]
fn the_deciding_statement_is_named() {
    let IdentityVerdict::Allows(why) = verdict(ROOT, &[OTHER_KEY, ALLOWS]) else {
        panic!("it does not allow")
    };
    assert_eq!(why, "statement 0 `Use` of its policy 1 allows it");
    let IdentityVerdict::Denied(why) = verdict(NAMED, &[DENIES]) else { panic!("it does not deny") };
    assert_eq!(why, "statement 0 `Never` of its policy 0 denies it");
}

#[test]
fn a_refusal_by_a_service_control_policy_counts_before_everything_else_and_says_what_may_be_the_cause() {
    use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, NotReported};
    let principal = PrincipalArn::parse(ROLE).unwrap();
    for decision in [Allowed, ImplicitDeny, ExplicitDeny, NotReported] {
        for missing in [&[][..], &["aws:SourceIp".to_owned()]] {
            let simulation = Simulation {
                decision,
                policies: Vec::new(),
                organizations_allow: Some(false),
                boundary_allows: None,
                missing_context: missing.to_vec(),
            };
            let own = OwnSide::Simulated(simulation);
            let key = KnownKeySide { rules: Err("not read"), permissive: None, verdict: None };
            let verdict = evaluate_identity(&principal, CallerKind::Node, &own, key);
            let IdentityVerdict::Denied(why) = verdict else {
                panic!("{decision:?} {missing:?}: {verdict:?}")
            };
            assert!(why.contains("conditions of service control policies that are not known here"), "{why}");
        }
    }
}
