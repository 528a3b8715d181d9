//! The log of the Lambda: one JSON object for each line, on standard output, for CloudWatch Logs.
//!
//! Below warnings, only the events of this project are written. At fine levels, those of the SDK hold whole
//! requests, and so things that must not be in a log.

use std::fmt;
use std::io::{self, Write as _};
use std::panic;

use serde::de::IgnoredAny;
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Writes a line of metrics at every log level. CloudWatch knows such a line by its shape.
pub fn write_metrics(line: &Value) {
    // If this fails, there is nowhere to report it.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Starts to log the calls of AWS for somebody at a terminal: one line each, on standard error. Nothing of the SDK is
/// logged, because its lines may hold whole requests.
pub fn start_on_terminal() {
    let targets = Targets::new().with_target("session_kms", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false).with_ansi(false);
    // If a subscriber is there already, it stays.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
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
    // If a subscriber is there already, it stays.
    let _ = tracing_subscriber::registry().with(lines(io::stdout)).with(targets).try_init();
    if let Some(Err(_)) = given {
        tracing::warn!("LOG_LEVEL is none of error, warn, info, debug, trace; logging from info on");
    }
    panic::set_hook(Box::new(|info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panicked");
    }));
}

/// Writes each event as one line of JSON. A field `report` that holds an object is a part of that JSON, and comes last:
/// CloudWatch Logs Insights finds the first 200 fields of a line, and a report may have more.
pub fn lines<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    lines.map_event_format(WithNestedReport).with_writer(writer)
}

/// A format of lines of JSON, of which a field `report` becomes a part. A field of tracing cannot hold an object.
struct WithNestedReport<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithNestedReport<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&with_nested_report(&line).unwrap_or(line))
    }
}

/// The line with the object that its field `report` holds as text. `None` if it holds none.
fn with_nested_report(line: &str) -> Option<String> {
    // A quote within a text has a backslash before it, so this is a field of the line.
    const FIELD: &str = r#","report":"#;
    let (before, rest) = line.split_once(FIELD)?;
    let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let report = texts.next()?.ok()?;
    let after = rest.get(texts.byte_offset()..)?.trim_end().strip_suffix('}')?;
    let is_object =
        report.starts_with('{') && serde_json::from_slice::<IgnoredAny>(report.as_bytes()).is_ok();
    is_object.then(|| format!("{before}{after}{FIELD}{report}}}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_a_part_of_the_line_and_comes_last() {
        for (line, expected) in [
            (
                r#"{"message":"alert","report":"{\"a\":[\"x\\\"y\"]}","target":"t","span":{"id":"1"}}"#,
                Some(r#"{"message":"alert","target":"t","span":{"id":"1"},"report":{"a":["x\"y"]}}"#),
            ),
            (r#"{"message":"m","report":"{}"}"#, Some(r#"{"message":"m","report":{}}"#)),
            (r#"{"message":"m","report":"no JSON"}"#, None),
            (r#"{"message":"m","report":"{\"a\":"}"#, None),
            (r#"{"message":"m","report":7}"#, None),
            (r#"{"message":"of another,\"report\":\"{}\""}"#, None),
            (r#"{"message":"m"}"#, None),
        ] {
            let nested = with_nested_report(&format!("{line}\n"));
            assert_eq!(nested.as_deref().map(str::trim_end), expected, "{line}");
        }
    }
}
