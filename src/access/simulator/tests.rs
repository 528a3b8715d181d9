use super::*;
use crate::access::{KnownContext, Organization, Tags};
use crate::key::{KeyDescription, MultiRegion, example_arn};

const ROLE: &str = "arn:aws:iam::222222222222:role/team/App";
const USER: &str = "arn:aws:iam::222222222222:user/ann";

fn of(entries: &[ContextEntry], name: &str) -> Option<(String, bool)> {
    let mut found = entries.iter().filter(|entry| entry.key.eq_ignore_ascii_case(name));
    let entry = found.next()?;
    assert!(found.next().is_none(), "{name} comes twice");
    Some((entry.values.join(","), entry.is_multivalued))
}

fn facts(arn: &KeyArn) -> KeyFacts {
    let mut key = KeyDescription::assumed(arn.clone());
    key.origin = Some("AWS_KMS".to_owned());
    KeyFacts::from(&key)
}

#[test]
fn the_first_simulation_has_everything_that_is_certain() {
    let key = example_arn();
    let principal = PrincipalArn::parse(ROLE).unwrap();
    for side in [CallerKind::User, CallerKind::Node] {
        let entries = SimulatedCall { principal: &principal, side, key: &key }.certain_entries(&facts(&key));
        for (name, value) in [
            ("aws:RequestedRegion", "eu-west-1"),
            ("aws:PrincipalArn", ROLE),
            ("aws:PrincipalAccount", "222222222222"),
            ("aws:PrincipalType", "AssumedRole"),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:ResourceAccount", "111122223333"),
            ("aws:SecureTransport", "true"),
            ("aws:ViaAWSService", "false"),
            ("kms:CallerAccount", "222222222222"),
            ("kms:KeySpec", "SYMMETRIC_DEFAULT"),
            ("kms:KeyUsage", "ENCRYPT_DECRYPT"),
            ("kms:KeyOrigin", "AWS_KMS"),
            ("kms:MultiRegion", "false"),
            ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
            ("kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
            ("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
        ] {
            assert_eq!(of(&entries, name), Some((value.to_owned(), false)), "{name}");
        }
        assert_eq!(of(&entries, "kms:EncryptionContextKeys"), None, "it is one of two lists");
        for absent in ["kms:ViaService", "aws:username", "aws:CalledViaAWSMCP", "aws:AssumedRoot"] {
            assert_eq!(of(&entries, absent), None, "{absent} is absent");
        }
        assert_eq!(of(&entries, "kms:MultiRegionKeyType"), None, "AWS does not say whether it is there");
    }
}

#[test]
fn a_user_has_a_name_and_a_key_of_several_regions_a_type() {
    let arn = example_arn();
    let user = PrincipalArn::parse(USER).unwrap();
    for (multi_region, name) in [(MultiRegion::Primary, "PRIMARY"), (MultiRegion::Replica, "REPLICA")] {
        let mut key = KeyDescription::assumed(arn.clone());
        key.multi_region = multi_region;
        let call = SimulatedCall { principal: &user, side: CallerKind::User, key: &arn };
        let entries = call.certain_entries(&KeyFacts::from(&key));
        for (key, value) in
            [("aws:username", "ann"), ("kms:MultiRegion", "true"), ("kms:MultiRegionKeyType", name)]
        {
            assert_eq!(of(&entries, key), Some((value.to_owned(), false)), "{key}");
        }
    }
}

#[test]
fn later_simulations_have_what_was_read_and_what_the_owner_states() {
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:222222222222:key/1-2").unwrap();
    let principal = PrincipalArn::parse(USER).unwrap();
    let known: KnownContext = serde_json::from_str(
        r#"{"aws:SourceVpce":"vpce-1","aws:SourceVpc":null,"aws:PrincipalOrgPaths":"o-1/r-1/","kms:viaservice":"s"}"#,
    )
    .unwrap();
    let mut facts = facts(&key).with_known_context(&known);
    facts.organization =
        Some(Organization { account: "222222222222".to_owned(), id: Some("o-1".to_owned()) });
    facts.aliases = Some(vec!["alias/a".to_owned()]);
    facts.resource_tags =
        Some(Tags(vec![("stage".to_owned(), "a".to_owned()), ("Stage".to_owned(), "b".to_owned())]));
    facts.principal_tags =
        [((principal.clone(), CallerKind::User), Tags(vec![("team".to_owned(), "web".to_owned())]))].into();
    let call = SimulatedCall { principal: &principal, side: CallerKind::User, key: &key };
    let names = ["aws:ssm:SessionId", "aws:ssm:TargetId"];
    let entries = call.context_entries(&facts, Some(&names));
    for (name, expected) in [
        ("aws:PrincipalOrgID", Some(("o-1", false))),
        ("aws:ResourceOrgID", Some(("o-1", false))),
        ("aws:PrincipalOrgPaths", Some(("o-1/r-1/", true))),
        ("kms:ResourceAliases", Some(("alias/a", true))),
        ("aws:PrincipalTag/team", Some(("web", false))),
        ("aws:SourceVpce", Some(("vpce-1", false))),
        ("aws:username", Some(("ann", false))),
        ("kms:EncryptionContextKeys", Some(("aws:ssm:SessionId,aws:ssm:TargetId", true))),
        ("aws:ResourceTag/stage", None),
        ("aws:SourceVpc", None),
        ("kms:ViaService", None),
    ] {
        let expected = expected.map(|(value, multivalued)| (value.to_owned(), multivalued));
        assert_eq!(of(&entries, name), expected, "{name}");
    }
    for (name, is_missing) in [
        ("aws:SourceVpc", false),
        ("KMS:ViaService", false),
        ("kms:RecipientAttestation:PCR0", false),
        ("kms:GranteePrincipal", false),
        ("aws:AssumedRoot", false),
        ("aws:CalledViaAWSMCP", false),
        ("aws:PrincipalTag/other", false),
        ("aws:ResourceTag/other", false),
        ("kms:EncryptionContext:other", false),
        ("kms:EncryptionContext:aws:ssm:RandomChallenge", false),
        ("kms:EncryptionContext:aws:ssm:TargetId", true),
        ("aws:ResourceTag/stage", true),
        ("aws:SourceIp", true),
        ("aws:MultiFactorAuthPresent", true),
    ] {
        let missing = call.still_missing(&facts, Some(&names), &[name.to_owned()]);
        assert_eq!(!missing.is_empty(), is_missing, "{name}");
    }
    let node = SimulatedCall { side: CallerKind::Node, ..call };
    assert!(node.still_missing(&facts, None, &["aws:MultiFactorAuthPresent".to_owned()]).is_empty());
    let with_challenge = [names[0], names[1], "aws:ssm:RandomChallenge"];
    let challenge = ["kms:EncryptionContext:aws:ssm:RandomChallenge".to_owned()];
    assert_eq!(call.still_missing(&facts, Some(&with_challenge), &challenge), challenge);
}
