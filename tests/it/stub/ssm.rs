//! The SSM of the stub: documents, parameters, managed nodes and sessions. A new subject is a file with its table.

mod content;
mod document_calls;
mod documents;
mod fleet;
mod parameters;

pub use content::Format;
pub use documents::{Document, Documents, DuplicateReading};
pub use fleet::Fleet;
pub use parameters::{Parameter, Parameters};

use super::services::Operation;

/// The operations, a table for each subject.
pub const OPERATIONS: &[&[Operation]] =
    &[document_calls::OPERATIONS, parameters::OPERATIONS, fleet::OPERATIONS];
