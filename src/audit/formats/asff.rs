//! The report over an audit in the AWS Security Finding Format, for `BatchImportFindings` of Security Hub.
//!
//! Each account and Region is one finding, whose id stays the same. A good one has passed and is archived: a finding
//! provider cannot set the workflow of a finding that is there, and archiving takes it out of the open findings.
//! Security Hub opens it anew when it becomes active again.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json::extend;
use super::wording::{
    CONTROLS, audited_at, cut, details, document_arn, finding_id, remedies, severity, title,
};
use crate::access::CallerKind;
use crate::audit::{ASFF_BATCH, AuditLine, AuditReport, AuditState, Rating, SummaryPlace};

/// How many bytes a batch has at most. A state of Step Functions carries 256 KB.
const LARGEST_BATCH: usize = 200 << 10;
/// How many principals a finding names as resources. There may be 32 resources, and there are the account, the document
/// and two keys.
const MOST_PRINCIPALS: usize = 20;
/// The longest id of a resource.
const LONGEST_ID: usize = 512;

/// Writes one finding a line.
pub(in crate::audit) fn write(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    for mut finding in findings(report) {
        finding.push(b'\n');
        out.write_all(&finding)?;
    }
    Ok(())
}

/// The findings as JSON arrays.
pub(in crate::audit) fn batches(report: &AuditReport) -> impl Iterator<Item = Vec<u8>> {
    let mut findings = findings(report).peekable();
    std::iter::from_fn(move || {
        let mut batch = b"[".to_vec();
        batch.extend(findings.next()?);
        for _ in 1..ASFF_BATCH {
            let Some(finding) = findings.next_if(|finding| batch.len() + finding.len() < LARGEST_BATCH)
            else {
                break;
            };
            batch.push(b',');
            batch.extend(finding);
        }
        batch.push(b']');
        Some(batch)
    })
}

fn findings(report: &AuditReport) -> impl Iterator<Item = Vec<u8>> {
    let of_rows = report.findings().map(|(line, kept, _)| finding(report, line, kept));
    let closed = report.closed().iter().map(|(account, region)| closed(report, account, region));
    of_rows.chain(closed).map(|finding| finding.to_string().into_bytes())
}

fn finding(report: &AuditReport, line: &AuditLine, kept: &SummaryPlace) -> Value {
    let place = &line.place;
    let (label, _) = severity(line.state);
    let passes = line.rating() == Rating::Passes;
    let status = match line.state {
        AuditState::Unreadable => "NOT_AVAILABLE",
        AuditState::Unknown => "WARNING",
        _ if passes => "PASSED",
        _ => "FAILED",
    };
    let details = details(line).join(" ");
    let details = if details.is_empty() { title(line) } else { details };
    let mut fields = json!({
        "session-kms/account": place.account,
        "session-kms/region": place.region,
        "session-kms/state": line.state.name(),
    });
    for (name, value) in [
        ("session-kms/accountName", place.account_name.as_deref()),
        ("session-kms/organizationalUnit", place.organizational_unit.as_deref()),
        ("session-kms/key", line.key()),
        ("session-kms/owner", line.owner.as_deref()),
    ] {
        // Security Hub refuses an empty value.
        if let (Some(value), Some(fields)) = (value.filter(|value| !value.is_empty()), fields.as_object_mut())
        {
            fields.insert(name.to_owned(), cut(value, 2048).into());
        }
    }
    let mut finding = base(report, &place.account, &place.region, audited_at(line, report));
    let parts = json!({
        "FirstObservedAt": if kept.since.is_empty() { report.made_at() } else { &kept.since },
        "Title": cut(&title(line), 256),
        "Description": cut(&details, 1024),
        "Resources": resources(report, line),
        "ProductFields": fields,
        "FindingProviderFields": { "Severity": { "Label": label.to_uppercase() }, "Types": [TYPE] },
        "Compliance": compliance(status, line.state.name(), &details),
        "RecordState": if passes { "ARCHIVED" } else { "ACTIVE" },
        "Workflow": { "Status": if passes { "RESOLVED" } else { "NEW" } },
    });
    extend(&mut finding, parts);
    let remedies = remedies(line).join(" ");
    if !remedies.is_empty() {
        extend(&mut finding, json!({ "Remediation": { "Recommendation": { "Text": cut(&remedies, 512) } } }));
    }
    finding
}

/// The finding of a place that has none any more.
fn closed(report: &AuditReport, account: &str, region: &str) -> Value {
    const WHY: &str =
        "The account and Region is no longer audited, or the Region is no longer enabled in the account.";
    let mut finding = base(report, account, region, report.made_at());
    let parts = json!({
        "Title": cut(&format!("Session Manager sessions in account {account}, {region}, are no longer audited"), 256),
        "Description": WHY,
        "Resources": [account_resource(report, account, region)],
        "ProductFields": { "session-kms/account": account, "session-kms/region": region },
        "FindingProviderFields": { "Severity": { "Label": "INFORMATIONAL" }, "Types": [TYPE] },
        "Compliance": compliance("NOT_AVAILABLE", "closed", WHY),
        "RecordState": "ARCHIVED",
        "Workflow": { "Status": "RESOLVED" },
    });
    extend(&mut finding, parts);
    finding
}

const TYPE: &str =
    "Software and Configuration Checks/Industry and Regulatory Standards/NIST 800-53 Controls (USA)";

/// What all findings have. With the default product of an account and Region, Security Hub takes findings only if they
/// say that they belong to the account that imports them. The audited account is in the resources.
fn base(report: &AuditReport, account: &str, region: &str, at: &str) -> Value {
    let maker = report.made_by();
    let product = format!(
        "arn:{}:securityhub:{}:{}:product/{}/default",
        maker.partition, maker.region, maker.account, maker.account
    );
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": cut(&finding_id(report, account, region), LONGEST_ID),
        "ProductArn": product,
        "ProductName": "session-kms",
        "CompanyName": "session-kms",
        "GeneratorId": "session-kms/audit",
        "AwsAccountId": maker.account,
        "CreatedAt": at,
        "UpdatedAt": at,
        "LastObservedAt": at,
    })
}

fn compliance(status: &str, reason: &str, details: &str) -> Value {
    let requirements = CONTROLS.map(|control| format!("NIST.800-53.r5 {control}"));
    json!({
        "Status": status,
        "RelatedRequirements": requirements,
        "StatusReasons": [{ "ReasonCode": reason, "Description": cut(details, 1024) }],
    })
}

fn resources(report: &AuditReport, line: &AuditLine) -> Vec<Value> {
    let (account, region) = (&line.place.account, &line.place.region);
    let resource = |kind: &str, id: &str, region: &str| {
        let partition = &report.made_by().partition;
        json!({ "Type": kind, "Id": cut(id, LONGEST_ID), "Partition": partition, "Region": region })
    };
    let mut resources = vec![account_resource(report, account, region)];
    let mut document = resource("Other", &document_arn(report, account, region), region);
    if let Some(found) = &line.document {
        let mut other = json!({
            "latestVersion": found.latest.to_string(),
            "defaultVersion": found.default.to_string(),
        });
        if !found.kms_key_id.is_empty() {
            extend(&mut other, json!({ "kmsKeyId": cut(&found.kms_key_id, 1024) }));
        }
        extend(&mut document, json!({ "Details": { "Other": other } }));
    }
    resources.push(document);
    for arn in line.keys.iter().filter_map(|key| key.arn.as_deref()).take(2) {
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty()).unwrap_or(region);
        resources.push(resource("AwsKmsKey", arn, region));
    }
    for locked_out in line.locked_out.iter().take(MOST_PRINCIPALS) {
        let principal = &locked_out.principal;
        let kind = if principal.contains(":user/") { "AwsIamUser" } else { "AwsIamRole" };
        let mut resource = resource(kind, principal, region);
        let needs = match locked_out.side {
            CallerKind::User => "kms:GenerateDataKey",
            CallerKind::Node => "kms:Decrypt",
        };
        extend(&mut resource, json!({ "Details": { "Other": { "cannotUse": needs } } }));
        resources.push(resource);
    }
    resources
}

fn account_resource(report: &AuditReport, account: &str, region: &str) -> Value {
    json!({
        "Type": "AwsAccount",
        "Id": format!("AWS::::Account:{account}"),
        "Partition": report.made_by().partition,
        "Region": region,
    })
}
