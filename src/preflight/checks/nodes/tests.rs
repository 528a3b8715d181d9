use super::*;

fn fleet(agents: &[(&str, usize)]) -> Nodes {
    let of = |(version, count): &(&str, usize)| {
        ((*version).to_owned(), NodeCount { count: *count, example: "i-1".to_owned() })
    };
    Nodes {
        count: agents.iter().map(|(_, count)| count).sum(),
        agents: agents.iter().map(of).collect(),
        ..Nodes::default()
    }
}

fn verdicts(nodes: Nodes) -> Vec<Verdict> {
    findings(&Read::Known(nodes)).iter().map(|finding| finding.verdict).collect()
}

#[test]
fn agents_are_assessed_by_their_version() {
    for (version, expected) in [
        ("2.3.538.0", Verdict::Fail),
        ("2.3.539.0", Verdict::Warning),
        ("2.3.1000.0", Verdict::Warning),
        ("2.10.0.0", Verdict::Warning),
        ("3.0.654.0", Verdict::Warning),
        ("3.0.655.0", Verdict::Pass),
        ("3.3.808.0", Verdict::Pass),
        ("10.0", Verdict::Pass),
        ("1", Verdict::Fail),
        ("", Verdict::Unknown),
        ("3.x", Verdict::Unknown),
        ("3.1.2.3.4", Verdict::Unknown),
    ] {
        assert_eq!(verdicts(fleet(&[(version, 2)])), [expected], "{version}");
    }
}

#[test]
fn each_version_is_one_finding_with_an_example() {
    let nodes = findings(&Read::Known(fleet(&[("2.2.0.0", 1), ("2.3.0.0", 400), ("3.3.0.0", 9000)])));
    let evidence: Vec<_> = nodes.iter().map(|finding| finding.evidence.as_str()).collect();
    assert_eq!(
        evidence,
        [
            "agent 2.2.0.0 of 1 node (such as i-1) cannot encrypt sessions",
            "agent 2.3.0.0 of 400 nodes (such as i-1) cannot encrypt sessions"
        ]
    );
    assert!(nodes.iter().all(|finding| finding.remedy.is_some()));
}

#[test]
fn what_is_not_known_of_the_fleet_is_no_pass() {
    let without_role =
        Nodes { without_role: NodeCount { count: 3, example: "mi-1".into() }, ..fleet(&[("3.3.0.0", 3)]) };
    let gap = Nodes { gaps: vec!["ec2:X was denied".into()], ..fleet(&[("3.3.0.0", 3)]) };
    assert_eq!(verdicts(without_role), [Verdict::Unknown]);
    assert_eq!(verdicts(gap), [Verdict::Unknown]);
    let unread = findings(&Read::Unknown("ssm:X was denied".into()));
    assert_eq!((unread[0].verdict, unread.len()), (Verdict::Unknown, 1));
    assert!(unread[0].evidence.contains("ssm:X was denied"));
    assert_eq!(verdicts(Nodes::default()), [Verdict::Pass]);
}
