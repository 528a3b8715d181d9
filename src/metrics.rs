//! The metrics of one invocation in CloudWatch's embedded metric format: a log line from which CloudWatch takes the
//! metrics, so that no call is needed. Pure.

use serde_json::{Value, json};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "session-kms";

/// The metrics of one invocation. Zeros count too: without them an alarm would not end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Documents that were not as wanted.
    pub drift_found: u64,
    /// Documents that were repaired, with whichever key.
    pub drift_repaired: u64,
    /// Documents that are not as wanted and were left so, or could not be remediated.
    pub repair_refused: u64,
    /// Documents whose breaker is open.
    pub breaker_open: u64,
    /// Documents with a key that cannot be used.
    pub key_trouble: u64,
    /// Checks that failed for somebody who needs the key.
    pub checks_failed: u64,
    /// Alerts, whatever they are about.
    pub alerts: u64,
    /// 1 for the schedule and for a request of an owner: without these nobody watches the document. Other events do not
    /// count, since they would hide that the schedule has stopped.
    pub guarded: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Metrics {
    /// The line for the log. `now` is in milliseconds since 1970.
    #[must_use]
    pub fn line(&self, function_name: &str, now: u64) -> Value {
        let figures = [
            ("DriftFound", self.drift_found, "Count"),
            ("DriftRepaired", self.drift_repaired, "Count"),
            ("RepairRefused", self.repair_refused, "Count"),
            ("BreakerOpen", self.breaker_open, "Count"),
            ("KeyTrouble", self.key_trouble, "Count"),
            ("ChecksFailed", self.checks_failed, "Count"),
            ("Alerts", self.alerts, "Count"),
            ("Guarded", self.guarded, "Count"),
            ("Duration", self.duration_ms, "Milliseconds"),
        ];
        let definitions: Vec<_> =
            figures.iter().map(|(name, _, unit)| json!({"Name": name, "Unit": unit})).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": now,
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["FunctionName"]],
                    "Metrics": definitions,
                }],
            },
            "FunctionName": function_name,
        });
        if let Value::Object(line) = &mut line {
            line.extend(figures.map(|(name, figure, _)| (name.to_owned(), figure.into())));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_defined_has_a_figure_and_the_dimension_a_value() {
        let line =
            Metrics { drift_found: 2, duration_ms: 7, ..Metrics::default() }.line("kms", 1_800_000_000_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
        }
        assert_eq!(line[directive["Dimensions"][0][0].as_str().unwrap()], "kms");
        assert_eq!(
            (&line["DriftFound"], &line["Duration"], &line["KeyTrouble"]),
            (&2.into(), &7.into(), &0.into())
        );
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_u64);
    }
}
