//! The file that an audit writes line by line, and reads again to go on.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use crate::audit::{AuditLine, UnreadableReason};
use crate::cli::CliError;
use crate::text_encoding::TextEncoding;

/// The file of an audit: one line of JSON for each account and Region that was looked at.
pub(super) struct AuditFile {
    path: String,
    file: File,
}

impl AuditFile {
    /// A new file. One that is there stays as it is.
    pub(super) fn create(path: &str) -> Result<Self, CliError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::OutputExists(path.to_owned()),
            _ => CliError::OutputFile { path: path.to_owned(), error },
        })?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// The file of an audit that was stopped, and its lines. If the last line was cut off, it is removed.
    pub(super) fn resume(path: &str) -> Result<(Self, Vec<AuditLine>), CliError> {
        let unreadable = |error| CliError::File { path: path.to_owned(), error };
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let (encoding, mark) = TextEncoding::of_start(&bytes);
        if encoding != TextEncoding::Utf8 {
            let why = "it is not UTF-8, as the lines are that are appended; save it as UTF-8".to_owned();
            return Err(CliError::AuditSource { from: path.to_owned(), why });
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, last) = bytes.split_at(whole);
        let mut lines = Vec::new();
        let behind_mark = whole.get(mark..).unwrap_or_default();
        for (number, line) in (1..).zip(behind_mark.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            lines.push(serde_json::from_slice(line).map_err(|error| CliError::AuditSource {
                from: path.to_owned(),
                why: format!("line {number} is no line of an audit: {error}"),
            })?);
        }
        let length = match serde_json::from_slice(last) {
            Ok(line) => {
                lines.push(line);
                bytes.len()
            }
            Err(_) => whole.len(),
        };
        let mut audit_file = Self { path: path.to_owned(), file };
        audit_file.continue_at(length, length > whole.len()).map_err(|error| audit_file.failed(error))?;
        Ok((audit_file, lines))
    }

    fn continue_at(&mut self, length: usize, lacks_line_end: bool) -> io::Result<()> {
        self.file.set_len(u64::try_from(length).unwrap_or(u64::MAX))?;
        self.file.seek(SeekFrom::End(0))?;
        if lacks_line_end { self.file.write_all(b"\n") } else { Ok(()) }
    }

    /// Writes a line at once, so that it is there whatever comes after it.
    pub(super) fn write(&mut self, line: &AuditLine) -> Result<(), CliError> {
        let text = serde_json::to_string(line).map_err(io::Error::from);
        let written = text.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()));
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> CliError {
        CliError::OutputFile { path: self.path.clone(), error }
    }
}

/// Whether an account and Region need not be looked at again when an audit goes on: whatever AWS throttled or did not answer
/// is tried again.
pub(super) fn is_done(line: &AuditLine) -> bool {
    !matches!(line.reason(), Some(UnreadableReason::Throttled | UnreadableReason::Failed))
}
