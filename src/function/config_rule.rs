//! The function as a custom rule of AWS Config: sessions are encrypted with a key that can be used, as the
//! document's owner wants. The rule takes ports that can write neither the document nor the
//! record: it only reports to AWS Config.

use serde_json::{Value, json};

use crate::event::config_rule::{EvaluatedResource, RuleEvaluation};
use crate::operations;
use crate::ports::{Compliance, ComplianceReport, ComplianceType, Environment, ReadPorts};
use crate::preflight::{KeyUsability, key_usability};
use crate::reconcile::ReconcileError;
use crate::session::DocumentName;

/// How AWS Config names the account as a resource.
const ACCOUNT: &str = "AWS::::Account";

/// A document's compliance, and why.
type Assessed = (ComplianceType, String);

/// Assesses what AWS Config asks about, and reports it.
///
/// # Errors
/// If AWS refused or did not answer. Then nothing was reported, and AWS Config asks again.
pub(super) async fn evaluate<P: ReadPorts + Compliance>(
    environment: Environment<'_, P>,
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
        EvaluatedResource::Document { name, .. } => of_document(environment, name).await?,
        EvaluatedResource::Account => of_account(environment).await?,
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
    environment.ports.report_compliance(&report).await?;
    let word = compliance.as_str();
    tracing::info!(resource_type, resource_id, compliance = word, annotation, "reported to AWS Config");
    Ok(json!({
        "command": "evaluate",
        "resourceType": resource_type,
        "resourceId": resource_id,
        "compliance": word,
        "annotation": annotation,
        "alert": false,
    }))
}

/// Assesses every document with a record, and always the one that sessions take their preferences from.
async fn of_account<P: ReadPorts>(environment: Environment<'_, P>) -> Result<Assessed, ReconcileError> {
    let mut documents = environment.ports.recorded().await?;
    let preferences = DocumentName::default();
    if !documents.contains(&preferences) {
        documents.insert(0, preferences);
    }
    let (mut well, mut withheld) = (Vec::new(), None);
    for document in documents {
        match assess_document(environment, &document).await {
            Ok((ComplianceType::NonCompliant, why)) => {
                return Ok((ComplianceType::NonCompliant, format!("{document}: {why}")));
            }
            Ok((_, why)) => well.push(format!("{document}: {why}")),
            // The record is another function's, or the command line's.
            Err(error) if error.is_record_withheld() => withheld = Some(error),
            Err(error) => return Err(error),
        }
    }
    match withheld {
        Some(error) if well.is_empty() => Err(error),
        _ => Ok((ComplianceType::Compliant, well.join("; "))),
    }
}

/// Assesses one document. AWS Config also asks about documents that have nothing to do with sessions.
async fn of_document<P: ReadPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
) -> Result<Assessed, ReconcileError> {
    let not_ours =
        Ok((ComplianceType::NotApplicable, "it is no preferences document with a record".to_owned()));
    if *document != DocumentName::default() && !environment.ports.recorded().await?.contains(document) {
        return not_ours;
    }
    match assess_document(environment, document).await {
        Err(error) if error.is_record_withheld() => not_ours,
        assessed => assessed,
    }
}

async fn assess_document<P: ReadPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
) -> Result<Assessed, ReconcileError> {
    let not = |why: String| Ok((ComplianceType::NonCompliant, why));
    let status = operations::status(environment, document).await?;
    if let Some(problem) = status.problems.into_iter().next() {
        return not(problem);
    }
    let key = status.versions.map(|versions| versions.kms_key_id).unwrap_or_default();
    if key.is_empty() {
        return not("sessions are not encrypted with a key".to_owned());
    }
    match key_usability(environment, &key).await? {
        KeyUsability::Usable(key) => {
            Ok((ComplianceType::Compliant, format!("sessions are encrypted with key {}", key.arn)))
        }
        // Unknown does not count as compliant.
        KeyUsability::Unknown(error) => not(format!("whether key {key} can be used is not known: {error}")),
        KeyUsability::Unusable(fault) => not(fault.to_string()),
    }
}
