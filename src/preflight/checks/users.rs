//! The check *users*: everybody who recently started sessions is a principal whose policies can be checked.

use kms_key_policy::matches_wildcards;

use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{Read, Sessions};

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
    if findings.is_empty() {
        findings
            .push(finding(Verdict::Pass, format!("{} sessions, the owner of each is known", sessions.count)));
    }
    findings
}
