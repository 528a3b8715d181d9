//! Handling a change event: each document that the event is about is remediated, one after the other, and one report
//! covers them all.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use super::{FunctionError, FunctionSettings};
use crate::change_event::{Actor, ChangeEvent, ChangeSource, Scope};
use crate::metrics::Metrics;
use crate::ports::{AwsError, Environment, WritePorts};
use crate::remediation::{Remediation, RemediationOutcome, RemediationRequest, remediate};
use crate::session::DocumentName;

/// The alert if the deployment's own document has no record.
const LOST: &str = "the record of what is wanted is gone, so nothing repairs the document; unless its stack is being \
                    created or deleted just now, change `Revision` of that stack, which then asks again";

/// The time that is kept for the report. If there is little time in all, a quarter of it is kept.
const MARGIN: Duration = Duration::from_secs(10);
/// The time for a document if nobody says how long there is: as long as any function runs.
const UNKNOWN: Duration = Duration::from_secs(900);
const NO_TIME: &str = "no time was left for it; the next event goes on";

/// How long a report may be, in bytes. A destination takes 256 KB, and the event goes with it.
const LONGEST: usize = 160_000;

/// Handles change events.
pub(super) struct ChangeEventHandler<'a, P> {
    pub(super) environment: Environment<'a, P>,
    pub(super) settings: &'a FunctionSettings,
    /// When Lambda ends the function. A time in the past means that it is not known.
    pub(super) deadline: SystemTime,
}

/// The report on a change event, with the remediation of each document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeEventReport<'a> {
    command: &'static str,
    account: &'a str,
    region: &'a str,
    source: ChangeSource,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    /// Whether somebody should do something.
    alert: bool,
    /// Whether a document was written.
    changed: bool,
    summary: String,
    alerts: Vec<&'a str>,
    documents: &'a [Remediation],
}

impl<P: WritePorts> ChangeEventHandler<'_, P> {
    /// Remediates each document, and adds the results to the metrics.
    ///
    /// # Errors
    /// If AWS refused or did not answer for a document. The other documents have been remediated all the same, and the
    /// event should come again.
    pub(super) async fn handle(
        &self,
        event: &ChangeEvent,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        metrics.guarded = u64::from(event.source == ChangeSource::Schedule);
        let (remediations, problems) = match self.each(event).await {
            Ok(each) => each,
            Err(problem) => (Vec::new(), vec![problem.to_string()]),
        };
        remediations.iter().for_each(|remediation| count(metrics, remediation));
        metrics.repair_refused += problems.len() as u64;
        let report = self.report(event, &remediations, &problems);
        let text = report.to_string();
        if !problems.is_empty() || remediations.iter().any(|remediation| !remediation.alerts.is_empty()) {
            tracing::warn!(report = text, "alert");
        } else {
            tracing::info!(report = text, "remediated");
        }
        match problems.is_empty() {
            true => Ok(report),
            false => Err(FunctionError::Incomplete { problems: problems.join("; ") }),
        }
    }

    async fn each(&self, event: &ChangeEvent) -> Result<(Vec<Remediation>, Vec<String>), AwsError> {
        let own = self.settings.document.as_ref();
        let mut documents = match &event.scope {
            Scope::Document(document) => vec![document.clone()],
            Scope::Key(_) | Scope::Everything => self.environment.ports.recorded().await?,
        };
        if let (Scope::Everything, Some(own)) = (&event.scope, own)
            && !documents.contains(own)
        {
            documents.push(own.clone());
        }
        let (mut remediations, mut problems) = (Vec::new(), Vec::new());
        for (done, document) in documents.iter().enumerate() {
            let repairs_per_hour = self.settings.repairs_per_hour;
            let (request, is_own) =
                (RemediationRequest { document, event, repairs_per_hour }, own == Some(document));
            // Boxed: the state of all that a remediation awaits is large.
            let remediation = Box::pin(remediate(self.environment, request));
            let time = self.share(documents.len() - done);
            let Ok(remediated) = tokio::time::timeout(time, remediation).await else {
                tracing::error!(%document, "no time was left for the document");
                problems.push(format!("document {document}: {NO_TIME}"));
                continue;
            };
            match remediated {
                Ok(remediation) if remediation.outcome == RemediationOutcome::NotConcerned => {}
                Ok(mut document) => {
                    if is_own && document.outcome == RemediationOutcome::NotOurs {
                        document.alerts.push(LOST.to_owned());
                    }
                    remediations.push(document);
                }
                // The document is another function's, or the command line's: this function's role was not given it.
                Err(error) if !is_own && !is_asked(event) && error.is_record_withheld() => {
                    not_ours(document, &error);
                }
                Err(error) => {
                    tracing::error!(%document, %error, "could not remediate the document");
                    problems.push(error.to_string());
                }
            }
        }
        Ok((remediations, problems))
    }

    /// The time for the next document, if so many are left. None may take the time of the others, and some time is kept
    /// for the report. A remediation that is cut off leaves the document as it was or as wanted, or the next event
    /// finishes the job.
    fn share(&self, documents: usize) -> Duration {
        let left = self.deadline.duration_since(self.environment.ports.now()).unwrap_or(UNKNOWN);
        let margin = MARGIN.min(left / 4);
        (left - margin) / u32::try_from(documents).unwrap_or(u32::MAX)
    }

    /// The report. What kept a document from being handled is an alert of it. Such a report is only in the log, because
    /// the invocation fails.
    fn report(&self, event: &ChangeEvent, remediations: &[Remediation], problems: &[String]) -> Value {
        let alerts = remediations.iter().flat_map(|remediation| &remediation.alerts);
        let alerts: Vec<_> = alerts.chain(problems).map(String::as_str).collect();
        let report = ChangeEventReport {
            command: "event",
            account: &self.environment.location.account,
            region: &self.environment.location.region,
            source: event.source,
            what: &event.what,
            by: event.actor.as_ref(),
            at: event.at.as_deref(),
            alert: !alerts.is_empty(),
            changed: remediations.iter().any(|remediation| remediation.changed),
            summary: summary(event, remediations, problems.len()),
            alerts,
            documents: remediations,
        };
        in_bounds(serde_json::to_value(report).unwrap_or_default())
    }
}

/// A report that a destination takes. If it is too long, it goes without what its alerts say in short.
fn in_bounds(mut report: Value) -> Value {
    if report.to_string().len() > LONGEST
        && let Some(documents) = report.get_mut("documents").and_then(Value::as_array_mut)
    {
        for document in documents.iter_mut().filter_map(Value::as_object_mut) {
            for at_length in ["findings", "remedies"] {
                document.remove(at_length);
            }
        }
    }
    report
}

/// Whether somebody asked for this very document.
fn is_asked(event: &ChangeEvent) -> bool {
    event.source == ChangeSource::DirectCall && matches!(event.scope, Scope::Document(_))
}

/// The report in one line: the outcome of each document, and how many could not be handled.
fn summary(event: &ChangeEvent, remediations: &[Remediation], problems: usize) -> String {
    let each = remediations.iter().map(|remediation| {
        let but = match remediation.outcome {
            RemediationOutcome::AsWanted if !remediation.alerts.is_empty() => ", but there is trouble",
            _ => "",
        };
        format!("{} {}{but}", remediation.document, words(remediation.outcome))
    });
    let failed = match problems {
        0 => None,
        1 => Some("a document could not be handled".to_owned()),
        problems => Some(format!("{problems} documents could not be handled")),
    };
    let each: Vec<_> = each.chain(failed).collect();
    let each = if each.is_empty() { "no document of ours is concerned".to_owned() } else { each.join(", ") };
    format!("{event}: {each}")
}

fn words(outcome: RemediationOutcome) -> &'static str {
    match outcome {
        RemediationOutcome::NotOurs => "has no record",
        RemediationOutcome::NotConcerned => "is not concerned",
        RemediationOutcome::AsWanted => "is as wanted",
        RemediationOutcome::Repaired => "was repaired",
        RemediationOutcome::StandIn => "carries the standby key now",
        RemediationOutcome::Cleared => "is without encryption until its key can be used again",
        RemediationOutcome::Returned => "carries its first key again",
        RemediationOutcome::Refused => "is not as wanted and was left so",
        RemediationOutcome::BreakerOpen => "is left alone, since somebody keeps changing it",
    }
}

fn count(metrics: &mut Metrics, remediation: &Remediation) {
    metrics.drift_found += u64::from(!remediation.drift.is_empty());
    metrics.drift_repaired += u64::from(remediation.changed);
    metrics.repair_refused += u64::from(remediation.outcome == RemediationOutcome::Refused);
    metrics.breaker_open += u64::from(remediation.breaker_open);
    metrics.key_trouble += u64::from(remediation.key_trouble);
    metrics.checks_failed += remediation.checks_failed as u64;
    metrics.alerts += remediation.alerts.len() as u64;
}

fn not_ours(document: &DocumentName, error: &AwsError) {
    tracing::info!(%document, %error, "skipped: the role of this function may not read the record of this document");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_that_no_destination_takes_is_shortened() {
        let report = |findings: usize| {
            let finding = json!({"evidence": "e".repeat(500)});
            json!({"alerts": ["a"], "documents": [{"document": "d", "findings": vec![finding; findings], "remedies": {}}]})
        };
        assert_eq!(in_bounds(report(10)), report(10));
        assert_eq!(in_bounds(report(400)), json!({"alerts": ["a"], "documents": [{"document": "d"}]}));
    }
}
