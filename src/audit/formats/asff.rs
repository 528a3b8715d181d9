//! The report over an audit as asff.

use std::io::{self, Write};

use crate::audit::AuditReport;

/// Writes the report.
pub(in crate::audit) fn write(_report: &AuditReport, _out: &mut dyn Write) -> io::Result<()> {
    Ok(())
}

/// The findings in batches.
pub(in crate::audit) fn batches(_report: &AuditReport) -> impl Iterator<Item = Vec<u8>> {
    std::iter::empty()
}
