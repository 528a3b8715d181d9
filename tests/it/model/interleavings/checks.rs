//! The invariants of two runs at the same time: at each write, at each result, and at the end.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use session_kms::change_event::ChangeSource;
use session_kms::reconcile::HOUR;
use session_kms::remediation::RemediationOutcome;

use super::fingerprint::{Fingerprint, fingerprint};
use super::scenario::Scenario;
use super::store::Store;
use crate::model::in_memory_aws::{InMemoryAws, KEYS, other_settings};
use crate::model::outside_change::{OutsideChange, event_of};
use crate::model::ports::FaultPlan;
use crate::model::run::{OwnerRequest, Run, RunResult, TroubleResponse, alone, owner};

/// How long after a crash Lambda delivers an event again, in seconds.
const LATER: u64 = 60;

/// The end that matters: the keys of the document, and what is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End {
    carried: Option<[String; 2]>,
    settings: Option<String>,
    /// The owner, the key asked for, the key wanted now, and the key before.
    record: Option<[String; 4]>,
}

/// The results of both runs; `None` if a run crashed.
type Results = [Option<Rc<RunResult>>; 2];

pub struct Checks<'a> {
    scenario: &'a Scenario,
    initial: InMemoryAws,
    /// The keys that may ever be in the document.
    allowed: HashSet<String>,
    /// The keys that may be there once nobody owns the document.
    unowned: HashSet<String>,
    checked: HashSet<Fingerprint>,
    /// The ends of the runs one after the other, by which of them crashed, which failed, and whether somebody else changed
    /// something.
    serial: HashMap<([bool; 2], [bool; 2], bool), HashSet<End>>,
    pub known_faults: usize,
    /// Whether a repair is to be made, and so to be told, whatever happens.
    must_tell: bool,
}

impl<'a> Checks<'a> {
    pub fn new(scenario: &'a Scenario, initial: &InMemoryAws) -> Result<Self, String> {
        let store = Store::new(initial.clone());
        let mut allowed: HashSet<String> = store.carried.iter().flatten().cloned().collect();
        if scenario.may_turn_off || !store.is_encrypted() {
            allowed.insert(String::new());
        }
        let mut unowned: HashSet<String> = HashSet::from([String::new()]);
        let are_repairs = scenario.runs.iter().all(|run| matches!(run, Run::Remediate(_)));
        let has_drifted = |wanted: &str| !store.carries(wanted);
        let mut must_tell = false;
        match &store.record.clone()? {
            Some(record) => {
                must_tell = are_repairs && has_drifted(&String::from(record.wanted.clone()));
                allowed.insert(record.wanted.clone().into());
                allowed.insert(record.asked_for().into());
                allowed.extend(record.standby().map(str::to_owned));
                unowned.insert(record.before_adoption.clone().into());
                allowed.insert(record.before_adoption.clone().into());
            }
            None => unowned.extend(allowed.iter().cloned()),
        }
        for run in scenario.runs.iter().chain(scenario.after_failure.iter().flatten()) {
            if let Run::Establish(request) = run {
                allowed.insert(request.wanted().to_owned());
                if let TroubleResponse::Standby(standby) = request.on_key_trouble {
                    allowed.insert(KEYS[standby].to_owned());
                }
            }
        }
        if let Some(OutsideChange::Key { key, .. }) = scenario.outside {
            allowed.insert(KEYS[key].to_owned());
            unowned.insert(KEYS[key].to_owned());
        }
        let initial = initial.clone();
        let (checked, serial) = (HashSet::new(), HashMap::new());
        Ok(Self { scenario, initial, allowed, unowned, checked, serial, known_faults: 0, must_tell })
    }

    pub fn ends(&self) -> usize {
        self.checked.len()
    }

    /// Whether what the success of a run stands for is so.
    pub fn holds(&self, run: usize, store: &Store) -> bool {
        holds(&self.scenario.runs[run], store)
    }

    /// Checks a write of either run.
    pub fn check_write(&self, before: &Store, after: &Store) -> Result<(), String> {
        check_store(after)?;
        if before.is_encrypted() && !after.is_encrypted() && !self.scenario.may_turn_off {
            return Err("encryption is off, and nobody asked for that".to_owned());
        }
        match after.carried.iter().flatten().find(|key| !self.allowed.contains(*key)) {
            Some(key) => Err(format!("`{key}` is in the document, and nobody asked for it")),
            None => Ok(()),
        }
    }

    /// Checks a result. `held` says whether what success stands for was so while the run observed last.
    pub fn check_result(&self, run: usize, result: &RunResult, held: bool) -> Result<(), String> {
        if claims(result) && !held {
            return Err(format!("{:?} came to {result:?}, which was not true then", self.scenario.runs[run]));
        }
        Ok(())
    }

    /// Checks the end of both runs: crashed events are delivered again, failed requests are followed by what
    /// CloudFormation sends, and then comes the schedule.
    pub fn check_end(&mut self, store: &Store, results: Results, has_outside: bool) -> Result<(), String> {
        let named = results.each_ref().map(|result| result.as_ref().map(|result| format!("{result:?}")));
        if !self.checked.insert(fingerprint(&(store.key, named, has_outside))) {
            return Ok(());
        }
        let known = self.check(store, results, has_outside).or_else(|wrong| {
            let is_known = self.scenario.known_faults.iter().any(|known| wrong.contains(known));
            if is_known { Ok(true) } else { Err(wrong) }
        })?;
        self.known_faults += usize::from(known);
        Ok(())
    }

    /// Checks an end that is a new one. Returns false: no fault is known.
    fn check(&mut self, store: &Store, results: Results, has_outside: bool) -> Result<bool, String> {
        let crashed = results.each_ref().map(Option::is_none);
        let failed = results.each_ref().map(|result| result.clone().filter(|result| !result.is_ok()));
        let came_to = format!("{results:?}");
        let end = self
            .finish(store.aws.clone(), results, has_outside, self.must_tell)
            .map_err(|wrong| format!("{wrong}; the runs came to {came_to}"))?;
        let key = (crashed, failed.each_ref().map(Option::is_some), has_outside);
        if !self.serial.contains_key(&key) {
            let ends = self.serial_ends(crashed, &failed, has_outside)?;
            self.serial.insert(key, ends);
        }
        let serial = &self.serial[&key];
        if serial.contains(&end) {
            return Ok(false);
        }
        Err(format!("the end is {end:#?}, and one after the other the runs come to {serial:#?}"))
    }

    /// Lets everything follow that follows two runs, and checks it. `may_differ` says whether the document may be other
    /// than its record wants it before the schedule comes.
    fn finish(
        &self,
        aws: InMemoryAws,
        results: Results,
        mut may_differ: bool,
        must_tell: bool,
    ) -> Result<End, String> {
        let aws = RefCell::new(aws);
        let mut later = Later { aws: &aws, runs: 10 };
        aws.borrow_mut().now += LATER;
        let (mut outcomes, mut tells) = (Vec::new(), false);
        for (number, (run, result)) in self.scenario.runs.iter().zip(results).enumerate() {
            let result = match result {
                Some(result) => result,
                None => Rc::new(later.run_as(number + 1, run)?),
            };
            may_differ |= !claims(&result);
            tells |= says_changed(&result);
            outcomes.push(result.is_ok());
        }
        for (is_ok, follow_up) in outcomes.iter().zip(&self.scenario.after_failure) {
            if let (false, Some(run)) = (is_ok, follow_up) {
                later.run(run)?;
            }
        }
        let store = Store::new(aws.borrow().clone());
        if !may_differ {
            self.agrees(&store).map_err(|wrong| format!("after both runs {wrong}"))?;
        }
        let scheduled = Run::Remediate(event_of(ChangeSource::Schedule));
        aws.borrow_mut().now += LATER;
        let mut remediation = later.run(&scheduled)?;
        tells |= says_changed(&remediation);
        let mut store = Store::new(aws.borrow().clone());
        if store.is_breaker_open() {
            // It closes once nobody has changed the document for an hour.
            aws.borrow_mut().now += 2 * HOUR;
            remediation = later.run(&scheduled)?;
            tells |= says_changed(&remediation);
            store = Store::new(aws.borrow().clone());
        }
        if must_tell && !tells {
            return Err("the document was repaired, and no result says so".to_owned());
        }
        self.agrees(&store).map_err(|wrong| format!("after the schedule {wrong}; {remediation:?}"))?;
        let writes = aws.borrow().log.len();
        later.run(&scheduled)?;
        if aws.borrow().log.len() > writes {
            return Err(format!("the schedule, once more, wrote {:?}", aws.borrow().log.split_at(writes).1));
        }
        let settings = store.aws.document.as_ref().map(|document| other_settings(document.default_content()));
        let record = store.record?.map(|record| {
            [
                record.owner.stack_id.clone(),
                record.asked_for().into(),
                record.wanted.clone().into(),
                record.before_adoption.into(),
            ]
        });
        Ok(End { carried: store.carried, settings, record })
    }

    /// Whether the document is as its record wants it or, without a record, whether nothing was left behind.
    fn agrees(&self, store: &Store) -> Result<(), String> {
        check_store(store)?;
        match store.record.clone()? {
            Some(record) => {
                let wanted = String::from(record.wanted);
                if !store.carries(&wanted) {
                    return Err(format!("the record wants `{wanted}`, and there is {:?}", store.carried));
                }
            }
            None if self.scenario.retains => {}
            None => {
                let left = store.carried.iter().flatten().find(|key| !self.unowned.contains(*key));
                if let Some(key) = left {
                    return Err(format!("nobody owns the document, and `{key}` was left in it"));
                }
            }
        }
        if store.is_active { Ok(()) } else { Err("the latest version is not active".to_owned()) }
    }

    /// The ends to which the runs come one after the other, in both orders. A run that crashes has done all or nothing
    /// before its event is delivered again, and one that fails may have done nothing.
    fn serial_ends(
        &self,
        crashed: [bool; 2],
        failed: &Results,
        has_outside: bool,
    ) -> Result<HashSet<End>, String> {
        let mut ends = HashSet::new();
        for order in [[0, 1], [1, 0]] {
            for skipped in [[false, false], [true, false], [false, true], [true, true]] {
                if [0, 1].into_iter().any(|run| skipped[run] && !crashed[run] && failed[run].is_none()) {
                    continue;
                }
                for outside_at in if has_outside { 0..3 } else { 3..4 } {
                    ends.insert(self.serial_end(order, skipped, crashed, failed, outside_at)?);
                }
            }
        }
        Ok(ends)
    }

    fn serial_end(
        &self,
        order: [usize; 2],
        skipped: [bool; 2],
        crashed: [bool; 2],
        failed: &Results,
        outside_at: usize,
    ) -> Result<End, String> {
        let aws = RefCell::new(self.initial.clone());
        let later = Later { aws: &aws, runs: 0 };
        let mut results = failed.clone();
        for at in 0..3 {
            if let (true, Some(change)) = (at == outside_at, self.scenario.outside) {
                change.apply(&mut aws.borrow_mut());
            }
            if let Some(run) = order.get(at).copied().filter(|run| !skipped[*run]) {
                let result = later.run_as(run + 1, &self.scenario.runs[run])?;
                results[run] = (!crashed[run]).then(|| Rc::new(result));
            }
        }
        let aws = aws.borrow().clone();
        self.finish(aws, results, true, false).map_err(|wrong| format!("one after the other, {wrong}"))
    }
}

/// Runs that follow, each alone.
struct Later<'a> {
    aws: &'a RefCell<InMemoryAws>,
    runs: usize,
}

impl Later<'_> {
    fn run(&mut self, run: &Run) -> Result<RunResult, String> {
        self.runs += 1;
        self.run_as(self.runs, run)
    }

    /// Runs one, as the request with this number.
    fn run_as(&self, number: usize, run: &Run) -> Result<RunResult, String> {
        let result = alone(self.aws, number, run, FaultPlan::default())?.ok_or("a run was cut off")?;
        if !result.ended() {
            return Err(format!("{run:?} came to {result:?}"));
        }
        let store = Store::new(self.aws.borrow().clone());
        check_store(&store)?;
        if claims(&result) && !holds(run, &store) {
            return Err(format!("{run:?} came to {result:?}, which is not true"));
        }
        Ok(result)
    }
}

fn check_store(store: &Store) -> Result<(), String> {
    if let Some(wrong) = store.aws.violations.first() {
        return Err(wrong.clone());
    }
    let settings = store.aws.document.as_ref().map(|document| other_settings(document.latest_content()));
    if settings != store.aws.expected_settings {
        return Err(format!("other settings are {settings:?} and not {:?}", store.aws.expected_settings));
    }
    store.record.as_ref().map(drop).map_err(Clone::clone)
}

/// Whether a result says that the document was written.
fn says_changed(result: &RunResult) -> bool {
    matches!(result, RunResult::Remediated(Ok(remediation)) if remediation.changed)
}

/// Whether a result says that everything is as it should be.
fn claims(result: &RunResult) -> bool {
    match result {
        RunResult::Established(result) | RunResult::Released(result) => result.is_ok(),
        RunResult::Remediated(Ok(remediation)) => {
            let is_good = !matches!(
                remediation.outcome,
                RemediationOutcome::Refused
                    | RemediationOutcome::BreakerOpen
                    | RemediationOutcome::NotConcerned
            );
            is_good && remediation.alerts.is_empty()
        }
        RunResult::Remediated(Err(_)) => false,
    }
}

fn holds(run: &Run, store: &Store) -> bool {
    let Ok(record) = &store.record else { return false };
    match run {
        Run::Establish(request) => record.as_ref().is_some_and(|record| {
            let wanted = String::from(record.wanted.clone());
            is_owner(request, &record.owner.stack_id)
                && wanted == request.wanted()
                && store.carries(&wanted)
                && store.is_active
        }),
        Run::Release { owner: number, .. } => match record {
            Some(record) => record.owner != owner(*number),
            None => true,
        },
        Run::Remediate(_) => {
            record.as_ref().is_none_or(|record| store.carries(&String::from(record.wanted.clone())))
        }
    }
}

fn is_owner(request: &OwnerRequest, stack: &str) -> bool {
    owner(request.owner).stack_id == stack
}
