//! Why a template or a plan has no key policy to check. Each message names the file, the line and what would be right.

use thiserror::Error;

/// Why a text is neither JSON nor YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {what}")]
pub struct SyntaxProblem {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is wrong there.
    pub what: String,
}

/// Why there is no key policy to check.
#[derive(Debug, Error)]
pub enum InputError {
    /// The file is malformed.
    #[error("`{file}` is no {what}: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// What it should be.
        what: &'static str,
        /// What is wrong, and where.
        problem: SyntaxProblem,
    },
    /// A part of the file is not as its grammar has it.
    #[error("`{file}` line {line}: {what}")]
    Part {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
        /// What is wrong there, and what is allowed.
        what: String,
    },
    /// The file as a whole is something else, or has no such key.
    #[error("`{file}` {what}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Options do not fit together or to the file.
    #[error("{0}")]
    Options(String),
}
