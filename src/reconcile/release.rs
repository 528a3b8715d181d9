//! Releasing a document from its owner. What the owner set is restored, cleared or left, as asked. What somebody else
//! has set since stays as it is, and that is a success.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::converge::give_way;
use super::error::ReconcileError;
use super::observe::{Observation, ObservedDocument};
use super::observer::Observer;
use super::outcome::{CLEARED, Outcome, TO_BE_CLEARED};
use super::plan::{Plan, Step, plan_release};
use super::record::Record;
use super::run::Run;
use crate::intent::{OnDelete, Owner};
use crate::key::KeyRef;
use crate::ports::{Environment, PreflightPorts, ReadPorts, WritePorts};
use crate::preflight::{Finding, KeyError, KeyFault, check_key};
use crate::session::{DocumentName, Target};

/// How long a Delete may take: as long as any function runs. A record that was marked longer ago is its owner's again.
pub(super) const RELEASE: Duration = Duration::from_secs(900);

/// A request to release a document.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseRequest<'a> {
    /// Who asks.
    pub owner: &'a Owner,
    /// The document.
    pub document: &'a DocumentName,
    /// What to leave behind. `None` if the request does not say: then the record does.
    pub on_delete: Option<OnDelete>,
}

/// What releasing a document would do. Nothing was written.
#[derive(Clone, Debug)]
pub struct ReleasePreview {
    /// What is there.
    pub observation: Observation,
    /// What the document would carry then. `None` if it would stay as it is.
    pub target: Option<Target>,
    /// The steps: the last one removes the record. Empty if the document is not the asker's.
    pub plan: Plan,
    /// Why the document is not released, if it is not.
    pub refusal: Option<ReconcileError>,
    /// What to know before, one line each.
    pub notes: Vec<String>,
}

/// Finds out what [`release`] would do, and writes nothing.
///
/// # Errors
/// See [`ReconcileError`]. What would refuse the release is no error here.
pub async fn preview_release<P: ReadPorts>(
    environment: Environment<'_, P>,
    request: ReleaseRequest<'_>,
) -> Result<ReleasePreview, ReconcileError> {
    let document = request.document;
    let mut observer = Observer::new(environment, document);
    loop {
        let observation = observer.observe().await?;
        let mut preview =
            ReleasePreview { observation, target: None, plan: Plan::new(), refusal: None, notes: Vec::new() };
        let Some(record) = preview.observation.record.clone() else {
            preview.notes.push(format!("nobody owns document {document}, so there is nothing to give back"));
            return Ok(preview);
        };
        if record.owner != *request.owner {
            let (document, owner) = (document.clone(), record.owner);
            preview.refusal = Some(ReconcileError::NotYours { document, owner });
            return Ok(preview);
        }
        let on_delete = request.on_delete.unwrap_or(record.on_delete);
        let there = preview.observation.document.as_ref();
        let plan = match plan_release(there, &record, on_delete) {
            Ok(plan) => plan,
            Err(error) => {
                observer.without_plan(error)?;
                continue;
            }
        };
        let is_changed = plan != [Step::DeleteRecord];
        let target = match on_delete {
            OnDelete::Restore => record.before_adoption.clone(),
            OnDelete::Clear | OnDelete::Retain => Target::Off,
        };
        if is_changed && on_delete == OnDelete::Restore {
            preview.refusal = match check_key_before(environment, &target).await {
                Err(error @ ReconcileError::KeyBefore(_)) => Some(error),
                checked => checked.map(|_| None)?,
            };
        }
        match (is_changed, &target) {
            (true, Target::Off) => preview.notes.push(TO_BE_CLEARED.to_owned()),
            (true, Target::Key(_)) => {}
            (false, _) => preview.notes.extend(note(there, &record, on_delete, false)),
        }
        preview.target = is_changed.then_some(target);
        preview.plan = plan;
        return Ok(preview);
    }
}

/// Undoes what the owner set, as far as nobody has changed it since, and removes the record.
///
/// # Errors
/// See [`ReconcileError`]. A document that is not the owner's is no error.
pub async fn release<P: WritePorts>(
    environment: Environment<'_, P>,
    request: ReleaseRequest<'_>,
) -> Result<Outcome, ReconcileError> {
    let mut run = Run::new(environment, request.document);
    let released = release_in(&mut run, request).await;
    if released.is_err() {
        take_mark_back(&mut run, request.owner).await;
    }
    released.map_err(|error| error.after(run.half_change()))
}

/// Takes the mark out of the record again, so that a Delete that has failed keeps nobody waiting. If that fails too, the
/// mark ends with time.
async fn take_mark_back<P: WritePorts>(run: &mut Run<'_, P>, owner: &Owner) {
    let Some(record) = run.record().filter(|record| record.owner == *owner && record.releasing.is_some())
    else {
        return;
    };
    let record = Box::new(Record { releasing: None, ..record.clone() });
    if let Err(error) = run.apply(vec![Step::SaveRecord { record, first: false }]).await {
        tracing::warn!(document = %run.document(), %error, "the record still says that the document is being given back");
    }
}

async fn release_in<P: WritePorts>(
    run: &mut Run<'_, P>,
    request: ReleaseRequest<'_>,
) -> Result<Outcome, ReconcileError> {
    let environment = run.environment();
    let mut outcome = Outcome {
        document: request.document.clone(),
        version: None,
        key: None,
        standby: None,
        before_adoption: Target::Off,
        changed: false,
        findings: Vec::new(),
        notes: Vec::new(),
    };
    loop {
        let observation = run.observe().await?;
        outcome.version = observation.document.as_ref().map(|document| document.latest.number);
        let record = match observation.record {
            Some(record) if record.owner == *request.owner => record,
            Some(record) if run.changed() => {
                give_way(run).await?;
                outcome.changed = true;
                outcome
                    .notes
                    .push(format!("{} took the document over while it was given back", record.owner));
                return Ok(outcome);
            }
            Some(record) => {
                outcome.notes.push(format!("the document is owned by {}; nothing was changed", record.owner));
                return Ok(outcome);
            }
            None => {
                outcome.notes.push(
                    "there is nothing of this resource on the document; nothing was changed".to_owned(),
                );
                return Ok(outcome);
            }
        };
        outcome.before_adoption.clone_from(&record.before_adoption);
        let on_delete = request.on_delete.unwrap_or(record.on_delete);
        let plan = match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) => plan,
            Err(error) => {
                run.without_plan(error)?;
                continue;
            }
        };
        let is_given_back = plan == [Step::DeleteRecord];
        let is_restored = !is_given_back && on_delete == OnDelete::Restore && outcome.findings.is_empty();
        let check = async {
            match is_restored {
                true => check_key_before(environment, &record.before_adoption).await,
                false => Ok(Vec::new()),
            }
        };
        if released_for(&record, environment.ports.now()).is_none() {
            // From here on no other run takes the document for its owner's, and whoever wrote it before is seen by the
            // next observation.
            let releasing = Some(seconds(environment.ports.now()));
            let marked = Box::new(Record { releasing, ..record.clone() });
            let mark = run.apply(vec![Step::SaveRecord { record: marked, first: false }]);
            // If the key cannot be restored, the mark is taken back.
            let (marked, found) = tokio::join!(mark, Box::pin(check));
            marked?;
            outcome.findings.extend(found?);
            continue;
        }
        outcome.findings.extend(check.await?);
        if !is_given_back {
            let new_key = match on_delete {
                OnDelete::Restore => &record.before_adoption,
                OnDelete::Clear | OnDelete::Retain => &Target::Off,
            };
            tracing::info!(document = %request.document, old_key = %record.wanted, %new_key, "releasing the document");
            run.apply(plan).await?;
            continue;
        }
        run.apply(plan).await?;
        let left = delete_what_is_left(run, &record).await?;
        if on_delete != OnDelete::Retain {
            // A Create or a repair that still runs may have written the document while the record went.
            let by = UndoneBy::Delete { latest_seen: outcome.version };
            undo_in(run, left, &record, on_delete, by).await?;
        }
        outcome.changed = run.changed();
        outcome.notes.extend(note(observation.document.as_ref(), &record, on_delete, outcome.changed));
        return Ok(outcome);
    }
}

/// What to know of a document that was given back. `changed` is whether that took a write.
fn note(
    document: Option<&ObservedDocument>,
    record: &Record,
    on_delete: OnDelete,
    changed: bool,
) -> Option<String> {
    let carries = |target: &Target| document.is_some_and(|document| document.carries(target));
    match on_delete {
        OnDelete::Retain => Some("the document was left as it is, as OnDelete Retain asks".to_owned()),
        OnDelete::Clear if carries(&Target::Off) => Some(CLEARED.to_owned()),
        OnDelete::Restore if carries(&record.before_adoption) => {
            (record.before_adoption == Target::Off).then(|| CLEARED.to_owned())
        }
        OnDelete::Clear | OnDelete::Restore if changed => None,
        OnDelete::Clear | OnDelete::Restore => {
            let text = "the document no longer carries the key that its owner set; it was left as it is";
            Some(text.to_owned())
        }
    }
}

/// How often a record that should be gone is removed again.
const REMOVALS: u32 = 5;

/// Removes the marked record again as long as it is there: one answer that it is gone may be wrong. The result is what is
/// there without it.
async fn delete_what_is_left<P: WritePorts>(
    run: &mut Run<'_, P>,
    marked: &Record,
) -> Result<Observation, ReconcileError> {
    for attempt in 1..=REMOVALS {
        let left = run.observe().await?;
        let record = left.record.as_ref();
        if !record.is_some_and(|left| left.owner == marked.owner && left.releasing == marked.releasing) {
            return Ok(left);
        }
        run.wait_for_other_run(attempt).await;
        run.apply(vec![Step::DeleteRecord]).await?;
    }
    Err(ReconcileError::Contended {
        document: run.document().clone(),
        attempts: REMOVALS,
        last: "the record was removed and is still there".to_owned(),
    })
}

/// A time as records hold it: in seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// For how long the owner has been giving the document back. `None` if it is not, or if it must have ended.
pub(crate) fn released_for(record: &Record, now: SystemTime) -> Option<Duration> {
    let since = UNIX_EPOCH + Duration::from_secs(record.releasing?);
    Some(now.duration_since(since).unwrap_or_default()).filter(|time| *time < RELEASE)
}

/// Checks the key that would be restored. A key that cannot be used any more is not restored, because every session
/// would fail.
async fn check_key_before<P: PreflightPorts>(
    environment: Environment<'_, P>,
    before: &Target,
) -> Result<Vec<Finding>, ReconcileError> {
    let Target::Key(before) = before else { return Ok(Vec::new()) };
    let checked = match KeyRef::parse(before) {
        Ok(key) => check_key(environment, &key).await.map(|(_, findings)| findings),
        Err(error) => Err(KeyError::Fault(KeyFault::Reference(error))),
    };
    checked.map_err(|error| ReconcileError::of_key(error, ReconcileError::KeyBefore))
}

/// Who undoes a change whose record has gone.
#[derive(Clone, Copy, Debug)]
pub(super) enum UndoneBy {
    /// The change itself, which finds that a Delete has removed its record.
    Change,
    /// The Delete. A version later than the latest that it saw, with any key of the record, is a repair's: that may
    /// have chosen another key than the Delete knew.
    Delete {
        /// The number of the latest version that the Delete saw. `None` if there was no document.
        latest_seen: Option<u64>,
    },
}

/// Undoes a change whose record a Delete has removed while the change was being made.
pub(super) async fn undo<P: WritePorts>(
    run: &mut Run<'_, P>,
    record: &Record,
    on_delete: OnDelete,
    by: UndoneBy,
) -> Result<(), ReconcileError> {
    let observation = run.observe().await?;
    undo_in(run, observation, record, on_delete, by).await
}

/// The same of what has just been observed.
async fn undo_in<P: WritePorts>(
    run: &mut Run<'_, P>,
    mut observation: Observation,
    record: &Record,
    on_delete: OnDelete,
    by: UndoneBy,
) -> Result<(), ReconcileError> {
    let mut record = record.clone();
    loop {
        if observation.record.as_ref().is_some_and(|record| record.releasing.is_none()) {
            return Ok(());
        }
        let latest = observation.document.as_ref().map(|document| &document.latest);
        if let (UndoneBy::Delete { latest_seen }, Some(latest)) = (by, latest)
            && Some(latest.number) > latest_seen
            && let Ok(target) = &latest.kms_key_id
            && record.may_choose(target)
        {
            record.wanted.clone_from(target);
        }
        match plan_release(observation.document.as_ref(), &record, on_delete) {
            Ok(plan) if plan == [Step::DeleteRecord] => return Ok(()),
            Ok(plan) => {
                if on_delete == OnDelete::Restore {
                    check_key_before(run.environment(), &record.before_adoption).await?;
                }
                run.apply(plan).await?;
            }
            Err(error) => run.without_plan(error)?,
        }
        observation = run.observe().await?;
    }
}
