//! The note in the record that a repair has been told, which is made once the report is complete.
//!
//! A repair is written into the record before it is made. If its run ends before it can report, the next event reports
//! it. So the note comes last: a repair may be told twice, and never not at all.

use crate::ports::{AwsError, Environment, WritePorts};
use crate::reconcile::{Record, rewrite_record};
use crate::session::DocumentName;

/// The note, ready to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TellingNote {
    record: Box<Record>,
    /// The version of the record's parameter that the record was read from.
    version: Option<u64>,
}

impl TellingNote {
    /// The note that this Lambda request has told of the repair in the record. If the request had to be repeated for
    /// that, nothing is left to tell.
    pub(super) fn new(mut record: Record, version: Option<u64>, request_id: &str) -> Self {
        record.remediation.untold = record.remediation.untold.filter(|repair| repair.told_to.is_none());
        if let Some(repair) = &mut record.remediation.untold {
            repair.told_to = Some(request_id.to_owned());
        }
        Self { record: Box::new(record), version }
    }

    /// Saves the note. If another run has written the record meanwhile, the note does not count, and the repair may be
    /// told once more.
    ///
    /// # Errors
    /// If AWS refused or did not answer.
    pub async fn save<P: WritePorts>(
        &self,
        environment: Environment<'_, P>,
        document: &DocumentName,
    ) -> Result<(), AwsError> {
        let is_saved = rewrite_record(environment.ports, document, self.version, &self.record).await?;
        if !is_saved {
            tracing::info!(%document, "another run has written the record, so the repair may be told once more");
        }
        Ok(())
    }
}
