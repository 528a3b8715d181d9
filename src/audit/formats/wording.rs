//! What several formats say of an account and Region in the same words.

use crate::audit::{AuditFinding, AuditLine, AuditReport, AuditState, Rating};
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

/// The page's tone and the headline of the report.
pub(super) fn headline(report: &AuditReport) -> (&'static str, String) {
    let totals = report.totals();
    match (totals.rated(Rating::Fails), totals.rated(Rating::Unknown)) {
        (0, 0) if totals.rated(Rating::Passes) == 0 => {
            ("unknown", "No account and Region was audited.".to_owned())
        }
        (0, 0) => ("pass", "Sessions are encrypted everywhere, and nobody is locked out.".to_owned()),
        (0, unknown) => {
            ("unknown", format!("Nothing fails, and {unknown} of {} are not known.", totals.places))
        }
        (fails, 0) => ("fail", format!("{fails} of {} fail.", totals.places)),
        (fails, unknown) => {
            ("fail", format!("{fails} of {} fail, and {unknown} are not known.", totals.places))
        }
    }
}

/// How much it matters, as the finding formats name it, and its number in OCSF.
pub(super) fn severity(state: AuditState) -> (&'static str, u8) {
    match state {
        AuditState::Encrypted => ("Informational", 1),
        AuditState::Unknown => ("Low", 2),
        AuditState::Unencrypted | AuditState::Unreadable => ("Medium", 3),
        AuditState::LockedOut | AuditState::Drifted => ("High", 4),
        AuditState::SessionsFail => ("Critical", 5),
    }
}

/// The name of the finding of a place, which stays the same from one audit to the next.
pub(super) fn finding_id(report: &AuditReport, account: &str, region: &str) -> String {
    format!("session-kms/audit/{account}/{region}/{}", report.document())
}

/// The ARN of the document in a place.
pub(super) fn document_arn(report: &AuditReport, account: &str, region: &str) -> String {
    format!("arn:{}:ssm:{region}:{account}:document/{}", report.made_by().partition, report.document())
}

/// The controls of NIST SP 800-53, revision 5, that the audit is about.
pub(super) const CONTROLS: [&str; 4] = ["SC-8(1)", "SC-12", "SC-13", "AC-17(2)"];
