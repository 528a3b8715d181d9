//! SSM as played: documents and parameters. A new subject (managed nodes, session history) is a file with its table.

mod content;
mod document_calls;
mod documents;
mod parameters;

pub use content::Format;
pub use documents::{Document, Documents, DuplicateReading};
pub use parameters::{Parameter, Parameters};

use super::services::Operation;

/// The operations, a table for each subject.
pub const OPERATIONS: &[&[Operation]] = &[document_calls::OPERATIONS, parameters::OPERATIONS];
