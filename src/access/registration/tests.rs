use super::*;
use serde_json::json;

fn call(known: &serde_json::Value) -> RegistrationCall {
    let role = PrincipalArn::parse("arn:aws:iam::111122223333:role/Web").unwrap();
    let location = Location {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
    };
    let known: KnownContext = serde_json::from_value(known.clone()).unwrap();
    RegistrationCall::new(&role, "i-1", &location, &known)
}

fn simulation(decision: SimulatedDecision) -> Simulation {
    Simulation {
        decision,
        policies: Vec::new(),
        organizations_allow: None,
        boundary_allows: None,
        missing_context: Vec::new(),
    }
}

#[test]
fn the_simulation_gets_what_is_certain_and_what_the_owner_states_and_nothing_of_kms() {
    let call = call(
        &json!({"aws:SourceVpc": "vpc-1", "kms:ResourceAliases": "alias/a", "aws:RequestedRegion": "x"}),
    );
    let entries = call.context_entries();
    let value = |name: &str| {
        let entry = entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(name))?;
        Some(entry.values.join(" "))
    };
    assert_eq!(call.instance, "arn:aws:ec2:eu-west-1:111122223333:instance/i-1");
    assert_eq!(value("ec2:SourceInstanceARN").as_deref(), Some(call.instance.as_str()));
    assert_eq!(value("aws:SourceVpc").as_deref(), Some("vpc-1"));
    assert_eq!(value("aws:RequestedRegion").as_deref(), Some("eu-west-1"), "what is certain wins");
    assert!(entries.iter().all(|entry| !entry.key.starts_with("kms:")), "{entries:?}");
    for (name, expected) in [
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/Web"),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:ViaAWSService", "false"),
        ("aws:SecureTransport", "true"),
        ("aws:ResourceAccount", "111122223333"),
    ] {
        assert_eq!(value(name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn only_a_certain_answer_decides_which_role_it_is() {
    use SimulatedDecision::{Allowed, ExplicitDeny, ImplicitDeny, NotReported};
    let call = call(&json!({}));
    for (decision, expected) in [
        (Allowed, Registration::Allowed),
        (ImplicitDeny, Registration::Denied),
        (ExplicitDeny, Registration::Denied),
    ] {
        assert_eq!(call.registration(&simulation(decision)), expected);
    }
    let bounded = Simulation { boundary_allows: Some(false), ..simulation(Allowed) };
    assert_eq!(call.registration(&bounded), Registration::Denied);
    let unknown = [
        simulation(NotReported),
        Simulation { organizations_allow: Some(false), ..simulation(ExplicitDeny) },
        Simulation { organizations_allow: Some(false), ..simulation(ImplicitDeny) },
        Simulation { organizations_allow: Some(false), ..simulation(Allowed) },
        Simulation { missing_context: vec!["aws:SourceIp".to_owned()], ..simulation(Allowed) },
        Simulation { missing_context: vec!["aws:SourceIp".to_owned()], ..simulation(ImplicitDeny) },
    ];
    for simulation in unknown {
        let registration = call.registration(&simulation);
        assert!(matches!(registration, Registration::Unknown(_)), "{simulation:?}: {registration:?}");
    }
}

#[test]
fn a_condition_key_that_the_call_certainly_lacks_is_not_missing() {
    let missing = |name: &str| Simulation {
        missing_context: vec![name.to_owned()],
        ..simulation(SimulatedDecision::ImplicitDeny)
    };
    for name in ["aws:SourceArn", "aws:username", "aws:MultiFactorAuthPresent"] {
        assert_eq!(call(&json!({})).registration(&missing(name)), Registration::Denied, "{name}");
    }
    let stated = call(&json!({"aws:SourceVpce": null}));
    assert_eq!(stated.registration(&missing("aws:SourceVpce")), Registration::Denied);
}
