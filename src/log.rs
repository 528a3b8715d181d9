//! The log of the Lambda: one JSON object for each line, on standard output, for CloudWatch Logs.
//!
//! Below warnings, only the events of this project are written. At fine levels, those of the SDK hold whole
//! requests, and so things that must not be in a log.

use std::io::{self, Write as _};
use std::panic;

use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes a line of metrics at every log level. CloudWatch knows such a line by its shape.
pub fn write_metrics(line: &Value) {
    // If this fails, there is nowhere to report it.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Starts to log from `level` on: error, warn, info (the default), debug or trace.
///
/// A panic is logged with its place in the code. Its message may hold anything and is left out.
pub fn start(level: Option<&str>) {
    let given = level.map(str::parse::<LevelFilter>);
    let level = given.clone().and_then(Result::ok).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        // The runtime logs each error of the function, which the function has logged already.
        .with_target("lambda_runtime", LevelFilter::OFF)
        .with_target("session_kms", level)
        .with_target("cloudformation_custom_resource", level)
        .with_target("session_kms_lambda", level);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    // If a subscriber is there already, it stays.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
    if let Some(Err(_)) = given {
        tracing::warn!("LOG_LEVEL is none of error, warn, info, debug, trace; logging from info on");
    }
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panicked");
    }));
}
