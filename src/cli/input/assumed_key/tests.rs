use super::*;

fn question<'a>(principals: &'a [PrincipalArn], key: Option<&'a KeyArn>) -> PolicyKeyQuestion<'a> {
    PolicyKeyQuestion {
        key,
        account: None,
        region: None,
        principals: principals.iter().collect(),
        accounts: &[],
    }
}

fn role(account: &str) -> PrincipalArn {
    PrincipalArn::parse(&format!("arn:aws:iam::{account}:role/App")).unwrap()
}

#[test]
fn an_unknown_account_is_each_account_in_question_and_another_one() {
    let roles = [role("111122223333"), role("999999999999"), role("111122223333")];
    let keys = question(&roles, None).keys().unwrap();
    let accounts: Vec<_> =
        keys.iter().map(|key| (key.arn.location().account.as_str(), key.is_other_account)).collect();
    assert_eq!(accounts, [("111122223333", false), ("999999999999", false), ("999999999998", true)]);
    assert_eq!(keys[2].stack_facts().account, None);
    assert_eq!(keys[0].stack_facts().account.as_deref(), Some("111122223333"));
    assert_eq!(keys[0].stack_facts().partition.as_deref(), Some("aws"));
    assert_eq!(keys[0].stack_facts().region, None);
    let account = AccountId::parse("222222222222");
    let keys =
        PolicyKeyQuestion { account, region: Some("cn-north-1"), ..question(&roles, None) }.keys().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(
        keys[0].arn.as_str(),
        "arn:aws-cn:kms:cn-north-1:222222222222:key/00000000-0000-0000-0000-000000000000"
    );
}

#[test]
fn options_that_contradict_the_key_are_refused() {
    let key = KeyArn::parse("arn:aws:kms:eu-west-1:111122223333:key/1-2").unwrap();
    assert!(question(&[], Some(&key)).keys().unwrap()[0].is_given);
    let account = AccountId::parse("222222222222");
    let error = PolicyKeyQuestion { account, ..question(&[], Some(&key)) }.keys().unwrap_err();
    assert!(error.to_string().contains("--account-id 222222222222 differs from --key"), "{error}");
    let error =
        PolicyKeyQuestion { region: Some("eu-west-2"), ..question(&[], Some(&key)) }.keys().unwrap_err();
    assert!(error.to_string().contains("--region eu-west-2 differs"), "{error}");
    let mixed = [role("111122223333"), PrincipalArn::parse("arn:aws-cn:iam::111122223333:role/A").unwrap()];
    assert!(question(&mixed, None).keys().unwrap_err().to_string().contains("several partitions"));
    let many: Vec<_> = (0..20).map(|n| role(&format!("{n:012}"))).collect();
    assert!(question(&many, None).keys().unwrap_err().to_string().contains("--account-id"));
    let accounts = [AccountId::parse("111122223333").unwrap()];
    let alone = PolicyKeyQuestion { accounts: &accounts, ..question(&[], None) };
    assert!(alone.keys().unwrap_err().to_string().contains("--region"));
}

#[test]
fn the_key_is_as_the_file_describes_it() {
    let keys = question(&[], None).keys().unwrap();
    let traits = KeyTraits { is_replica: true, is_enabled: Some(false), ..KeyTraits::default() };
    let key = keys[0].description(&traits);
    assert_eq!(
        (key.multi_region, key.state.as_str(), key.spec.as_str()),
        (MultiRegion::Replica, "Disabled", "SYMMETRIC_DEFAULT")
    );
    let traits =
        KeyTraits { spec: Some("RSA_2048".to_owned()), is_multi_region: Some(true), ..KeyTraits::default() };
    let key = keys[0].description(&traits);
    assert_eq!((key.multi_region, key.spec.as_str()), (MultiRegion::Primary, "RSA_2048"));
}
