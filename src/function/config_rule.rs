//! The function as a custom rule of AWS Config: sessions are encrypted with a key that can be used, as the
//! document's owner wants. It judges and changes nothing.

use serde_json::{Value, json};

use crate::event::config_rule::{EvaluatedResource, RuleEvaluation};
use crate::key::KeyRef;
use crate::location::Location;
use crate::operations;
use crate::ports::{AccessPorts, AwsErrorKind, Compliance, ComplianceReport, ComplianceType};
use crate::preflight::judge_key;
use crate::reconcile::ReconcileError;
use crate::session::DocumentName;

/// How AWS Config names the account as a resource.
const ACCOUNT: &str = "AWS::::Account";

/// A verdict, and why.
type Verdict = (ComplianceType, String);

/// Judges, and tells AWS Config.
///
/// # Errors
/// Where AWS refused or did not answer: nothing was reported, and AWS Config asks again.
pub(super) async fn evaluate<P: AccessPorts + Compliance>(
    ports: &P,
    location: &Location,
    evaluation: &RuleEvaluation,
) -> Result<Value, ReconcileError> {
    let (resource_type, resource_id) = match &evaluation.resource {
        EvaluatedResource::Account => (ACCOUNT, evaluation.account.as_str()),
        EvaluatedResource::Document { resource_type, resource_id, .. }
        | EvaluatedResource::Other { resource_type, resource_id } => {
            (resource_type.as_str(), resource_id.as_str())
        }
    };
    let (compliance, annotation) = match &evaluation.resource {
        _ if evaluation.left_scope => (ComplianceType::NotApplicable, "it is gone".to_owned()),
        EvaluatedResource::Other { .. } => {
            (ComplianceType::NotApplicable, "it is no preferences document".to_owned())
        }
        EvaluatedResource::Document { name, .. } => of_document(ports, location, name).await?,
        EvaluatedResource::Account => of_account(ports, location).await?,
    };
    let report = ComplianceReport {
        resource_type,
        resource_id,
        compliance,
        annotation: &annotation,
        ordering: &evaluation.ordering,
        result_token: evaluation.result_token.as_str(),
        test_mode: evaluation.test_mode,
    };
    ports.report_compliance(&report).await?;
    let word = match compliance {
        ComplianceType::Compliant => "COMPLIANT",
        ComplianceType::NonCompliant => "NON_COMPLIANT",
        ComplianceType::NotApplicable => "NOT_APPLICABLE",
    };
    tracing::info!(resource_type, resource_id, compliance = word, annotation, "told AWS Config");
    Ok(json!({
        "command": "evaluate",
        "resourceType": resource_type,
        "resourceId": resource_id,
        "compliance": word,
        "annotation": annotation,
        "alert": false,
    }))
}

/// Every document with a record; where there is none, the one that sessions take their preferences from.
async fn of_account<P: AccessPorts>(ports: &P, location: &Location) -> Result<Verdict, ReconcileError> {
    let mut documents = ports.recorded().await?;
    let preferences = DocumentName::default();
    if !documents.contains(&preferences) {
        documents.insert(0, preferences);
    }
    let (mut well, mut withheld) = (Vec::new(), None);
    for document in documents {
        match judged(ports, location, &document).await {
            Ok((ComplianceType::NonCompliant, why)) => {
                return Ok((ComplianceType::NonCompliant, format!("{document}: {why}")));
            }
            Ok((_, why)) => well.push(format!("{document}: {why}")),
            // Another function's, or the command line's.
            Err(error) if error.is_record_withheld() => withheld = Some(error),
            Err(error) => return Err(error),
        }
    }
    match withheld {
        Some(error) if well.is_empty() => Err(error),
        _ => Ok((ComplianceType::Compliant, well.join("; "))),
    }
}

/// One document. Of the account's others, which are no business of sessions, AWS Config asks too.
async fn of_document<P: AccessPorts>(
    ports: &P,
    location: &Location,
    document: &DocumentName,
) -> Result<Verdict, ReconcileError> {
    let not_ours =
        Ok((ComplianceType::NotApplicable, "it is no preferences document in our care".to_owned()));
    if *document != DocumentName::default() && !ports.recorded().await?.contains(document) {
        return not_ours;
    }
    match judged(ports, location, document).await {
        Err(error) if error.is_record_withheld() => not_ours,
        judged => judged,
    }
}

async fn judged<P: AccessPorts>(
    ports: &P,
    location: &Location,
    document: &DocumentName,
) -> Result<Verdict, ReconcileError> {
    let not = |why: String| Ok((ComplianceType::NonCompliant, why));
    let status = operations::status(ports, location, document).await?;
    if let Some(problem) = status.problems.into_iter().next() {
        return not(problem);
    }
    let key = status.versions.map(|versions| versions.kms_key_id).unwrap_or_default();
    if key.is_empty() {
        return not("sessions are not encrypted with a key".to_owned());
    }
    let judged = match KeyRef::parse(&key) {
        Ok(key) => judge_key(ports, location, &key).await,
        Err(error) => return not(error.to_string()),
    };
    match judged {
        Ok((key, _)) => {
            Ok((ComplianceType::Compliant, format!("sessions are encrypted with key {}", key.arn)))
        }
        // Who may not look does not know, and not to know is no pass.
        Err(ReconcileError::Aws(error)) if matches!(error.kind, AwsErrorKind::Denied { .. }) => {
            not(format!("whether key {key} can be used is not known: {error}"))
        }
        Err(error @ ReconcileError::Aws(_)) => Err(error),
        Err(error) => not(error.to_string()),
    }
}
