//! The matrix: principals by action, what weighs most first.

use std::cmp::Reverse;

use serde_json::Value;

use super::Judged;
use crate::access::{Side, statement_name};
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
    /// As a user, kms:GenerateDataKey; `None` where it is not needed as one.
    pub user: Option<Cell>,
    /// As a node, kms:Decrypt; `None` where it is not needed as one.
    pub node: Option<Cell>,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// It.
    pub verdict: Verdict,
    /// Whether it is exempt from blocking.
    pub exempt: bool,
    /// How it is known that the principal needs the key; empty where it was asked about by name.
    pub source: String,
    /// What the key's side says.
    pub key_side: String,
    /// What the principal's own side says; empty where that is not the question.
    pub own_side: String,
}

/// The order of verdicts in a list: failures first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(Reverse<u8>);

impl Matrix {
    /// The matrix of what was judged.
    #[must_use]
    pub fn of(judged: &Judged) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for access in &judged.assessment.access {
            let cell = Cell {
                verdict: access.verdict,
                exempt: access.exempt,
                source: access.source.clone(),
                key_side: access.key_side.clone(),
                own_side: access.own_side.clone(),
            };
            put(&mut rows, access.principal.as_str(), access.side, cell);
        }
        // Accounts are asked about the key's side alone, and have no other line than their finding.
        for finding in &judged.assessment.findings {
            if let (Check::KeyPolicy, Some(side)) = (finding.check, finding.side)
                && !judged.assessment.access.iter().any(|access| access.principal.as_str() == finding.subject)
            {
                let cell = Cell {
                    verdict: finding.verdict,
                    exempt: finding.exempt,
                    source: String::new(),
                    key_side: finding.evidence.clone(),
                    own_side: String::new(),
                };
                put(&mut rows, &finding.subject, side, cell);
            }
        }
        rows.sort_by(|a, b| a.weight().cmp(&b.weight()).then_with(|| a.subject.cmp(&b.subject)));
        Self { rows }
    }

    /// All verdicts.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.rows.iter().flat_map(Row::cells)
    }

    /// How many principals have this verdict, the worse of their two.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict() == verdict).count()
    }
}

impl Row {
    /// Its verdicts.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.user.iter().chain(&self.node)
    }

    /// The worse of its verdicts.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.cells().fold(Verdict::Pass, |worst, cell| worst.and(cell.verdict))
    }

    fn weight(&self) -> (bool, Weight) {
        (self.cells().all(|cell| cell.exempt), Weight::of(self.verdict()))
    }
}

impl Cell {
    /// The statements of a key policy that its text names, each with its position.
    #[must_use]
    pub fn statements<'a>(&self, key_policy: Option<&'a Value>) -> Vec<(usize, &'a Value)> {
        let statements = match key_policy.and_then(|policy| policy.get("Statement")) {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let named = |(index, statement): &(usize, &Value)| {
            let sid = statement.get("Sid").and_then(Value::as_str);
            self.key_side.contains(&statement_name(*index, sid))
        };
        statements.iter().enumerate().filter(named).collect()
    }
}

impl Weight {
    pub(super) fn of(verdict: Verdict) -> Self {
        Self(Reverse(match verdict {
            Verdict::Pass => 0,
            Verdict::Warning => 1,
            Verdict::Unknown => 2,
            Verdict::Fail => 3,
        }))
    }
}

fn put(rows: &mut Vec<Row>, subject: &str, side: Side, cell: Cell) {
    let at = rows.iter().position(|row| row.subject == subject).unwrap_or_else(|| {
        rows.push(Row { subject: subject.to_owned(), user: None, node: None });
        rows.len() - 1
    });
    let Some(row) = rows.get_mut(at) else { return };
    match side {
        Side::User => row.user = Some(cell),
        Side::Node => row.node = Some(cell),
    }
}
