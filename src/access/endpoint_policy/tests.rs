use super::*;
use crate::access::{KnownContext, Organization, Tags};
use crate::key::example_arn;

const ROLE: &str = "arn:aws:iam::222222222222:role/team/Web";
const VPC: &str = "vpc-1";
const ENDPOINT: &str = "vpce-1";

fn evaluated_with(facts: &KeyFacts, statements: &str) -> EndpointVerdict {
    let key = example_arn();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let policy = EndpointPolicy::new(&key, facts, ENDPOINT, VPC, Some(&policy)).unwrap();
    policy.evaluate(&PrincipalArn::parse(ROLE).unwrap()).unwrap()
}

fn word(verdict: &EndpointVerdict) -> &'static str {
    match verdict {
        EndpointVerdict::Allows => "allows",
        EndpointVerdict::Depends { .. } => "depends",
        EndpointVerdict::ImplicitDeny => "implicit deny",
        EndpointVerdict::ExplicitDeny { .. } => "explicit deny",
    }
}

fn allow(rest: &str) -> String {
    format!(r#"{{"Effect":"Allow",{rest}}}"#)
}

#[test]
fn principals_actions_and_resources_decide() {
    let key = example_arn();
    let (key, all) = (key.as_str(), r#""Principal":"*","Action":"*","Resource":"*""#);
    let on = |resource: &str| {
        format!(r#""Principal":"*","Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"{resource}""#)
    };
    let by =
        |principal: &str| format!(r#""Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*""#);
    let deny = |rest: &str| format!(r#"{},{{"Effect":"Deny",{rest}}}"#, allow(all));
    for (statements, expected) in [
        (allow(all), "allows"),
        (allow(&on(key)), "allows"),
        (allow(&on("arn:aws:kms:*:111122223333:key/*")), "allows"),
        (allow(&on("arn:aws:kms:eu-west-1:222222222222:key/*")), "implicit deny"),
        (allow(&on("arn:aws:kms:*:*:alias/*")), "implicit deny"),
        // Nothing is left to identity policies: the account stands for its principals.
        (allow(&by("222222222222")), "allows"),
        (allow(&by("arn:aws:iam::222222222222:root")), "allows"),
        (allow(&by(ROLE)), "allows"),
        (allow(&by("arn:aws:iam::222222222222:role/Web")), "implicit deny"),
        (allow(&by("111122223333")), "implicit deny"),
        (allow(r#""Principal":"*","Action":"kms:Encrypt","Resource":"*""#), "implicit deny"),
        (allow(r#""Principal":"*","Action":"ssm:*","Resource":"*""#), "implicit deny"),
        (allow(r#""Principal":"*","NotAction":"kms:Encrypt","Resource":"*""#), "allows"),
        (allow(r#""Principal":"*","NotAction":"kms:D*","Resource":"*""#), "implicit deny"),
        (deny(r#""Principal":"*","Action":"kms:Decrypt","Resource":"*""#), "explicit deny"),
        (deny(r#""Principal":"*","Action":"kms:Encrypt","Resource":"*""#), "allows"),
        (deny(&format!(r#""Principal":"*","Action":"*","NotResource":"{key}""#)), "allows"),
        (String::new(), "implicit deny"),
    ] {
        assert_eq!(word(&evaluated_with(&KeyFacts::default(), &statements)), expected, "{statements}");
    }
}

#[test]
fn conditions_are_read_in_the_context_of_a_call_through_the_endpoint() {
    let organization = Organization { account: "222222222222".to_owned(), id: Some("o-1".to_owned()) };
    let mut facts = KeyFacts::default();
    facts.organization = Some(organization);
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-2"}}"#, "implicit deny"),
        (r#"{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:PrincipalAccount":"222222222222"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:ResourceAccount":"222222222222"}}"#, "implicit deny"),
        (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/team/Web"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-2"}}"#, "implicit deny"),
        (r#"{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}"#, "implicit deny"),
        (r#"{"StringEquals":{"aws:ResourceOrgID":"o-1"}}"#, "depends"),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#, "depends"),
        (
            r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["aws:ssm:SessionId","aws:ssm:TargetId"]}}"#,
            "implicit deny",
        ),
    ] {
        let statement =
            allow(&format!(r#""Principal":"*","Action":"*","Resource":"*","Condition":{condition}"#));
        assert_eq!(word(&evaluated_with(&facts, &statement)), expected, "{condition}");
    }
}

#[test]
fn context_counts_except_for_where_the_call_comes_from() {
    let known = r#"{"aws:ResourceOrgID": "o-9", "aws:SourceVpce": "vpce-9", "aws:SourceVpc": null}"#;
    let facts = KeyFacts::default().with_known_context(&KnownContext::from_text(known).unwrap());
    for (condition, expected) in [
        (r#"{"StringEquals":{"aws:ResourceOrgID":"o-9"}}"#, "allows"),
        (r#"{"StringEquals":{"aws:ResourceOrgID":"o-1"}}"#, "implicit deny"),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1","aws:SourceVpc":"vpc-1"}}"#, "allows"),
    ] {
        let statement =
            allow(&format!(r#""Principal":"*","Action":"*","Resource":"*","Condition":{condition}"#));
        assert_eq!(word(&evaluated_with(&facts, &statement)), expected, "{condition}");
    }
    let role = PrincipalArn::parse(ROLE).unwrap();
    let tags = Tags(vec![("team".to_owned(), "web".to_owned())]);
    let mut tagged = KeyFacts::default();
    tagged.principal_tags.insert((role, CallerKind::Node), tags);
    let statement = allow(
        r#""Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#,
    );
    assert_eq!(evaluated_with(&tagged, &statement), EndpointVerdict::Allows);
}

#[test]
fn full_access_is_recognized_and_nothing_else_is() {
    let full = r#"{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}"#;
    let (key, facts) = (example_arn(), KeyFacts::default());
    let is_full = |policy: Option<&str>| {
        EndpointPolicy::new(&key, &facts, ENDPOINT, VPC, policy).unwrap().is_full_access()
    };
    assert!(is_full(None));
    for policy in [
        full.to_owned(),
        full.replace(r#":"*","Resource""#, r#":{"AWS":["*"]},"Resource""#),
        full.replace(['[', ']'], "").replace(r#""Action":"*""#, r#""Action":["*"]"#),
    ] {
        assert!(is_full(Some(&policy)), "{policy}");
    }
    for policy in [
        full.replace("Allow", "Deny"),
        full.replace(r#""Action":"*""#, r#""Action":"kms:*""#),
        full.replace(r#""Action":"*""#, r#""NotAction":"*""#),
        full.replace(
            r#""Resource":"*""#,
            r#""Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}"#,
        ),
        full.replace("}]", r#"},{"Action":"*","Effect":"Deny","Principal":"*","Resource":"*"}]"#),
        full.replace(r#""Principal":"*""#, r#""Principal":{"AWS":"222222222222"}"#),
    ] {
        assert!(!is_full(Some(&policy)), "{policy}");
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_an_error_and_a_denial_names_its_statement() {
    let (key, facts) = (example_arn(), KeyFacts::default());
    assert!(EndpointPolicy::new(&key, &facts, ENDPOINT, VPC, Some("{")).is_err());
    let denied = evaluated_with(
        &facts,
        r#"{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#,
    );
    assert_eq!(denied, EndpointVerdict::ExplicitDeny { by: "statement 0 `Never`".to_owned() });
}
