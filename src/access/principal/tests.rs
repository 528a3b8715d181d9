//! Which texts are roles, users and owners of sessions.

use super::*;

#[test]
fn roles_and_users_are_read_with_their_path() {
    let role = PrincipalArn::parse("arn:aws:iam::111122223333:role/team/App").unwrap();
    assert_eq!(
        (role.principal_type(), role.account(), role.name()),
        (PrincipalType::Role, "111122223333", "App")
    );
    let user = PrincipalArn::parse("arn:aws-cn:iam::111122223333:user/ann@example.com").unwrap();
    assert_eq!((user.principal_type(), user.partition()), (PrincipalType::User, "aws-cn"));
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "App",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:sts::111122223333:assumed-role/App/x",
        "arn:aws:iam::1:role/App",
        "arn:aws:iam::111122223333:group/Ops",
    ] {
        assert!(PrincipalArn::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_session_s_owner_is_a_user_a_role_or_another_identity() {
    assert!(matches!(SessionOwner::parse("arn:aws:iam::111122223333:user/ann"), SessionOwner::User(_)));
    assert_eq!(
        SessionOwner::parse("arn:aws:sts::111122223333:assumed-role/App/ann@example.com"),
        SessionOwner::Role { account: "111122223333".into(), name: "App".into() }
    );
    for other in ["arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:assumed-role/", "App", ""] {
        assert!(matches!(SessionOwner::parse(other), SessionOwner::Other(_)), "{other}");
    }
}

#[test]
fn a_session_of_identity_center_has_the_role_s_name_with_and_without_the_path() {
    let name = "AWSReservedSSO_Ops_Admin_0123456789abcdef";
    for path in ["", "aws-reserved/sso.amazonaws.com/", "aws-reserved/sso.amazonaws.com/eu-west-1/"] {
        let owner = format!("arn:aws:sts::111122223333:assumed-role/{path}{name}/jane@example.com");
        assert_eq!(
            SessionOwner::parse(&owner),
            SessionOwner::Role { account: "111122223333".into(), name: name.into() },
            "{owner}"
        );
    }
}
