//! The record of a document as text, in a parameter of Parameter Store: reading it and writing it.

use super::AwsError;
use crate::session::DocumentName;

/// A parameter's newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterVersion {
    /// The text.
    pub text: String,
    /// Its number. Versions count from 1.
    pub version: u64,
}

/// What became of a write over a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordReplacement {
    /// The text is this version of the parameter now.
    Replaced {
        /// The number of the version, at least 2.
        version: u64,
    },
    /// There was no parameter, so the text is version 1 of a new one.
    CreatedAnew,
    /// Another write was under way, and nothing was written.
    Busy,
}

/// Reads records.
pub trait ReadRecords {
    /// The record. `None` if there is none.
    async fn read(&self, name: &DocumentName) -> Result<Option<ParameterVersion>, AwsError>;
    /// The text of an earlier version. `None` if there is none.
    async fn read_version(&self, name: &DocumentName, version: u64) -> Result<Option<String>, AwsError>;
    /// The documents that have a record.
    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError>;
}

/// Writes records.
pub trait WriteRecords {
    /// Writes a first record. `false` if there is one already, or if another write is under way.
    async fn create_record(&self, name: &DocumentName, text: &str) -> Result<bool, AwsError>;
    /// Writes over the record, whatever it is by now.
    async fn replace_record(&self, name: &DocumentName, text: &str) -> Result<RecordReplacement, AwsError>;
    /// Removes the record. It is no error if there is none.
    async fn delete_record(&self, name: &DocumentName) -> Result<(), AwsError>;
}
