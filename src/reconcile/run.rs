//! A run over one document: it makes the calls of a plan's steps. Every round begins with a fresh observation.

use std::time::{Duration, SystemTime};

use super::error::ReconcileError;
use super::half_change::HalfChange;
use super::observe::{AbsentRecord, Observation};
use super::observer::Observer;
use super::plan::{PlanError, Step};
use super::record::Record;
use super::stored_record::{text_after, write_over};
use super::uniqueness::Uniqueness;
use crate::ports::{AwsError, AwsErrorKind, DocumentWrite, Environment, VersionStatus, WritePorts};
use crate::session::{Content, DocumentName, Target, oldest_prunable};

/// How often AWS is asked whether it has taken up a version. The deadline of the request ends most waits.
const POLLS: u32 = 120;

/// The step of an observation.
const READING: &str = "reading the document and the record";
/// The same beside the description of the key.
const DESCRIBING_AND_READING: &str = "describing the key, and reading the document and the record";
/// An observation that is not older is not made again before a write.
const YOUNG: Duration = Duration::from_secs(3);

/// One run over one document.
#[derive(Debug)]
pub(crate) struct Run<'a, P> {
    observer: Observer<'a, P>,
    polls: u32,
    uniqueness: Uniqueness,
    /// When this run last began to observe the document and the record. `None` if it never came to the end of that.
    observed_at: Option<SystemTime>,
    /// Whether a record that the last observation lacks was read only once.
    is_absence_unconfirmed: bool,
    /// Whether this run has written the document.
    changed: bool,
    /// Whether this run has written content since it last planned to.
    wrote_content: bool,
    /// The content that was sent as this version and that AWS did not confirm.
    unconfirmed: Option<(u64, Content)>,
    /// The record as this run has read or written it last, in the version that [`Self::record_version`] names.
    record: Option<Record>,
    /// The version that this run has made the default last.
    promoted: Option<u64>,
    /// What this run has left of a change that takes two writes.
    half_change: Option<HalfChange>,
}

/// What a step wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    /// The document, with its first version.
    Document,
    /// The version with this number.
    Version(u64),
    /// Which version is the default.
    DefaultVersion,
}

impl<'a, P: WritePorts> Run<'a, P> {
    pub(crate) fn new(environment: Environment<'a, P>, document: &'a DocumentName) -> Self {
        Self {
            observer: Observer::new(environment, document),
            polls: 0,
            uniqueness: Uniqueness::Plain,
            observed_at: None,
            is_absence_unconfirmed: false,
            changed: false,
            wrote_content: false,
            unconfirmed: None,
            record: None,
            promoted: None,
            half_change: None,
        }
    }

    /// The environment that the run works in.
    pub(crate) fn environment(&self) -> Environment<'a, P> {
        self.observer.environment()
    }

    /// The document that the run is about.
    pub(crate) fn document(&self) -> &'a DocumentName {
        self.observer.document()
    }

    /// Whether this run has observed the document and the record.
    pub(crate) fn has_observed(&self) -> bool {
        self.observed_at.is_some()
    }

    /// Whether this run has written the document.
    pub(crate) fn changed(&self) -> bool {
        self.changed
    }

    /// Whether this run has written content. If there is more content to write then, somebody else writes too.
    pub(super) fn wrote_content(&self) -> bool {
        self.wrote_content
    }

    /// The version of the record's parameter, as it was read or written last. `None` if there was no parameter.
    pub(crate) fn record_version(&self) -> Option<u64> {
        self.observer.record_version()
    }

    /// Whether a YAML document is now edited, and stored, as JSON.
    pub(super) fn converts_to_json(&self) -> bool {
        self.observer.converts_to_json()
    }

    /// Reads the document and the record.
    ///
    /// # Errors
    /// AWS's refusals, a record that cannot be read, and a version that this run wrote and that AWS reports as Failed:
    /// written again, it would fail again.
    pub(crate) async fn observe(&mut self) -> Result<Observation, ReconcileError> {
        self.observe_record(AbsentRecord::ReadTwice, READING).await
    }

    /// The same for a run that is about to write: that there is no record is read once. Such a run writes its first record
    /// only if there is none, and before it fails for lack of a record it reads again.
    pub(super) async fn observe_before_writing(&mut self) -> Result<Observation, ReconcileError> {
        self.observe_record(AbsentRecord::ReadOnce, READING).await
    }

    /// The same for a run whose key is described meanwhile.
    pub(super) async fn observe_while_key_is_described(&mut self) -> Result<Observation, ReconcileError> {
        self.observe_record(AbsentRecord::ReadOnce, DESCRIBING_AND_READING).await
    }

    /// Whether the last observation is so young that a plan can be made of it. A plan's writes are conditional, so an old
    /// one does no harm, but it takes longer, and the key from before could be another one by then.
    pub(super) fn has_observed_just_now(&self) -> bool {
        let now = self.environment().ports.now();
        self.observed_at.is_some_and(|at| now.duration_since(at).is_ok_and(|age| age < YOUNG))
    }

    /// Whether the last observation lacks a record, and no second read has confirmed that there is none.
    pub(super) fn is_absence_unconfirmed(&self) -> bool {
        self.is_absence_unconfirmed
    }

    async fn observe_record(
        &mut self,
        absent: AbsentRecord,
        step: &str,
    ) -> Result<Observation, ReconcileError> {
        self.progress(step);
        let begun = self.environment().ports.now();
        let mut observation = self.observer.observe_record(absent).await?;
        self.observed_at = Some(begun);
        self.is_absence_unconfirmed = observation.record.is_none() && absent == AbsentRecord::ReadOnce;
        self.record.clone_from(&observation.record);
        if let (Some(document), Some(promoted)) = (&mut observation.document, self.promoted) {
            document.is_promotion_stale =
                document.default.number == promoted && document.latest.number > promoted;
        }
        self.confirm(&observation);
        if let Some(document) = observation.document.as_ref().filter(|_| self.changed)
            && let VersionStatus::Failed(reason) = &document.latest.status
        {
            return Err(ReconcileError::VersionFailed {
                document: self.document().clone(),
                version: document.latest.number,
                reason: reason.clone(),
            });
        }
        Ok(observation)
    }

    /// The record as this run has read or written it last, in the version that [`Self::record_version`] names.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What this run has left half changed, if anything.
    pub(crate) fn half_change(&self) -> Option<HalfChange> {
        self.half_change
    }

    /// Takes note of a change that was begun before and is not finished in this observation.
    pub(super) fn note_half_change(&mut self, observation: &Observation, wanted: &Target) {
        self.half_change = observation.document.as_ref().and_then(|document| {
            let is_half = document.latest.carries(wanted) && !document.default.carries(wanted);
            is_half.then_some(HalfChange { version: document.latest.number, is_confirmed: true })
        });
    }

    /// Finds out whether content that was sent without a confirmation has been written all the same: AWS's answer was
    /// lost, and the call that the SDK made again found its own result.
    fn confirm(&mut self, observation: &Observation) {
        let Some((version, sent)) = self.unconfirmed.take() else { return };
        if let Some(document) = &observation.document
            && document.latest.number == version
            && document.latest.kms_key_id == sent.kms_key_id().map(Target::from)
        {
            tracing::info!(document = %self.document(), version, "the version was written, though AWS did not confirm it");
            self.changed = true;
            self.wrote_content = true;
        }
    }

    /// Says which step comes next, and what is half changed meanwhile.
    fn progress(&self, step: &str) {
        match self.half_change {
            Some(half) => self.environment().progress(&format!("{step}; {half}")),
            None => self.environment().progress(step),
        }
    }

    /// What follows if there is no plan: see [`Observer::without_plan`].
    pub(crate) fn without_plan(&mut self, error: PlanError) -> Result<(), ReconcileError> {
        self.observer.without_plan(error)
    }

    /// Takes the steps of a plan, and returns whether it took all of them. If it did not, the next observation shows
    /// how far it came.
    pub(crate) async fn apply(&mut self, plan: Vec<Step>) -> Result<bool, ReconcileError> {
        for step in plan {
            // Boxed: a step of each kind has a state of its own.
            if !Box::pin(self.take(step)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for another run, which seems to be under way.
    pub(crate) async fn wait_for_other_run(&mut self, attempt: u32) {
        self.progress("waiting for another run to end");
        tracing::info!(document = %self.document(), attempt, "another run seems to be under way");
        self.environment().ports.pause(attempt).await;
    }

    /// Takes one step, and returns whether the rest of the plan still holds: it does not if something differs from the
    /// observation.
    async fn take(&mut self, step: Step) -> Result<bool, ReconcileError> {
        let (environment, name) = (self.environment(), self.document());
        let ports = environment.ports;
        match step {
            Step::SaveRecord { record, first } => self.save(&record, first).await,
            Step::CreateDocument(_) | Step::UpdateDocument { .. }
                if std::mem::take(&mut self.wrote_content) =>
            {
                self.observer.conflict("somebody else changed what had just been written".to_owned()).await?;
                Ok(false)
            }
            Step::CreateDocument(content) => {
                self.progress("creating the document");
                tracing::info!(document = %name, "creating the document");
                self.unconfirmed = Some((1, content.clone()));
                let write = environment.despite_denial(async || ports.create(name, &content).await).await?;
                self.follow(write, Wrote::Document).await
            }
            Step::UpdateDocument { content, latest } => {
                let Some(content) = self.unique(&content, latest + 1)? else { return Ok(false) };
                self.progress("writing a new version of the document");
                tracing::info!(document = %name, latest, "writing a new version of the document");
                self.unconfirmed = Some((latest + 1, content.clone()));
                let update = async || ports.update(name, &content, latest).await;
                let write = environment.despite_denial(update).await.inspect_err(|error| {
                    let may_be_written = matches!(error.kind, AwsErrorKind::NoAnswer(_));
                    self.half_change = may_be_written
                        .then_some(HalfChange { version: latest + 1, is_confirmed: false })
                        .or(self.half_change);
                })?;
                self.follow(write, Wrote::Version(latest + 1)).await
            }
            Step::Await { version } => {
                self.progress("waiting for AWS to take up the new version");
                tracing::info!(document = %name, version, "the version is not active yet");
                self.polls += 1;
                if self.polls > POLLS {
                    let reason = "it did not become Active".to_owned();
                    return Err(ReconcileError::VersionFailed { document: name.clone(), version, reason });
                }
                ports.pause(self.polls).await;
                Ok(true)
            }
            Step::Promote { version } => {
                self.half_change = Some(HalfChange { version, is_confirmed: true });
                self.progress("making the new version the default");
                tracing::info!(document = %name, version, "making the version the default");
                self.promoted = Some(version);
                let write = environment.despite_denial(async || ports.promote(name, version).await).await?;
                self.follow(write, Wrote::DefaultVersion).await
            }
            Step::DeleteRecord => {
                self.progress("removing the record");
                // Whatever comes of the call, this run has nothing to write over any more.
                self.record = None;
                tracing::info!(document = %name, "removing the record");
                environment.despite_denial(async || ports.delete_record(name).await).await?;
                Ok(true)
            }
        }
    }

    /// Writes the record over the one that was read.
    async fn save(&mut self, record: &Record, first: bool) -> Result<bool, ReconcileError> {
        let (environment, name) = (self.environment(), self.document());
        self.progress("writing the record");
        tracing::info!(document = %name, old_key = %record.before_change.kms_key_id, new_key = %record.wanted,
            before = %record.before_adoption, first, "writing the record");
        let version = self.record_version();
        let text = text_after(version, record);
        if text.len() > record.longest() {
            return Err(ReconcileError::RecordTooLong { document: name.clone(), bytes: text.len() });
        }
        let write = async || write_over(environment.ports, name, version, &text).await;
        if environment.despite_denial(write).await? {
            // Further steps of the same plan write over this version.
            self.observer.record_was_written();
            self.record = Some(record.clone());
            return Ok(true);
        }
        self.observer
            .conflict("another request wrote or removed the record at the same time".to_owned())
            .await?;
        Ok(false)
    }

    /// What follows from the result of a write: whether the rest of the plan still holds.
    async fn follow(&mut self, write: DocumentWrite, wrote: Wrote) -> Result<bool, ReconcileError> {
        match write {
            DocumentWrite::Done => {
                match wrote {
                    Wrote::Document => {}
                    Wrote::Version(_) => self.observer.version_was_written(),
                    Wrote::DefaultVersion => self.observer.version_was_promoted(),
                }
                self.changed = true;
                self.unconfirmed = None;
                self.wrote_content |= wrote != Wrote::DefaultVersion;
                self.half_change = match wrote {
                    Wrote::Version(version) => Some(HalfChange { version, is_confirmed: true }),
                    Wrote::Document | Wrote::DefaultVersion => None,
                };
                Ok(true)
            }
            DocumentWrite::LostRace(error) => {
                self.observer.conflict(error.to_string()).await?;
                Ok(false)
            }
            DocumentWrite::Duplicate(error) => {
                if wrote == Wrote::DefaultVersion {
                    return Err(error.into());
                }
                self.uniqueness.was_refused(error);
                tracing::info!(document = %self.document(), "AWS takes the content for a duplicate; reading again");
                Ok(false)
            }
            DocumentWrite::HistoryFull(error) => {
                self.prune(error).await?;
                Ok(false)
            }
        }
    }

    /// The content in a form that AWS has not refused in this run. It is `None` if YAML has no further form: the document
    /// is then read again as JSON.
    fn unique(&mut self, content: &Content, version: u64) -> Result<Option<Content>, ReconcileError> {
        let unique = self.uniqueness.applied_to(content, version)?;
        if unique.is_none() {
            self.observer.convert_to_json();
        }
        Ok(unique)
    }

    /// Deletes the oldest version that is neither the latest nor the default.
    async fn prune(&mut self, full: AwsError) -> Result<(), ReconcileError> {
        let (environment, name) = (self.environment(), self.document());
        self.progress("making room in the document's history");
        let (head, versions) = tokio::join!(environment.ports.head(name), environment.ports.versions(name));
        let oldest = head?
            .zip(Some(versions?))
            .and_then(|(head, versions)| oldest_prunable(&versions, head.default, head.latest));
        let Some(version) = oldest else { return Err(ReconcileError::HistoryFull(full)) };
        tracing::info!(document = %name, version, "deleting the oldest version, the history is full");
        environment.ports.delete_version(name, version).await?;
        self.observer.conflict(full.to_string()).await
    }
}
