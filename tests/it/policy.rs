//! The policy evaluator: its cases, its properties, its fuzz targets, and iam-simulate beside it.

mod completions;
mod corpus;
mod differential;
mod fuzz;
mod key_side;
mod limits;
pub(crate) mod oracle;
mod properties;
