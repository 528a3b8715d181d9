//! The reading half of a run over one document. It counts conflicts, and it remembers in which format the document has
//! to be read. It cannot write.

use super::error::ReconcileError;
use super::observe::{AbsentRecord, DocumentRead, Expected, Observation, ReadAs, observe};
use super::plan::PlanError;
use crate::ports::{Environment, ReadPorts};
use crate::session::{ContentError, DocumentFormat, DocumentName};

/// How many conflicts end a run: the document keeps changing.
const CONFLICTS: u32 = 10;

/// Reads one document and its record, as often as a run needs.
#[derive(Debug)]
pub(crate) struct Observer<'a, P> {
    environment: Environment<'a, P>,
    document: &'a DocumentName,
    read_as: ReadAs,
    /// What the next read is likely to find, by what the last one found and what was written since.
    expected: Expected,
    /// The number of the default version, as it was read last.
    default: Option<u64>,
    conflicts: u32,
    /// The version of the record's parameter, as it was read or written last. `None` if there was no parameter.
    record_version: Option<u64>,
}

impl<'a, P: ReadPorts> Observer<'a, P> {
    pub(crate) fn new(environment: Environment<'a, P>, document: &'a DocumentName) -> Self {
        Self {
            environment,
            document,
            read_as: ReadAs::Stored,
            expected: Expected { format: DocumentFormat::Json, default: None },
            default: None,
            conflicts: 0,
            record_version: None,
        }
    }

    pub(super) fn environment(&self) -> Environment<'a, P> {
        self.environment
    }

    pub(super) fn document(&self) -> &'a DocumentName {
        self.document
    }

    pub(super) fn record_version(&self) -> Option<u64> {
        self.record_version
    }

    /// Takes note that the record has been written as the parameter's next version.
    pub(super) fn record_was_written(&mut self) {
        self.record_version = Some(self.record_version.unwrap_or_default() + 1);
    }

    /// Takes note that a version after the default one has been written.
    pub(super) fn version_was_written(&mut self) {
        self.expected.default = self.default;
    }

    /// Takes note that the latest version has become the default.
    pub(super) fn version_was_promoted(&mut self) {
        self.expected.default = None;
    }

    /// Whether a YAML document is now edited, and stored, as JSON.
    pub(super) fn converts_to_json(&self) -> bool {
        self.read_as == ReadAs::Json
    }

    /// Reads, and so stores, a YAML document as JSON from now on.
    pub(super) fn convert_to_json(&mut self) {
        self.read_as = ReadAs::Json;
    }

    /// Reads the document and the record.
    pub(crate) async fn observe(&mut self) -> Result<Observation, ReconcileError> {
        self.observe_record(AbsentRecord::ReadTwice).await
    }

    /// Reads the document and the record, and reads it once more or not that there is no record.
    pub(super) async fn observe_record(
        &mut self,
        absent: AbsentRecord,
    ) -> Result<Observation, ReconcileError> {
        loop {
            let read = observe(self.environment, self.document, self.read_as, self.expected, absent);
            if let Some(DocumentRead { observation, record_version, head }) = read.await? {
                self.record_version = record_version;
                self.default = head.map(|head| head.default);
                self.expected = Expected {
                    format: head.map_or(DocumentFormat::Json, |head| head.format),
                    default: head.filter(|head| head.default != head.latest).map(|head| head.default),
                };
                return Ok(observation);
            }
            self.conflict("the document changed while it was read".to_owned()).await?;
        }
    }

    /// What follows if there is no plan: the document is read again as JSON, or the run ends with this error.
    pub(crate) fn without_plan(&mut self, error: PlanError) -> Result<(), ReconcileError> {
        let document = self.document.clone();
        match error {
            PlanError::NeedsJson if self.read_as == ReadAs::Stored => {
                self.convert_to_json();
                Ok(())
            }
            PlanError::NeedsJson => Err(ReconcileError::Content {
                document,
                problem: ContentError::NotAnObject("its content or `inputs`"),
            }),
            PlanError::Owned { owner, asked_by } => Err(ReconcileError::Owned { document, owner, asked_by }),
            PlanError::NoDocument { asked_by } => Err(ReconcileError::NoDocument { document, asked_by }),
            PlanError::Content(problem) => Err(ReconcileError::Content { document, problem }),
        }
    }

    /// Counts a conflict and waits. The run ends if there were too many.
    pub(super) async fn conflict(&mut self, what: String) -> Result<(), ReconcileError> {
        self.conflicts += 1;
        tracing::info!(document = %self.document, attempt = self.conflicts, "trying again: {what}");
        if self.conflicts >= CONFLICTS {
            return Err(ReconcileError::Contended {
                document: self.document.clone(),
                attempts: self.conflicts,
                last: what,
            });
        }
        self.environment.ports.pause(self.conflicts).await;
        Ok(())
    }
}
