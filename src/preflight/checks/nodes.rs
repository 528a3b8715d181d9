//! The check *nodes*: every agent can encrypt sessions, and every node's role is known.
//!
//! 2.3.539.0 is the first agent that encrypts sessions (Session Manager user guide). Before 3.0.655.0 an agent
//! refuses a preferences document that holds booleans as text (amazon-ssm-agent source).

use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{NodeCount, Nodes, Read};

const ENCRYPTS: [u64; 4] = [2, 3, 539, 0];
const TEXT_BOOLEANS: [u64; 4] = [3, 0, 655, 0];

/// The findings about the managed nodes.
pub(in crate::preflight) fn findings(nodes: &Read<Nodes>) -> Vec<Finding> {
    let finding = |verdict, evidence| Finding::new(Check::Nodes, verdict, "managed nodes", evidence);
    let nodes = match nodes {
        Read::Known(nodes) => nodes,
        Read::Unknown(why) => {
            return vec![finding(Verdict::Unknown, format!("they could not be listed: {why}"))];
        }
    };
    let mut findings = Vec::new();
    for (version, NodeCount { count, example }) in &nodes.agents {
        let many = format!("{count} {} (such as {example})", nodes_of(*count));
        match parsed(version) {
            None => {
                findings.push(finding(Verdict::Unknown, format!("the agent version of {many} is not known")));
            }
            Some(number) if number < ENCRYPTS => findings.push(Finding {
                remedy: Some("update the agent (AWS-UpdateSSMAgent) to 2.3.539.0 or later".to_owned()),
                ..finding(Verdict::Fail, format!("agent {version} of {many} cannot encrypt sessions"))
            }),
            Some(number) if number < TEXT_BOOLEANS => findings.push(Finding {
                remedy: Some("update the agent (AWS-UpdateSSMAgent)".to_owned()),
                ..finding(
                    Verdict::Warning,
                    format!("agent {version} of {many} refuses a preferences document with booleans as text"),
                )
            }),
            Some(_) => {}
        }
    }
    if nodes.without_role.count > 0 {
        let NodeCount { count, example } = &nodes.without_role;
        findings.push(finding(
            Verdict::Unknown,
            format!(
                "the role of {count} {} (such as {example}) is not known, so access is not proven there",
                nodes_of(*count)
            ),
        ));
    }
    findings.extend(nodes.gaps.iter().map(|gap| finding(Verdict::Unknown, gap.clone())));
    if findings.is_empty() {
        let evidence = match nodes.count {
            0 => "there are none".to_owned(),
            1 => "1 node, with an agent that encrypts and a known role".to_owned(),
            count => format!("{count} nodes, each with an agent that encrypts and a known role"),
        };
        findings.push(finding(Verdict::Pass, evidence));
    }
    findings
}

fn nodes_of(count: usize) -> &'static str {
    if count == 1 { "node" } else { "nodes" }
}

/// A version as four numbers. Missing numbers are 0.
fn parsed(version: &str) -> Option<[u64; 4]> {
    let mut numbers = [0; 4];
    let mut parts = version.split('.');
    for number in &mut numbers {
        match parts.next() {
            Some(part) => *number = part.parse().ok()?,
            None => break,
        }
    }
    (!version.is_empty() && parts.next().is_none()).then_some(numbers)
}

#[cfg(test)]
#[path = "nodes/tests.rs"]
mod tests;
