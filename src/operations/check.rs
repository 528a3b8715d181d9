//! The operation check: who can use a key. It writes nothing, and reads no document.

use serde_json::Value;

use crate::intent::{Encryption, Intent, OnKeyTrouble, PreflightMode, Safeguards};
use crate::key::KeyRef;
use crate::ports::{Environment, PreflightPorts};
use crate::preflight::{
    AccessObservation, AccessQuestion, Assessment, KeyError, assess, describe_key, observe_access,
};
use crate::reconcile::ReconcileError;
use crate::report::{KeyAssessment, Report, ReportHeader};
use crate::session::DocumentName;

/// The operation's name, whoever asks.
const COMMAND: &str = "check";

/// Checks the key of an intent, and its standby key.
///
/// # Errors
/// If a key does not exist, cannot be described, or is in another Region or partition. Findings that block are no error.
pub async fn check<P: PreflightPorts>(
    environment: Environment<'_, P>,
    intent: &Intent,
) -> Result<Report, ReconcileError> {
    let location = environment.location;
    let header = ReportHeader {
        command: COMMAND.to_owned(),
        account: Some(location.account.clone()),
        regions: vec![location.region.clone()],
        ..ReportHeader::default()
    };
    let safeguards = &intent.safeguards;
    let Encryption::Enabled { key, on_key_trouble } = &intent.encryption else {
        let note = "encryption off needs no key, and locks nobody out".to_owned();
        return Ok(Report { header, notes: vec![note], ..Report::default() });
    };
    let standby = async {
        let OnKeyTrouble::Standby(standby) = on_key_trouble else { return None };
        Some(observe_key(environment, standby, &intent.document, safeguards).await)
    };
    // Boxed: many calls in flight make for a large state.
    let (observation, standby) = tokio::join!(
        Box::pin(observe_key(environment, key, &intent.document, safeguards)),
        Box::pin(standby)
    );
    let observation = observation?;
    let mut assessment = assess(&observation, &safeguards.exempt);
    if let Some(standby) = standby {
        let standby = standby.map_err(|error| ReconcileError::of_key(error, ReconcileError::StandbyKey))?;
        assessment.extend(assess(&standby, &safeguards.exempt));
    }
    let nobody = assessment.access.is_empty();
    let mut report = check_report(header, &observation, assessment, safeguards.mode);
    if nobody {
        report
            .notes
            .push("nobody was asked about; name users or nodes, or let them be discovered".to_owned());
    }
    Ok(report)
}

/// Reads everything that the checks of a key look at.
///
/// # Errors
/// If the key does not exist, cannot be described, or is in another Region or partition. Whatever else cannot be read is
/// unknown.
pub async fn observe_key<P: PreflightPorts>(
    environment: Environment<'_, P>,
    key: &KeyRef,
    document: &DocumentName,
    safeguards: &Safeguards,
) -> Result<AccessObservation, KeyError> {
    let description = describe_key(environment, key).await?;
    let question = AccessQuestion { key: &description, document, safeguards };
    // Boxed: many calls in flight make for a large state.
    Ok(Box::pin(observe_access(environment, question)).await)
}

/// The report on a key, from what was observed of it and how that was assessed.
#[must_use]
pub fn check_report(
    header: ReportHeader,
    observation: &AccessObservation,
    assessment: Assessment,
    mode: PreflightMode,
) -> Report {
    let key_policy = observation.policy.known().and_then(|policy| serde_json::from_str::<Value>(policy).ok());
    let header =
        ReportHeader { command: COMMAND.to_owned(), key: Some(observation.arn().to_string()), ..header };
    Report {
        header,
        key_assessment: Some(KeyAssessment { mode, assessment, key_policy }),
        ..Report::default()
    }
}
