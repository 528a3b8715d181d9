//! The assessment of a large account: it has a key policy of 32 KB, 300 roles of nodes and 350 users.

#![expect(clippy::unwrap_used, reason = "a benchmark")]

#[path = "support/key_policy.rs"]
mod key_policy;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use key_policy::{ACCOUNT, arn, key_policy};
use session_kms::access::{CallerKind, KnownContext, OwnSide, PrincipalArn, SimulatedDecision, Simulation};
use session_kms::key::{KeyArn, KeyDescription};
use session_kms::preflight::{AccessObservation, Attributes, Need, Read, Subject, assess};

/// The longest key policy that KMS accepts, in bytes.
const LONGEST: usize = 32_768;

fn observation(decision: SimulatedDecision) -> AccessObservation {
    let subject = |side, name: String| Subject {
        principal: PrincipalArn::parse(&arn(&name)).unwrap(),
        side,
        source: "found".to_owned(),
        need: Need::Certain,
        own: OwnSide::Simulated(Simulation {
            decision,
            policies: vec!["Kms".to_owned()],
            organizations_allow: Some(true),
            boundary_allows: None,
            missing_context: Vec::new(),
        }),
        asked_of_context: Vec::new(),
        tags: None,
    };
    let nodes = (0..300).map(|number| subject(CallerKind::Node, format!("role/nodes/Web-{number}")));
    let users = (0..350).map(|number| subject(CallerKind::User, format!("role/sso/Ops-{number}")));
    AccessObservation {
        key: KeyDescription::assumed(
            KeyArn::parse(&format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/1-2")).unwrap(),
        ),
        account: ACCOUNT.into(),
        context: KnownContext::default(),
        attributes: Attributes::default(),
        policy: Read::Known(key_policy(LONGEST)),
        grants: Read::Known(Vec::new()),
        dry_runs: Vec::new(),
        unlisted_policies: None,
        subjects: nodes.chain(users).collect(),
        nodes: None,
        network: None,
        sessions: None,
    }
}

fn assessments(criterion: &mut Criterion) {
    for (name, decision) in
        [("all pass", SimulatedDecision::Allowed), ("all lack a policy", SimulatedDecision::ImplicitDeny)]
    {
        let observation = observation(decision);
        let exempt = ["arn:aws:iam::*:role/break-glass-*".to_owned()];
        criterion.bench_function(&format!("assess 650 principals on a policy of 32 KB: {name}"), |bencher| {
            bencher.iter(|| assess(black_box(&observation), black_box(&exempt)));
        });
    }
}

criterion_group!(benches, assessments);
criterion_main!(benches);
