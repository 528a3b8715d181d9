//! Lines of an audit of any size, which the benchmark and the tests of the report share. A line depends only on its number
//! and the round of the audit.

use session_kms::access::CallerKind;
use session_kms::audit::{
    AuditFinding, AuditLine, AuditState, AuditedDocument, AuditedKey, AuditedPlace, LockedOut, Unreadable,
    UnreadableReason,
};
use session_kms::preflight::{Check, Verdict};

const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
];
const UNITS: [&str; 6] = [
    "Root/Workloads/Production",
    "Root/Workloads/Staging",
    "Root/Workloads/Development",
    "Root/Infrastructure/Network",
    "Root/Infrastructure/Shared services",
    "Root/Sandbox",
];
const DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// The line of an account and Region. Of 100 lines 58 are good; the others are of all states.
pub(crate) fn line(number: usize, round: usize) -> AuditLine {
    let account = number / REGIONS.len();
    let id = format!("{:012}", 100_000_000_000 + account * 7_919);
    let region = REGIONS.iter().cycle().nth(number % REGIONS.len()).copied().unwrap_or_default();
    let place = AuditedPlace {
        account: id.clone(),
        region: region.to_owned(),
        account_name: Some(format!("team-{:03}-{}", account % 211, ["prod", "dev"][account % 2])),
        organizational_unit: Some(UNITS[account % UNITS.len()].to_owned()),
    };
    let at = format!("2026-03-{:02}T{:02}:{:02}:00Z", round + 1, number % 24, number % 60);
    // One in fifty is in another state in the next round.
    let moved = if number % 50 == 49 { round } else { 0 };
    let state = match scattered(number as u64 + 31 * moved as u64) % 100 {
        0..58 => AuditState::Encrypted,
        58..64 => AuditState::Unknown,
        64..76 => AuditState::Unencrypted,
        76..82 => AuditState::Drifted,
        82..90 => AuditState::LockedOut,
        90..92 => AuditState::SessionsFail,
        _ => AuditState::Unreadable,
    };
    if state == AuditState::Unreadable {
        return AuditLine::unreadable(place, at, unreadable(number, &id, region));
    }
    let key = format!("arn:aws:kms:{region}:{id}:key/{account:08x}-1111-4111-8111-111111111111");
    let has_key = state != AuditState::Unencrypted;
    let principal = |name: &str, at: usize| format!("arn:aws:iam::{id}:role/{name}-{at}");
    let locked_out: Vec<_> = (0..if state == AuditState::LockedOut { 1 + number % 6 } else { 0 })
        .map(|at| LockedOut {
            principal: principal("OnCallEngineers", at),
            side: if at % 2 == 0 { CallerKind::User } else { CallerKind::Node },
        })
        .collect();
    let mut findings: Vec<_> = locked_out.iter().map(|locked_out| refused(locked_out, &key)).collect();
    findings.extend((0..number % 3).map(|at| {
        AuditFinding {
            check: Check::Nodes,
            verdict: Verdict::Warning,
            subject: format!("i-{:017x}", number * 16 + at),
            evidence:
                "The agent's version 3.0.529.0 is older than 3.0.196.0, from which on sessions are encrypted."
                    .to_owned(),
            remedy: Some(
                "Update the SSM agent of the node, for example with `AWS-UpdateSSMAgent`.".to_owned(),
            ),
            side: None,
            exempt: false,
        }
    }));
    AuditLine {
        place,
        audited_at: at,
        state,
        unreadable: None,
        document: Some(AuditedDocument {
            name: DOCUMENT.to_owned(),
            latest: 3,
            default: 3,
            kms_key_id: if has_key { key.clone() } else { String::new() },
            default_kms_key_id: None,
        }),
        owner: has_key.then(|| format!("arn:aws:cloudformation:{region}:{id}:stack/sessions/{number}")),
        wanted: has_key.then(|| key.clone()),
        drifted: state == AuditState::Drifted,
        keys: has_key
            .then(|| AuditedKey {
                kms_key_id: key.clone(),
                arn: Some(key.clone()),
                account: Some(id),
                is_fit: Some(state != AuditState::SessionsFail),
                problem: (state == AuditState::SessionsFail).then(|| "The key is disabled.".to_owned()),
            })
            .into_iter()
            .collect(),
        locked_out,
        network: Some(Verdict::Pass),
        problems: (state == AuditState::Drifted)
            .then(|| "The document does not have the key of the record.".to_owned())
            .into_iter()
            .collect(),
        unknown: (state == AuditState::Unknown)
            .then(|| "The key policy may not be read: kms:GetKeyPolicy is denied.".to_owned())
            .into_iter()
            .collect(),
        findings,
        findings_left_out: 0,
    }
}

/// The line as the ResultWriter of Step Functions stores it.
pub(crate) fn stored(line: &AuditLine, number: usize) -> String {
    let input = serde_json::json!({
        "action": "audit",
        "account": line.place.account,
        "region": line.place.region,
        "roleName": "session-kms-audit",
        "accountName": line.place.account_name,
        "organizationalUnit": line.place.organizational_unit,
    });
    let execution = serde_json::json!({
        "ExecutionArn": format!("arn:aws:states:eu-west-1:111122223333:execution:audit/Map:{number:036}"),
        "Input": input.to_string(),
        "InputDetails": { "Included": true },
        "Name": format!("{number:036}"),
        "Output": serde_json::to_string(line).unwrap_or_default(),
        "OutputDetails": { "Included": true },
        "StartDate": "2026-03-01T12:00:00.000Z",
        "StateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:audit/Map",
        "Status": "SUCCEEDED",
        "StopDate": "2026-03-01T12:00:01.000Z",
    });
    execution.to_string()
}

fn refused(locked_out: &LockedOut, key: &str) -> AuditFinding {
    let call = locked_out.side.call();
    AuditFinding {
        check: Check::KeyPolicy,
        verdict: Verdict::Fail,
        subject: locked_out.principal.clone(),
        evidence: format!("No statement of the key policy of `{key}` admits it for {call:?}."),
        remedy: Some(format!(
            "Add this statement to the key policy of `{key}`: {{\"Sid\":\"Sessions\",\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":\"{}\"}},\"Action\":\"kms:*\",\"Resource\":\"*\"}}",
            locked_out.principal
        )),
        side: Some(locked_out.side),
        exempt: false,
    }
}

fn unreadable(number: usize, account: &str, region: &str) -> Unreadable {
    let role = format!("arn:aws:iam::{account}:role/session-kms-audit");
    let (reason, message) = match number % 5 {
        0 | 1 => (
            UnreadableReason::RegionNotEnabled,
            format!("{region} is not enabled in account {account}, so nothing can be there."),
        ),
        2 => (
            UnreadableReason::RoleNotAssumed,
            format!("{role} cannot be assumed (AccessDenied). Deploy the audit role into the account."),
        ),
        3 => (
            UnreadableReason::Denied,
            format!("ssm:GetDocument on {DOCUMENT} is denied to {role} by a service control policy."),
        ),
        _ => (UnreadableReason::Failed, format!("STS in {region} did not answer within 10 seconds.")),
    };
    Unreadable { reason, message }
}

/// A number as another one that looks random, always the same (SplitMix64).
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
