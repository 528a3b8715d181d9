//! Observing a document once it is settled: AWS has taken up its latest version, and other runs have ended.

use super::drift::drift;
use super::{RemediationRequest, concerns};
use crate::change_event::{ChangeEvent, ChangeSource};
use crate::ports::{VersionStatus, WritePorts};
use crate::reconcile::{Observation, ObservedDocument, ReconcileError, Record, Run, Step, seconds};

/// How many times an attempt waits for another run, each time for longer: a few seconds in all.
const WAITS: u32 = 4;
/// If the last repair is younger than this, in seconds, the run that made it may still be under way.
const UNDER_WAY: u64 = 15;

/// Observes the document once AWS has taken up its latest version and other runs have ended. Until then nobody knows
/// what the document is going to be.
pub(super) async fn observe_settled<P: WritePorts>(
    run: &mut Run<'_, P>,
    request: RemediationRequest<'_>,
) -> Result<Observation, ReconcileError> {
    let mut waits = 0;
    loop {
        let observation = run.observe().await?;
        let Some(record) = observation.record.as_ref().filter(|record| concerns(request.event, record))
        else {
            return Ok(observation);
        };
        let now = seconds(run.environment().ports.now());
        match &observation.document {
            Some(ObservedDocument { latest, .. }) if latest.status == VersionStatus::Pending => {
                run.apply(vec![Step::Await { version: latest.number }]).await?;
            }
            _ if waits < WAITS && is_repair_under_way(&observation, record, request.event, now) => {
                waits += 1;
                run.wait_for_other_run(waits).await;
            }
            _ => return Ok(observation),
        }
    }
}

/// Whether another run may be about to repair what differs, or to report it: it wrote the record a moment ago. Either
/// the event says so, or the record itself.
fn is_repair_under_way(observation: &Observation, record: &Record, event: &ChangeEvent, now: u64) -> bool {
    let is_recent = |at: &u64| now.saturating_sub(*at) < UNDER_WAY;
    record.remediation.breaker.is_none()
        && (record.remediation.pending().is_some() || !drift(observation, &record.wanted).is_empty())
        && (event.source == ChangeSource::RecordChange
            || record.remediation.repairs.last().is_some_and(is_recent))
}
