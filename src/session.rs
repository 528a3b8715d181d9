//! The preferences document: its name, its content, of which one field is ours, and its versions.
//!
//! Pure. The content is never serialized again: an edit replaces the value of `inputs.kmsKeyId` in the text, so that
//! every other byte (settings, their types and order, comments, unknown keys) stays. The content may hold secrets
//! (`shellProfile`), so nothing here prints it.

mod content;
mod description;
mod json;
mod name;
mod record_parameter;
mod target;
mod unique;
mod versions;
mod yaml;

pub use content::{Content, ContentError, DocumentFormat, Edit};
pub use name::{DocumentName, DocumentNameError};
pub use record_parameter::{RECORDS_PATH, document_of_record, record_parameter};
pub use target::Target;
pub use unique::{marked, padded, unmarked};
pub use versions::oldest_prunable;
