use super::*;
use crate::access::{KeyRules, KeyVerdict, PrincipalArn};
use crate::key::KeyArn;

const ROLE: &str = "arn:aws:iam::111122223333:role/App";

/// Whether the key's side admits a role where a condition is all that stands in the way.
fn under(side: Side, condition: &str, known: &[(&str, &[&str])]) -> KeyVerdict {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{ROLE}"}},"Action":"kms:*","Resource":"*","Condition":{condition}}}}}"#
    );
    let known: Vec<(String, Vec<String>)> = known
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()))
        .collect();
    let facts = KeyFacts { origin: Some("AWS_KMS".to_owned()), ..KeyFacts::default() }.knowing(&known);
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1-2").unwrap();
    let rules = KeyRules::new(key, facts, &policy, "[]").unwrap();
    rules.judge(&PrincipalArn::parse(ROLE).unwrap(), side).unwrap()
}

fn word(verdict: &KeyVerdict) -> &'static str {
    match verdict {
        KeyVerdict::Admits { .. } => "admits",
        KeyVerdict::Silent { .. } => "silent",
        KeyVerdict::Refuses { .. } => "refuses",
        KeyVerdict::Depends { .. } => "depends",
    }
}

#[test]
fn what_a_session_s_calls_have_and_have_not() {
    for (condition, user, node) in [
        (r#"{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}"#, "silent", "silent"),
        (r#"{"Null":{"kms:viaservice":"true"}}"#, "admits", "admits"),
        (r#"{"StringEqualsIfExists":{"kms:ViaService":"s"}}"#, "admits", "admits"),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:ssm:*:*:*"}}"#, "silent", "silent"),
        (r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, "silent", "silent"),
        (r#"{"ForAnyValue:StringEquals":{"aws:CalledVia":"ssm.amazonaws.com"}}"#, "silent", "silent"),
        (r#"{"StringEquals":{"kms:RequestAlias":"alias/session"}}"#, "silent", "silent"),
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, "depends", "silent"),
        (r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#, "depends", "silent"),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, "admits", "admits"),
        (r#"{"Bool":{"aws:ViaAWSService":"true"}}"#, "silent", "silent"),
        (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, "admits", "admits"),
        (r#"{"StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#, "admits", "admits"),
        (r#"{"StringEquals":{"kms:KeyOrigin":"AWS_KMS"}}"#, "admits", "admits"),
        (r#"{"StringEquals":{"kms:KeyOrigin":"EXTERNAL"}}"#, "silent", "silent"),
        (r#"{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT"}}"#, "depends", "depends"),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, "depends", "depends"),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "depends", "depends"),
        (r#"{"Null":{"kms:EncryptionContext:aws:ssm:TargetId":"false"}}"#, "admits", "admits"),
        (r#"{"StringEquals":{"kms:EncryptionContext:aws:ssm:TargetId":"i-1"}}"#, "depends", "depends"),
        (r#"{"Null":{"kms:EncryptionContext:aws:ssm:RandomChallenge":"false"}}"#, "silent", "silent"),
        (r#"{"Null":{"kms:EncryptionContext:aws:ssm:RandomChallenge":"true"}}"#, "admits", "silent"),
    ] {
        assert_eq!(word(&under(Side::User, condition, &[])), user, "user: {condition}");
        assert_eq!(word(&under(Side::Node, condition, &[])), node, "node: {condition}");
    }
}

#[test]
fn both_contexts_of_a_node_must_be_allowed() {
    let two = r#"["aws:ssm:SessionId","aws:ssm:TargetId"]"#;
    let three = r#"["aws:ssm:SessionId","aws:ssm:TargetId","aws:ssm:RandomChallenge"]"#;
    let whitelist =
        |keys: &str| format!(r#"{{"ForAllValues:StringEquals":{{"kms:EncryptionContextKeys":{keys}}}}}"#);
    assert_eq!(word(&under(Side::User, &whitelist(two), &[])), "admits");
    let node = under(Side::Node, &whitelist(two), &[]);
    let KeyVerdict::Silent { why } = &node else { panic!("{node:?}") };
    assert!(why.contains("aws:ssm:RandomChallenge") && why.contains("3.3.808.0"), "{why}");
    assert_eq!(word(&under(Side::Node, &whitelist(three), &[])), "admits");
}

#[test]
fn what_is_known_besides_counts_unless_a_session_says_otherwise() {
    let org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    assert_eq!(word(&under(Side::Node, org, &[("aws:principalorgid", &["o-1"])])), "admits");
    assert_eq!(word(&under(Side::Node, org, &[("aws:PrincipalOrgID", &["o-2"])])), "silent");
    let target = r#"{"StringEquals":{"kms:EncryptionContext:aws:ssm:TargetId":"i-1"}}"#;
    assert_eq!(
        word(&under(Side::Node, target, &[("kms:EncryptionContext:aws:ssm:TargetId", &["i-1"])])),
        "admits"
    );
    let via = r#"{"StringEquals":{"kms:ViaService":"s"}}"#;
    assert_eq!(word(&under(Side::Node, via, &[("kms:ViaService", &["s"])])), "silent");
    let keys = r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["a"]}}"#;
    assert_eq!(word(&under(Side::User, keys, &[("kms:EncryptionContextKeys", &["a"])])), "silent");
}

#[test]
fn absent_keys_are_told_by_any_case() {
    for (side, key, absent) in [
        (Side::User, "KMS:viaService", true),
        (Side::Node, "kms:ViaService", true),
        (Side::Node, "aws:multifactorauthpresent", true),
        (Side::User, "aws:MultiFactorAuthPresent", false),
        (Side::User, "aws:SourceVpce", false),
    ] {
        assert_eq!(is_absent(side, key), absent, "{side}: {key}");
    }
}
