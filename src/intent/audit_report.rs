//! Which results a report of an audit is made of.

use super::ObjectAddress;

/// What a report is made of, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuestion {
    /// The manifest that Step Functions wrote beside the results of a Map Run.
    pub manifest: ObjectAddress,
    /// The list of the accounts and Regions that were to be looked at.
    pub pairs: Option<ObjectAddress>,
    /// The folder of the reports.
    pub output: ObjectAddress,
    /// The summary of the audit that this one is compared with; `None` for the one before.
    pub compare_with: Option<ObjectAddress>,
}
