use super::*;

fn role(name: &str) -> PrincipalArn {
    PrincipalArn::parse(&format!("arn:aws:iam::111122223333:role/{name}")).unwrap()
}

/// The names of the roles, `?` behind those that are only possible, and whether there can be no other.
fn roles(profile: &ProfileRole, host: &DefaultHostManagement) -> (String, bool) {
    let agents = AgentRoles::of_profile("P", profile, host);
    let name = |(role, need, _): &(PrincipalArn, Need, String)| match need {
        Need::Certain => role.name().to_owned(),
        _ => format!("{}?", role.name()),
    };
    (agents.roles.iter().map(name).collect::<Vec<_>>().join(" "), agents.is_complete)
}

#[test]
fn the_role_of_the_profile_counts_if_it_may_register_and_that_of_host_management_if_not() {
    let profile = |registration| ProfileRole::Role(role("Web"), registration);
    let (allowed, denied) = (Some(Registration::Allowed), Some(Registration::Denied));
    let unknown = Some(Registration::Unknown("it was denied".to_owned()));
    let on = DefaultHostManagement::On(role("Host"));
    for (profile, host, expected) in [
        (profile(None), DefaultHostManagement::Off, ("Web", true)),
        (profile(denied.clone()), DefaultHostManagement::Off, ("Web", true)),
        (profile(allowed.clone()), on.clone(), ("Web", true)),
        (profile(denied.clone()), on.clone(), ("Host", true)),
        (profile(unknown.clone()), on.clone(), ("Web? Host?", true)),
        (ProfileRole::None, on.clone(), ("Host", true)),
        (ProfileRole::Unknown, on, ("Host?", false)),
        (ProfileRole::None, DefaultHostManagement::Off, ("", false)),
        (ProfileRole::Unknown, DefaultHostManagement::Off, ("", false)),
        (profile(allowed), DefaultHostManagement::Unknown, ("Web", true)),
        // It works by the role of Default Host Management, which nobody knows.
        (profile(denied), DefaultHostManagement::Unknown, ("", false)),
        (profile(unknown), DefaultHostManagement::Unknown, ("Web?", false)),
        (ProfileRole::None, DefaultHostManagement::Unknown, ("", false)),
    ] {
        let (names, is_complete) = expected;
        assert_eq!(roles(&profile, &host), (names.to_owned(), is_complete), "{profile:?} {host:?}");
    }
}
