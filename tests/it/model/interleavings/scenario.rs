//! A scenario: what there is, the two runs, and what follows.

use std::cell::RefCell;

use session_kms::change_event::ChangeSource;
use session_kms::intent::{OnDelete, PreflightMode};

use crate::model::in_memory_aws::{DuplicateRule, InMemoryAws};
use crate::model::outside_change::{OutsideChange, call_event, event_of};
use crate::model::ports::FaultPlan;
use crate::model::run::{OwnerRequest, Run, TroubleResponse, alone};

/// Two runs at the same time, and what is there before.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub duplicates: DuplicateRule,
    /// How many reads find a new version not active yet.
    pub pending: u32,
    pub most_versions: usize,
    /// What happened before the runs.
    pub before: Vec<Before>,
    pub runs: [Run; 2],
    /// What CloudFormation sends if a request fails.
    pub after_failure: [Option<Run>; 2],
    /// What somebody else does at any point, or never.
    pub outside: Option<OutsideChange>,
    /// A change of a key that happens while the runs are on their way, and which of them see it.
    pub key_change: Option<(OutsideChange, [bool; 2])>,
    /// Whether somebody asks for encryption to be off.
    pub may_turn_off: bool,
    /// Whether a Delete may leave the key in the document.
    pub retains: bool,
    /// Whether time passes when a run waits. If it does not, all of it happens within a second.
    pub time_passes: bool,
    /// What is said of ends that break an invariant in a way that is known.
    pub known_faults: &'static [&'static str],
}

/// A step on the way to what there is before the runs.
#[derive(Clone, Debug)]
pub enum Before {
    Run(Run),
    Outside(OutsideChange),
}

impl Scenario {
    /// Two runs on somebody's document without a key.
    pub fn new(name: &'static str, runs: [Run; 2]) -> Self {
        Self {
            name,
            duplicates: DuplicateRule::Latest,
            pending: 0,
            most_versions: 20,
            before: vec![Before::Outside(OutsideChange::Create)],
            runs,
            after_failure: [None, None],
            outside: None,
            key_change: None,
            may_turn_off: false,
            retains: false,
            time_passes: false,
            known_faults: &[],
        }
    }

    /// The scenario with more that happened before.
    pub fn after(mut self, before: impl IntoIterator<Item = Before>) -> Self {
        self.before.extend(before);
        self
    }

    pub fn without_document(self) -> Self {
        Self { before: Vec::new(), ..self }
    }

    pub fn with_outside(self, outside: OutsideChange) -> Self {
        Self { outside: Some(outside), ..self }
    }

    /// The scenario on the least friendly AWS: versions become active late, equal contents are refused, whatever their
    /// white space, and there is room for few versions.
    pub fn on_a_hard_aws(self) -> Self {
        Self { duplicates: DuplicateRule::AnyByMeaning, pending: 1, most_versions: 3, ..self }
    }

    /// What there is before the runs.
    pub fn initial_aws(&self) -> Result<InMemoryAws, String> {
        let mut aws = InMemoryAws::new(self.duplicates, self.pending);
        aws.most_versions = self.most_versions;
        let aws = RefCell::new(aws);
        for before in &self.before {
            match before {
                Before::Run(run) => {
                    let result = alone(&aws, 0, run, FaultPlan::default())?;
                    if !result.as_ref().is_some_and(crate::model::run::RunResult::is_ok) {
                        return Err(format!("before the runs, {run:?} came to {result:?}"));
                    }
                }
                Before::Outside(change) => _ = change.apply(&mut aws.borrow_mut()),
            }
        }
        let mut aws = aws.into_inner();
        aws.log.clear();
        Ok(aws)
    }
}

/// A request of a stack for a key, by its number; `None` for encryption off.
pub fn request(owner: usize, key: Option<usize>) -> OwnerRequest {
    OwnerRequest {
        owner,
        key,
        on_key_trouble: TroubleResponse::Alert,
        mode: PreflightMode::Enforce,
        on_delete: OnDelete::Restore,
        takes_over: false,
    }
}

pub fn establish(owner: usize, key: usize) -> Run {
    Run::Establish(request(owner, Some(key)))
}

pub fn release(owner: usize) -> Run {
    Run::Release { owner, on_delete: None }
}

pub fn schedule() -> Run {
    Run::Remediate(event_of(ChangeSource::Schedule))
}

pub fn record_change() -> Run {
    Run::Remediate(event_of(ChangeSource::RecordChange))
}

pub fn drift_event() -> Run {
    Run::Remediate(call_event("UpdateDocument", None))
}
