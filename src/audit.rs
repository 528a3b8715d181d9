//! The audit of many accounts and Regions: one line for each, and the report over all lines. Pure.

mod line;

pub use line::{
    AuditFinding, AuditLine, AuditState, AuditedDocument, AuditedKey, AuditedPlace, LockedOut, Unreadable,
    UnreadableReason,
};
