//! The report on an event that does not concern this function.

use serde::Serialize;
use serde_json::Value;

/// Why a message of a topic is ignored.
pub(super) const FOREIGN: &str = "the SNS message does not concern this function";

/// The report of an event that does not concern this function.
pub(super) fn ignored(why: &str) -> Value {
    tracing::info!(why, "ignored");
    let report =
        IgnoredEventReport { command: "event", ignored: why, alert: false, changed: false, summary: why };
    serde_json::to_value(report).unwrap_or_default()
}

/// The report on an event that was ignored.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct IgnoredEventReport<'a> {
    /// Always `event`.
    command: &'a str,
    /// Why the event was ignored.
    ignored: &'a str,
    /// Always false.
    alert: bool,
    /// Always false.
    changed: bool,
    /// Why the event was ignored.
    summary: &'a str,
}
