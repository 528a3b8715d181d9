use serde_json::Value;

use super::*;
use crate::access::{KnownContext, OwnSide, SimulatedDecision, Simulation};
use crate::key::{KeyArn, KeyDescription};
use crate::preflight::{Attributes, Need, OtherOwner, Read, Sessions, Subject};

const NODE: &str = "arn:aws:iam::111122223333:role/Node";
const NAMED: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/Node"},"Action":"kms:*","Resource":"*"}"#;
const NAMED_FROM: &str = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/Node"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
const ROOT: &str = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#;
const ROOT_FROM: &str = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}"#;
const NOBODY: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"333333333333"},"Action":"kms:*","Resource":"*"}"#;

fn simulated(decision: SimulatedDecision) -> OwnSide {
    OwnSide::Simulated(Simulation {
        decision,
        policies: Vec::new(),
        organizations_allow: None,
        boundary_allows: None,
        missing_context: Vec::new(),
    })
}

fn observation(
    account: &str,
    policy: Read<String>,
    grants: Read<Vec<Value>>,
    own: OwnSide,
) -> AccessObservation {
    let key =
        KeyDescription::assumed(KeyArn::parse(&format!("arn:aws:kms:eu-west-1:{account}:key/1-2")).unwrap());
    AccessObservation {
        key,
        account: "111122223333".into(),
        context: KnownContext::default(),
        attributes: Attributes::default(),
        policy,
        grants,
        dry_runs: Vec::new(),
        unlisted_policies: None,
        subjects: vec![Subject {
            principal: PrincipalArn::parse(NODE).unwrap(),
            side: CallerKind::Node,
            source: "test".into(),
            need: Need::Certain,
            own,
            asked_of_context: Vec::new(),
            tags: None,
        }],
        nodes: None,
        network: None,
        sessions: None,
    }
}

fn policy(statement: &str) -> Read<String> {
    Read::Known(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))
}

fn unread<T>() -> Read<T> {
    Read::Unknown("it was denied".into())
}

#[test]
fn a_lack_of_its_own_fails_only_where_an_allow_is_certainly_needed() {
    let none = || Read::Known(Vec::new());
    for (account, policy, grants, expected) in [
        ("111122223333", policy(ROOT), none(), Verdict::Fail),
        ("111122223333", policy(NAMED), none(), Verdict::Pass),
        ("111122223333", policy(NOBODY), none(), Verdict::Fail),
        // The condition may grant it by name, or it may only delegate.
        ("111122223333", policy(NAMED_FROM), none(), Verdict::Unknown),
        ("111122223333", policy(ROOT_FROM), none(), Verdict::Fail),
        // A grant, or a policy, that nobody saw may grant it by name.
        ("111122223333", policy(ROOT), unread(), Verdict::Unknown),
        ("111122223333", policy(NOBODY), unread(), Verdict::Unknown),
        ("111122223333", unread(), none(), Verdict::Unknown),
        // Another account's key needs both sides whatever its policy says.
        ("222222222222", policy(NAMED), none(), Verdict::Fail),
        ("222222222222", policy(NAMED_FROM), unread(), Verdict::Fail),
        ("222222222222", unread(), none(), Verdict::Fail),
        ("222222222222", unread(), unread(), Verdict::Fail),
    ] {
        let context = format!("{account} {policy:?} {grants:?}");
        let observed = observation(account, policy, grants, simulated(SimulatedDecision::ImplicitDeny));
        let assessment = assess(&observed, &[]);
        assert_eq!(assessment.access[0].verdict, expected, "{context}: {:?}", assessment.access);
        let lacks = !assessment.remedies.identity_policies.is_empty();
        assert_eq!(lacks, expected == Verdict::Fail, "{context}");
    }
}

#[test]
fn remedies_are_for_those_who_fail() {
    let mut observed = observation(
        "111122223333",
        policy(NOBODY),
        Read::Known(Vec::new()),
        simulated(SimulatedDecision::Allowed),
    );
    let user = PrincipalArn::parse("arn:aws:iam::111122223333:user/ann").unwrap();
    observed.subjects.push(Subject {
        principal: user.clone(),
        side: CallerKind::User,
        source: "test".into(),
        need: Need::Certain,
        own: simulated(SimulatedDecision::ImplicitDeny),
        asked_of_context: Vec::new(),
        tags: None,
    });
    let remedies = assess(&observed, &[]).remedies;
    let admitted: Vec<_> =
        remedies.key_policy_statements.iter().map(|one| &one["Principal"]["AWS"][0]).collect();
    assert_eq!(admitted, [user.as_str(), NODE]);
    assert_eq!(remedies.identity_policies.len(), 1);
    assert_eq!(remedies.identity_policies[0].principals, [user]);
}

#[test]
fn modes_weigh_findings() {
    use Verdict::{Fail, Pass, Unknown, Warning};
    for (mode, verdict, blocks) in [
        (PreflightMode::Strict, Fail, true),
        (PreflightMode::Strict, Unknown, true),
        (PreflightMode::Strict, Warning, false),
        (PreflightMode::Strict, Pass, false),
        (PreflightMode::Enforce, Fail, true),
        (PreflightMode::Enforce, Unknown, false),
        (PreflightMode::Warn, Fail, false),
        (PreflightMode::Warn, Unknown, false),
        (PreflightMode::Off, Fail, false),
    ] {
        for check in [Check::KeyPolicy, Check::Identities, Check::DryRun, Check::Nodes, Check::Users] {
            let finding = Finding::new(check, verdict, "it", "seen");
            assert_eq!(mode.blocks(&finding), blocks, "{mode:?} {check:?} {verdict:?}");
            assert!(!mode.blocks(&Finding { exempt: true, ..finding }));
        }
        // An unfit key and a document that cannot be changed block in every mode; what is only worth knowing in none.
        for check in [Check::KeyFitness, Check::Document] {
            let finding = Finding::new(check, verdict, "it", "seen");
            assert_eq!(mode.blocks(&finding), verdict == Fail, "{mode:?} {check:?} {verdict:?}");
        }
    }
}

#[test]
fn exempt_is_who_matches_whole_and_by_case() {
    let others = vec![OtherOwner { arn: "arn:aws:iam::111122223333:root".into(), why: "is root".into() }];
    for (pattern, node, owner) in [
        ("arn:aws:iam::111122223333:role/Node", true, false),
        ("arn:aws:iam::*:role/N?de", true, false),
        ("role/Node", false, false),
        ("arn:aws:iam::111122223333:role/node", false, false),
        ("*:root", false, true),
        ("*", true, true),
        ("", false, false),
    ] {
        let own = simulated(SimulatedDecision::ImplicitDeny);
        let mut observed = observation("111122223333", policy(ROOT), Read::Known(Vec::new()), own);
        observed.sessions =
            Some(Read::Known(Sessions { count: 1, others: others.clone(), ..Sessions::default() }));
        let assessment = assess(&observed, &[pattern.to_owned()]);
        assert_eq!(assessment.access[0].exempt, node, "{pattern}");
        assert_eq!(assessment.access[0].verdict, Verdict::Fail, "it is reported all the same");
        let of_owner = assessment.findings.iter().find(|finding| finding.check == Check::Users).unwrap();
        assert_eq!(of_owner.exempt, owner, "{pattern}");
        let blocks = assessment.findings.iter().any(|finding| PreflightMode::Enforce.blocks(finding));
        assert_eq!(blocks, !node, "{pattern}");
    }
}

#[test]
fn what_does_not_depend_on_the_key_comes_once_for_two_keys() {
    let network = Finding::new(Check::Network, Verdict::Fail, "vpc-1", "it is cut off");
    let of_key = |key: &str| Finding::new(Check::KeyFitness, Verdict::Pass, key, "it is fit");
    let remedy = crate::preflight::ResourceRemedy {
        resource: "vpc-1".to_owned(),
        title: "Add an endpoint".to_owned(),
        command: None,
        snippet: Value::Null,
    };
    let assessment = |key: &str| Assessment {
        findings: vec![of_key(key), network.clone()],
        remedies: Remedies { resources: vec![remedy.clone()], ..Remedies::default() },
        ..Assessment::default()
    };
    let mut both = assessment("one");
    both.extend(assessment("other"));
    assert_eq!(both.findings, [of_key("one"), network.clone(), of_key("other")]);
    assert_eq!(both.remedies.resources.len(), 1);
}
