//! A small audit in which everything occurs once, and the one before it.

use session_kms::access::CallerKind;
use session_kms::audit::{
    Audit, AuditFinding, AuditFormat, AuditLine, AuditMaker, AuditReport, AuditState, AuditSummary,
    AuditedDocument, AuditedKey, AuditedPlace, LockedOut, Unreadable, UnreadableReason,
};
use session_kms::preflight::{Check, Verdict};

pub const DOCUMENT: &str = "SSM-SessionManagerRunShell";
/// A name that acts wherever it is not escaped.
pub const HOSTILE: &str =
    "=HYPERLINK(\"https://example.com\")</script><script>alert(1)</script>\u{2028}\u{202e}\u{1b}[31m{{DATA}}";

pub fn maker() -> AuditMaker {
    AuditMaker {
        account: "999988887777".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
    }
}

pub fn place(account: &str, region: &str) -> AuditedPlace {
    AuditedPlace { account: account.to_owned(), region: region.to_owned(), ..AuditedPlace::default() }
}

fn named(account: &str, name: &str, unit: &str, region: &str) -> AuditedPlace {
    AuditedPlace {
        account_name: Some(name.to_owned()),
        organizational_unit: Some(unit.to_owned()),
        ..place(account, region)
    }
}

pub fn key(account: &str, region: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/11111111-1111-4111-8111-111111111111")
}

/// A line whose sessions are encrypted with a key of its account.
pub fn encrypted(place: AuditedPlace, at: &str) -> AuditLine {
    let key = key(&place.account, &place.region);
    AuditLine {
        audited_at: at.to_owned(),
        state: AuditState::Encrypted,
        unreadable: None,
        document: Some(AuditedDocument {
            name: DOCUMENT.to_owned(),
            latest: 2,
            default: 2,
            kms_key_id: key.clone(),
            default_kms_key_id: None,
        }),
        owner: Some(format!("arn:aws:cloudformation:{}:{}:stack/sessions/1", place.region, place.account)),
        wanted: Some(key.clone()),
        drifted: false,
        keys: vec![AuditedKey {
            kms_key_id: key.clone(),
            arn: Some(key),
            account: Some(place.account.clone()),
            is_fit: Some(true),
            problem: None,
        }],
        locked_out: Vec::new(),
        network: Some(Verdict::Pass),
        problems: Vec::new(),
        unknown: Vec::new(),
        findings: Vec::new(),
        findings_left_out: 0,
        place,
    }
}

/// A line whose sessions are not encrypted.
pub fn unencrypted(place: AuditedPlace, at: &str) -> AuditLine {
    let mut line = encrypted(place, at);
    line.state = AuditState::Unencrypted;
    if let Some(document) = &mut line.document {
        document.kms_key_id.clear();
    }
    line.keys.clear();
    line.owner = None;
    line.wanted = None;
    line.network = None;
    line
}

pub fn finding(check: Check, verdict: Verdict, subject: &str, evidence: &str) -> AuditFinding {
    AuditFinding {
        check,
        verdict,
        subject: subject.to_owned(),
        evidence: evidence.to_owned(),
        remedy: None,
        side: None,
        exempt: false,
    }
}

fn locked_out(place: AuditedPlace, at: &str) -> AuditLine {
    let principal = format!("arn:aws:iam::{}:role/OnCall", place.account);
    let mut line = encrypted(place, at);
    line.state = AuditState::LockedOut;
    line.locked_out = vec![LockedOut { principal: principal.clone(), side: CallerKind::User }];
    line.findings = vec![
        AuditFinding {
            remedy: Some("Add this statement to the key policy: {\"Sid\":\"Sessions\"}".to_owned()),
            side: Some(CallerKind::User),
            ..finding(Check::KeyPolicy, Verdict::Fail, &principal, "The key policy does not admit it.")
        },
        finding(Check::Nodes, Verdict::Warning, "i-0123456789abcdef0", "Its agent is of version 3.0.529.0."),
    ];
    line.findings_left_out = 3;
    line
}

/// The lines: every state, every reason, and texts that act wherever they are not escaped.
pub fn lines() -> Vec<AuditLine> {
    const AT: &str = "2026-03-02T12:00:00Z";
    let production = "Root/Workloads/Production";
    let mut drifted = encrypted(named("111122223333", "Payments", production, "eu-central-1"), AT);
    drifted.state = AuditState::Drifted;
    drifted.drifted = true;
    drifted.problems = vec!["The document does not have the key of the record.".to_owned()];
    if let Some(document) = &mut drifted.document {
        document.latest = 5;
        document.default_kms_key_id = Some(String::new());
    }
    let mut fail = encrypted(named("222233334444", "Search", production, "eu-west-1"), AT);
    fail.state = AuditState::SessionsFail;
    fail.keys[0].is_fit = Some(false);
    fail.keys[0].problem = Some("The key is disabled.".to_owned());
    fail.findings = vec![AuditFinding {
        remedy: Some("Enable the key.".to_owned()),
        ..finding(Check::KeyFitness, Verdict::Fail, &key("222233334444", "eu-west-1"), "It is disabled.")
    }];
    let mut unknown = encrypted(named("222233334444", "Search", production, "us-east-1"), AT);
    unknown.state = AuditState::Unknown;
    unknown.unknown = vec!["kms:GetKeyPolicy is denied.".to_owned()];
    unknown.network = Some(Verdict::Unknown);
    let mut hostile = unencrypted(named("333344445555", HOSTILE, HOSTILE, "eu-west-1"), AT);
    hostile.document = None;
    hostile.problems = vec![HOSTILE.to_owned()];
    hostile.findings = vec![finding(Check::Document, Verdict::Fail, HOSTILE, HOSTILE)];
    let unreadable = |place, reason, message: &str| {
        AuditLine::unreadable(place, AT.to_owned(), Unreadable { reason, message: message.to_owned() })
    };
    let sandbox = |region| named("444455556666", "Sandbox", "Root/Sandbox", region);
    vec![
        encrypted(named("111122223333", "Payments", production, "eu-west-1"), AT),
        drifted,
        locked_out(named("111122223333", "Payments", production, "us-east-1"), AT),
        fail,
        unknown,
        hostile,
        unencrypted(named("333344445555", HOSTILE, HOSTILE, "us-east-1"), AT),
        unreadable(sandbox("eu-west-1"), UnreadableReason::RoleNotAssumed, "The role cannot be assumed."),
        unreadable(sandbox("eu-central-1"), UnreadableReason::RegionNotEnabled, "It is not enabled."),
        unreadable(sandbox("us-east-1"), UnreadableReason::Denied, "ssm:GetDocument is denied."),
        unreadable(sandbox("us-east-2"), UnreadableReason::Throttled, "STS throttled to the end."),
        unreadable(place("555566667777", "eu-west-1"), UnreadableReason::Failed, "STS did not answer."),
    ]
}

/// The audit of the day before: every change occurs from it to [`lines`].
pub fn previous() -> AuditSummary {
    const AT: &str = "2026-03-01T12:00:00Z";
    let mut other_key = encrypted(place("222233334444", "us-east-1"), AT);
    other_key.keys.clear();
    other_key.document.as_mut().unwrap().kms_key_id = "alias/old".to_owned();
    let audit: Audit = [
        unencrypted(place("111122223333", "eu-west-1"), AT),
        encrypted(place("111122223333", "eu-central-1"), AT),
        encrypted(place("111122223333", "us-east-1"), AT),
        encrypted(place("222233334444", "eu-west-1"), AT),
        other_key,
        encrypted(place("333344445555", "eu-west-1"), AT),
        unencrypted(place("333344445555", "us-east-1"), AT),
        encrypted(place("444455556666", "eu-west-1"), AT),
        unencrypted(place("444455556666", "eu-central-1"), AT),
        encrypted(place("666677778888", "eu-west-1"), AT),
    ]
    .into_iter()
    .collect();
    audit.summary(AT, None)
}

pub fn report() -> AuditReport {
    let mut audit: Audit = lines().into_iter().collect();
    audit.note(format!("Account 777788889999 ({HOSTILE}) is suspended and was left out."));
    AuditReport::new(audit, Some(&previous()), "2026-03-02T13:00:00Z".to_owned(), maker())
}

/// The report as a text.
pub fn written(report: &AuditReport, format: AuditFormat) -> String {
    let mut out = Vec::new();
    report.write(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
