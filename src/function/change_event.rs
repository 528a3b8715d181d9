//! Handling a change event: the documents that the event is about are remediated, some at a time, and one report covers
//! them all.

use std::time::SystemTime;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use serde_json::Value;

use super::{FunctionError, FunctionSettings};
use crate::change_event::{Actor, ChangeEvent, ChangeSource, Scope};
use crate::metrics::Metrics;
use crate::ports::{Environment, LastStep, TimeLimit, WritePorts, left_to_work, within};
use crate::remediation::{Remediation, RemediationError, RemediationOutcome, RemediationRequest, remediate};
use crate::session::DocumentName;

/// The alert if the deployment's own document has no record.
const LOST: &str = "the record of what is wanted is gone, so nothing repairs the document; unless its stack is being \
                    created or deleted just now, change `Revision` of that stack, which then asks again";

/// How many documents are remediated at a time. Each takes up to three calls at once, of which AWS limits some to a few a
/// second.
const DOCUMENTS_AT_A_TIME: usize = 4;

/// How long a report may be, in bytes. A destination takes 256 KB, and the event goes with it.
const LONGEST: usize = 160_000;

/// Handles change events.
pub(super) struct ChangeEventHandler<'a, P> {
    pub(super) environment: Environment<'a, P>,
    pub(super) settings: &'a FunctionSettings,
    /// When Lambda ends the function. A time in the past means that it is not known.
    pub(super) deadline: SystemTime,
    /// The id of the Lambda request.
    pub(super) request_id: &'a str,
}

/// What became of the documents of an event.
#[derive(Default)]
struct Handled {
    /// What was done, also for those that could not be handled to the end.
    remediations: Vec<Remediation>,
    /// Why documents could not be handled, one line each.
    problems: Vec<String>,
    /// How many of the problems are about documents that have been repaired all the same.
    repaired: usize,
}

/// The report on a change event, with the remediation of each document.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeEventReport<'a> {
    /// Always `event`.
    command: &'static str,
    /// The account.
    account: &'a str,
    /// The Region.
    region: &'a str,
    /// The source of the event.
    source: ChangeSource,
    /// What happened, in the source's words: `UpdateDocument`.
    what: &'a str,
    /// Who made the change, if the source names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a Actor>,
    /// When it happened, as the source writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a str>,
    /// Whether somebody should do something.
    alert: bool,
    /// Whether a document was written.
    changed: bool,
    /// The outcome for each document, in one line.
    summary: String,
    /// What somebody should act on, one line each.
    alerts: Vec<&'a str>,
    /// What became of each document.
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
        let handled = self.each(event).await;
        let Handled { remediations, problems, repaired } = &handled;
        remediations.iter().for_each(|remediation| count(metrics, remediation));
        metrics.drift_repaired += *repaired as u64;
        metrics.repair_refused += (problems.len() - repaired) as u64;
        let report = self.report(event, remediations, problems);
        let text = report.to_string();
        let summary = report.get("summary").and_then(Value::as_str);
        if !problems.is_empty() || remediations.iter().any(|remediation| !remediation.alerts.is_empty()) {
            tracing::warn!(alert = true, summary, report = text, "alert");
        } else {
            tracing::info!(alert = false, summary, report = text, "remediated");
        }
        if problems.is_empty() {
            self.note_what_was_told(remediations).await;
            return Ok(report);
        }
        Err(FunctionError::Incomplete { problems: problems.join("; ") })
    }

    /// Notes in the records which repairs the report tells of. If that fails, they are told once more.
    async fn note_what_was_told(&self, remediations: &[Remediation]) {
        let step = LastStep::default();
        step.set("noting in the record that the repair was told");
        let limit = TimeLimit { time: left_to_work(self.environment.ports, self.deadline), step: &step };
        for Remediation { document, note_to_save, .. } in remediations {
            let Some(note) = note_to_save else { continue };
            match within(self.environment.ports, limit, Box::pin(note.save(self.environment, document))).await
            {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%document, %error, "could not note that the repair was told")
                }
                Err(error) => tracing::warn!(%document, %error, "could not note that the repair was told"),
            }
        }
    }

    async fn each(&self, event: &ChangeEvent) -> Handled {
        let mut handled = Handled::default();
        let ports = self.environment.ports;
        let own = self.settings.document.as_ref();
        let mut documents = match &event.scope {
            Scope::Document(document) => vec![document.clone()],
            Scope::Key(_) | Scope::Everything => {
                let step = LastStep::default();
                step.set("listing the records");
                let limit = TimeLimit { time: left_to_work(ports, self.deadline), step: &step };
                let listed = match within(ports, limit, Box::pin(ports.recorded())).await {
                    Ok(Ok(documents)) => Ok(documents),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(error) => Err(error.to_string()),
                };
                match listed {
                    Ok(documents) => documents,
                    Err(problem) => {
                        handled.problems.push(problem);
                        return handled;
                    }
                }
            }
        };
        if let (Scope::Everything, Some(own)) = (&event.scope, own)
            && !documents.contains(own)
        {
            documents.push(own.clone());
        }
        let count = documents.len();
        let each = documents.iter().enumerate().map(|(before, document)| {
            // None may take the time of the others.
            let turns = u32::try_from((count - before).div_ceil(DOCUMENTS_AT_A_TIME)).unwrap_or(u32::MAX);
            // Boxed: the state of all that a remediation awaits is large.
            Box::pin(self.one(event, document, turns))
        });
        let each = stream::iter(each).buffered(DOCUMENTS_AT_A_TIME).collect::<Vec<_>>().await;
        for (document, remediated) in documents.iter().zip(each) {
            match remediated {
                Ok(remediation) if remediation.outcome == RemediationOutcome::NotConcerned => {}
                Ok(mut document) => {
                    if own == Some(&document.document) && document.outcome == RemediationOutcome::NotOurs {
                        document.alerts.push(LOST.to_owned());
                    }
                    handled.remediations.push(document);
                }
                // The document is another function's, or the command line's: this function's role was not given it.
                Err(error)
                    if !self.settings.lists(document) && !is_asked(event) && error.is_record_withheld() =>
                {
                    not_ours(document, &error);
                }
                Err(error) => {
                    tracing::error!(%document, %error, "could not remediate the document");
                    handled.problems.push(error.to_string());
                    handled.repaired += usize::from(error.is_repaired());
                    handled.remediations.push(*error.remediation);
                }
            }
        }
        handled
    }

    /// Remediates a document within its part of the time that is left: one of `turns` equal parts, if so many documents come
    /// one after the other from this one on. A remediation that is cut off leaves the document as it was or as wanted, or the
    /// next event finishes the job.
    async fn one(
        &self,
        event: &ChangeEvent,
        document: &DocumentName,
        turns: u32,
    ) -> Result<Remediation, RemediationError> {
        let step = LastStep::default();
        let set_step = |text: &str| step.set(text);
        let environment = self.environment.with_progress(&set_step);
        let time = left_to_work(environment.ports, self.deadline) / turns;
        let limit = Some(TimeLimit { time, step: &step });
        let (repairs_per_hour, request_id) = (self.settings.repairs_per_hour, self.request_id);
        let request = RemediationRequest { document, event, repairs_per_hour, request_id, limit };
        remediate(environment, request).await
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
    let is_handled = |remediation: &&Remediation| remediation.outcome != RemediationOutcome::Failed;
    let each = remediations.iter().filter(is_handled).map(|remediation| {
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
        RemediationOutcome::Failed => "could not be handled",
    }
}

fn count(metrics: &mut Metrics, remediation: &Remediation) {
    metrics.drift_found += u64::from(!remediation.drift.is_empty());
    // Of those that could not be handled to the end, only the error knows whether they were repaired.
    let is_handled = remediation.outcome != RemediationOutcome::Failed;
    metrics.drift_repaired += u64::from(remediation.changed && is_handled);
    metrics.repair_refused += u64::from(remediation.outcome == RemediationOutcome::Refused);
    metrics.breaker_open += u64::from(remediation.breaker_open);
    metrics.key_trouble += u64::from(remediation.key_trouble);
    metrics.checks_failed += remediation.checks_failed as u64;
    metrics.checks_unknown += remediation.checks_unknown as u64;
    metrics.alerts += remediation.alerts.len() as u64;
}

fn not_ours(document: &DocumentName, error: &RemediationError) {
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
