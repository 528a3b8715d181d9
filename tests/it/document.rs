//! Writes of the document: only the key changes, in the latest and in the default version, and it is read back.

mod concurrent_writers;
mod content;
mod history;
mod versions;
