//! The report over an audit as Compliance Findings of OCSF 1.5.0 (class 2003), one a line.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json::extend;
use super::time::milliseconds;
use super::wording::{
    CONTROLS, audited_at, cut, details, document_arn, finding_id, remedies, severity, title,
};
use crate::audit::{AuditLine, AuditReport, AuditState, Rating, SummaryPlace};

/// How many principals a finding names as resources.
const MOST_PRINCIPALS: usize = 20;
/// The longest text.
const LONGEST: usize = 8192;

/// What has happened to a finding: the activity of OCSF.
#[derive(Clone, Copy)]
enum FindingActivity {
    Create = 1,
    Update = 2,
    Close = 3,
}

/// Writes one finding a line.
pub(in crate::audit) fn write(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    for (line, kept, before) in report.findings() {
        writeln!(out, "{}", finding(report, line, kept, before))?;
    }
    for (account, region) in report.closed() {
        writeln!(out, "{}", closed(report, account, region))?;
    }
    Ok(())
}

fn finding(report: &AuditReport, line: &AuditLine, kept: &SummaryPlace, before: Option<AuditState>) -> Value {
    let place = &line.place;
    let passes = line.rating() == Rating::Passes;
    let activity = match before {
        None => FindingActivity::Create,
        Some(before) if passes && Rating::of(before, None) != Rating::Passes => FindingActivity::Close,
        Some(_) => FindingActivity::Update,
    };
    let (status, status_id) = match line.state {
        AuditState::Encrypted => ("Pass", 1),
        AuditState::Unknown => ("Warning", 2),
        AuditState::Unreadable => ("Unknown", 0),
        _ => ("Fail", 3),
    };
    let (severity, severity_id) = severity(line.state);
    let details = details(line);
    let at = audited_at(line, report);
    let time = milliseconds(at).or_else(|| milliseconds(report.made_at())).unwrap_or_default();
    let since = milliseconds(&kept.since).unwrap_or(time);
    let mut account = json!({ "uid": place.account, "type": "AWS Account", "type_id": 10 });
    if let Some(name) = &place.account_name {
        extend(&mut account, json!({ "name": name }));
    }
    // An organization of OCSF has a name or an id, which nobody asked for; so the unit is a tag.
    if let Some(unit) = &place.organizational_unit {
        extend(&mut account, json!({ "tags": [{ "name": "organizationalUnit", "value": unit }] }));
    }
    let cloud = json!({ "provider": "AWS", "region": place.region, "account": account });
    let mut event = base(report, activity, time, &cloud);
    extend(
        &mut event,
        json!({
            "severity_id": severity_id,
            "severity": severity,
            "message": cut(&title(line), LONGEST),
            "finding_info": {
                "uid": finding_id(report, &place.account, &place.region),
                "title": cut(&title(line), LONGEST),
                "desc": cut(&details.join(" "), LONGEST),
                "created_time": since,
                "first_seen_time": since,
                "last_seen_time": time,
            },
            "compliance": compliance(status, status_id, &details),
            "resources": resources(report, line),
            "status_id": if passes { 4 } else { 1 },
            "status": if passes { "Resolved" } else { "New" },
            "unmapped": {
                "state": line.state.name(),
                "reason": line.reason().map(crate::audit::UnreadableReason::name),
                "key": line.key(),
                "owner": line.owner,
                "locked_out": line.locked_out.len(),
            },
        }),
    );
    let remedies = remedies(line).join("\n");
    if !remedies.is_empty() {
        extend(&mut event, json!({ "remediation": { "desc": cut(&remedies, LONGEST) } }));
    }
    event
}

/// The finding of a place that has none any more.
fn closed(report: &AuditReport, account: &str, region: &str) -> Value {
    const WHY: &str =
        "The account and Region is no longer audited, or the Region is no longer enabled in the account.";
    let time = milliseconds(report.made_at()).unwrap_or_default();
    let cloud = json!({
        "provider": "AWS",
        "region": region,
        "account": { "uid": account, "type": "AWS Account", "type_id": 10 },
    });
    let mut event = base(report, FindingActivity::Close, time, &cloud);
    let title = format!("Session Manager sessions in account {account}, {region}, are no longer audited");
    extend(
        &mut event,
        json!({
            "severity_id": 1,
            "severity": "Informational",
            "message": title,
            "finding_info": { "uid": finding_id(report, account, region), "title": title, "desc": WHY, "last_seen_time": time },
            "compliance": compliance("Unknown", 0, &[WHY.to_owned()]),
            "resources": [resource(report, "AWS account", account, account, region)],
            "status_id": 4,
            "status": "Resolved",
        }),
    );
    event
}

/// What all findings have.
fn base(report: &AuditReport, activity: FindingActivity, time: i64, cloud: &Value) -> Value {
    let id = activity as u32;
    let name = match activity {
        FindingActivity::Create => "Create",
        FindingActivity::Update => "Update",
        FindingActivity::Close => "Close",
    };
    json!({
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "activity_id": id,
        "activity_name": name,
        "type_uid": 200_300 + id,
        "type_name": format!("Compliance Finding: {name}"),
        "time": time,
        "metadata": {
            "version": "1.5.0",
            "profiles": ["cloud"],
            "product": { "name": "session-kms", "vendor_name": "session-kms", "version": env!("CARGO_PKG_VERSION") },
            "logged_time": milliseconds(report.made_at()).unwrap_or(time),
        },
        "cloud": cloud,
    })
}

fn compliance(status: &str, status_id: u8, details: &[String]) -> Value {
    json!({
        "control": "Session Manager sessions are encrypted with a KMS key that everybody who needs it can use",
        "standards": ["NIST SP 800-53 Revision 5"],
        "requirements": CONTROLS,
        "status": status,
        "status_id": status_id,
        "status_details": details.iter().map(|detail| cut(detail, LONGEST)).collect::<Vec<_>>(),
    })
}

fn resources(report: &AuditReport, line: &AuditLine) -> Vec<Value> {
    let (account, region) = (line.place.account.as_str(), line.place.region.as_str());
    let mut resources =
        vec![resource(report, "AWS::SSM::Document", &document_arn(report, account, region), account, region)];
    for key in line.keys.iter().take(2) {
        if let Some(arn) = &key.arn {
            let region = arn.split(':').nth(3).unwrap_or(region);
            let owner = key.account.as_deref().unwrap_or(account);
            resources.push(resource(report, "AWS::KMS::Key", arn, owner, region));
        }
    }
    for locked_out in line.locked_out.iter().take(MOST_PRINCIPALS) {
        let kind = if locked_out.principal.contains(":user/") { "AWS::IAM::User" } else { "AWS::IAM::Role" };
        resources.push(resource(report, kind, &locked_out.principal, account, region));
    }
    resources
}

fn resource(report: &AuditReport, kind: &str, id: &str, account: &str, region: &str) -> Value {
    json!({
        "type": kind,
        "uid": id,
        "region": region,
        "cloud_partition": report.made_by().partition,
        "owner": { "account": { "uid": account, "type": "AWS Account", "type_id": 10 } },
    })
}
