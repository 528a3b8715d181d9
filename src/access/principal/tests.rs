//! Which texts are roles, users and owners of sessions, and what the others are answered with.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::access::{CallerKind, KeyFacts, KeyRules, KeyVerdict, SimulatedCall, key_policy_statement};
use crate::key::example_arn;
use crate::quote::shell_word;

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

fn answer(text: &str) -> String {
    PrincipalArn::parse(text).unwrap_err().to_string()
}

#[test]
fn a_session_is_answered_with_the_arn_of_its_role() {
    assert_eq!(
        answer("arn:aws:sts::111122223333:assumed-role/App/i-0123456789abcdef0"),
        "`arn:aws:sts::111122223333:assumed-role/App/i-0123456789abcdef0` is a session of a role; give the ARN of the role, \
         `arn:aws:iam::111122223333:role/App`, with its path before the name if it has one (`aws iam get-role --role-name App \
         --query Role.Arn` prints it)"
    );
    let name = "AWSReservedSSO_Ops_0123456789abcdef";
    assert_eq!(
        answer(&format!("arn:aws-cn:sts::111122223333:assumed-role/{name}/jane@example.com")),
        format!(
            "`arn:aws-cn:sts::111122223333:assumed-role/{name}/jane@example.com` is a session of a role; give the ARN of the \
             role, `arn:aws-cn:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}`, with the Region of IAM Identity \
             Center before the name if the path has it (`aws iam get-role --role-name {name} --query Role.Arn` prints it)"
        )
    );
    let with_path = answer("arn:aws:sts::111122223333:assumed-role/team/App/ann");
    assert!(
        with_path.ends_with("give the ARN of the role, `arn:aws:iam::111122223333:role/team/App`"),
        "{with_path}"
    );
}

#[test]
fn the_role_that_a_session_is_answered_with_is_taken() {
    for session in ["App/ann", "App", "team/App/ann", "AWSReservedSSO_Ops_0123456789abcdef/ann", "a+=,.@_-/x"]
    {
        let given = format!("arn:aws:sts::111122223333:assumed-role/{session}");
        let Err(PrincipalArnError::RoleSession { role, .. }) = PrincipalArn::parse(&given) else {
            panic!("{given}");
        };
        assert!(PrincipalArn::parse_role(&role).is_ok(), "{role}");
    }
}

#[test]
fn each_kind_of_arn_has_its_own_answer() {
    for (text, words) in [
        ("arn:aws:sts::111122223333:federated-user/bob", "is a federated user, "),
        ("arn:aws:iam::111122223333:root", "stands for a whole account; "),
        ("111122223333", "stands for a whole account; "),
        ("arn:aws:iam::111122223333:group/team/Ops", "is a group, "),
        (
            "arn:aws:iam::111122223333:instance-profile/team/App",
            "`aws iam get-instance-profile --instance-profile-name App` prints",
        ),
        ("arn:aws:iam::111122223333:role/*", "is a pattern; "),
        ("arn:aws:iam::111122223333:role/team/App-?", "is a pattern; "),
        ("arn:aws:iam::111122223333:*", "is a pattern; "),
        ("arn:aws:iam::*:user/ann", "is a pattern; "),
        ("*", "is a pattern; "),
        ("arn:aws:s3:::bucket", "is not the ARN of a role or a user; "),
        ("arn:aws:sts::1:assumed-role/App/x", "is not the ARN of a role or a user; "),
        ("arn:aws:sts::111122223333:assumed-role/", "is not the ARN of a role or a user; "),
        ("arn:aws:sts::111122223333:assumed-role/A$(x)/x", "is not the ARN of a role or a user; "),
        ("App", "is not the ARN of a role or a user; "),
    ] {
        let answer = answer(text);
        assert!(answer.starts_with(&format!("`{text}` ")) && answer.contains(words), "{answer}");
        assert!(answer.contains("role/NAME") || answer.contains("user/NAME"), "{answer}");
    }
}

#[test]
fn a_user_is_no_role() {
    for text in ["arn:aws:iam::111122223333:user/ann", "ann", "arn:aws:iam::111122223333:role/*"] {
        let error = PrincipalArn::parse_role(text).unwrap_err();
        assert_eq!(error, PrincipalArnError::NoRole(text.to_owned()));
    }
    let session = "arn:aws:sts::111122223333:assumed-role/App/ann";
    assert!(matches!(PrincipalArn::parse_role(session), Err(PrincipalArnError::RoleSession { .. })));
}

#[test]
fn a_pattern_is_for_roles_and_users() {
    for pattern in [
        "*",
        "*Contractor",
        "arn:aws:iam::*:role/team/*",
        "arn:*:iam::111122223333:user/an?",
        "arn:aws:iam::*",
        "",
    ] {
        assert_eq!(parse_principal_pattern(pattern).as_deref(), Ok(pattern));
    }
    for (pattern, words) in [
        (
            "arn:aws:sts::111122223333:assumed-role/App/*",
            "`arn:aws:iam::111122223333:role/App`, with its path",
        ),
        (
            "arn:aws:sts::*:assumed-role/AWSReservedSSO_Ops_*/*",
            "`arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_*`, with the Region",
        ),
        ("arn:aws:iam::*:group/Ops", "is a group"),
        ("arn:aws:iam::111122223333:root", "whole account"),
        ("arn:aws:sts::111122223333:federated-user/*", "is a federated user"),
    ] {
        let error = parse_principal_pattern(pattern).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// A path as IAM allows it, and the name of a role behind it.
fn path_and_name() -> impl Strategy<Value = String> {
    ("[!-~]{0,40}", "[A-Za-z0-9+=,.@_-]{1,64}")
        .prop_map(|(path, name)| if path.is_empty() { name } else { format!("{path}/{name}") })
}

proptest! {
    #[test]
    fn every_path_and_name_of_iam_is_taken_and_stays(path_and_name in path_and_name(), word in "role|user") {
        let arn = format!("arn:aws:iam::111122223333:{word}/{path_and_name}");
        let principal = PrincipalArn::parse(&arn).unwrap();
        prop_assert_eq!(principal.as_str(), arn.as_str());
        prop_assert_eq!(principal.name(), path_and_name.rsplit('/').next().unwrap());
        let json = serde_json::to_string(&principal).unwrap();
        prop_assert_eq!(serde_json::from_str::<PrincipalArn>(&json).unwrap(), principal);
    }

    /// The statement that a report prints admits the principal that it is for, and no other one of the same name.
    #[test]
    fn a_key_policy_names_every_path(path_and_name in path_and_name(), other in path_and_name()) {
        let role = |name: &str| PrincipalArn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap();
        let (principal, other) = (role(&path_and_name), role(&other));
        let statement = key_policy_statement(CallerKind::Node, &[&principal]);
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let rules = KeyRules::new(example_arn(), KeyFacts::default(), &policy, "[]").unwrap();
        prop_assert_eq!(rules.warnings().count(), 0);
        let refuses = |principal| {
            let verdict = rules.evaluate(principal, CallerKind::Node).unwrap();
            matches!(verdict, KeyVerdict::ImplicitDeny { .. })
        };
        prop_assert!(!refuses(&principal));
        prop_assert_eq!(refuses(&other), other != principal);
    }

    /// A condition compares the whole ARN with its case, and the pattern without wildcards is the ARN itself.
    #[test]
    fn the_simulator_and_the_patterns_have_the_arn_as_it_is(path_and_name in path_and_name()) {
        let arn = format!("arn:aws:iam::111122223333:role/{path_and_name}");
        let principal = PrincipalArn::parse(&arn).unwrap();
        let key = example_arn();
        let call = SimulatedCall { principal: &principal, side: CallerKind::User, key: &key };
        let entries = call.certain_entries(&KeyFacts::default());
        let own = entries.iter().find(|entry| entry.key == "aws:PrincipalArn").unwrap();
        prop_assert_eq!(&own.values, &vec![arn.clone()]);
        prop_assert!(kms_key_policy::matches_wildcards(&arn, &arn));
        // No shell acts on what stands between two quotes.
        let word = shell_word(&arn);
        let inside = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
        prop_assert_eq!(inside.map_or(word.clone(), |inside| inside.replace(r"'\''", "'")), arn);
    }

    #[test]
    fn no_text_panics_and_none_is_repeated_at_length(text in any::<String>(), rest in "[!-~]{0,3000}") {
        for text in [
            text.clone(),
            format!("arn:aws:iam::111122223333:role/{text}"),
            format!("arn:aws:sts::111122223333:assumed-role/{rest}"),
            format!("arn:aws:iam::111122223333:instance-profile/{rest}"),
        ] {
            let error = PrincipalArn::parse(&text).err().or(parse_principal_pattern(&text).err());
            if let Some(error) = error {
                let message = error.to_string();
                prop_assert!(message.len() < 1500 && !message.contains('\n'), "{}", message);
            }
        }
    }
}
