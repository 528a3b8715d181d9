//! The metrics of one event, in CloudWatch's embedded metric format: a log line from which CloudWatch takes the
//! values, so that no call is needed. Pure.

use serde_json::{Value, json};

/// The namespace of all metrics.
pub(crate) const NAMESPACE: &str = "session-kms";

/// The values of one event. Zeros are written too, because an alarm needs them to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metrics {
    /// Documents that had drifted.
    pub(crate) drift_found: u64,
    /// Documents that were repaired, with whichever key.
    pub(crate) drift_repaired: u64,
    /// Documents whose drift was not repaired, or that could not be handled.
    pub(crate) repair_refused: u64,
    /// Documents whose breaker is open.
    pub(crate) breaker_open: u64,
    /// Documents with a key that cannot be used.
    pub(crate) key_trouble: u64,
    /// Checks that failed for a principal who needs the key.
    pub(crate) checks_failed: u64,
    /// Things that the checks need, that could be read at the owner's last request, and that cannot be read now.
    pub(crate) checks_unknown: u64,
    /// Alerts of every kind.
    pub(crate) alerts: u64,
    /// 1 for the schedule and for a request of an owner, so that an alarm notices if neither comes any more. Other
    /// events do not count, as they would hide that the schedule has stopped.
    pub(crate) guarded: u64,
    /// How long the event took, in milliseconds.
    pub(crate) duration_ms: u64,
}

impl Metrics {
    /// The line for the log. `now` is in milliseconds since the start of 1970.
    #[must_use]
    pub(crate) fn line(&self, function_name: &str, now: u64) -> Value {
        let values = [
            ("DriftFound", self.drift_found, "Count"),
            ("DriftRepaired", self.drift_repaired, "Count"),
            ("RepairRefused", self.repair_refused, "Count"),
            ("BreakerOpen", self.breaker_open, "Count"),
            ("KeyTrouble", self.key_trouble, "Count"),
            ("ChecksFailed", self.checks_failed, "Count"),
            ("ChecksUnknown", self.checks_unknown, "Count"),
            ("Alerts", self.alerts, "Count"),
            ("Guarded", self.guarded, "Count"),
            ("Duration", self.duration_ms, "Milliseconds"),
        ];
        let definitions: Vec<_> =
            values.iter().map(|(name, _, unit)| json!({"Name": name, "Unit": unit})).collect();
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
            line.extend(values.map(|(name, value, _)| (name.to_owned(), value.into())));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defined_metric_and_its_dimension_have_values() {
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
