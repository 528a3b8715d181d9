//! The document: one field of it is written, on every version that counts, and read back.

mod concurrent_writers;
mod content;
mod history;
mod versions;
