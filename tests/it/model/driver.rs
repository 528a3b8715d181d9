//! Carries out the actions of a sequence, and checks the invariants after each.

use std::cell::RefCell;

use futures_util::FutureExt;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::reconcile::{Record, read_record};
use session_kms::remediation::{Remediation, RemediationOutcome};

use super::action::{Action, Delivery, InitialState, Trigger};
use super::in_memory_aws::{InMemoryAws, KEYS};
use super::invariants::StateBefore;
use super::outside_change::{OutsideChange, event_of, name};
use super::ports::{FaultPlan, InMemoryPorts};
use super::recorded_intent::RecordedIntent;
use super::run::{OwnerRequest, Run, RunResult, alone, both};

/// The state of a sequence that is being carried out.
pub struct Driver {
    pub aws: RefCell<InMemoryAws>,
    runs: usize,
    delayed_events: Vec<ChangeEvent>,
    last_request: Option<OwnerRequest>,
    /// The intent that the record must hold.
    pub intended: Option<RecordedIntent>,
    /// The times of the repairs since the owner last changed the intent.
    pub repairs: Vec<u64>,
    /// The key that was there when the owner adopted the document.
    pub adopted: Option<String>,
    /// The keys that any run may restore: those that the document carried before somebody adopted it.
    pub keys_before: Vec<String>,
}

/// Success, or what is wrong.
pub type CheckResult = Result<(), String>;

impl Driver {
    pub fn new(initial: InitialState) -> Self {
        let mut aws = InMemoryAws::new(initial.duplicates, initial.pending);
        aws.most_versions = initial.most_versions;
        if initial.has_document {
            OutsideChange::Create.apply(&mut aws);
        }
        Self {
            aws: RefCell::new(aws),
            runs: 0,
            delayed_events: Vec::new(),
            last_request: None,
            intended: None,
            repairs: Vec::new(),
            adopted: None,
            keys_before: Vec::new(),
        }
    }

    pub fn apply_action(&mut self, action: &Action) -> CheckResult {
        match action {
            Action::OutsideChange(change, delivery) => {
                let Some(event) = change.apply(&mut self.aws.borrow_mut()) else { return Ok(()) };
                match delivery {
                    Delivery::Now => self.run_one(Run::Remediate(event), FaultPlan::default()).map(drop),
                    Delivery::Later => {
                        self.delayed_events.push(event);
                        Ok(())
                    }
                    Delivery::Twice => {
                        self.delayed_events.push(event.clone());
                        self.run_one(Run::Remediate(event), FaultPlan::default()).map(drop)
                    }
                    Delivery::Never => Ok(()),
                }
            }
            Action::Run(trigger, faults) => match self.run(trigger) {
                Some(run) => self.run_one(run, *faults).map(drop),
                None => Ok(()),
            },
            Action::TwoRuns([(left, left_faults), (right, right_faults)], order, interference) => {
                match (self.run(left), self.run(right)) {
                    // CloudFormation sends one request at a time for a resource, but may deliver it twice.
                    (Some(Run::Establish(request)), Some(Run::Establish(other)))
                        if request.owner == other.owner =>
                    {
                        let runs = [
                            (Run::Establish(request.clone()), *left_faults),
                            (Run::Establish(request), *right_faults),
                        ];
                        self.run_two(runs, order, *interference)
                    }
                    (Some(left), Some(right)) => {
                        self.run_two([(left, *left_faults), (right, *right_faults)], order, *interference)
                    }
                    (Some(run), None) => self.run_one(run, *left_faults).map(drop),
                    (None, Some(run)) => self.run_one(run, *right_faults).map(drop),
                    (None, None) => Ok(()),
                }
            }
            Action::TimePasses(minutes) => {
                self.aws.borrow_mut().now += minutes * 60;
                Ok(())
            }
            Action::FailNext => {
                self.aws.borrow_mut().fail_next = true;
                Ok(())
            }
            Action::TamperWithRecord(version) => {
                self.tamper_with_record(*version);
                Ok(())
            }
            Action::RivalOverwrites(overwrites) => {
                self.aws.borrow_mut().rival_overwrite =
                    overwrites.then_some(OutsideChange::Overwrite { promotes: true });
                Ok(())
            }
        }
    }

    /// Somebody deletes the record, or restores one of its versions. From now on the intent is what the record says.
    fn tamper_with_record(&mut self, version: Option<usize>) {
        {
            let mut aws = self.aws.borrow_mut();
            let Some(parameter) = &mut aws.parameter else { return };
            match version {
                Some(which) => {
                    let text = parameter.history[which % parameter.history.len()].clone();
                    parameter.history.push(text);
                }
                None => aws.parameter = None,
            }
            aws.count("record tampered with");
        }
        let record = self.record();
        self.intended = record.as_ref().map(RecordedIntent::of_record);
        self.adopted = record.map(|record| String::from(record.before_adoption));
        self.keys_before.extend(self.adopted.clone());
        self.repairs.clear();
        self.delayed_events.push(event_of(ChangeSource::RecordChange));
    }

    fn run(&mut self, trigger: &Trigger) -> Option<Run> {
        Some(match trigger {
            Trigger::Schedule => Run::Remediate(event_of(ChangeSource::Schedule)),
            Trigger::RecordChange => Run::Remediate(event_of(ChangeSource::RecordChange)),
            Trigger::DelayedEvent(which) if self.delayed_events.is_empty() => {
                _ = which;
                return None;
            }
            Trigger::DelayedEvent(which) => {
                Run::Remediate(self.delayed_events.remove(which % self.delayed_events.len()))
            }
            Trigger::OwnerRequest(request) => {
                self.last_request = Some(request.clone());
                Run::Establish(request.clone())
            }
            Trigger::RepeatedRequest => Run::Establish(self.last_request.clone()?),
            Trigger::Release { owner, on_delete } => Run::Release { owner: *owner, on_delete: *on_delete },
        })
    }

    /// Runs one alone, and checks the invariants.
    pub fn run_one(&mut self, run: Run, faults: FaultPlan) -> Result<Option<RunResult>, String> {
        self.aws.borrow_mut().now += 1;
        let before = self.before(false, faults.fault.is_none(), faults.fault.is_none());
        self.runs += 1;
        let result = alone(&self.aws, self.runs, &run, faults)?;
        self.count(result.as_ref());
        if before.is_undisturbed
            && let Some(result) = &result
        {
            self.check_answer(&before, &run, result)?;
        }
        if let (Run::Establish(request), Some(RunResult::Established(Ok(_)))) = (&run, &result) {
            self.check_key(request.wanted()).map_err(|wrong| format!("answered SUCCESS, and {wrong}"))?;
        }
        let runs = [(self.runs, run, result)];
        self.check_invariants(&before, &runs)?;
        let [(_, _, result)] = runs;
        Ok(result)
    }

    fn run_two(
        &mut self,
        runs: [(Run, FaultPlan); 2],
        order: &[bool],
        interference: Option<(usize, OutsideChange)>,
    ) -> CheckResult {
        self.aws.borrow_mut().now += 1;
        let [(left, left_faults), (right, right_faults)] = runs;
        let aws_answers = left_faults.fault.is_none() && right_faults.fault.is_none();
        let before = self.before(interference.is_some(), false, aws_answers);
        let numbers = [self.runs + 1, self.runs + 2];
        self.runs += 2;
        let mut event = None;
        let (at, change) = interference.unzip();
        let happens =
            || event = change.and_then(|change: OutsideChange| change.apply(&mut self.aws.borrow_mut()));
        let [left_result, right_result] = both(
            &self.aws,
            [(numbers[0], &left, left_faults), (numbers[1], &right, right_faults)],
            order,
            (at.unwrap_or(usize::MAX), happens),
        )?;
        self.delayed_events.extend(event);
        self.count(left_result.as_ref());
        self.count(right_result.as_ref());
        self.aws.borrow_mut().count("two at a time");
        self.check_invariants(&before, &[(numbers[0], left, left_result), (numbers[1], right, right_result)])
    }

    fn count(&self, result: Option<&RunResult>) {
        let what = match result {
            None => "cut off",
            Some(RunResult::Established(Ok(_))) => "granted",
            Some(RunResult::Released(Ok(outcome))) if outcome.changed => "released",
            Some(RunResult::Released(Ok(_))) => "nothing to release",
            Some(RunResult::Remediated(Ok(remediation))) => match remediation.outcome {
                RemediationOutcome::Repaired => "repaired",
                RemediationOutcome::StandIn => "stood in",
                RemediationOutcome::Cleared => "cleared",
                RemediationOutcome::Returned => "returned",
                RemediationOutcome::Refused => "left as it was",
                RemediationOutcome::BreakerOpen => "breaker open",
                RemediationOutcome::Failed
                | RemediationOutcome::AsWanted
                | RemediationOutcome::NotOurs
                | RemediationOutcome::NotConcerned => "nothing to do",
            },
            Some(result) if result.ended() => "refused",
            Some(_) => "failed",
        };
        self.aws.borrow_mut().count(what);
    }

    fn before(&self, has_interference: bool, is_undisturbed: bool, aws_answers: bool) -> StateBefore {
        let record = self.record();
        let accepted = record.as_ref().map(|record| (record.owner.stack_id.clone(), record.accepted.clone()));
        let wanted = record.map(|record| String::from(record.wanted));
        let aws = self.aws.borrow();
        StateBefore {
            carried: wanted.filter(|wanted| aws.document.is_some() && self.check_key(wanted).is_ok()),
            aws_answers,
            writes_are_disturbed: aws.fail_next || aws.rival_overwrite.is_some(),
            intended: self.intended.clone(),
            has_interference,
            is_undisturbed,
            now: aws.now,
            key: aws.document.as_ref().map_or(Some(String::new()), |d| d.latest_content().kms_key_id().ok()),
            enabled: KEYS.iter().copied().filter(|key| aws.is_enabled(key)).collect(),
            accepted,
        }
    }

    /// The record as it is stored.
    pub fn record(&self) -> Option<Record> {
        let ports = InMemoryPorts::new(&self.aws, 0, FaultPlan::default(), false);
        read_record(&ports, &name()).now_or_never().expect("nothing waits").expect("a record")
    }

    /// Fails if the latest or the default version does not carry this key.
    pub fn check_key(&self, key: &str) -> CheckResult {
        let aws = self.aws.borrow();
        let Some(document) = &aws.document else {
            return if key.is_empty() { Ok(()) } else { Err("there is no document".to_owned()) };
        };
        for content in [document.latest_content(), document.default_content()] {
            if content.kms_key_id().as_deref() != Ok(key) {
                return Err(format!("a version has {:?} and not `{key}`", content.kms_key_id()));
            }
        }
        Ok(())
    }

    /// Runs the schedule's event, without a crash or a fault.
    pub fn schedule(&mut self) -> Result<Remediation, String> {
        match self.run_one(Run::Remediate(event_of(ChangeSource::Schedule)), FaultPlan::default())? {
            Some(RunResult::Remediated(Ok(remediation))) => Ok(remediation),
            other => Err(format!("the schedule's run came to {other:?}")),
        }
    }

    pub fn number_of_writes(&self) -> usize {
        self.aws.borrow().log.len()
    }
}
