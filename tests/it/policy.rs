//! `evaluate` on the policy crate's corpus and on random bytes, and the policy evaluator beside iam-simulate.

mod corpus;
mod differential;
mod fuzz;
pub(crate) mod oracle;
