//! The check of the final state: the document is as wanted, or an alert says why it is not.

use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::PreflightMode;
use session_kms::reconcile::RecordedKeyTrouble;
use session_kms::remediation::{Remediation, RemediationOutcome};

use super::driver::Driver;
use super::in_memory_aws::{InMemoryAws, NODE};
use super::ports::FaultPlan;
use super::recorded_intent::RecordedIntent;
use super::run::{Run, RunResult};

/// What may keep the document from carrying its owner's first choice of key, and what else an alert must name.
#[derive(Debug)]
struct Obstacles {
    /// The first choice cannot be used.
    first: bool,
    /// The standby key cannot be used.
    standby: bool,
    /// The nodes are locked out of the key that is to be written, and the preflight is on.
    locked_out: bool,
    /// The nodes are locked out of the standby key.
    standby_locked_out: bool,
    /// The content is not one that the program may edit.
    content: bool,
    /// There is no document, and one is wanted; or it was created again, and nobody has been told.
    deleted: bool,
}

/// Delivers the last event and then the schedule, and checks the state after each.
pub fn check_final_state(driver: &mut Driver, last: &ChangeEvent) -> Result<(), String> {
    {
        let mut aws = driver.aws.borrow_mut();
        aws.fail_next = false;
        aws.rival_overwrite = None;
        aws.now += 7200;
    }
    let obstacles = driver.obstacles();
    let remediation = remediate(driver, last)?;
    let is_open =
        |driver: &Driver| driver.record().is_some_and(|record| record.remediation.breaker.is_some());
    if is_confirmed_alone(last, &remediation) {
        // No key was asked about. The schedule, which comes next, does that.
        let wanted = driver.record().map(|record| record.wanted).ok_or("as wanted, without a record")?;
        driver.check_key(wanted.key().unwrap_or_default())?;
    } else if let (Some(obstacles), Some(intended), false) =
        (&obstacles, driver.intended.clone(), is_open(driver))
    {
        let checks_access = matches!(last.source, ChangeSource::Schedule | ChangeSource::DirectCall);
        is_as_wanted(driver, &intended, obstacles, &remediation, checks_access)
            .map_err(|wrong| format!("after the last event {wrong}; {remediation:?}"))?;
    }
    let mut obstacles = driver.obstacles();
    let mut remediation = driver.schedule()?;
    if is_open(driver) {
        if remediation.alerts.is_empty() && !remediation.drift.is_empty() {
            return Err("the breaker is open, and no alert says so".to_owned());
        }
        driver.aws.borrow_mut().now += 7200;
        obstacles = driver.obstacles();
        remediation = driver.schedule()?;
    }
    let (Some(record), Some(obstacles)) = (driver.record(), obstacles) else { return Ok(()) };
    driver.aws.borrow_mut().count("ended with a record");
    let intended = driver.intended.clone().ok_or("a record without an intent")?;
    // The breaker closes with a repair. Without a usable key or an editable content there is no repair.
    let no_key = obstacles.content
        || obstacles.locked_out
        || obstacles.first && (obstacles.standby || intended.on_key_trouble == RecordedKeyTrouble::Alert);
    if record.remediation.breaker.is_some() && !no_key {
        return Err("the breaker does not close".to_owned());
    }
    is_as_wanted(driver, &intended, &obstacles, &remediation, true)
        .map_err(|wrong| format!("in the end {wrong}; {remediation:?}"))?;
    let writes = driver.number_of_writes();
    driver.schedule()?;
    if driver.number_of_writes() > writes {
        let log = driver.aws.borrow_mut().log.split_off(writes);
        return Err(format!("the schedule, once more, wrote {log:?}"));
    }
    Ok(())
}

/// Whether an event was about the document alone, and found it as wanted, with nothing to tell.
fn is_confirmed_alone(event: &ChangeEvent, remediation: &Remediation) -> bool {
    matches!(event.source, ChangeSource::DocumentCall | ChangeSource::RecordChange)
        && remediation.outcome == RemediationOutcome::AsWanted
        && remediation.drift.is_empty()
        && remediation.alerts.is_empty()
}

fn remediate(driver: &mut Driver, event: &ChangeEvent) -> Result<Remediation, String> {
    match driver.run_one(Run::Remediate(event.clone()), FaultPlan::default())? {
        Some(RunResult::Remediated(Ok(remediation))) => Ok(remediation),
        other => Err(format!("the run of {event:?} came to {other:?}")),
    }
}

/// `checks_access` says whether the event is one that checks access even if nothing is to be written.
fn is_as_wanted(
    driver: &Driver,
    intended: &RecordedIntent,
    obstacles: &Obstacles,
    remediation: &Remediation,
    checks_access: bool,
) -> Result<(), String> {
    let first = intended.first.as_str();
    let remediate = remediation.alerts.join("\n");
    // A Delete that was cut off has to come again.
    if driver.record().is_some_and(|record| record.releasing.is_some()) {
        return match remediate.contains("has not come to its end") {
            true => Ok(()),
            false => Err("no alert says that the document is still to be given back".to_owned()),
        };
    }
    let standby = match &intended.on_key_trouble {
        RecordedKeyTrouble::Standby(standby) => standby.as_str(),
        RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => "",
    };
    let is_given_up =
        obstacles.first && (obstacles.standby || intended.on_key_trouble == RecordedKeyTrouble::Alert);
    for (is_so, words) in [
        (obstacles.first, first),
        (obstacles.standby, standby),
        (obstacles.locked_out && checks_access, NODE),
        (obstacles.standby_locked_out && checks_access && !obstacles.first, standby),
        (obstacles.content && !is_given_up, "mend it by hand"),
        (obstacles.deleted && remediation.changed, "put back its other settings"),
    ] {
        if is_so && !remediate.contains(words) {
            return Err(format!("no alert names `{words}` with {obstacles:?}"));
        }
    }
    let is_obstructed = obstacles.first || obstacles.standby || obstacles.locked_out || obstacles.content;
    if !remediation.alerts.is_empty() && !is_obstructed && !obstacles.deleted && !obstacles.standby_locked_out
    {
        return Err("an alert comes without a reason".to_owned());
    }
    let blocks =
        matches!(intended.mode, PreflightMode::Strict | PreflightMode::Enforce) && obstacles.locked_out;
    if obstacles.content || blocks {
        return Ok(());
    }
    match (&intended.on_key_trouble, obstacles.first) {
        (_, false) => driver.check_key(first),
        (RecordedKeyTrouble::Standby(standby), true) if !obstacles.standby => driver.check_key(standby),
        (RecordedKeyTrouble::Clear, true) => driver.check_key(""),
        (RecordedKeyTrouble::Alert | RecordedKeyTrouble::Standby(_), true) => Ok(()),
    }
}

impl Driver {
    fn obstacles(&self) -> Option<Obstacles> {
        let record = self.record();
        let untold = record.as_ref().and_then(|record| record.remediation.pending());
        let is_creation_untold = untold.is_some_and(|repair| repair.recreated);
        let mut obstacles = Obstacles::of(&self.aws.borrow(), self.intended.as_ref()?);
        obstacles.deleted |= is_creation_untold;
        Some(obstacles)
    }
}

impl Obstacles {
    fn of(aws: &InMemoryAws, intended: &RecordedIntent) -> Self {
        let first = intended.first.as_str();
        let unusable = |key: &str| !key.is_empty() && !aws.is_enabled(key);
        let locked = |key: &str| {
            !key.is_empty()
                && aws.is_enabled(key)
                && !aws.admits_nodes(key)
                && intended.mode != PreflightMode::Off
        };
        let standby = match &intended.on_key_trouble {
            RecordedKeyTrouble::Standby(standby) => Some(standby.as_str()),
            RecordedKeyTrouble::Alert | RecordedKeyTrouble::Clear => None,
        };
        let in_force = if unusable(first) { standby.unwrap_or_default() } else { first };
        let latest = aws.document.as_ref().map(|document| document.latest_content().kms_key_id());
        Self {
            first: unusable(first),
            standby: !first.is_empty() && standby.is_some_and(unusable),
            locked_out: locked(in_force),
            standby_locked_out: standby.is_some_and(locked),
            content: latest.is_some_and(|key| key.is_err()),
            deleted: aws.document.is_none() && !first.is_empty(),
        }
    }
}
