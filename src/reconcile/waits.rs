//! Waiting for what a run does not see yet: the end of another run, and a record that was just written.

use super::error::ReconcileError;
use super::observe::Observation;
use super::release::released_for;
use super::run::Run;
use crate::ports::WritePorts;

/// How often a document is observed again while its owner gives it back.
const WAITS_FOR_RELEASE: u32 = 5;

/// The observation of the document. The run waits and observes again if the document's owner is giving it back: this
/// request is older than the Delete, or came right after it.
pub(super) async fn despite_release<P: WritePorts>(
    run: &mut Run<'_, P>,
    mut observation: Observation,
) -> Result<Observation, ReconcileError> {
    let mut waits = 0;
    loop {
        let record = observation.record.as_ref();
        let Some(time) = record.and_then(|record| released_for(record, run.environment().ports.now())) else {
            return Ok(observation);
        };
        waits += 1;
        if waits > WAITS_FOR_RELEASE {
            let document = run.document().clone();
            return Err(ReconcileError::BeingReleased { document, seconds: time.as_secs() });
        }
        run.wait_for_other_run(waits).await;
        observation = run.observe_before_writing().await?;
    }
}

/// How often a record that should be there is read again before it counts as removed.
const READS_OF_MISSING_RECORD: u32 = 3;

/// Observes again if the record that should be there is missing: Parameter Store promises no read after write.
pub(super) async fn despite_missed_read<P: WritePorts>(
    run: &mut Run<'_, P>,
    mut observation: Observation,
) -> Result<Observation, ReconcileError> {
    for attempt in 1..=READS_OF_MISSING_RECORD {
        if observation.record.is_some() {
            break;
        }
        tracing::info!(document = %run.document(), attempt, "the record is missing; reading it again");
        run.environment().ports.pause(attempt).await;
        observation = run.observe().await?;
    }
    Ok(observation)
}
