//! What people write and read, described from the code: the JSON Schemas, and the generated sections of
//! `docs/reference.md`. Pure.
//!
//! Inputs are described by the readers themselves, which are run for it. Outputs are described by the types that are
//! written. Only the meaning of a property of an input stands here, in one table (`texts`).
//!
//! Nothing of this is part of the function. A test writes the files and compares them.

mod attributes;
mod command_line;
mod inputs;
mod markdown;
mod schemas;
mod texts;

pub use markdown::sections;
pub use schemas::schemas;

#[cfg(test)]
mod tests;
