//! Notices: the documents that one is about are looked after, one after the other, and the answer tells of all.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use super::{FunctionError, FunctionSettings};
use crate::change_event::{Actor, ChangeEvent, ChangeSource, Scope};
use crate::location::Location;
use crate::metrics::Metrics;
use crate::ports::AccessPorts;
use crate::reconcile::ReconcileError;
use crate::remediation::{Remediation, RemediationOutcome, RemediationRequest, remediate};
use crate::session::DocumentName;

/// The alert where the deployment's own document has no record.
const LOST: &str = "the record of what is wanted is gone, so nobody keeps the document as wanted; change \
                    `Revision` of the stack that owns it, which then asks anew";

/// What is kept of the time to tell what came of it; where there is little in all, a quarter.
const MARGIN: Duration = Duration::from_secs(10);
/// What a document may take where nobody says how long there is: as long as any function runs.
const UNKNOWN: Duration = Duration::from_secs(900);
const NO_TIME: &str = "no time was left to look after it; the next event does";

/// How long a report may be, in bytes. A destination takes 256 KB, and the event goes with it.
const LONGEST: usize = 160_000;

/// Looks after what a notice is about.
pub(super) struct ChangeEventHandler<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: &'a Location,
    pub(super) settings: &'a FunctionSettings,
    /// When Lambda ends the function; a time that has passed means that it is unknown.
    pub(super) deadline: SystemTime,
}

/// The answer to a notice: what came of it for each document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
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

impl<P: AccessPorts> ChangeEventHandler<'_, P> {
    /// Looks after each document, and adds to the figures what came of it.
    ///
    /// # Errors
    /// Where AWS refused or did not answer for a document: the others have been looked after all the same, and the
    /// notice had better come again.
    pub(super) async fn tend(
        &self,
        event: &ChangeEvent,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        metrics.guarded = u64::from(event.source == ChangeSource::Schedule);
        let (kept, problems) = match self.each(event).await {
            Ok(each) => each,
            Err(problem) => (Vec::new(), vec![problem.to_string()]),
        };
        kept.iter().for_each(|kept| count(metrics, kept));
        metrics.repair_refused += problems.len() as u64;
        let report = self.answer(event, &kept);
        let told = report.to_string();
        if kept.iter().any(|kept| !kept.alerts.is_empty()) {
            tracing::warn!(report = told, "alert");
        } else {
            tracing::info!(report = told, "looked after");
        }
        match problems.is_empty() {
            true => Ok(report),
            false => Err(FunctionError::Incomplete { problems: problems.join("; ") }),
        }
    }

    async fn each(&self, event: &ChangeEvent) -> Result<(Vec<Remediation>, Vec<String>), ReconcileError> {
        let own = self.settings.document.as_ref();
        let mut documents = match &event.scope {
            Scope::Document(document) => vec![document.clone()],
            Scope::Key(_) | Scope::Everything => self.ports.recorded().await?,
        };
        if let (Scope::Everything, Some(own)) = (&event.scope, own)
            && !documents.contains(own)
        {
            documents.push(own.clone());
        }
        let (mut kept, mut problems) = (Vec::new(), Vec::new());
        for (done, document) in documents.iter().enumerate() {
            let repairs_per_hour = self.settings.repairs_per_hour;
            let (request, is_own) =
                (RemediationRequest { document, event, repairs_per_hour }, own == Some(document));
            // Boxed: the state of the whole way is large.
            let keeping = Box::pin(remediate(self.ports, self.location, request, &|_| ()));
            let Ok(came) = tokio::time::timeout(self.share(documents.len() - done), keeping).await else {
                tracing::error!(%document, "no time was left to look after the document");
                problems.push(format!("document {document}: {NO_TIME}"));
                continue;
            };
            match came {
                Ok(kept) if kept.result == RemediationOutcome::NotConcerned => {}
                Ok(mut document) => {
                    if is_own && document.result == RemediationOutcome::NotOurs {
                        document.alerts.push(LOST.to_owned());
                    }
                    kept.push(document);
                }
                // Another function's, or the command line's: the role of this one was not given it.
                Err(error) if !is_own && !is_asked(event) && error.is_record_withheld() => {
                    not_ours(document, &error);
                }
                Err(error) => {
                    tracing::error!(%document, %error, "could not look after the document");
                    problems.push(error.to_string());
                }
            }
        }
        Ok((kept, problems))
    }

    /// The time for the next document, where so many are left: none may take that of the others, and some is kept to
    /// tell of them. Cut off anywhere, a document is as it was or as wanted, or the next event ends it.
    fn share(&self, documents: usize) -> Duration {
        let left = self.deadline.duration_since(self.ports.now()).unwrap_or(UNKNOWN);
        let margin = MARGIN.min(left / 4);
        (left - margin) / u32::try_from(documents).unwrap_or(u32::MAX)
    }

    fn answer(&self, event: &ChangeEvent, kept: &[Remediation]) -> Value {
        let alerts: Vec<_> = kept.iter().flat_map(|kept| kept.alerts.iter().map(String::as_str)).collect();
        let answer = Answer {
            command: "event",
            account: &self.location.account,
            region: &self.location.region,
            source: event.source,
            what: &event.what,
            by: event.actor.as_ref(),
            at: event.at.as_deref(),
            alert: !alerts.is_empty(),
            changed: kept.iter().any(|kept| kept.changed),
            summary: summary(event, kept),
            alerts,
            documents: kept,
        };
        in_bounds(serde_json::to_value(answer).unwrap_or_default())
    }
}

/// A report that a destination takes: where it is too long, without what its alerts tell in short.
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

/// Whether it is this very document that somebody asked for.
fn is_asked(event: &ChangeEvent) -> bool {
    event.source == ChangeSource::DirectCall && matches!(event.scope, Scope::Document(_))
}

/// It in one line: of each document what came of it.
fn summary(event: &ChangeEvent, kept: &[Remediation]) -> String {
    let each = kept.iter().map(|kept| {
        let but = match kept.result {
            RemediationOutcome::AsWanted if !kept.alerts.is_empty() => ", but there is trouble",
            _ => "",
        };
        format!("{} {}{but}", kept.document, words(kept.result))
    });
    let each: Vec<_> = each.collect();
    let each = if each.is_empty() { "no document of ours is concerned".to_owned() } else { each.join(", ") };
    format!("{event}: {each}")
}

fn words(result: RemediationOutcome) -> &'static str {
    match result {
        RemediationOutcome::NotOurs => "is not in our care",
        RemediationOutcome::NotConcerned => "is not concerned",
        RemediationOutcome::AsWanted => "is as wanted",
        RemediationOutcome::Repaired => "was put right",
        RemediationOutcome::StandIn => "carries the standby key now",
        RemediationOutcome::Cleared => "is without encryption until its key can be used again",
        RemediationOutcome::Returned => "carries its first key again",
        RemediationOutcome::Refused => "is not as wanted and was left so",
        RemediationOutcome::BreakerOpen => "is left alone, since somebody keeps changing it",
    }
}

fn count(metrics: &mut Metrics, kept: &Remediation) {
    metrics.drift_found += u64::from(!kept.drift.is_empty());
    metrics.drift_repaired += u64::from(kept.changed);
    metrics.repair_refused += u64::from(kept.result == RemediationOutcome::Refused);
    metrics.breaker_open += u64::from(kept.breaker_open);
    metrics.key_trouble += u64::from(kept.key_trouble);
    metrics.checks_failed += kept.checks_failed as u64;
    metrics.alerts += kept.alerts.len() as u64;
}

fn not_ours(document: &DocumentName, error: &ReconcileError) {
    tracing::info!(%document, %error, "passed over, the role of this function was not given this document");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_that_no_destination_takes_is_told_in_short() {
        let report = |findings: usize| {
            let finding = json!({"evidence": "e".repeat(500)});
            json!({"alerts": ["a"], "documents": [{"document": "d", "findings": vec![finding; findings], "remedies": {}}]})
        };
        assert_eq!(in_bounds(report(10)), report(10));
        assert_eq!(in_bounds(report(400)), json!({"alerts": ["a"], "documents": [{"document": "d"}]}));
    }
}
