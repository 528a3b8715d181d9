//! `check --template` and `check --plan`: a key policy that is not known whole is checked at both of its bounds, in each form
//! that it can take. Whatever all of these checks say alike is certain, and everything else is unknown.

use std::collections::BTreeSet;

use super::super::Console;
use super::super::error::CliError;
use super::super::files::{Files, shown};
use super::super::input::{
    self, BOUNDS, Bound, InputError, OutcomePolicy, PolicyBounds, PolicyCase, PolicyInput, PolicyKeyQuestion,
    Unknown,
};
use super::CheckOptions;
use super::merged::{CaseAssessment, Merged};
use super::offline::{self, Given};
use crate::access::{CallerKind, OwnSide};
use crate::preflight::{AccessObservation, Assessment, Check, Finding, Read, Verdict};
use crate::report::{PolicySource, Report, ReportHeader, SourcePlace};
use kms_key_policy::{Action, Context, Principal, Request};

pub(super) fn template(
    options: &CheckOptions,
    file: &str,
    console: &mut Console<'_>,
) -> Result<Report, CliError> {
    let question = options.question()?;
    let mut files = Files::new(console.input);
    let text = files.text(file)?;
    let logical_id = options.logical_id.as_deref();
    let policy = input::read_template(&shown(file), &text, logical_id, &options.parameters, &question)?;
    run(options, file, &policy, &question, &mut files)
}

pub(super) fn plan(
    options: &CheckOptions,
    file: &str,
    console: &mut Console<'_>,
) -> Result<Report, CliError> {
    let question = options.question()?;
    let mut files = Files::new(console.input);
    let text = files.text(file).map_err(|error| input::not_a_plan(file).map_or(error, CliError::from))?;
    let policy = input::read_plan(&shown(file), &text, options.address.as_deref(), &question)?;
    run(options, file, &policy, &question, &mut files)
}

fn run(
    options: &CheckOptions,
    file: &str,
    policy: &PolicyInput,
    question: &PolicyKeyQuestion<'_>,
    files: &mut Files<'_>,
) -> Result<Report, CliError> {
    let given = Given::read(options, files)?;
    let checker = BetweenCheck { options, given: &given, question };
    let mut cases = Vec::new();
    for case in &policy.cases {
        cases.push(checker.assess_case(case)?);
    }
    let places = statement_places(policy);
    let merged = Merged::new(&cases, &policy.cases, &places);
    let causes = |row: usize| -> Result<Vec<Unknown>, CliError> { checker.causes(policy, &cases, row) };
    let mut assessment = merged.assessment(&causes)?;
    let Some(first) = policy.cases.first() else {
        return Err(InputError::Options("the file has no key policy".to_owned()).into());
    };
    let mut observation = checker.observation(first, Read::Unknown(String::new()))?;
    // What is shown is no policy that could be checked: what is unknown stands in it as the file writes it.
    observation.policy = Read::Known(shown_policy(policy, &places).to_string());
    assessment.findings.insert(0, fitness(first, &cases));
    let location = first.key.arn.location();
    let regions = if first.key.is_region_given { vec![location.region.clone()] } else { Vec::new() };
    let header = ReportHeader { regions, ..ReportHeader::default() };
    let mut report = super::report(options, header, &observation, assessment);
    if policy.is_sensitive
        && let Some(key) = &mut report.key_assessment
    {
        key.key_policy = None;
    }
    report.policy_source = (file != "-").then(|| PolicySource {
        file: file.to_owned(),
        policy: policy.place,
        statements: places.iter().map(|place| place.0).collect(),
    });
    report.notes.extend(policy.notes.iter().cloned());
    report.notes.extend(assumptions(policy));
    offline::add_notes(options, &mut report);
    Ok(report)
}

/// Checks a policy at its bounds.
struct BetweenCheck<'a> {
    options: &'a CheckOptions,
    given: &'a Given,
    question: &'a PolicyKeyQuestion<'a>,
}

impl BetweenCheck<'_> {
    /// The assessments of a form of the policy: at the least and at the most access that it can give.
    fn assess_case(&self, case: &PolicyCase) -> Result<CaseAssessment, CliError> {
        let [least, most] = BOUNDS;
        let least = self.assess(case, |_| least)?;
        let is_open = match &case.policy {
            OutcomePolicy::Between(bounds) => bounds.is_open(),
            OutcomePolicy::Default | OutcomePolicy::Unknown(_) => false,
        };
        let most = if is_open { self.assess(case, |_| most)? } else { least.clone() };
        Ok(CaseAssessment { least, most })
    }

    fn assess(&self, case: &PolicyCase, bound: impl Fn(usize) -> Bound) -> Result<Assessment, CliError> {
        let policy = match &case.policy {
            OutcomePolicy::Between(bounds) => Read::Known(bounds.text(bound)),
            OutcomePolicy::Default => {
                let location = case.key.arn.location();
                Read::Known(input::default_key_policy(&location.partition, &location.account))
            }
            OutcomePolicy::Unknown(unknowns) => Read::Unknown(format!("it depends on {}", listed(unknowns))),
        };
        Ok(super::assess_all(self.options, &self.observation(case, policy)?))
    }

    fn observation(&self, case: &PolicyCase, policy: Read<String>) -> Result<AccessObservation, CliError> {
        let key = case.key.description(&case.traits);
        let mut observation = self.given.observation(self.options, key, policy)?;
        for subject in &mut observation.subjects {
            let OwnSide::Given(policies) = &subject.own else { continue };
            let principal = Principal::parse(subject.principal.as_str());
            let action = Action::parse(subject.side.call().action());
            let key = kms_key_policy::KeyArn::parse(case.key.arn.as_str());
            let (Ok(principal), Ok(action), Ok(key)) = (principal, action, key) else { continue };
            let request = Request::new(principal, action, key, Context::default());
            let rules = self.question.rules(&case.key, &case.traits);
            let asks = |policy: &kms_key_policy::Policy| {
                let mut keys = policy.condition_keys();
                (!case.key.is_given && policy.names_resources(&request))
                    || keys.any(|key| rules.hidden().iter().any(|hidden| key.eq_ignore_ascii_case(hidden)))
            };
            if policies.iter().any(asks) {
                let why = "its policies name a resource or a property of the key, and the key is not known; give it by \
                           --key";
                subject.own = OwnSide::Unknown(why.to_owned());
            }
        }
        Ok(observation)
    }

    /// What a row of findings depends on, if its verdicts differ: each statement that alone makes a difference, and the
    /// conditions of the template if its forms differ.
    fn causes(
        &self,
        policy: &PolicyInput,
        cases: &[CaseAssessment],
        row: usize,
    ) -> Result<Vec<Unknown>, CliError> {
        let mut causes = BTreeSet::new();
        let mut all = BTreeSet::new();
        for (case, found) in policy.cases.iter().zip(cases) {
            all.extend(case.taken.iter().cloned());
            match &case.policy {
                OutcomePolicy::Unknown(unknowns) => causes.extend(unknowns.iter().cloned()),
                OutcomePolicy::Default => {}
                OutcomePolicy::Between(bounds) => {
                    all.extend(open_statements(bounds).flat_map(|(_, unknowns)| unknowns.to_vec()));
                    if found.differs(row) {
                        causes.extend(self.statements_that_matter(case, bounds, found, row)?);
                    }
                }
            }
        }
        let is_same_in_all = cases.windows(2).all(|pair| match pair {
            [one, other] => one.verdicts(row) == other.verdicts(row),
            _ => true,
        });
        if !is_same_in_all {
            causes.extend(policy.cases.iter().flat_map(|case| case.taken.iter().cloned()));
            if policy.cases.iter().any(|case| case.key.is_other_account) {
                causes.insert(unknown_account());
            }
        }
        Ok(if causes.is_empty() { all } else { causes }.into_iter().collect())
    }

    fn statements_that_matter(
        &self,
        case: &PolicyCase,
        bounds: &PolicyBounds,
        found: &CaseAssessment,
        row: usize,
    ) -> Result<Vec<Unknown>, CliError> {
        let mut causes = Vec::new();
        for (at, unknowns) in open_statements(bounds) {
            let raised = self.assess(case, |other| if other == at { Bound::Most } else { Bound::Least })?;
            let lowered = self.assess(case, |other| if other == at { Bound::Least } else { Bound::Most })?;
            if found.least_differs_from(&raised, row) || found.most_differs_from(&lowered, row) {
                causes.extend(unknowns.iter().cloned());
            }
        }
        Ok(causes)
    }
}

fn open_statements(bounds: &PolicyBounds) -> impl Iterator<Item = (usize, &[Unknown])> {
    let statements = bounds.statements.iter().flatten().enumerate();
    statements.filter(|(_, one)| one.is_open()).map(|(at, one)| (at, one.unknowns.as_slice()))
}

/// That the account of the key is not known. It stands in no line.
fn unknown_account() -> Unknown {
    Unknown {
        line: 0,
        what: "the key's account".to_owned(),
        hint: "give it by --account-id, or the key by --key".to_owned(),
    }
}

/// Unknowns in words, each once, with its line and with how to say it.
pub(super) fn listed(unknowns: &[Unknown]) -> String {
    const LISTED: usize = 4;
    let mut once: Vec<&Unknown> = Vec::new();
    for unknown in unknowns {
        if !once.iter().any(|known| known.what == unknown.what) {
            once.push(unknown);
        }
    }
    let shown = |Unknown { line, what, hint }: &Unknown| match (line, hint.as_str()) {
        (0, hint) => format!("{what} ({hint})"),
        (line, "") => format!("{what} (line {line})"),
        (line, hint) => format!("{what} (line {line}: {hint})"),
    };
    let mut texts: Vec<String> = once.iter().take(LISTED).map(|unknown| shown(unknown)).collect();
    if once.len() > LISTED {
        texts.push(format!("{} more", once.len() - LISTED));
    }
    texts.join(" and ")
}

/// The places of all statements, each once, with what is shown of each. Every case with the same statements has the same
/// list.
type StatementPlaces = Vec<(SourcePlace, serde_json::Value)>;

fn statement_places(policy: &PolicyInput) -> StatementPlaces {
    let lists: Vec<StatementPlaces> = policy.cases.iter().map(places_of_case).collect();
    let mut places: StatementPlaces = lists.first().cloned().unwrap_or_default();
    for list in lists.iter().skip(1) {
        let is_same =
            list.len() == places.len() && list.iter().zip(&places).all(|(one, other)| one.0 == other.0);
        if !is_same {
            let new = list.iter().filter(|(place, _)| !places.iter().any(|(known, _)| known == place));
            let new: Vec<_> = new.cloned().collect();
            places.extend(new);
        }
    }
    places
}

pub(super) fn places_of_case(case: &PolicyCase) -> StatementPlaces {
    match &case.policy {
        OutcomePolicy::Between(bounds) => {
            let statements = bounds.statements.iter().flatten();
            statements.map(|statement| (statement.place, statement.shown.clone())).collect()
        }
        OutcomePolicy::Default | OutcomePolicy::Unknown(_) => Vec::new(),
    }
}

/// The policy for people: all statements that it can have, as the file writes them.
fn shown_policy(policy: &PolicyInput, places: &StatementPlaces) -> serde_json::Value {
    let first = policy.cases.iter().find_map(|case| match &case.policy {
        OutcomePolicy::Between(bounds) => Some(bounds.head()),
        OutcomePolicy::Default | OutcomePolicy::Unknown(_) => None,
    });
    let mut shown = first.cloned().unwrap_or_default();
    let statements = places.iter().map(|(_, statement)| statement.clone()).collect();
    shown.insert("Statement".to_owned(), serde_json::Value::Array(statements));
    serde_json::Value::Object(shown)
}

/// The finding about the key itself: what the file says of it, if that makes it unfit.
fn fitness(first: &PolicyCase, cases: &[CaseAssessment]) -> Finding {
    let unfit: Vec<Option<&Finding>> = cases
        .iter()
        .map(|case| {
            let mut findings = case.least.findings.iter();
            findings.find(|finding| finding.check == Check::KeyFitness && finding.verdict == Verdict::Fail)
        })
        .collect();
    match unfit.first().copied().flatten() {
        Some(finding) if unfit.iter().all(Option::is_some) => finding.clone(),
        _ if unfit.iter().any(Option::is_some) => {
            let why = "conditions of the template say whether it is";
            offline::assumed_fit(&first.key.arn, why)
        }
        _ => offline::assumed_fit(&first.key.arn, "as far as the file does not say it, it is taken for"),
    }
}

/// What was assumed of the key.
fn assumptions(policy: &PolicyInput) -> Vec<String> {
    let Some(PolicyCase { key, .. }) = policy.cases.first() else { return Vec::new() };
    if key.is_given {
        return Vec::new();
    }
    let mut notes = vec![format!("the key is taken for {}, as --key does not say which it is", key.arn)];
    if !key.is_account_given {
        notes.push(
            "its account is not known (--account-id): what is not the same in every account is unknown"
                .to_owned(),
        );
    }
    if !key.is_region_given {
        notes.push("its Region is not known (--region): what depends on it is unknown".to_owned());
    }
    notes
}

/// Which calls of a row are in question, for its evidence.
pub(super) fn action(side: Option<CallerKind>) -> &'static str {
    side.map_or("use the key", |side| side.call().action())
}
