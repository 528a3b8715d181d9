//! The log: one JSON object a line, for CloudWatch Logs.
//!
//! Only this crate's own events are written, below warnings: the SDK's own, at fine levels, hold whole
//! requests, and with them what must not be in a log.

use std::io::{self, Write as _};
use std::panic;

use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes a line of metrics, which CloudWatch tells from log lines by its shape, whatever the log level.
pub fn metrics(line: &Value) {
    // Nobody is left to tell where this cannot be written.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Starts logging to standard output, from `level` on: error, warn, info (the default), debug or trace.
///
/// A panic is logged by where it happened; its message may hold anything and is left out.
pub fn to_stdout(level: Option<&str>) {
    let given = level.map(str::parse::<LevelFilter>);
    let level = given.clone().and_then(Result::ok).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        // The runtime logs an error that it gets with its type's name; the function has told it already.
        .with_target("lambda_runtime", LevelFilter::OFF)
        .with_target("session_kms", level)
        .with_target("cloudformation_custom_resource", level)
        .with_target("session_kms_lambda", level);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    // A second subscriber, in tests, is no reason to fail.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
    if let Some(Err(_)) = given {
        tracing::warn!("LOG_LEVEL is none of error, warn, info, debug, trace; logging from info on");
    }
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panicked");
    }));
}
