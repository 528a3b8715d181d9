//! session-kms owns one fact of an AWS account and Region: which KMS key encrypts Session Manager sessions.
//!
//! # The pipeline
//!
//! Every trigger takes this one way: a CloudFormation request, a change event, a direct call, a command.
//!
//! ```text
//! event ──► intent ──► observe ──► preflight ──► plan ──► record ──► write ──► read back ──► answer
//!  JSON      pure       reads     reads, pure    pure   write-ahead                     PUT / return value / text
//! ```
//!
//! # The modules
//!
//! A module may import only what stands below it, and of that only what its row names.
//!
//! | module | holds | may import |
//! | --- | --- | --- |
//! | `reference` | the reference of what people write and read, and the JSON Schemas, made from the code; pure | audit, cli, event, function, operations, report, `cloudformation_custom_resource` |
//! | [`cli`] | the command line, one file a command | access, audit, intent, key, location, operations, ports, preflight, quote, reconcile, report, session, text_encoding, `cloudformation_custom_resource`, `kms_key_policy` |
//! | [`function`] | the Lambda: what is done with each kind of event | access, arn, audit, change_event, event, intent, location, metrics, operations, ports, preflight, quote, reconcile, remediation, session, `cloudformation_custom_resource`, `kms_key_policy` |
//! | [`operations`] | what the command line and direct calls ask for: status, check, plan, apply, release, audit, and the list and the report of an audit of many accounts, and the report on a key | access, audit, intent, key, location, ports, preflight, quote, reconcile, report, session, text_encoding |
//! | [`remediation`] | a document is to be as its record wants it: drift, repair, breaker, choice between key and standby key, lost access | change_event, intent, key, ports, preflight, reconcile, session |
//! | [`reconcile`] | what writes: observe, plan, record, converge, release | change_event, intent, key, ports, preflight, session |
//! | [`audit`] | one line for each account and Region of an audit, and the report over all of them; pure | access, preflight, report |
//! | [`report`] | one report value as text, JSON, Markdown, HTML and SARIF; pure | access, arn, intent, preflight |
//! | [`preflight`] | who can use a key: observing, the checks (one file each), findings; it only reads | access, arn, intent, key, ports, session, `kms_key_policy` |
//! | [`aws`] | the ports on the AWS SDK | access, arn, intent, key, location, ports, quote, session, `aws_https`, `cloudformation_custom_resource` |
//! | [`ports`] | what the program needs of AWS, as traits: reads and writes apart | access, intent, key, location, session |
//! | `event` | what arrives, one file a source, told apart in one place; pure | access, arn, change_event, intent, key, location, quote, session, `cloudformation_custom_resource`, `kms_key_policy` |
//! | [`intent`] | what is wanted of a document, and of an audit; pure | access, key, quote, session, `kms_key_policy` |
//! | [`access`] | who needs what of a key: a verdict for each principal, and the missing statement; pure | arn, key, location, quote, `kms_key_policy` |
//! | [`change_event`] | what has happened to a document or a key; pure | key, session |
//! | [`session`] | the preferences document's name, content and versions; pure | key, quote |
//! | [`key`] | references to keys, and whether a key can encrypt sessions; pure | arn, location, quote |
//! | [`location`] | partition, account and Region; pure | arn |
//! | `arn` | the parts of an ARN; pure | |
//! | [`log`] | the log's format, and what may be in it | |
//! | `metrics` | the metrics of an invocation, as a line of the log; pure | |
//! | `quote` | texts from outside, as messages repeat them; pure | |
//! | `text_encoding` | texts in UTF-8 and UTF-16, with and without a byte order mark; pure | |
//!
//! Three crates of the workspace know nothing of sessions: [`kms_key_policy`], the IAM policy language for KMS keys,
//! [`cloudformation_custom_resource`], the custom-resource protocol, and [`aws_https`], the HTTPS client of both binaries.
//!
//! # Invariants
//!
//! - Only [`aws`] imports `aws_sdk_*`. A pure module imports neither tokio, tracing nor lambda_runtime, and reads no
//!   clock, no file and no environment variable.
//! - What only reads cannot write: it takes [`ports::PreflightPorts`] or [`ports::ReadPorts`], which have no method that
//!   changes anything.
//! - The content of a document is edited in its text, at the one value. Every other byte stays.
//! - The record is written before the document. SUCCESS means a fresh read in which nothing was left to do.
//! - A document's content and a result token have no `Display`, and their `Debug` hides them. A ResponseURL shows only
//!   its host. A data key is dropped unread.
//!
//! Tests read the table above and hold the code to it (`tests/it/architecture.rs`).

pub mod access;
mod arn;
pub mod audit;
pub mod aws;
pub mod change_event;
#[cfg(feature = "cli")]
pub mod cli;
mod event;
pub mod function;
pub mod intent;
pub mod key;
pub mod location;
pub mod log;
mod metrics;
pub mod operations;
pub mod ports;
pub mod preflight;
mod quote;
pub mod reconcile;
#[cfg(feature = "cli")]
pub mod reference;
pub mod remediation;
pub mod report;
pub mod session;
mod text_encoding;
