//! The direct calls around an audit of many accounts: the list of accounts and Regions, and the report.

use serde_json::Value;

use crate::event::organization_call::OrganizationCall;
use crate::operations::{AuditFailure, audit_pairs, audit_report};
use crate::ports::{Environment, OrganizationPorts};

/// Answers a call.
///
/// # Errors
/// See [`AuditFailure`]. A report that fails is no error.
pub(super) async fn answer<P: OrganizationPorts>(
    environment: Environment<'_, P>,
    call: &OrganizationCall,
) -> Result<Value, AuditFailure> {
    // Boxed: the state of all that is awaited is large.
    match call {
        OrganizationCall::Pairs(question) => Box::pin(audit_pairs(environment, question)).await,
        OrganizationCall::Report(question) => Box::pin(audit_report(environment, question)).await,
    }
}
