//! The policy evaluator: its cases, its properties, its fuzz targets, and iam-simulate beside it.

mod corpus;
mod differential;
mod fuzz;
mod key_side;
pub(crate) mod oracle;
mod properties;
