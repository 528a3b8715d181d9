use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::access::CallerKind;
use crate::audit::{
    AuditFinding, AuditState, AuditedDocument, AuditedKey, AuditedPlace, LockedOut, Unreadable,
    UnreadableReason,
};
use crate::preflight::{Check, Verdict};

/// A text that may be very long, and in which every character may take six bytes of JSON.
fn text() -> impl Strategy<Value = String> {
    let unit = prop_oneof![
        Just("a".to_owned()),
        Just("\u{1}".to_owned()),
        Just("\"".to_owned()),
        Just("𝄞".to_owned()),
        Just("a\nb ".to_owned()),
        Just("\u{7f}\u{85}".to_owned()),
    ];
    (vec(unit, 0..4), 0_usize..1_000).prop_map(|(unit, times)| unit.concat().repeat(times))
}

fn finding() -> impl Strategy<Value = AuditFinding> {
    (text(), text(), option::of(text())).prop_map(|(subject, evidence, remedy)| AuditFinding {
        check: Check::KeyPolicy,
        verdict: Verdict::Fail,
        subject,
        evidence,
        remedy,
        side: Some(CallerKind::User),
        exempt: false,
    })
}

fn repeated<T: Clone>(items: &[T], times: usize) -> Vec<T> {
    std::iter::repeat_n(items, times).flatten().cloned().collect()
}

fn line() -> impl Strategy<Value = AuditLine> {
    let head = (text(), text(), option::of(text()), option::of(text()), option::of(text()));
    let lists =
        (vec(text(), 0..40), vec(text(), 0..40), vec(text(), 0..60), vec(finding(), 0..40), 1_usize..6);
    (head, lists).prop_map(|((account, key, other, owner, message), lists)| {
        let (problems, unknown, locked_out, findings, times) = lists;
        let place = AuditedPlace { account, account_name: other.clone(), ..AuditedPlace::default() };
        let audited_at = "2026-03-01T12:00:00Z".to_owned();
        let of_key = |text: &String| AuditedKey {
            kms_key_id: text.clone(),
            arn: Some(text.clone()),
            account: Some(text.clone()),
            is_fit: None,
            problem: Some(text.clone()),
        };
        let unreadable =
            Unreadable { reason: UnreadableReason::Failed, message: message.unwrap_or_default() };
        AuditLine {
            state: AuditState::LockedOut,
            document: Some(AuditedDocument {
                name: key.clone(),
                latest: u64::MAX,
                default: u64::MAX,
                kms_key_id: key.clone(),
                default_kms_key_id: other.clone(),
            }),
            owner: owner.clone(),
            wanted: owner,
            keys: [&key].into_iter().chain(&other).map(of_key).collect(),
            locked_out: locked_out
                .into_iter()
                .map(|principal| LockedOut { principal, side: CallerKind::Node })
                .collect(),
            problems: repeated(&problems, times),
            unknown: repeated(&unknown, times),
            findings: repeated(&findings, times),
            ..AuditLine::unreadable(place, audited_at, unreadable)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_line_is_longer_than_its_bound_and_every_finding_is_listed_or_counted(line in line()) {
        let bounded = bounded(line.clone());
        let json = serde_json::to_string(&bounded).unwrap();
        prop_assert!(json.len() <= LONGEST_LINE, "{} bytes", json.len());
        prop_assert_eq!(bounded.findings.len() + bounded.findings_left_out, line.findings.len());
        prop_assert!(!json.contains("\\n") && !json.contains("\\u"), "control characters");
        prop_assert_eq!(serde_json::from_str::<AuditLine>(&json).unwrap(), bounded);
    }
}

#[test]
fn a_short_line_stays_as_it_is() {
    let unreadable = Unreadable { reason: UnreadableReason::Denied, message: "no  way".to_owned() };
    let mut line = AuditLine::unreadable(AuditedPlace::default(), String::new(), unreadable);
    line.problems.push("one".to_owned());
    line.locked_out.push(LockedOut { principal: "arn:aws:iam::1:role/a".to_owned(), side: CallerKind::User });
    assert_eq!(bounded(line.clone()), line);
}

#[test]
fn what_is_left_out_is_counted() {
    let unreadable = Unreadable { reason: UnreadableReason::Denied, message: String::new() };
    let mut line = AuditLine::unreadable(AuditedPlace::default(), String::new(), unreadable);
    let of = |text: &str, number: usize| format!("{text} {number} {}", "x".repeat(200));
    line.problems = (0..500).map(|number| of("problem", number)).collect();
    line.unknown = (0..500).map(|number| of("unknown", number)).collect();
    line.locked_out =
        (0..1_000).map(|number| LockedOut { principal: of("arn", number), side: CallerKind::User }).collect();
    line.findings = (0..2_000)
        .map(|number| AuditFinding {
            check: Check::Identities,
            verdict: if number < 10 { Verdict::Fail } else { Verdict::Unknown },
            subject: of("arn", number),
            evidence: "seen".to_owned(),
            remedy: None,
            side: None,
            exempt: false,
        })
        .collect();
    let bounded = bounded(line);
    let [first, last] = [bounded.problems.first(), bounded.problems.last()].map(Option::unwrap);
    assert!(first.starts_with("problem 0 "));
    let left_out = 1_000 - bounded.locked_out.len();
    assert_eq!(*last, format!("{left_out} more are locked out than are listed"));
    assert!(bounded.problems.iter().any(|line| line.starts_with("and ") && line.ends_with(" more problems")));
    assert!(bounded.unknown.last().unwrap().ends_with(" more things are not known"));
    assert!(bounded.findings_left_out > 0 && bounded.findings.len() > 100);
    assert!(
        bounded.findings.iter().take(10).all(|finding| finding.verdict == Verdict::Fail),
        "the heaviest stay"
    );
}
