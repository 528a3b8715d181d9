//! The words and signs that all formats share.

use serde_json::Value;

use super::matrix::{Cell, Row};
use crate::access::{CallerKind, PrincipalArn, SessionCall};
use crate::arn::Arn;
use crate::intent::PreflightMode;
use crate::preflight::{Check, Finding, Verdict};

/// The actions, in the order of the matrix's columns.
pub(super) const ACTIONS: [&str; 2] = [SessionCall::GenerateDataKey.action(), SessionCall::Decrypt.action()];

/// A check's name.
pub(super) fn check(check: Check) -> &'static str {
    match check {
        Check::KeyFitness => "key fitness",
        Check::KeyPolicy => "key policy",
        Check::Identities => "own policies",
        Check::DryRun => "dry run",
        Check::Nodes => "nodes",
        Check::Users => "users",
        Check::Network => "network",
        Check::Document => "document",
    }
}

/// A verdict's sign.
pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✔",
        Verdict::Warning => "!",
        Verdict::Fail => "✘",
        Verdict::Unknown => "?",
    }
}

/// A verdict's word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warning => "warning",
        Verdict::Fail => "FAIL",
        Verdict::Unknown => "unknown",
    }
}

/// The text of a cell of the matrix.
pub(super) fn cell(cell: Option<&Cell>) -> String {
    match cell {
        None => "–".to_owned(),
        Some(cell) => {
            format!("{} {}", sign(cell.verdict), of_cell(cell))
        }
    }
}

/// The words of a cell of the matrix: `unknown (admitted)`.
pub(super) fn of_cell(cell: &Cell) -> String {
    let admitted = if cell.is_admitted && cell.verdict == Verdict::Unknown { " (admitted)" } else { "" };
    let exempt = if cell.exempt { " (exempt)" } else { "" };
    format!("{}{admitted}{exempt}", verdict(cell.verdict))
}

/// The cells of a row, in the order of the columns.
pub(super) fn cells(row: &Row) -> [Option<&Cell>; 2] {
    [row.user.as_ref(), row.node.as_ref()]
}

/// The account and the name in the ARN of a principal, such as `111122223333` and `role/team/App`. For an account it is
/// the account and words that stand for all of it.
pub(super) fn principal(subject: &str) -> (String, String) {
    if let Ok(arn) = PrincipalArn::parse(subject) {
        let name = Arn::parse(subject).map_or(subject, |arn| arn.resource);
        return (arn.account().to_owned(), name.to_owned());
    }
    match subject.strip_prefix("account ") {
        Some(account) => (account.to_owned(), "(the account as such)".to_owned()),
        None => (String::new(), subject.to_owned()),
    }
}

/// What follows the subject of a finding in a list: whether it is a user or a node, and whether it is exempt.
pub(super) fn behind_subject(finding: &Finding) -> String {
    let side = match finding.side {
        Some(CallerKind::User) => " as user",
        Some(CallerKind::Node) => " as node",
        None => "",
    };
    let exempt = if finding.exempt { ", exempt" } else { "" };
    format!("{side}{exempt}")
}

/// The statements of a policy.
pub(super) fn statements(policy: Option<&Value>) -> &[Value] {
    match policy.and_then(|policy| policy.get("Statement")) {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// What a mode means.
pub(super) fn mode(mode: PreflightMode) -> &'static str {
    match mode {
        PreflightMode::Strict => "Strict: what fails or is unknown blocks",
        PreflightMode::Enforce => "Enforce: what fails blocks",
        PreflightMode::Warn => "Warn: only an unfit key or a document that cannot be changed blocks",
        PreflightMode::Off => "Off: only an unfit key or a document that cannot be changed blocks",
    }
}

/// The title of the remedies.
pub(super) const REMEDIES: &str = "What lets them in";
/// The title of the key policy statement that stands in the place of a remedy for principals.
pub(super) const INSTEAD_REMEDY: &str = "Or, in its place, add to the list Statement of the key policy";
/// The title of the snippet of a remedy for a resource that a command mends too.
pub(super) const SNIPPET_REMEDY: &str = "Or, in its place, add to the template";
