//! The formats, as reviewed files and read back.

use serde_json::Value;
use session_kms::audit::{Audit, AuditFormat, AuditLine, AuditReport};
use sha2::{Digest, Sha256};

use super::audit_lines;
use super::samples::{HOSTILE, lines, maker, report, written};
use crate::golden;

#[test]
fn every_format_is_as_reviewed() {
    let report = report();
    for (name, format) in [
        ("audit.txt", AuditFormat::Text { colour: false }),
        ("audit.colour.txt", AuditFormat::Text { colour: true }),
        ("audit.json", AuditFormat::Json),
        ("audit.csv", AuditFormat::Csv),
        ("audit.html", AuditFormat::Html),
        ("audit.asff.jsonl", AuditFormat::Asff),
        ("audit.ocsf.jsonl", AuditFormat::Ocsf),
    ] {
        golden::check(name, &written(&report, format));
    }
}

#[test]
fn a_report_without_a_last_audit_has_no_changes() {
    let audit: Audit = lines().into_iter().collect();
    let report = AuditReport::new(audit, None, "2026-03-02T13:00:00Z".to_owned(), maker());
    assert!(report.changes().is_none());
    assert!(!written(&report, AuditFormat::Text { colour: false }).contains("Changes since"));
    let json: Value = serde_json::from_str(&written(&report, AuditFormat::Json)).unwrap();
    assert_eq!(json["changes"], Value::Null);
}

#[test]
fn an_empty_report_can_be_written_in_every_format() {
    let report = AuditReport::new(Audit::default(), None, "2026-03-02T13:00:00Z".to_owned(), maker());
    assert!(!report.fails());
    for format in [AuditFormat::Text { colour: true }, AuditFormat::Json, AuditFormat::Csv, AuditFormat::Html]
    {
        assert!(written(&report, format).ends_with('\n'));
    }
    assert_eq!(written(&report, AuditFormat::Asff), "");
    assert_eq!(written(&report, AuditFormat::Ocsf), "");
    assert_eq!(report.asff_batches().count(), 0);
    assert!(
        written(&report, AuditFormat::Text { colour: false }).contains("No account and Region was audited.")
    );
}

#[test]
fn text_has_nothing_that_acts_on_a_terminal() {
    let text = written(&report(), AuditFormat::Text { colour: false });
    assert!(text.contains("HYPERLINK"));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(!text.contains('\u{202e}'));
}

#[test]
fn json_gives_back_every_line() {
    let json = written(&report(), AuditFormat::Json);
    let value: Value = serde_json::from_str(&json).unwrap();
    let rows: Vec<AuditLine> = serde_json::from_value(value["rows"].clone()).unwrap();
    let wanted: Vec<_> = report().audit().lines().cloned().collect();
    assert_eq!(rows, wanted);
}

/// The fields of CSV by RFC 4180.
pub fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => {
                assert!(is_quoted || c != '\n', "a line end stands in quotes");
                cell.push(c);
            }
        }
    }
    assert!(!is_quoted && cell.is_empty() && row.is_empty(), "the text ends with a line end");
    rows
}

#[test]
fn csv_holds_each_place_once_and_no_formula() {
    let rows = parse_csv(&written(&report(), AuditFormat::Csv));
    assert_eq!(rows.len(), 1 + lines().len());
    for row in &rows {
        assert_eq!(row.len(), rows[0].len());
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
    }
    let hostile = rows.iter().find(|row| row[0] == "333344445555").unwrap();
    assert_eq!(hostile[1], format!("'{HOSTILE}"));
}

/// The blocks of JSON in the page: each block's id and value.
pub fn blocks(page: &str) -> Vec<(String, Value)> {
    let parts = page.split("<script type=\"application/json\" id=\"").skip(1);
    parts
        .map(|part| {
            let (id, rest) = part.split_once("\">").unwrap();
            (id.to_owned(), serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap())
        })
        .collect()
}

#[test]
fn the_page_holds_every_line_and_runs_only_its_own_script() {
    let page = written(&report(), AuditFormat::Html);
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains("http://") && !page.contains("src=\"") && !page.contains("url("));
    let blocks = blocks(&page);
    let details: Vec<AuditLine> = serde_json::from_value(blocks[1].1.clone()).unwrap();
    let wanted: Vec<_> = report().audit().lines().cloned().collect();
    assert_eq!(details, wanted);
    let strings = blocks[0].1["strings"].as_array().unwrap();
    assert!(strings.iter().any(|string| string == HOSTILE));
    assert_eq!(blocks[0].1["rows"].as_array().unwrap().len(), 10 * wanted.len());
}

#[test]
fn the_page_names_the_digests_of_its_style_and_script() {
    let page = written(&report(), AuditFormat::Html);
    for (tag, source) in [("style", "style-src"), ("script", "script-src")] {
        let text =
            page.split(&format!("<{tag}>")).nth(1).unwrap().split(&format!("</{tag}>")).next().unwrap();
        let digest = base64(&Sha256::digest(text.as_bytes()));
        assert!(page.contains(&format!("{source} 'sha256-{digest}'")), "the digest of the {tag} is {digest}");
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..=3 {
            let sextet = (bits >> (18 - 6 * at) & 63) as usize;
            out.push(if at <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

#[test]
fn findings_of_security_hub_come_in_batches_that_a_state_can_carry() {
    let audit: Audit = (0..500).map(|number| audit_lines::line(number, 1)).collect();
    let report = AuditReport::new(audit, None, "2026-03-02T13:00:00Z".to_owned(), maker());
    let whole = written(&report, AuditFormat::Asff);
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut batched = Vec::new();
    for batch in report.asff_batches() {
        assert!(batch.len() <= 200 << 10, "{} bytes", batch.len());
        let findings: Vec<Value> = serde_json::from_slice(&batch).unwrap();
        assert!((1..=100).contains(&findings.len()));
        batched.extend(findings);
    }
    assert_eq!(batched, lines);
}

#[test]
fn a_finding_keeps_its_id_and_says_what_has_become_of_it() {
    let lines: Vec<Value> = written(&report(), AuditFormat::Asff)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |place: &str| {
        let id = format!("session-kms/audit/{place}/SSM-SessionManagerRunShell");
        let found: Vec<_> = lines.iter().filter(|finding| finding["Id"] == id.as_str()).collect();
        assert!(found.len() <= 1, "{id} is there {} times", found.len());
        found.first().map(|finding| {
            let status = finding["Compliance"]["Status"].as_str().unwrap();
            (status, finding["RecordState"].as_str().unwrap())
        })
    };
    assert_eq!(of("111122223333/eu-west-1"), Some(("PASSED", "ARCHIVED")), "recovered");
    assert_eq!(of("111122223333/us-east-1"), Some(("FAILED", "ACTIVE")), "newly locked out");
    assert_eq!(of("222233334444/us-east-1"), Some(("WARNING", "ACTIVE")), "not all known");
    assert_eq!(of("444455556666/us-east-1"), Some(("NOT_AVAILABLE", "ACTIVE")), "unreadable");
    assert_eq!(of("444455556666/eu-central-1"), Some(("NOT_AVAILABLE", "ARCHIVED")), "no longer enabled");
    assert_eq!(of("666677778888/eu-west-1"), Some(("NOT_AVAILABLE", "ARCHIVED")), "gone");
    assert!(lines.iter().all(|finding| finding["AwsAccountId"] == "999988887777"));
}

#[test]
fn compliance_findings_say_whether_they_are_new_or_closed() {
    let lines: Vec<Value> = written(&report(), AuditFormat::Ocsf)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |account: &str, region: &str| {
        let cloud = |finding: &&Value| {
            finding["cloud"]["account"]["uid"] == account && finding["cloud"]["region"] == region
        };
        let finding = lines.iter().find(cloud).unwrap();
        (finding["activity_name"].as_str().unwrap(), finding["compliance"]["status"].as_str().unwrap())
    };
    assert_eq!(of("111122223333", "eu-west-1"), ("Close", "Pass"));
    assert_eq!(of("111122223333", "us-east-1"), ("Update", "Fail"));
    assert_eq!(of("555566667777", "eu-west-1"), ("Create", "Unknown"));
    assert_eq!(of("666677778888", "eu-west-1"), ("Close", "Unknown"));
}
