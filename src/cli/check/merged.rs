//! One assessment out of several of the same question: for each form of a key policy, one at the least and one at the most
//! access that it can give.
//!
//! INVARIANT: a verdict of pass or fail stands only if every assessment has it.

use super::super::error::CliError;
use super::super::input::{PolicyCase, Unknown};
use super::between::{action, listed, places_of_case};
use crate::preflight::{Assessment, Check, Finding, PrincipalAccess, Remedies, Verdict};
use crate::report::SourcePlace;

/// The assessments of one form of a policy.
#[derive(Clone, Debug)]
pub(super) struct CaseAssessment {
    pub(super) least: Assessment,
    pub(super) most: Assessment,
}

/// The findings about callers, in the order in which every assessment has them.
fn rows(assessment: &Assessment) -> Vec<&Finding> {
    let is_of_caller = |finding: &&Finding| finding.side.is_some() && finding.check != Check::KeyFitness;
    assessment.findings.iter().filter(is_of_caller).collect()
}

fn verdict(assessment: &Assessment, row: usize) -> Option<Verdict> {
    rows(assessment).get(row).map(|finding| finding.verdict)
}

impl CaseAssessment {
    /// Whether the bounds have different verdicts in a row.
    pub(super) fn differs(&self, row: usize) -> bool {
        verdict(&self.least, row) != verdict(&self.most, row)
    }

    pub(super) fn verdicts(&self, row: usize) -> [Option<Verdict>; 2] {
        [verdict(&self.least, row), verdict(&self.most, row)]
    }

    pub(super) fn least_differs_from(&self, other: &Assessment, row: usize) -> bool {
        verdict(&self.least, row) != verdict(other, row)
    }

    pub(super) fn most_differs_from(&self, other: &Assessment, row: usize) -> bool {
        verdict(&self.most, row) != verdict(other, row)
    }
}

/// All assessments of one question.
pub(super) struct Merged<'a> {
    cases: &'a [CaseAssessment],
    /// For each case, the place among all statements that each of its statements has.
    indices: Vec<Vec<usize>>,
}

/// What is taken of all assessments for one row.
struct MergedRow {
    finding: Finding,
    /// Whether the assessments differ.
    is_open: bool,
}

impl<'a> Merged<'a> {
    pub(super) fn new(
        cases: &'a [CaseAssessment],
        forms: &[PolicyCase],
        places: &[(SourcePlace, serde_json::Value)],
    ) -> Self {
        let indices = forms.iter().map(|form| {
            let own = places_of_case(form);
            let is_first =
                own.len() <= places.len() && own.iter().zip(places).all(|(one, all)| one.0 == all.0);
            let position = |(at, (place, _)): (usize, &(SourcePlace, serde_json::Value))| {
                if is_first { at } else { places.iter().position(|(all, _)| all == place).unwrap_or(at) }
            };
            own.iter().enumerate().map(position).collect()
        });
        Self { cases, indices: indices.collect() }
    }

    /// The assessment of what is certain. `causes` says what a row depends on.
    pub(super) fn assessment(
        &self,
        causes: &dyn Fn(usize) -> Result<Vec<Unknown>, CliError>,
    ) -> Result<Assessment, CliError> {
        let Some(first) = self.cases.first() else { return Ok(Assessment::default()) };
        let mut merged = Vec::new();
        for row in 0..rows(&first.least).len() {
            merged.extend(self.row(row, causes)?);
        }
        let access = (0..first.least.access.len()).filter_map(|at| self.access(at, &merged)).collect();
        let mut findings = self.warnings();
        findings.extend(merged.into_iter().map(|row| row.finding));
        Ok(Assessment { findings, access, remedies: self.remedies(), unread: first.least.unread.clone() })
    }

    fn each(&self) -> impl Iterator<Item = (usize, &'a Assessment)> {
        let cases = self.cases.iter().enumerate();
        cases.flat_map(|(case, found)| [(case, &found.least), (case, &found.most)])
    }

    fn row(
        &self,
        row: usize,
        causes: &dyn Fn(usize) -> Result<Vec<Unknown>, CliError>,
    ) -> Result<Option<MergedRow>, CliError> {
        let all: Vec<(usize, &Finding)> =
            self.each().filter_map(|(case, one)| Some((case, *rows(one).get(row)?))).collect();
        let (Some((_, least)), Some(most)) = (all.first(), all.get(1)) else { return Ok(None) };
        let is_same = all.iter().all(|(_, finding)| finding.verdict == least.verdict);
        let is_alike = all.iter().all(|(_, finding)| finding.evidence == least.evidence);
        // Of a principal whose own side is unknown either way, the key's side says only whether it is admitted.
        let admitted: Vec<Option<bool>> =
            self.each().map(|(_, one)| one.access.get(row / 2).map(|access| access.is_admitted)).collect();
        let is_admitted_alike =
            least.check == Check::Identities && admitted.windows(2).all(|pair| pair.first() == pair.last());
        if is_same && (is_alike || is_admitted_alike || least.verdict != Verdict::Unknown) {
            // The least access is what a pass rests on, and even the most access is too little for a fail.
            let (case, chosen) = if least.verdict == Verdict::Fail { *most } else { (0, *least) };
            let finding = Finding {
                key_policy_statements: self.statements(case, &chosen.key_policy_statements),
                ..chosen.clone()
            };
            return Ok(Some(MergedRow { finding, is_open: false }));
        }
        let mut statements: Vec<usize> = all
            .iter()
            .flat_map(|(case, finding)| self.statements(*case, &finding.key_policy_statements))
            .collect();
        statements.sort_unstable();
        statements.dedup();
        let causes = causes(row)?;
        let on = if causes.is_empty() { "what the policy becomes".to_owned() } else { listed(&causes) };
        let action = action(least.side);
        let evidence = match least.check {
            Check::Identities => {
                format!("{action}: what the key's side leaves to its own policies depends on {on}")
            }
            _ => format!("whether it may {action} depends on {on}"),
        };
        let finding = Finding {
            verdict: Verdict::Unknown,
            evidence,
            remedy: None,
            key_policy_statements: statements,
            ..(*least).clone()
        };
        Ok(Some(MergedRow { finding, is_open: true }))
    }

    /// The indices of statements among those of all cases.
    fn statements(&self, case: usize, own: &[usize]) -> Vec<usize> {
        let Some(indices) = self.indices.get(case) else { return Vec::new() };
        own.iter().filter_map(|at| indices.get(*at).copied()).collect()
    }

    /// A principal's verdict. Its two findings have the rows `2 * at` and `2 * at + 1`.
    fn access(&self, at: usize, merged: &[MergedRow]) -> Option<PrincipalAccess> {
        let all: Vec<&PrincipalAccess> =
            self.each().filter_map(|(_, assessment)| assessment.access.get(at)).collect();
        let (least, most) = (all.first()?, all.get(1)?);
        let (on_key, on_identity) = (merged.get(2 * at)?, merged.get(2 * at + 1)?);
        let is_same = all.iter().all(|one| one.verdict == least.verdict);
        let chosen = if least.verdict == Verdict::Fail { most } else { least };
        let side = |row: &MergedRow, text: &str| {
            if row.is_open { row.finding.evidence.clone() } else { text.to_owned() }
        };
        Some(PrincipalAccess {
            verdict: if is_same { least.verdict } else { Verdict::Unknown },
            is_admitted: all.iter().all(|one| one.is_admitted),
            is_refused: all.iter().all(|one| one.is_refused),
            key_side: side(on_key, &chosen.key_side),
            own_side: side(on_identity, &chosen.own_side),
            key_policy_statements: on_key.finding.key_policy_statements.clone(),
            ..(*chosen).clone()
        })
    }

    /// The warnings that every assessment has. The subject of a warning is the key, which may be assumed.
    fn warnings(&self) -> Vec<Finding> {
        let warnings = |assessment: &'a Assessment| {
            let is_warning =
                |finding: &&Finding| finding.side.is_none() && finding.verdict == Verdict::Warning;
            assessment.findings.iter().filter(is_warning)
        };
        let Some((_, first)) = self.each().next() else { return Vec::new() };
        let in_all = |warning: &&Finding| {
            self.each().all(|(_, other)| {
                warnings(other).any(|one| (one.check, &one.evidence) == (warning.check, &warning.evidence))
            })
        };
        warnings(first).filter(in_all).cloned().collect()
    }

    /// The remedies that hold in every form of the policy: what even the most access does not give.
    fn remedies(&self) -> Remedies {
        let Some(first) = self.cases.first() else { return Remedies::default() };
        let mut remedies = first.most.remedies.clone();
        remedies.key_policy_statements.retain(|statement| {
            self.cases.iter().all(|case| case.most.remedies.key_policy_statements.contains(statement))
        });
        remedies.identity_policies.retain(|policy| {
            self.cases.iter().all(|case| case.most.remedies.identity_policies.contains(policy))
        });
        remedies
    }
}
