use super::*;
use crate::access::{
    AccountPolicies, KeyFacts, ListedEntity, ListedPolicies, ListedPrincipal, OwnSide, Tags,
    evaluate_identity,
};
use crate::key::example_arn;

const ROLE: &str = "arn:aws:iam::111122223333:role/team/App";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;
const NAMED: &str = r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/team/App","arn:aws:iam::111122223333:user/ann"]},"Action":"kms:*","Resource":"*"}"#;
const ALLOWS: &str =
    r#"{"Sid":"Use","Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"}"#;
const DENIES: &str = r#"{"Sid":"Never","Effect":"Deny","Action":"kms:*","Resource":"*"}"#;
const READS: &str = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;

fn document(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
}

/// The verdict of a node's role, or of a user, with inline policies and a boundary.
fn verdict(key: Result<&str, &str>, who: &str, own: &[&str], boundary: Option<&str>) -> IdentityVerdict {
    of(key, who, own, boundary, None)
}

fn of(
    key: Result<&str, &str>,
    who: &str,
    own: &[&str],
    boundary: Option<&str>,
    unknown: Option<&str>,
) -> IdentityVerdict {
    let principal = PrincipalArn::parse(who).unwrap();
    let side = if who == USER { CallerKind::User } else { CallerKind::Node };
    let mut facts = KeyFacts::default();
    let tags = Tags(vec![("team".to_owned(), "web".to_owned())]);
    facts.principal_tags = [((principal.clone(), side), tags)].into();
    let with =
        |statement: &str| KeyRules::new(example_arn(), facts.clone(), &document(statement), "[]").unwrap();
    let rules = key.map(with);
    let permissive = with(r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#);
    let inline = own.iter().enumerate().map(|(at, statement)| (format!("P{at}"), document(statement)));
    let mut listed = AccountPolicies::default();
    let arn = "arn:aws:iam::111122223333:policy/Boundary";
    if let Some(boundary) = boundary {
        listed.add(ListedEntity::ManagedPolicy { arn: arn.to_owned(), document: document(boundary) });
    }
    listed.add(ListedEntity::Principal(ListedPrincipal {
        principal: principal.clone(),
        policies: ListedPolicies { inline: inline.collect(), attached: Vec::new() },
        groups: Vec::new(),
        boundary: boundary.map(|_| arn.to_owned()),
        tags: Vec::new(),
        trust_policy: None,
    }));
    let own = listed.of(&principal).unwrap();
    let own = own.with_unknown_control_policies(&principal, unknown.map(str::to_owned));
    let on_key = rules.as_ref().ok().map(|rules| rules.evaluate(&principal, side).unwrap());
    let key = KnownKeySide {
        rules: rules.as_ref().map_err(|why| *why),
        permissive: Some(&permissive),
        verdict: on_key.as_ref(),
    };
    evaluate_identity(&principal, side, &OwnSide::Listed(own.into()), key)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Allows,
    MissingAllow,
    Denied,
    Admitted,
    Unknown,
}

fn kind(verdict: &IdentityVerdict) -> Kind {
    match verdict {
        IdentityVerdict::Allows(_) => Kind::Allows,
        IdentityVerdict::MissingAllow(_) => Kind::MissingAllow,
        IdentityVerdict::Denied(_) => Kind::Denied,
        IdentityVerdict::Admitted(_) => Kind::Admitted,
        IdentityVerdict::Unknown(_) => Kind::Unknown,
    }
}

#[test]
fn listed_policies_and_a_boundary_are_evaluated_with_the_key_s_side() {
    use Kind::{Allows, Denied, MissingAllow, Unknown};
    let unread = Err("it was not read");
    let from = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
    let deny_elsewhere = r#"{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
    for (key, who, own, boundary, expected) in [
        (Ok(ROOT), ROLE, vec![ALLOWS], None, Allows),
        (Ok(ROOT), ROLE, vec![READS], None, MissingAllow),
        (Ok(ROOT), ROLE, vec![ALLOWS, DENIES], None, Denied),
        (Ok(ROOT), ROLE, vec![from], None, Unknown),
        (Ok(ROOT), ROLE, vec![ALLOWS, from], None, Allows),
        (Ok(ROOT), ROLE, vec![ALLOWS, deny_elsewhere], None, Unknown),
        (unread, ROLE, vec![ALLOWS], None, Allows),
        (unread, ROLE, vec![], None, MissingAllow),
        (unread, ROLE, vec![ALLOWS, DENIES], None, Denied),
        // A boundary has to allow the call too.
        (Ok(ROOT), ROLE, vec![ALLOWS], Some(ALLOWS), Allows),
        (Ok(ROOT), ROLE, vec![ALLOWS], Some(READS), Denied),
        (Ok(ROOT), ROLE, vec![], Some(READS), Denied),
        (Ok(ROOT), ROLE, vec![READS], Some(ALLOWS), MissingAllow),
        (Ok(ROOT), ROLE, vec![ALLOWS], Some(from), Unknown),
        (Ok(ROOT), USER, vec![ALLOWS], Some(DENIES), Denied),
        (unread, ROLE, vec![ALLOWS], Some(READS), Denied),
        // It limits what a key policy grants to a role by name, and not what it grants to a user.
        (Ok(NAMED), ROLE, vec![], Some(READS), Denied),
        (Ok(NAMED), USER, vec![], Some(READS), Allows),
        (Ok(NAMED), USER, vec![ALLOWS], Some(DENIES), Denied),
        (Ok(NAMED), ROLE, vec![], None, Allows),
        (Ok(NAMED), ROLE, vec![DENIES], None, Denied),
        (Ok(NAMED), ROLE, vec![deny_elsewhere], None, Kind::Admitted),
    ] {
        let verdict = verdict(key, who, &own, boundary);
        assert_eq!(kind(&verdict), expected, "{key:?} {who} {own:?} {boundary:?}: {verdict:?}");
    }
}

#[test]
fn an_allow_is_no_pass_if_control_policies_are_not_known() {
    let why = "nobody lists them";
    for (key, own, expected) in [
        (ROOT, vec![ALLOWS], Kind::Unknown),
        (ROOT, vec![], Kind::MissingAllow),
        (ROOT, vec![ALLOWS, DENIES], Kind::Denied),
        (NAMED, vec![], Kind::Admitted),
    ] {
        let verdict = of(Ok(key), ROLE, &own, None, Some(why));
        assert_eq!(kind(&verdict), expected, "{key} {own:?}: {verdict:?}");
        if let IdentityVerdict::Unknown(text) | IdentityVerdict::Admitted(text) = &verdict {
            assert!(text.contains("a control policy of the organization"), "{text}");
            assert!(text.ends_with(why), "{text}");
        }
    }
    let linked =
        "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM";
    assert_eq!(kind(&of(Ok(ROOT), linked, &[ALLOWS], None, Some(why))), Kind::Allows, "none limits it");
}

#[test]
fn the_elements_and_condition_keys_of_identity_policies_count() {
    use Kind::{Allows, MissingAllow, Unknown};
    let key = example_arn().to_string();
    let allow = |rest: &str| format!(r#"{{"Effect":"Allow",{rest}}}"#);
    let action = r#""Action":["kms:Decrypt","kms:GenerateDataKey"]"#;
    let under = |condition: &str| allow(&format!(r#"{action},"Resource":"*","Condition":{condition}"#));
    let on = |resource: &str| allow(&format!(r#"{action},"Resource":"{resource}""#));
    for (who, statement, expected) in [
        (ROLE, on(&key), Allows),
        (ROLE, on("arn:aws:kms:eu-west-1:111122223333:key/*"), Allows),
        (ROLE, on("arn:aws:kms:*:*:key/*"), Allows),
        (ROLE, on("arn:aws:kms:us-east-1:111122223333:key/*"), MissingAllow),
        // An alias is no key: the call needs the key's ARN.
        (ROLE, on("arn:aws:kms:eu-west-1:111122223333:alias/*"), MissingAllow),
        (ROLE, allow(&format!(r#"{action},"NotResource":"{key}""#)), MissingAllow),
        (ROLE, allow(&format!(r#"{action},"NotResource":"arn:aws:s3:::*""#)), Allows),
        (ROLE, allow(r#""NotAction":"iam:*","Resource":"*""#), Allows),
        (ROLE, allow(r#""NotAction":["kms:*"],"Resource":"*""#), MissingAllow),
        (ROLE, allow(r#""Action":"KMS:de*","Resource":"*""#), Allows),
        (ROLE, allow(r#""Action":"*","Resource":"*""#), Allows),
        (USER, allow(r#""Action":"kms:Decrypt","Resource":"*""#), MissingAllow),
        (ROLE, under(r#"{"StringEquals":{"kms:ViaService":"ssm.eu-west-1.amazonaws.com"}}"#), MissingAllow),
        (ROLE, under(r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#), Allows),
        (ROLE, under(r#"{"StringEquals":{"aws:RequestedRegion":["us-east-1"]}}"#), MissingAllow),
        (ROLE, under(r#"{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#), Allows),
        (ROLE, under(r#"{"StringEquals":{"aws:PrincipalTag/team":"db"}}"#), MissingAllow),
        (ROLE, under(r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#), Unknown),
        (ROLE, under(r#"{"StringEquals":{"kms:CallerAccount":"111122223333"}}"#), Allows),
        (ROLE, under(r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/team/*"}}"#), Allows),
        (ROLE, under(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#), MissingAllow),
        (USER, under(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#), Unknown),
        (
            USER,
            under(
                r#"{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/${aws:username}"}}"#,
            ),
            Allows,
        ),
        (
            ROLE,
            under(
                r#"{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/${aws:username}"}}"#,
            ),
            MissingAllow,
        ),
        (USER, under(r#"{"StringEquals":{"aws:PrincipalTag/team":"${aws:PrincipalTag/team}"}}"#), Allows),
        (ROLE, under(r#"{"ForAllValues:StringLike":{"kms:EncryptionContextKeys":"aws:ssm:*"}}"#), Allows),
        (ROLE, under(r#"{"Null":{"kms:EncryptionContext:aws:ssm:SessionId":"false"}}"#), Allows),
    ] {
        let verdict = verdict(Ok(ROOT), who, &[&statement], None);
        assert_eq!(kind(&verdict), expected, "{who} {statement}: {verdict:?}");
    }
}

#[test]
fn the_deciding_policy_is_named_as_iam_names_it() {
    let IdentityVerdict::Allows(why) = verdict(Ok(ROOT), ROLE, &[READS, ALLOWS], None) else {
        panic!("it does not allow")
    };
    assert_eq!(why, "statement 0 `Use` of policy role_App_P1 allows it");
    let IdentityVerdict::Denied(why) = verdict(Ok(ROOT), USER, &[ALLOWS], Some(DENIES)) else {
        panic!("it does not deny")
    };
    assert_eq!(why, "statement 0 `Never` of its permissions boundary denies it");
}
