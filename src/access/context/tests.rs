use super::*;
use crate::access::{KeyRules, KeyVerdict, PrincipalArn};
use crate::key::example_arn;

const ROLE: &str = "arn:aws:iam::111122223333:role/App";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const STRANGER: &str = "arn:aws:iam::222222222222:role/App";

fn rules(condition: &str, facts: KeyFacts) -> KeyRules {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":["{ROLE}","{USER}","{STRANGER}"]}},"Action":"kms:*","Resource":"*","Condition":{condition}}}}}"#
    );
    let key = example_arn();
    KeyRules::new(key, facts, &policy, "[]").unwrap()
}

/// The key side's verdict on a role if the key policy allows its call under one condition.
fn under(side: CallerKind, condition: &str, known: &str) -> KeyVerdict {
    let known: KnownContext = serde_json::from_str(known).unwrap();
    let facts =
        KeyFacts { origin: Some("AWS_KMS".to_owned()), ..KeyFacts::default() }.with_known_context(&known);
    rules(condition, facts).evaluate(&PrincipalArn::parse(ROLE).unwrap(), side).unwrap()
}

fn word(verdict: &KeyVerdict) -> &'static str {
    match verdict {
        KeyVerdict::Allows { .. } => "allows",
        KeyVerdict::ImplicitDeny { .. } => "implicit deny",
        KeyVerdict::ExplicitDeny { .. } => "explicit deny",
        KeyVerdict::Depends { .. } => "depends",
    }
}

#[test]
fn conditions_see_what_every_call_of_a_session_has_and_lacks() {
    for (condition, user, node) in [
        (
            r#"{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}"#,
            "implicit deny",
            "implicit deny",
        ),
        (r#"{"Null":{"kms:viaservice":"true"}}"#, "allows", "allows"),
        (r#"{"StringEqualsIfExists":{"kms:ViaService":"s"}}"#, "allows", "allows"),
        (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:ssm:*:*:*"}}"#, "implicit deny", "implicit deny"),
        (r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, "implicit deny", "implicit deny"),
        (
            r#"{"ForAnyValue:StringEquals":{"aws:CalledVia":"ssm.amazonaws.com"}}"#,
            "implicit deny",
            "implicit deny",
        ),
        (r#"{"StringEquals":{"kms:RequestAlias":"alias/session"}}"#, "implicit deny", "implicit deny"),
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, "depends", "implicit deny"),
        (r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}"#, "depends", "implicit deny"),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, "allows", "allows"),
        (r#"{"Bool":{"aws:ViaAWSService":"true"}}"#, "implicit deny", "implicit deny"),
        (r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#, "allows", "allows"),
        (r#"{"StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#, "allows", "allows"),
        (r#"{"StringEquals":{"kms:KeyOrigin":"AWS_KMS"}}"#, "allows", "allows"),
        (r#"{"StringEquals":{"kms:KeyOrigin":"EXTERNAL"}}"#, "implicit deny", "implicit deny"),
        (r#"{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT"}}"#, "depends", "depends"),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, "depends", "depends"),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "depends", "depends"),
        (r#"{"Null":{"kms:EncryptionContext:aws:ssm:TargetId":"false"}}"#, "allows", "allows"),
        (r#"{"StringEquals":{"kms:EncryptionContext:aws:ssm:TargetId":"i-1"}}"#, "depends", "depends"),
        (
            r#"{"Null":{"kms:EncryptionContext:aws:ssm:RandomChallenge":"false"}}"#,
            "implicit deny",
            "implicit deny",
        ),
        (
            r#"{"Null":{"kms:EncryptionContext:aws:ssm:RandomChallenge":"true"}}"#,
            "implicit deny",
            "implicit deny",
        ),
        // An enclave sends a Recipient, and neither agent nor plugin does.
        (
            r#"{"StringEqualsIgnoreCase":{"kms:RecipientAttestation:ImageSha384":"ab"}}"#,
            "implicit deny",
            "implicit deny",
        ),
        (r#"{"Null":{"KMS:RecipientAttestation:PCR0":"false"}}"#, "implicit deny", "implicit deny"),
        (r#"{"StringNotEqualsIgnoreCase":{"kms:RecipientAttestation:PCR0":"ab"}}"#, "allows", "allows"),
        (r#"{"Bool":{"kms:GrantIsForAWSResource":"true"}}"#, "implicit deny", "implicit deny"),
        (r#"{"StringEquals":{"kms:GranteePrincipal":"x"}}"#, "implicit deny", "implicit deny"),
        (r#"{"Null":{"aws:RequestTag/team":"true","aws:TagKeys":"true"}}"#, "allows", "allows"),
        (r#"{"Bool":{"aws:PrincipalIsAWSService":"false"}}"#, "allows", "allows"),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"a"}}"#, "depends", "depends"),
        (r#"{"StringEquals":{"aws:ResourceTag/team":"a"}}"#, "depends", "depends"),
        (r#"{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/a"}}"#, "depends", "depends"),
    ] {
        assert_eq!(word(&under(CallerKind::User, condition, "{}")), user, "user: {condition}");
        assert_eq!(word(&under(CallerKind::Node, condition, "{}")), node, "node: {condition}");
    }
}

#[test]
fn both_encryption_contexts_must_be_allowed_to_users_and_nodes() {
    let two = r#"["aws:ssm:SessionId","aws:ssm:TargetId"]"#;
    let three = r#"["aws:ssm:SessionId","aws:ssm:TargetId","aws:ssm:RandomChallenge"]"#;
    let whitelist =
        |keys: &str| format!(r#"{{"ForAllValues:StringEquals":{{"kms:EncryptionContextKeys":{keys}}}}}"#);
    let never = r#"{"kms:EncryptionContext:aws:ssm:RandomChallenge":null}"#;
    for side in [CallerKind::User, CallerKind::Node] {
        let verdict = under(side, &whitelist(two), "{}");
        let KeyVerdict::ImplicitDeny { why } = &verdict else { panic!("{side}: {verdict:?}") };
        assert!(why.contains("aws:ssm:RandomChallenge") && why.contains("newer clients"), "{why}");
        assert_eq!(word(&under(side, &whitelist(three), "{}")), "allows");
        // The owner states that no client adds it.
        assert_eq!(word(&under(side, &whitelist(two), never)), "allows");
    }
}

#[test]
fn the_owner_s_statements_count_unless_every_session_contradicts_them() {
    let org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    let target = r#"{"StringEquals":{"kms:EncryptionContext:aws:ssm:TargetId":"i-1"}}"#;
    let via = r#"{"StringEquals":{"kms:ViaService":"s"}}"#;
    let keys = r#"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["a"]}}"#;
    let challenge = r#"{"StringEquals":{"kms:EncryptionContext:aws:ssm:RandomChallenge":"x"}}"#;
    let paths = r#"{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-1/r-1/ou-2/*"}}"#;
    for (condition, known, expected) in [
        (org, r#"{"aws:principalorgid":"o-1"}"#, "allows"),
        (org, r#"{"aws:PrincipalOrgID":"o-2"}"#, "implicit deny"),
        (org, r#"{"aws:PrincipalOrgID":null}"#, "implicit deny"),
        (paths, r#"{"aws:PrincipalOrgPaths":["o-1/r-1/ou-1/","o-1/r-1/ou-2/x/"]}"#, "allows"),
        (target, r#"{"kms:EncryptionContext:aws:ssm:TargetId":"i-1"}"#, "allows"),
        // These are the same in every call, whatever the owner states.
        (via, r#"{"kms:ViaService":"s"}"#, "implicit deny"),
        (keys, r#"{"kms:EncryptionContextKeys":"a"}"#, "implicit deny"),
        // Not every session has it, so its value does not allow all of them.
        (challenge, r#"{"kms:EncryptionContext:aws:ssm:RandomChallenge":"x"}"#, "implicit deny"),
    ] {
        assert_eq!(word(&under(CallerKind::Node, condition, known)), expected, "{condition} {known}");
    }
    let mfa = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let with_mfa = r#"{"aws:MultiFactorAuthPresent":"true"}"#;
    assert_eq!(word(&under(CallerKind::User, mfa, with_mfa)), "allows");
    assert_eq!(word(&under(CallerKind::Node, mfa, with_mfa)), "implicit deny");
}

/// Facts of which some are known and some are not.
fn read() -> KeyFacts {
    let tags = |tags: &[(&str, &str)]| {
        Tags(tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    };
    let principal = |arn| PrincipalArn::parse(arn).unwrap();
    KeyFacts {
        organization: Some(Organization { account: "111122223333".to_owned(), id: Some("o-1".to_owned()) }),
        resource_tags: Some(tags(&[("team", "sessions"), ("Stage", "a"), ("stage", "b")])),
        aliases: Some(vec!["alias/session-1".to_owned(), "alias/other".to_owned()]),
        principal_tags: [
            ((principal(ROLE), CallerKind::Node), tags(&[("Team", "web")])),
            ((principal(USER), CallerKind::User), tags(&[])),
        ]
        .into(),
        ..KeyFacts::default()
    }
}

#[test]
fn facts_that_were_read_count_for_their_own_principal_and_key() {
    use CallerKind::{Node, User};
    let org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    let other_org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-2"}}"#;
    let same_org = r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}"#;
    let team = r#"{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#;
    let no_tag = r#"{"Null":{"aws:PrincipalTag/other":"true"}}"#;
    let of_key = r#"{"StringEquals":{"aws:ResourceTag/TEAM":"sessions"}}"#;
    let twins = r#"{"StringEquals":{"aws:ResourceTag/stage":"a"}}"#;
    let twins_are_there = r#"{"Null":{"aws:ResourceTag/stage":"false"}}"#;
    let untagged = r#"{"StringEquals":{"aws:ResourceTag/owner":"x"}}"#;
    let alias = r#"{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/session-*"}}"#;
    let no_alias = r#"{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/none"}}"#;
    for (condition, arn, side, expected) in [
        (org, ROLE, Node, "allows"),
        (org, USER, User, "allows"),
        (org, STRANGER, Node, "depends"),
        (other_org, ROLE, Node, "implicit deny"),
        (same_org, ROLE, Node, "allows"),
        (team, ROLE, Node, "allows"),
        // A user's sessions of the same role may have other tags.
        (team, ROLE, User, "depends"),
        (team, USER, User, "implicit deny"),
        (team, STRANGER, Node, "depends"),
        (no_tag, ROLE, Node, "allows"),
        (no_tag, STRANGER, Node, "depends"),
        (of_key, STRANGER, Node, "allows"),
        (twins, ROLE, Node, "depends"),
        (twins_are_there, ROLE, Node, "allows"),
        (untagged, ROLE, Node, "implicit deny"),
        (alias, ROLE, Node, "allows"),
        (no_alias, ROLE, Node, "implicit deny"),
    ] {
        let verdict = rules(condition, read()).evaluate(&PrincipalArn::parse(arn).unwrap(), side).unwrap();
        assert_eq!(word(&verdict), expected, "{condition} for {arn} as {side}: {verdict:?}");
    }
    let nowhere = KeyFacts {
        organization: Some(Organization { account: "111122223333".to_owned(), id: None }),
        aliases: Some(Vec::new()),
        ..read()
    };
    for (condition, expected) in [
        (org, "implicit deny"),
        (same_org, "implicit deny"),
        (r#"{"Null":{"aws:PrincipalOrgPaths":"true"}}"#, "allows"),
        (alias, "implicit deny"),
        (r#"{"Null":{"kms:ResourceAliases":"true"}}"#, "allows"),
    ] {
        let verdict =
            rules(condition, nowhere.clone()).evaluate(&PrincipalArn::parse(ROLE).unwrap(), Node).unwrap();
        assert_eq!(word(&verdict), expected, "{condition}");
    }
    // The owner's statement about a condition key wins over what was read.
    let known: KnownContext = serde_json::from_str(r#"{"aws:PrincipalTag/team":"ops"}"#).unwrap();
    let verdict = rules(team, read().with_known_context(&known))
        .evaluate(&PrincipalArn::parse(ROLE).unwrap(), Node)
        .unwrap();
    assert_eq!(word(&verdict), "implicit deny");
}

#[test]
fn an_account_as_such_has_an_organization_and_no_tags() {
    let org = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#;
    let everybody = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{org}}}}}"#
    );
    let key = example_arn();
    let rules = KeyRules::new(key, read(), &everybody, "[]").unwrap();
    assert_eq!(rules.condition_keys().collect::<Vec<_>>(), ["aws:PrincipalOrgID"]);
    for (account, expected) in [("111122223333", "allows"), ("222222222222", "depends")] {
        assert_eq!(word(&rules.evaluate_account(account, CallerKind::Node).unwrap()), expected, "{account}");
    }
    let KeyVerdict::Depends { keys, .. } = rules.evaluate_account("222222222222", CallerKind::User).unwrap()
    else {
        panic!("it does not depend")
    };
    assert_eq!(keys, ["aws:PrincipalOrgID"]);
}
