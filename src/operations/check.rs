//! Check: who can use a key. Writes nothing, and looks at no document.

use serde_json::Value;

use crate::intent::{Encryption, Intent, Mode, OnKeyTrouble, Safeguards};
use crate::key::KeyRef;
use crate::location::Location;
use crate::ports::AccessPorts;
use crate::preflight::gather;
use crate::preflight::{AccessObservation, Assessment, assess};
use crate::reconcile::ReconcileError;
use crate::report::{KeyAssessment, Report, ReportHeader};

/// What it is called, whoever asks.
const COMMAND: &str = "check";

/// Checks the key of an intent, and the key that is to stand by with it.
///
/// # Errors
/// Where a key does not exist, cannot be described, or lives elsewhere. Findings that block are no error.
pub async fn check<P: AccessPorts>(
    ports: &P,
    location: &Location,
    intent: &Intent,
) -> Result<Report, ReconcileError> {
    let header = ReportHeader {
        command: COMMAND.to_owned(),
        account: Some(location.account.clone()),
        regions: vec![location.region.clone()],
        ..ReportHeader::default()
    };
    let safeguards = &intent.safeguards;
    let Encryption::Enabled(key) = &intent.encryption else {
        let note = "encryption off needs no key, and locks nobody out".to_owned();
        return Ok(Report { header, notes: vec![note], ..Report::default() });
    };
    let observation = observed(ports, location, key, safeguards).await?;
    let mut assessment = assess(&observation, &safeguards.exempt);
    if let OnKeyTrouble::Standby(standby) = &intent.on_key_trouble {
        let standby = observed(ports, location, standby, safeguards)
            .await
            .map_err(|error| ReconcileError::Standby(Box::new(error)))?;
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

/// Reads what tells who can use a key.
///
/// # Errors
/// Where the key does not exist, cannot be described, or lives elsewhere. What else cannot be read is unknown.
pub async fn observed<P: AccessPorts>(
    ports: &P,
    location: &Location,
    key: &KeyRef,
    safeguards: &Safeguards,
) -> Result<AccessObservation, ReconcileError> {
    key.check_location(location)?;
    let described = ports.describe(key.as_str()).await?;
    let description = described.ok_or_else(|| ReconcileError::KeyNotFound {
        key: key.to_string(),
        location: location.to_string(),
    })?;
    // Boxed: many calls in flight make for a large state.
    Ok(Box::pin(gather(ports, location, &description, safeguards)).await)
}

/// The report on a key, from what was observed of it and what was made of that.
#[must_use]
pub fn check_report(
    header: ReportHeader,
    observation: &AccessObservation,
    assessment: Assessment,
    mode: Mode,
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
