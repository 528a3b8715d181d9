use super::*;

const USER: &str = "arn:aws:iam::111122223333:user/team/ann";
const ALLOWS: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
const READS: &str = r#"{"Statement":{"Effect":"Allow","Action":["s3:Get*","kms:Encrypt"],"Resource":"*"}}"#;

fn user() -> ListedPrincipal {
    ListedPrincipal {
        principal: PrincipalArn::parse(USER).unwrap(),
        policies: ListedPolicies {
            inline: vec![("Own".to_owned(), ALLOWS.to_owned()), ("Reads".to_owned(), READS.to_owned())],
            attached: vec!["arn:aws:iam::aws:policy/service-role/Kms".to_owned()],
        },
        groups: vec!["Ops".to_owned()],
        boundary: Some("arn:aws:iam::111122223333:policy/Boundary".to_owned()),
        tags: vec![("team".to_owned(), "web".to_owned())],
        trust_policy: None,
    }
}

fn group() -> ListedEntity {
    let inline = vec![("Duty".to_owned(), ALLOWS.to_owned())];
    let policies = ListedPolicies { inline, attached: Vec::new() };
    ListedEntity::Group { name: "Ops".to_owned(), policies }
}

fn managed(arn: &str, document: &str) -> ListedEntity {
    ListedEntity::ManagedPolicy { arn: arn.to_owned(), document: document.to_owned() }
}

#[test]
fn a_principal_has_its_own_policies_those_of_its_groups_and_a_boundary_in_whatever_order_they_come() {
    let entities = [
        group(),
        managed("arn:aws:iam::aws:policy/service-role/Kms", ALLOWS),
        managed("arn:aws:iam::111122223333:policy/Boundary", READS),
        ListedEntity::Principal(user()),
    ];
    for turned in 0..entities.len() {
        let mut entities = entities.clone();
        entities.rotate_left(turned);
        let mut list = AccountPolicies::default();
        entities.into_iter().for_each(|entity| list.add(entity));
        let own = list.of(&user().principal).unwrap();
        // A policy that does not concern sessions is left out. As a boundary it allows nothing.
        assert_eq!(own.names, ["user_ann_Own", "Kms", "group_Ops_Duty"]);
        assert!(own.boundary.is_some());
        assert_eq!(list.principals().map(|listed| &listed.tags).collect::<Vec<_>>(), [&user().tags]);
    }
}

#[test]
fn what_is_not_listed_is_no_absence() {
    let complete = [
        group(),
        managed("arn:aws:iam::aws:policy/service-role/Kms", ALLOWS),
        managed("arn:aws:iam::111122223333:policy/Boundary", READS),
        ListedEntity::Principal(user()),
    ];
    for (missing, expected) in ["does not have group Ops", "policy/service-role/Kms", "policy/Boundary", USER]
        .into_iter()
        .enumerate()
    {
        let mut list = AccountPolicies::default();
        let entities = complete.iter().enumerate().filter(|(at, _)| *at != missing);
        entities.for_each(|(_, entity)| list.add(entity.clone()));
        let error = list.of(&user().principal).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_an_error_and_no_absence() {
    for text in [r#"{"Statement":[{"Effect":"Allow"}]}"#, "{", "[]", r#"{"Statement":[{"Action":7}]}"#] {
        let mut list = AccountPolicies::default();
        let policies =
            ListedPolicies { inline: vec![("Odd".to_owned(), text.to_owned())], attached: Vec::new() };
        let plain = ListedPrincipal { policies, groups: Vec::new(), boundary: None, ..user() };
        list.add(ListedEntity::Principal(plain));
        assert!(list.of(&user().principal).unwrap_err().contains("user_ann_Odd"), "{text}");
    }
}

#[test]
fn a_policy_concerns_sessions_if_a_statement_may_cover_one_of_their_calls() {
    for (statement, expected) in [
        (r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#, true),
        (r#"{"Effect":"Deny","Action":["s3:*","KMS:generate*"],"Resource":"*"}"#, true),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#, true),
        (r#"{"Effect":"Allow","Action":"k?s:D*","Resource":"*"}"#, true),
        (r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#, true),
        (r#"[{"Effect":"Allow","Action":"s3:*"},{"Effect":"Allow","Action":"kms:*"}]"#, true),
        (r#"{"Effect":"Allow","Action":["kms:Encrypt","kms:GenerateDataKeyPair"],"Resource":"*"}"#, false),
        (r#"[{"Effect":"Allow","Action":"s3:*"},{"Effect":"Allow","Action":["ec2:*"]}]"#, false),
        ("[]", false),
    ] {
        assert_eq!(concerns_sessions(&format!(r#"{{"Statement":{statement}}}"#)), expected, "{statement}");
    }
}
