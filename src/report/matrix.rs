//! The matrix: one row a principal, one column an action, and the rows that weigh most first.

use std::cmp::Reverse;

use serde_json::Value;

use super::{KeyAssessment, words};
use crate::access::CallerKind;
use crate::preflight::{Check, Verdict};

/// The matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// One row a principal.
    pub rows: Vec<Row>,
}

/// One principal's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The principal's ARN, or an account.
    pub subject: String,
    /// Its verdict as a user, who calls kms:GenerateDataKey; `None` if it is no user.
    pub user: Option<Cell>,
    /// Its verdict as a node, which calls kms:Decrypt; `None` if it is no node.
    pub node: Option<Cell>,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the key's side admits it without a policy of its own, and something that is not known could still deny it.
    pub is_admitted: bool,
    /// Whether the principal is exempt, so that its failure does not block.
    pub exempt: bool,
    /// How it is known that the principal needs the key; empty for an account.
    pub source: String,
    /// What the key's side says.
    pub key_side: String,
    /// What the principal's own side says; empty for an account, of which only the key's side is asked.
    pub own_side: String,
    /// The indices of the statements of the key policy that `key_side` names, from 0.
    pub key_policy_statements: Vec<usize>,
}

impl Matrix {
    /// The matrix of an assessment.
    #[must_use]
    pub fn of(key_assessment: &KeyAssessment) -> Self {
        let assessment = &key_assessment.assessment;
        let mut rows: Vec<Row> = Vec::new();
        for access in &assessment.access {
            let cell = Cell {
                verdict: access.verdict,
                is_admitted: access.is_admitted,
                exempt: access.exempt,
                source: access.source.clone(),
                key_side: access.key_side.clone(),
                own_side: access.own_side.clone(),
                key_policy_statements: access.key_policy_statements.clone(),
            };
            put(&mut rows, access.principal.as_str(), access.side, cell);
        }
        let unfit = assessment.unfit();
        // An account is asked about on the key's side alone: its finding is all there is of it, unless nobody can use
        // the key.
        for finding in &assessment.findings {
            if let (Check::KeyPolicy, Some(side)) = (finding.check, finding.side)
                && !assessment.access.iter().any(|access| access.principal.as_str() == finding.subject)
            {
                let cell = Cell {
                    verdict: if unfit.is_some() { Verdict::Fail } else { finding.verdict },
                    is_admitted: false,
                    exempt: finding.exempt,
                    source: String::new(),
                    key_side: unfit.clone().unwrap_or_else(|| finding.evidence.clone()),
                    own_side: String::new(),
                    key_policy_statements: finding.key_policy_statements.clone(),
                };
                put(&mut rows, &finding.subject, side, cell);
            }
        }
        rows.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.subject.cmp(&b.subject)));
        Self { rows }
    }

    /// All verdicts.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(Row::cells)
    }

    /// How many rows have this verdict; a row counts by the heavier of its two.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict() == verdict).count()
    }

    /// How many rows are unknown, although the key's side admits all of the row that is unknown.
    #[must_use]
    pub fn count_admitted(&self) -> usize {
        self.rows.iter().filter(|row| row.is_admitted()).count()
    }
}

impl Row {
    /// Its verdicts.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.user.iter().chain(&self.node)
    }

    /// The heavier of its verdicts.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.cells().fold(Verdict::Pass, |heaviest, cell| heaviest.and(cell.verdict))
    }

    fn is_admitted(&self) -> bool {
        let mut unknown = self.cells().filter(|cell| cell.verdict == Verdict::Unknown);
        self.verdict() == Verdict::Unknown && unknown.all(|cell| cell.is_admitted)
    }

    /// The place of the row in the matrix: whoever is exempt comes last, and the heaviest verdict first.
    fn rank(&self) -> (bool, Reverse<Verdict>) {
        (self.cells().all(|cell| cell.exempt), Reverse(self.verdict()))
    }
}

impl Cell {
    /// The statements of a key policy that decided, each with its index.
    #[must_use]
    pub fn statements<'a>(&self, key_policy: Option<&'a Value>) -> Vec<(usize, &'a Value)> {
        let decided = |(index, _): &(usize, &Value)| self.key_policy_statements.contains(index);
        words::statements(key_policy).iter().enumerate().filter(decided).collect()
    }
}

fn put(rows: &mut Vec<Row>, subject: &str, side: CallerKind, cell: Cell) {
    let at = rows.iter().position(|row| row.subject == subject).unwrap_or_else(|| {
        rows.push(Row { subject: subject.to_owned(), user: None, node: None });
        rows.len() - 1
    });
    let Some(row) = rows.get_mut(at) else { return };
    let place = match side {
        CallerKind::User => &mut row.user,
        CallerKind::Node => &mut row.node,
    };
    // A standby key is assessed for the same principals, and whoever cannot use one of the keys fails.
    if place.as_ref().is_none_or(|other| cell.verdict > other.verdict) {
        *place = Some(cell);
    }
}
