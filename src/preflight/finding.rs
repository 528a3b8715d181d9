//! A finding: one check's answer, with its evidence and its remedy.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::CallerKind;

/// The checks, by the names that reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// The key can encrypt sessions at all.
    KeyFitness,
    /// The key's policy and grants admit a principal.
    KeyPolicy,
    /// A principal's own policies allow the call.
    Identities,
    /// The calls with DryRun, as the function's own role.
    DryRun,
    /// The managed nodes' agents and roles.
    Nodes,
    /// The session history's owners.
    Users,
    /// The nodes can reach KMS.
    Network,
    /// The document can be edited, and its versions agree.
    Document,
}

/// What a check found. Unknown is never a pass.
///
/// The order of the variants is the order of their weight: the heaviest one comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It holds, and something about it is worth knowing.
    Warning,
    /// It could not be found out.
    Unknown,
    /// It does not hold.
    Fail,
}

/// One check's answer about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// Its answer.
    pub verdict: Verdict,
    /// What it is about: a key ARN, a document, a principal.
    pub subject: String,
    /// What was seen, one line.
    pub evidence: String,
    /// What to do, if something is to be done.
    pub remedy: Option<String>,
    /// As what the subject needs the key, if it is a principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<CallerKind>,
    /// Whether the subject is exempt, so that its failure does not block.
    pub exempt: bool,
    /// Whether it blocks in Strict although it is a warning.
    #[serde(rename = "blocksInStrict", skip_serializing_if = "std::ops::Not::not")]
    pub blocks_in_strict: bool,
    /// The indices of the statements of the key policy that the evidence names, from 0.
    #[serde(skip)]
    pub key_policy_statements: Vec<usize>,
}

impl Finding {
    /// A finding with no remedy, about no principal.
    #[must_use]
    pub fn new(
        check: Check,
        verdict: Verdict,
        subject: impl Into<String>,
        evidence: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict,
            subject: subject.into(),
            evidence: evidence.into(),
            remedy: None,
            side: None,
            exempt: false,
            blocks_in_strict: false,
            key_policy_statements: Vec::new(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.evidence)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl Verdict {
    /// The verdict on two parts together, which is the worse of the two. Unknown is never a pass.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }

    fn plural(self, count: usize) -> String {
        let word = match self {
            Self::Pass => "passed",
            Self::Warning if count == 1 => "warning",
            Self::Warning => "warnings",
            Self::Fail => "failed",
            Self::Unknown => "unknown",
        };
        format!("{count} {word}")
    }
}

/// How many findings there are of each verdict: `3 passed, 1 failed`.
pub(super) fn counts(findings: &[Finding]) -> String {
    let counts = [Verdict::Pass, Verdict::Warning, Verdict::Fail, Verdict::Unknown]
        .into_iter()
        .map(|verdict| (verdict, findings.iter().filter(|finding| finding.verdict == verdict).count()))
        .filter(|(verdict, count)| *count > 0 || *verdict == Verdict::Pass)
        .map(|(verdict, count)| verdict.plural(count));
    counts.collect::<Vec<_>>().join(", ")
}

/// All findings in one short line: the counts, then whatever did not simply pass.
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let rest = findings.iter().filter(|finding| finding.verdict != Verdict::Pass).map(ToString::to_string);
    std::iter::once(counts(findings)).chain(rest).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict) -> Finding {
        Finding { remedy: Some("do".into()), ..Finding::new(Check::KeyFitness, verdict, "key", "seen") }
    }

    #[test]
    fn the_summary_counts_and_names_what_did_not_pass() {
        assert_eq!(summary(&[]), "0 passed");
        assert_eq!(summary(&[finding(Verdict::Pass)]), "1 passed");
        assert_eq!(
            summary(&[finding(Verdict::Warning), finding(Verdict::Pass), finding(Verdict::Unknown)]),
            "1 passed, 1 warning, 1 unknown; key: seen; do; key: seen; do"
        );
    }
}
