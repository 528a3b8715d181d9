//! What several formats say of an account and Region in the same words.

use crate::audit::{AuditFinding, AuditLine, AuditReport, AuditState};
use crate::preflight::Verdict;

/// The place as people read it: `111122223333 (Payments), eu-west-1`.
pub(super) fn place(line: &AuditLine) -> String {
    match &line.place.account_name {
        Some(name) => format!("{} ({name}), {}", line.place.account, line.place.region),
        None => format!("{}, {}", line.place.account, line.place.region),
    }
}

/// The state as a sentence without its full stop.
pub(super) fn title(line: &AuditLine) -> String {
    let what = match line.state {
        AuditState::Encrypted => "Session Manager sessions are encrypted",
        AuditState::Unknown => "Not everything about the encryption of Session Manager sessions is known",
        AuditState::Unencrypted => "Session Manager sessions are not encrypted with a KMS key",
        AuditState::Drifted => {
            "The Session Manager preferences do not have the KMS key that their owner wants"
        }
        AuditState::LockedOut => "Somebody who needs the KMS key of Session Manager sessions cannot use it",
        AuditState::SessionsFail => "Every Session Manager session fails because its KMS key cannot be used",
        AuditState::Unreadable => "The encryption of Session Manager sessions could not be looked at",
    };
    format!("{what} in account {}", place(line))
}

/// What is so, in some sentences or parts of them.
pub(super) fn details(line: &AuditLine) -> Vec<String> {
    let mut details = Vec::new();
    details.extend(line.unreadable.iter().map(|unreadable| unreadable.message.clone()));
    if line.state == AuditState::Unencrypted && line.document.is_none() {
        details.push("There is no preferences document.".to_owned());
    }
    details.extend(line.problems.iter().cloned());
    details.extend(line.keys.iter().filter_map(|key| key.problem.clone()));
    details.extend(line.locked_out.iter().map(|locked_out| {
        let role = locked_out.side;
        format!("{} cannot use the key as a {role}.", locked_out.principal)
    }));
    details.extend(line.unknown.iter().cloned());
    details
}

/// What to do: the remedies of the heaviest findings, each once.
pub(super) fn remedies(line: &AuditLine) -> Vec<&str> {
    let counts = |finding: &&AuditFinding| !finding.exempt && finding.verdict >= Verdict::Unknown;
    let mut remedies: Vec<&str> = Vec::new();
    for remedy in line.findings.iter().filter(counts).filter_map(|finding| finding.remedy.as_deref()) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    if remedies.is_empty() {
        remedies.extend(match line.state {
            AuditState::Unencrypted => {
                Some("Deploy session-kms with a KMS key in this account and Region, or say who accepts this.")
            }
            AuditState::Drifted => {
                Some("Run `session-kms status` in this account and Region, and let session-kms repair the document.")
            }
            AuditState::Unreadable => {
                Some("Deploy the audit role into this account, and let it read what the message names.")
            }
            AuditState::LockedOut | AuditState::SessionsFail => {
                Some("Run `session-kms check` with this key: it names the statements that are missing.")
            }
            AuditState::Unknown | AuditState::Encrypted => None,
        });
    }
    remedies
}

/// A text of at most so many characters, which is what AWS and OCSF count.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// When the line was made, or the report if the line does not say.
pub(super) fn audited_at<'a>(line: &'a AuditLine, report: &'a AuditReport) -> &'a str {
    if line.audited_at.is_empty() { report.made_at() } else { &line.audited_at }
}
