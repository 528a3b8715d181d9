//! session-kms owns one fact of an AWS account and Region: which KMS key encrypts Session Manager sessions.
//!
//! # The way
//!
//! Every request, and every notice that something may have changed, takes one way through the house:
//!
//! ```text
//! event ──► intent ──► observe ──► judge ──► plan ──► record ──► apply ──► verify ──► answer
//!  JSON      pure      AWS reads   pure      pure     write-ahead  writes   read back   PUT / return value
//! ```
//!
//! # The rooms
//!
//! | room | holds | may import |
//! | --- | --- | --- |
//! | [`event`] | what arrives, one file a source; each turns JSON into an intent or a notice | intent, notice, the property reader |
//! | [`function`] | what the Lambda does with an event: from the source to the way, from the outcome to the answer | event, reconcile, cloudformation |
//! | [`cloudformation`] | the custom-resource protocol; knows nothing of sessions and keys | nothing |
//! | [`intent`], [`notice`], [`location`] | what is wanted; what somebody says has happened; where | key, session |
//! | [`session`] | the document's content and versions; pure | nothing |
//! | [`key`] | references to keys, fitness; pure | place |
//! | [`policy`] | the IAM policy language: parse, match, decide, explain; pure, knows nothing of sessions | nothing |
//! | [`access`] | who needs what of the key: a verdict for each, and the missing statement; pure | policy, key |
//! | [`preflight`] | the checks, from what was observed to findings; pure | access, session, key |
//! | [`reconcile`] | the way itself, and the ports (traits) that it needs of the outside | the pure rooms |
//! | [`aws`] | the ports on the AWS SDK | reconcile's ports |
//! | [`report`] | one report value as text, JSON, Markdown, HTML; pure | preflight |
//! | [`ask`] | what is asked of a Region and answered by a report: status, check, change | reconcile, report |
//! | [`cli`] | the command line's commands, one file each | everything |
//! | [`log`] | the log's format, and what may be in it | nothing |
//! | [`metrics`] | the figures of an invocation, as a line of the log; pure | nothing |
//!
//! # Invariants
//!
//! - Only [`aws`] imports `aws_sdk_*`; a pure room imports neither tokio, tracing nor lambda_runtime, and reads
//!   no clock.
//! - The content of a document is edited in its text, at the one value, and never written anew.
//! - The record is written before the document, and SUCCESS means a fresh read in which nothing was left to do.
//! - A ResponseURL, a document's content and a data key have no `Display`, and a `Debug` that hides them.
//!
//! Tests hold the first two and the size of files to it: `tests/it/architecture.rs`.

pub mod access;
pub mod arn;
pub mod aws;
pub mod change_event;
#[cfg(feature = "cli")]
pub mod cli;
pub mod event;
pub mod function;
pub mod intent;
pub mod key;
pub mod location;
pub mod log;
pub mod metrics;
pub mod operations;
pub mod ports;
pub mod preflight;
pub mod reconcile;
pub mod remediation;
pub mod report;
pub mod session;
