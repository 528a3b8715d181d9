//! What an audit keeps of its lines: the later one of a place, bounded findings, and since when a state is so.

use session_kms::audit::{Audit, AuditReport, AuditState, Changes, Rating, Unreadable, UnreadableReason};
use session_kms::audit::{AuditLine, AuditSummary};
use session_kms::preflight::{Check, Verdict};

use super::samples::{encrypted, finding, lines, maker, place, previous, unencrypted};

const FIRST: &str = "2026-03-01T12:00:00Z";
const SECOND: &str = "2026-03-02T12:00:00Z";
const THIRD: &str = "2026-03-03T12:00:00Z";

fn here() -> session_kms::audit::AuditedPlace {
    place("111122223333", "eu-west-1")
}

fn unreadable(at: &str) -> AuditLine {
    let unreadable = Unreadable { reason: UnreadableReason::Throttled, message: "It throttled.".to_owned() };
    AuditLine::unreadable(here(), at.to_owned(), unreadable)
}

#[test]
fn the_later_line_of_a_place_stays() {
    for (lines, wanted) in [
        ([unreadable(FIRST), encrypted(here(), SECOND)], AuditState::Encrypted),
        ([encrypted(here(), SECOND), unreadable(FIRST)], AuditState::Encrypted),
        ([encrypted(here(), FIRST), unreadable(SECOND)], AuditState::Unreadable),
        ([encrypted(here(), FIRST), unencrypted(here(), SECOND)], AuditState::Unencrypted),
        // Of two with the same time the one that was read, or else the last.
        ([encrypted(here(), FIRST), unreadable(FIRST)], AuditState::Encrypted),
        ([unreadable(FIRST), encrypted(here(), FIRST)], AuditState::Encrypted),
        ([encrypted(here(), FIRST), unencrypted(here(), FIRST)], AuditState::Unencrypted),
    ] {
        let audit: Audit = lines.into_iter().collect();
        assert_eq!(audit.len(), 1);
        assert_eq!(audit.line("111122223333", "eu-west-1").unwrap().state, wanted);
    }
}

#[test]
fn findings_that_would_not_fit_are_counted() {
    let mut audit = Audit::default();
    for number in 0..160 {
        let mut line = unencrypted(place(&format!("{number:012}"), "eu-west-1"), FIRST);
        let evidence = "é".repeat(1 << 18);
        line.findings = (0..4).map(|_| finding(Check::Users, Verdict::Fail, "subject", &evidence)).collect();
        audit.fold(line);
    }
    let first = audit.lines().next().unwrap();
    assert_eq!((first.findings.len(), first.findings_left_out), (4, 0));
    let last = audit.lines().last().unwrap();
    assert_eq!((last.findings.len(), last.findings_left_out), (2, 2));
    assert!(last.findings[0].evidence.len() < 400 && last.findings[0].evidence.ends_with('…'));
    let kept: usize =
        audit.lines().flat_map(|line| &line.findings).map(|finding| finding.evidence.len()).sum();
    assert!(kept < 100 << 20, "{kept} bytes");
}

#[test]
fn a_state_is_so_since_the_audit_that_found_it_first() {
    let since = |state: AuditLine, before: Option<&AuditSummary>| {
        let audit: Audit = [state].into_iter().collect();
        let summary = audit.summary(THIRD, before);
        (summary.places[0].since.clone(), summary)
    };
    let (first, summary) = since(unencrypted(here(), FIRST), None);
    assert_eq!(first, FIRST);
    let (still, summary) = since(unencrypted(here(), SECOND), Some(&summary));
    assert_eq!(still, FIRST);
    let (changed, summary) = since(encrypted(here(), SECOND), Some(&summary));
    assert_eq!(changed, SECOND);
    let (unread, _) = since(AuditLine { audited_at: String::new(), ..unreadable("") }, Some(&summary));
    assert_eq!(unread, THIRD, "a line without a time is as old as its report");
}

#[test]
fn states_are_rated() {
    let counted = |rating| {
        AuditReport::new(lines().into_iter().collect(), None, THIRD.to_owned(), maker())
            .totals()
            .rated(rating)
    };
    assert_eq!(Rating::ALL.map(counted), [5, 5, 1, 1]);
    for state in AuditState::ALL {
        assert_eq!(Rating::of(state, None) == Rating::Passes, state == AuditState::Encrypted, "{state}");
    }
    let not_enabled = Rating::of(AuditState::Unreadable, Some(UnreadableReason::RegionNotEnabled));
    assert_eq!(not_enabled, Rating::NotEnabled);
}

#[test]
fn each_change_is_found() {
    let audit: Audit = lines().into_iter().collect();
    let changes = Changes::between(&previous(), &audit.summary(SECOND, None));
    let counts = changes.lists().map(|(name, list)| (name, list.len()));
    let wanted = [
        ("newlyUnencrypted", 2),
        ("newlyLockedOut", 2),
        ("newlyFailing", 4),
        ("recovered", 1),
        ("newlyUnreadable", 4),
        ("otherKey", 1),
        ("gone", 1),
        ("new", 3),
    ];
    assert_eq!(counts, wanted);
    let drifted = &changes.newly_unencrypted[0];
    assert_eq!((drifted.before, drifted.after), (Some(AuditState::Encrypted), Some(AuditState::Drifted)));
    assert_eq!(changes.newly_locked_out[0].principals[0].principal, "arn:aws:iam::111122223333:role/OnCall");
}
