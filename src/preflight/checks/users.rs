//! The check *users*: everybody who recently started sessions that the key encrypts is a principal whose policies can be
//! checked.

use kms_key_policy::matches_wildcards;

use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{LeftOut, Read, Sessions, UnknownDocument};

/// The findings about the session history. `exempt` holds patterns of ARNs.
pub(in crate::preflight) fn findings(sessions: &Read<Sessions>, exempt: &[String]) -> Vec<Finding> {
    let finding = |verdict, evidence| Finding::new(Check::Users, verdict, "session history", evidence);
    let sessions = match sessions {
        Read::Known(sessions) => sessions,
        Read::Unknown(why) => return vec![finding(Verdict::Unknown, format!("it could not be read: {why}"))],
    };
    let mut findings: Vec<_> = sessions
        .others
        .iter()
        .map(|owner| Finding {
            exempt: exempt.iter().any(|pattern| matches_wildcards(pattern, &owner.arn)),
            ..finding(Verdict::Unknown, format!("{} started sessions, and {}", owner.arn, owner.why))
        })
        .collect();
    findings.extend(sessions.unknown_documents.iter().map(|UnknownDocument { name, sessions, why }| {
        let evidence = format!(
            "whether the key encrypts the sessions of document {name} ({sessions}), and so whether their owners need it, is \
             not known: {why}"
        );
        finding(Verdict::Unknown, evidence)
    }));
    findings.extend(sessions.gaps.iter().map(|gap| finding(Verdict::Unknown, gap.clone())));
    if findings.is_empty() || !sessions.left_out.is_empty() {
        findings.push(finding(Verdict::Pass, counted(sessions)));
    }
    findings
}

/// How many sessions were looked at, and how many were left out and why.
fn counted(sessions: &Sessions) -> String {
    let all = match sessions.count {
        1 => "1 session, whose owner is known".to_owned(),
        count => format!("{count} sessions, the owner of each is known"),
    };
    let left_out: usize = sessions.left_out.values().sum();
    if left_out == 0 {
        return all;
    }
    let reasons = sessions.left_out.iter().map(|(why, count)| {
        let why = match why {
            LeftOut::Port => "of port forwarding or SSH",
            LeftOut::EcsExec => "of ECS Exec",
            LeftOut::OtherDocument => "of documents with their own setting",
            LeftOut::JustInTime => "approved just in time, which use the role of just-in-time node access",
        };
        format!("{count} {why}")
    });
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    let (noun, of_them) = match (sessions.count, left_out) {
        (1, _) => ("session", "it does not count".to_owned()),
        (_, 1) => ("sessions", "1 of them does not count".to_owned()),
        (_, left_out) => ("sessions", format!("{left_out} of them do not count")),
    };
    format!("{} {noun}; {of_them}: {reasons}", sessions.count)
}
