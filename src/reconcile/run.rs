//! Apply: a plan's steps as calls, in rounds that each begin with a fresh observation.

use super::error::ReconcileError;
use super::observe::{Observation, observe};
use super::plan::{PlanError, Step};
use super::record::Record;
use super::stored_record::{text_after, write_over};
use crate::ports::{AwsError, Ports, VersionStatus, Written};
use crate::session::{Content, DocumentName, marked, oldest_prunable, padded, unmarked};

/// How often a document that keeps changing is tried again.
const CONFLICTS: u32 = 10;
/// How often AWS is asked whether it is done with a version; the deadline of the request ends most waits.
const POLLS: u32 = 120;

/// One run over one document.
pub(crate) struct Run<'a, P> {
    ports: &'a P,
    document: &'a DocumentName,
    progress: &'a dyn Fn(&str),
    conflicts: u32,
    polls: u32,
    last: String,
    /// How hard the content has to be made unique, by what AWS took for a duplicate so far.
    uniqueness: Uniqueness,
    as_json: bool,
    changed: bool,
    /// Whether content was written, and was there to be read back.
    wrote: bool,
    /// The version of the record's parameter, as it was read; 0 where there was none.
    record_version: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Uniqueness {
    Plain,
    Padded,
    Marked,
}

impl<'a, P: Ports> Run<'a, P> {
    pub(crate) fn new(ports: &'a P, document: &'a DocumentName, progress: &'a dyn Fn(&str)) -> Self {
        Self {
            ports,
            document,
            progress,
            conflicts: 0,
            polls: 0,
            last: String::new(),
            uniqueness: Uniqueness::Plain,
            as_json: false,
            changed: false,
            wrote: false,
            record_version: 0,
        }
    }

    /// The document that it is about.
    pub(crate) fn document(&self) -> &'a DocumentName {
        self.document
    }

    /// Whether the document was written.
    pub(crate) fn changed(&self) -> bool {
        self.changed
    }

    /// Whether content was written, so that whoever wants to write more is not alone.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote
    }

    /// The version of the record's parameter, as it was read or written last.
    pub(crate) fn record_version(&self) -> u64 {
        self.record_version
    }

    /// Whether a YAML document is now edited, and stored, as JSON.
    pub(crate) fn converts(&self) -> bool {
        self.as_json
    }

    pub(crate) async fn observe(&mut self) -> Result<Observation, ReconcileError> {
        (self.progress)("reading the document and the record");
        loop {
            if let Some((observation, version)) = observe(self.ports, self.document, self.as_json).await? {
                self.record_version = version;
                self.check_status(&observation)?;
                return Ok(observation);
            }
            self.conflict("a version was gone before it could be read".to_owned()).await?;
        }
    }

    /// What follows from there being no plan: another round as JSON, or the end.
    pub(crate) fn no_plan(&mut self, error: PlanError) -> Result<(), ReconcileError> {
        match error {
            PlanError::NeedsJson if !self.as_json => {
                self.as_json = true;
                Ok(())
            }
            PlanError::NeedsJson => Err(ReconcileError::Content {
                document: self.document.clone(),
                problem: crate::session::ContentError::NotAnObject("its content or `inputs`"),
            }),
            PlanError::Owned(owner) => Err(ReconcileError::Owned { document: self.document.clone(), owner }),
            PlanError::Content(problem) => {
                Err(ReconcileError::Content { document: self.document.clone(), problem })
            }
        }
    }

    /// Takes the steps as far as they go; the next observation tells how far that was. `false`: not to the end.
    pub(crate) async fn apply(&mut self, plan: Vec<Step>) -> Result<bool, ReconcileError> {
        for step in plan {
            if !self.take(step).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits for another run, which seems to be under way.
    pub(crate) async fn give_way(&mut self, attempt: u32) {
        (self.progress)("waiting for another run to end");
        tracing::info!(document = %self.document, attempt, "another run seems to be under way");
        self.ports.pause(attempt).await;
    }

    /// Takes one step. `false`: things are not as observed, so the rest of the plan is void.
    async fn take(&mut self, step: Step) -> Result<bool, ReconcileError> {
        let (ports, name) = (self.ports, self.document);
        match step {
            Step::SaveRecord { record, first } => self.save(&record, first).await,
            Step::CreateDocument(_) | Step::UpdateDocument { .. } if std::mem::take(&mut self.wrote) => {
                self.conflict("somebody else changed what had just been written".to_owned()).await?;
                Ok(false)
            }
            Step::CreateDocument(content) => {
                (self.progress)("creating the document");
                tracing::info!(document = %name, "creating the document");
                let written = ports.create(name, &content).await?;
                self.settle(written, true).await
            }
            Step::UpdateDocument { content, latest } => {
                (self.progress)("writing a new version of the document");
                tracing::info!(document = %name, latest, "writing a new version of the document");
                let written = ports.update(name, &self.unique(&content, latest + 1), latest).await?;
                self.settle(written, true).await
            }
            Step::Await { version } => {
                (self.progress)("waiting for AWS to take up the new version");
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
                (self.progress)("making the new version the default");
                tracing::info!(document = %name, version, "making the version the default");
                let written = ports.promote(name, version).await?;
                self.settle(written, false).await
            }
            Step::DeleteRecord => {
                (self.progress)("removing the record");
                tracing::info!(document = %name, "removing the record");
                ports.delete_record(name).await?;
                Ok(true)
            }
        }
    }

    /// Writes the record over the one that was read.
    async fn save(&mut self, record: &Record, first: bool) -> Result<bool, ReconcileError> {
        let (ports, name) = (self.ports, self.document);
        (self.progress)("writing the record");
        tracing::info!(document = %name, old_key = record.there.kms_key_id, new_key = record.wanted,
            before = record.before, first, "writing the record");
        let text = text_after(self.record_version, record);
        let longest = if record.watch.is_empty() { Record::LONGEST_REQUEST } else { Record::LONGEST };
        if text.len() > longest {
            return Err(ReconcileError::RecordTooLong { document: name.clone(), bytes: text.len() });
        }
        if write_over(ports, name, self.record_version, &text).await? {
            // Further steps of the same plan rest on it.
            self.record_version += 1;
            return Ok(true);
        }
        self.conflict("another request wrote or removed the record at the same time".to_owned()).await?;
        Ok(false)
    }

    async fn settle(&mut self, written: Written, content: bool) -> Result<bool, ReconcileError> {
        match written {
            Written::Done => {
                self.changed = true;
                self.wrote |= content;
                Ok(true)
            }
            Written::LostRace(error) => {
                self.conflict(error.to_string()).await?;
                Ok(false)
            }
            Written::Duplicate(error) => {
                self.uniqueness = match self.uniqueness {
                    Uniqueness::Plain if content => Uniqueness::Padded,
                    Uniqueness::Padded => Uniqueness::Marked,
                    Uniqueness::Plain | Uniqueness::Marked => return Err(error.into()),
                };
                tracing::info!(document = %self.document, "AWS takes the content for a duplicate; reading again");
                Ok(false)
            }
            Written::HistoryFull(error) => {
                self.prune(error).await?;
                Ok(false)
            }
        }
    }

    fn unique(&self, content: &Content, version: u64) -> Content {
        let plain = unmarked(content);
        match self.uniqueness {
            Uniqueness::Plain => plain,
            Uniqueness::Padded => padded(&plain, version),
            Uniqueness::Marked => marked(&plain, version).unwrap_or_else(|| padded(&plain, version)),
        }
    }

    async fn prune(&mut self, full: AwsError) -> Result<(), ReconcileError> {
        (self.progress)("making room in the document's history");
        let (head, versions) =
            tokio::join!(self.ports.head(self.document), self.ports.versions(self.document));
        let oldest = head?
            .zip(Some(versions?))
            .and_then(|(head, versions)| oldest_prunable(&versions, head.default, head.latest));
        let Some(version) = oldest else { return Err(ReconcileError::HistoryFull(full)) };
        tracing::info!(document = %self.document, version, "deleting the oldest version, the history is full");
        self.ports.delete_version(self.document, version).await?;
        self.conflict(full.to_string()).await
    }

    async fn conflict(&mut self, what: String) -> Result<(), ReconcileError> {
        self.conflicts += 1;
        tracing::info!(document = %self.document, attempt = self.conflicts, "trying again: {what}");
        self.last = what;
        if self.conflicts >= CONFLICTS {
            return Err(ReconcileError::Contended {
                document: self.document.clone(),
                attempts: self.conflicts,
                last: self.last.clone(),
            });
        }
        self.ports.pause(self.conflicts).await;
        Ok(())
    }

    /// A version that this run wrote and AWS failed would fail again.
    fn check_status(&self, observation: &Observation) -> Result<(), ReconcileError> {
        match &observation.document {
            Some(document) if self.changed => match &document.latest.status {
                VersionStatus::Failed(reason) => Err(ReconcileError::VersionFailed {
                    document: self.document.clone(),
                    version: document.latest.number,
                    reason: reason.clone(),
                }),
                VersionStatus::Active | VersionStatus::Pending => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
