//! The document: one field of it is written, on every version that counts, and read back.

mod content;
mod history;
mod races;
mod versions;
