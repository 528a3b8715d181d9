use super::*;
use crate::location::Location;

#[test]
fn the_lists_are_sorted_out_and_well_formed() {
    assert!(REGIONS.iter().all(|name| Location::is_region(name)));
    assert_eq!(REGIONS.iter().collect::<BTreeSet<_>>().len(), REGIONS.len());
    let names: BTreeSet<_> = CONDITION_KEYS.iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), CONDITION_KEYS.len());
    assert!(names.iter().all(|name| name.starts_with("aws:") || name.starts_with("kms:")));
}

#[test]
fn a_misspelt_region_has_a_suggestion() {
    for (text, near) in [
        ("eu-west-1", None),
        ("eu-wset-1", Some("eu-west-1")),
        ("EU-WEST-1", Some("eu-west-1")),
        ("eu_central_1", Some("eu-central-1")),
        ("us-esat-2", Some("us-east-2")),
        ("nonsense", None),
        ("", None),
    ] {
        assert_eq!(region(text), near, "{text}");
    }
}

#[test]
fn a_misspelt_condition_key_has_a_suggestion() {
    for (name, near) in [
        ("aws:SourceVpce", None),
        ("AWS:sourcevpce", None),
        ("aws:SourceVcpe", Some("aws:SourceVpce")),
        ("SourceVpce", Some("aws:SourceVpce")),
        ("asw:SourceIp", Some("aws:SourceIp")),
        ("aws:PrincipalTag/team", None),
        ("aws:PrincpalTag/team", Some("aws:PrincipalTag/team")),
        ("kms:EncryptionContext:aws:ssm:TargetId", None),
        ("kms:ViaServices", Some("kms:ViaService")),
        ("ec2:SourceInstanceARN", None),
        ("saml:sub", None),
        ("aws:SomethingThatIsQuiteNew", None),
    ] {
        assert_eq!(condition_key(name).as_deref(), near, "{name}");
    }
}
