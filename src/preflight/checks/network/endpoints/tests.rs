//! Endpoints for KMS: their policies, their Availability Zones and their security groups.

use crate::preflight::checks::network::tests::*;

const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1-2";
const OTHER_ROLE: &str = "arn:aws:iam::111122223333:role/Other";

/// An endpoint for KMS with a policy of one statement.
fn with_statement(statement: &str) -> NodeNetwork {
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    NodeNetwork::unreachable().endpoint("vpce-k", "kms", Some(&policy))
}

fn allow_on(resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"{resource}"}}"#)
}

fn allow_to(role: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{role}"}},"Action":"kms:*","Resource":"*"}}"#)
}

#[test]
fn a_policy_that_refuses_the_roles_fails_with_the_statement_to_add() {
    for key in [KEY, OTHER_KEY] {
        let own_keys = with_statement(&allow_on("arn:aws:kms:eu-west-1:333333333333:key/*"));
        let refusing = own_keys.with(|net| net.key = key);
        let (findings, remedies) = refusing.assess();
        let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
        assert_eq!((finding.verdict, finding.subject.as_str()), (Verdict::Fail, "vpc-1"));
        for word in ["vpce-k", key, ROLE, "node i-1", "does not allow kms:Decrypt"] {
            assert!(finding.evidence.contains(word), "{word}: {finding}");
        }
        let [remedy] = remedies.as_slice() else { panic!("{remedies:#?}") };
        assert_eq!(remedy.resource, "vpce-k");
        let cured = with_statement(&remedy.snippet.to_string()).with(|net| net.key = key);
        assert_eq!(cured.verdict(), Verdict::Pass, "{}", remedy.snippet);
        assert_eq!(cured.with(|net| net.nodes[0].roles = [role(OTHER_ROLE)].into()).verdict(), Verdict::Fail);
    }
}

#[test]
fn another_account_s_key_is_assessed_as_well() {
    for (resource, expected) in [
        ("*", Verdict::Pass),
        (OTHER_KEY, Verdict::Pass),
        (KEY, Verdict::Fail),
        ("arn:aws:kms:*:222222222222:key/*", Verdict::Pass),
        ("arn:aws:kms:us-east-1:222222222222:key/*", Verdict::Fail),
    ] {
        let net = with_statement(&allow_on(resource)).with(|net| net.key = OTHER_KEY);
        assert_eq!(net.verdict(), expected, "{resource}");
    }
    let condition = |account: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"aws:ResourceAccount":"{account}"}}}}}}"#
        )
    };
    for (account, expected) in [("222222222222", Verdict::Pass), (ACCOUNT, Verdict::Fail)] {
        let net = with_statement(&condition(account)).with(|net| net.key = OTHER_KEY);
        assert_eq!(net.verdict(), expected, "{account}");
    }
}

#[test]
fn a_deny_names_its_statement_and_has_no_statement_to_add() {
    let all = allow_on("*");
    let net = with_statement(&format!(
        r#"{all},{{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}}"#
    ));
    let (findings, remedies) = net.assess();
    assert_eq!((findings.len(), remedies.len()), (1, 0));
    assert_eq!(findings[0].verdict, Verdict::Fail);
    assert!(findings[0].evidence.contains("statement 1 `Never`"), "{}", findings[0]);
    assert!(findings[0].remedy.as_ref().unwrap().contains("Deny"));
}

#[test]
fn several_possible_roles_have_to_agree() {
    let to_role = with_statement(&allow_to(ROLE));
    let full = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL);
    let refusing = with_statement(&allow_to("333333333333"));
    let both = vec![role(ROLE), role(OTHER_ROLE)];
    for (name, net, roles, expected) in [
        ("the role", &to_role, vec![role(ROLE)], Verdict::Pass),
        ("another", &to_role, vec![role(OTHER_ROLE)], Verdict::Fail),
        ("one of both", &to_role, both.clone(), Verdict::Unknown),
        ("an unknown one", &to_role, Vec::new(), Verdict::Unknown),
        ("both allowed", &full, both.clone(), Verdict::Pass),
        ("an unknown one where all are allowed", &full, Vec::new(), Verdict::Pass),
        ("both denied", &refusing, both, Verdict::Fail),
    ] {
        let finding = net.clone().with(|net| net.nodes[0].roles = roles.into()).finding();
        assert_eq!(finding.verdict, expected, "{name}: {finding}");
    }
}

#[test]
fn nodes_with_the_same_verdict_are_one_finding() {
    let net = with_statement(&allow_to(ROLE)).with(|net| {
        for number in 2..=20 {
            let id = format!("i-{number}");
            let arn = format!("arn:aws:iam::111122223333:role/R{number:02}");
            net.nodes.push(InstanceNode { id: id.as_str().into(), roles: [role(&arn)].into() });
            net.instances().push(instance(&id));
        }
    });
    let (findings, remedies) = net.assess();
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert!(finding.evidence.contains("19 nodes (such as i-2)"), "{finding}");
    assert!(finding.evidence.contains("R06 and 14 more"), "{finding}");
    let roles = &remedies[0].snippet["Condition"]["ArnEquals"]["aws:PrincipalArn"];
    assert_eq!(roles.as_array().unwrap().len(), 19);
}

#[test]
fn what_is_not_known_of_a_policy_is_unknown_unless_context_says_it() {
    let of_organization = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#;
    let finding = with_statement(of_organization).finding();
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert!(finding.evidence.contains("aws:PrincipalOrgID"), "{finding}");
    let said = |organization: &str| {
        let known = format!(r#"{{"aws:PrincipalOrgID": "{organization}", "aws:SourceVpce": "vpce-x"}}"#);
        with_statement(of_organization)
            .with(|net| net.context = KnownContext::from_text(&known).unwrap())
            .finding()
    };
    for (organization, expected) in [("o-1", Verdict::Pass), ("o-2", Verdict::Fail)] {
        let finding = said(organization);
        assert_eq!(finding.verdict, expected, "{finding}");
        let given = format!("(given that aws:PrincipalOrgID is {organization}, as Context says)");
        assert!(finding.evidence.contains(&given), "{finding}");
    }
    let finding = NodeNetwork::unreachable().endpoint("vpce-k", "kms", Some("{")).finding();
    assert_eq!(finding.verdict, Verdict::Unknown);
    assert!(finding.evidence.contains("cannot be read"), "{finding}");
}

#[test]
fn an_endpoint_that_does_not_certainly_take_the_calls_is_unknown() {
    let nobody = Some(r#"{"Statement":[]}"#);
    let without_dns = |policy| {
        NodeNetwork::unreachable()
            .endpoint("vpce-k", "kms", policy)
            .with(|net| net.endpoints().last_mut().unwrap().has_private_dns = false)
    };
    let pending = || {
        NodeNetwork::unreachable()
            .endpoint("vpce-k", "kms", FULL)
            .with(|net| net.endpoints().last_mut().unwrap().state = EndpointState::Pending)
    };
    for (name, net, word) in
        [("no private DNS", without_dns(FULL), "private DNS"), ("pending", pending(), "not available yet")]
    {
        let finding = net.finding();
        assert_eq!(finding.verdict, Verdict::Unknown, "{name}: {finding}");
        assert!(finding.evidence.contains(word) && finding.evidence.contains("vpce-k"), "{name}: {finding}");
    }
    let gone = pending().with(|net| net.endpoints().last_mut().unwrap().state = EndpointState::Gone);
    assert_eq!(gone.verdict(), Verdict::Fail);
    // With a way to the internet, the calls that may take the endpoint have to be allowed there too.
    let nat = |net: NodeNetwork| net.route("0.0.0.0/0", "nat-1").nat(true, true, Some("subnet-public"));
    assert_eq!(nat(without_dns(FULL)).verdict(), Verdict::Pass);
    let finding = nat(without_dns(nobody)).finding();
    assert_eq!(finding.verdict, Verdict::Unknown, "{finding}");
    assert!(finding.evidence.contains("vpce-k"), "{finding}");
    // An endpoint with private DNS takes all calls, whatever the routes.
    assert_eq!(nat(NodeNetwork::unreachable().endpoint("vpce-k", "kms", nobody)).verdict(), Verdict::Fail);
    for service in ["com.amazonaws.us-east-1.kms", "com.amazonaws.vpce.eu-west-1.vpce-svc-1"] {
        let net = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL);
        let net = net.with(|net| net.endpoints().last_mut().unwrap().service = service.to_owned());
        assert_eq!(net.verdict(), Verdict::Fail, "{service}");
    }
}

#[test]
fn an_endpoint_for_fips_alone_is_unknown_because_it_depends_on_the_agents() {
    let nobody = Some(r#"{"Statement":[]}"#);
    let nat = |net: NodeNetwork| net.route("0.0.0.0/0", "nat-1").nat(true, true, Some("subnet-public"));
    let fips = |policy| NodeNetwork::unreachable().endpoint("vpce-f", "kms-fips", policy);
    for (name, net, expected) in [
        ("alone", fips(FULL), Verdict::Unknown),
        ("alone, and refusing", fips(nobody), Verdict::Fail),
        ("beside a way out", nat(fips(FULL)), Verdict::Pass),
        ("beside a way out, and refusing", nat(fips(nobody)), Verdict::Warning),
        ("beside an endpoint for KMS", fips(nobody).endpoint("vpce-k", "kms", FULL), Verdict::Pass),
        ("beside a transit gateway", fips(FULL).route("0.0.0.0/0", "tgw-1"), Verdict::Unknown),
        (
            "beside a transit gateway, and refusing",
            fips(nobody).route("0.0.0.0/0", "tgw-1"),
            Verdict::Unknown,
        ),
    ] {
        let finding = net.finding();
        assert_eq!(finding.verdict, expected, "{name}: {finding}");
        if expected == Verdict::Warning || name == "alone" {
            assert!(
                finding.evidence.contains("FIPS") && finding.evidence.contains("vpce-f"),
                "{name}: {finding}"
            );
        }
    }
}

#[test]
fn an_endpoint_in_other_availability_zones_is_a_warning() {
    let net = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL).with(|net| {
        net.nodes.push(node("i-2"));
        net.instances().push(instance("i-2"));
        net.instances()[1].interfaces[0].subnet = Some("subnet-2".into());
    });
    let finding = net.finding();
    assert_eq!(finding.verdict, Verdict::Warning);
    for word in ["vpce-k", "eu-west-1a only", "node i-2 is in eu-west-1b"] {
        assert!(finding.evidence.contains(word), "{word}: {finding}");
    }
    let both = net.clone().with(|net| {
        net.endpoints().last_mut().unwrap().subnets.push("subnet-2".to_owned());
    });
    assert_eq!(both.verdict(), Verdict::Pass);
    let not_found = net.with(|net| net.endpoints().last_mut().unwrap().subnets = vec!["subnet-9".to_owned()]);
    assert_eq!(not_found.verdict(), Verdict::Pass);
}

#[test]
fn security_groups_that_do_not_admit_the_nodes_are_a_warning() {
    type EditNetwork = fn(&mut NodeNetwork);
    fn rule(net: &mut NodeNetwork) -> &mut InboundRule {
        &mut known(&mut net.network.security_groups)[0].inbound[0]
    }
    let cases: [(&str, EditNetwork, Verdict); 15] = [
        ("as it is", |_| {}, Verdict::Pass),
        ("another block", |net| rule(net).blocks = vec!["10.1.0.0/16".to_owned()], Verdict::Warning),
        ("another port", |net| rule(net).ports = Some((80, 442)), Verdict::Warning),
        ("a range of ports", |net| rule(net).ports = Some((0, 65535)), Verdict::Pass),
        ("all ports", |net| rule(net).ports = None, Verdict::Pass),
        ("UDP", |net| rule(net).protocol = "udp".to_owned(), Verdict::Warning),
        ("all protocols", |net| rule(net).protocol = "-1".to_owned(), Verdict::Pass),
        ("no rule", |net| known(&mut net.network.security_groups)[0].inbound.clear(), Verdict::Warning),
        (
            "their group",
            |net| (rule(net).blocks, rule(net).groups) = (Vec::new(), vec!["sg-n".to_owned()]),
            Verdict::Pass,
        ),
        (
            "another group",
            |net| (rule(net).blocks, rule(net).groups) = (Vec::new(), vec!["sg-x".to_owned()]),
            Verdict::Warning,
        ),
        (
            "a prefix list",
            |net| (rule(net).blocks, rule(net).prefix_lists) = (Vec::new(), vec!["pl-1".to_owned()]),
            Verdict::Pass,
        ),
        ("IPv6 only", |net| rule(net).blocks = vec!["::/0".to_owned()], Verdict::Warning),
        (
            "IPv6, which the node has",
            |net| {
                rule(net).blocks = vec!["::/0".to_owned()];
                net.interface().has_ipv6 = true;
            },
            Verdict::Pass,
        ),
        ("a group that is not found", |net| known(&mut net.network.security_groups).clear(), Verdict::Pass),
        (
            "an address that is not known",
            |net| {
                rule(net).blocks = Vec::new();
                net.interface().private_ip = None;
            },
            Verdict::Pass,
        ),
    ];
    for (name, edit, expected) in cases {
        let finding = NodeNetwork::unreachable().endpoint("vpce-k", "kms", FULL).with(edit).finding();
        assert_eq!(finding.verdict, expected, "{name}: {finding}");
        if expected == Verdict::Warning || name == "alone" {
            for word in ["vpce-k", "sg-e", "443", "node i-1"] {
                assert!(finding.evidence.contains(word), "{name}: {finding}");
            }
        }
    }
}
