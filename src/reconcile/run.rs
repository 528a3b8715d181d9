//! A run over one document: it makes the calls of a plan's steps. Every round begins with a fresh observation.

use super::error::ReconcileError;
use super::observe::Observation;
use super::observer::Observer;
use super::plan::{PlanError, Step};
use super::record::Record;
use super::stored_record::{text_after, write_over};
use crate::ports::{AwsError, DocumentWrite, Environment, VersionStatus, WritePorts};
use crate::session::{Content, DocumentFormat, DocumentName, marked, oldest_prunable, padded, unmarked};

/// How often AWS is asked whether it has taken up a version. The deadline of the request ends most waits.
const POLLS: u32 = 120;

/// One run over one document.
#[derive(Debug)]
pub(crate) struct Run<'a, P> {
    observer: Observer<'a, P>,
    polls: u32,
    uniqueness: Uniqueness,
    /// Whether this run has written the document.
    changed: bool,
    /// Whether this run has written content since it last planned to.
    wrote_content: bool,
}

/// How content is made to differ from every earlier version. AWS refuses a version that equals an earlier one, so each
/// refusal leads to the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Uniqueness {
    /// As it is.
    Plain,
    /// With white space or a comment at its end, after this refusal.
    Padded(AwsError),
    /// With a mark in its description, after this refusal.
    Marked(AwsError),
    /// In no further way in this format, after this refusal.
    Exhausted(AwsError),
}

/// What a step wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    /// A version's content.
    Content,
    /// Which version is the default.
    DefaultVersion,
}

impl<'a, P: WritePorts> Run<'a, P> {
    pub(crate) fn new(environment: Environment<'a, P>, document: &'a DocumentName) -> Self {
        Self {
            observer: Observer::new(environment, document),
            polls: 0,
            uniqueness: Uniqueness::Plain,
            changed: false,
            wrote_content: false,
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

    /// Whether this run has written the document.
    pub(crate) fn changed(&self) -> bool {
        self.changed
    }

    /// Whether this run has written content. If there is more content to write then, somebody else writes too.
    pub(super) fn wrote_content(&self) -> bool {
        self.wrote_content
    }

    /// The version of the record's parameter, as it was read or written last. `None` if there was no parameter.
    pub(super) fn record_version(&self) -> Option<u64> {
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
        let observation = self.observer.observe().await?;
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

    /// What follows if there is no plan: see [`Observer::without_plan`].
    pub(crate) fn without_plan(&mut self, error: PlanError) -> Result<(), ReconcileError> {
        self.observer.without_plan(error)
    }

    /// Takes the steps of a plan, and returns whether it took all of them. If it did not, the next observation shows
    /// how far it came.
    pub(crate) async fn apply(&mut self, plan: Vec<Step>) -> Result<bool, ReconcileError> {
        for step in plan {
            if !self.take(step).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for another run, which seems to be under way.
    pub(crate) async fn wait_for_other_run(&mut self, attempt: u32) {
        self.environment().progress("waiting for another run to end");
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
                environment.progress("creating the document");
                tracing::info!(document = %name, "creating the document");
                let write = ports.create(name, &content).await?;
                self.follow(write, Wrote::Content).await
            }
            Step::UpdateDocument { content, latest } => {
                let Some(content) = self.unique(&content, latest + 1)? else { return Ok(false) };
                environment.progress("writing a new version of the document");
                tracing::info!(document = %name, latest, "writing a new version of the document");
                let write = ports.update(name, &content, latest).await?;
                self.follow(write, Wrote::Content).await
            }
            Step::Await { version } => {
                environment.progress("waiting for AWS to take up the new version");
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
                environment.progress("making the new version the default");
                tracing::info!(document = %name, version, "making the version the default");
                let write = ports.promote(name, version).await?;
                self.follow(write, Wrote::DefaultVersion).await
            }
            Step::DeleteRecord => {
                environment.progress("removing the record");
                tracing::info!(document = %name, "removing the record");
                ports.delete_record(name).await?;
                Ok(true)
            }
        }
    }

    /// Writes the record over the one that was read.
    async fn save(&mut self, record: &Record, first: bool) -> Result<bool, ReconcileError> {
        let (environment, name) = (self.environment(), self.document());
        environment.progress("writing the record");
        tracing::info!(document = %name, old_key = %record.before_change.kms_key_id, new_key = %record.wanted,
            before = %record.before_adoption, first, "writing the record");
        let version = self.record_version();
        let text = text_after(version, record);
        let longest = if record.remediation.is_empty() { Record::LONGEST_REQUEST } else { Record::LONGEST };
        if text.len() > longest {
            return Err(ReconcileError::RecordTooLong { document: name.clone(), bytes: text.len() });
        }
        if write_over(environment.ports, name, version, &text).await? {
            // Further steps of the same plan write over this version.
            self.observer.record_was_written();
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
                self.changed = true;
                self.wrote_content |= wrote == Wrote::Content;
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
                self.uniqueness = match self.uniqueness {
                    Uniqueness::Plain => Uniqueness::Padded(error),
                    Uniqueness::Padded(_) => Uniqueness::Marked(error),
                    Uniqueness::Marked(_) | Uniqueness::Exhausted(_) => Uniqueness::Exhausted(error),
                };
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
        let plain = unmarked(content, version);
        loop {
            let (unique, next): (_, fn(AwsError) -> Uniqueness) = match &self.uniqueness {
                Uniqueness::Plain => return Ok(Some(plain)),
                Uniqueness::Padded(_) => (padded(&plain, version), Uniqueness::Marked),
                Uniqueness::Marked(_) => (marked(&plain, version), Uniqueness::Exhausted),
                Uniqueness::Exhausted(_) if content.format() == DocumentFormat::Yaml => {
                    self.uniqueness = Uniqueness::Plain;
                    self.observer.convert_to_json();
                    return Ok(None);
                }
                Uniqueness::Exhausted(error) => return Err(error.clone().into()),
            };
            if unique.is_some() {
                return Ok(unique);
            }
            if let Uniqueness::Padded(error) | Uniqueness::Marked(error) = &self.uniqueness {
                self.uniqueness = next(error.clone());
            }
        }
    }

    /// Deletes the oldest version that is neither the latest nor the default.
    async fn prune(&mut self, full: AwsError) -> Result<(), ReconcileError> {
        let (environment, name) = (self.environment(), self.document());
        environment.progress("making room in the document's history");
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
