//! What holds for every audit: each place once whatever the order, counts that add up, changes that agree with each other.

use std::collections::BTreeSet;

use proptest::prelude::*;
use session_kms::audit::{
    Audit, AuditFormat, AuditLine, AuditReport, AuditState, AuditSummary, Changes, PlaceChange, Rating,
    Unreadable, UnreadableReason,
};
use session_kms::preflight::{Check, Verdict};

use super::formats::{blocks, parse_csv};
use super::samples::{encrypted, finding, maker, place, unencrypted, written};

fn time(number: usize) -> String {
    format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60)
}

fn a_line(text: String, place_number: usize, state: usize, number: usize) -> AuditLine {
    let at = time(number);
    let mut place = place(
        &format!("{:012}", place_number / 3),
        ["eu-west-1", "us-east-1", "af-south-1"][place_number % 3],
    );
    place.account_name = Some(text.clone());
    let state = AuditState::ALL[state % AuditState::ALL.len()];
    if state == AuditState::Unreadable {
        let reason = [UnreadableReason::RegionNotEnabled, UnreadableReason::Denied][number % 2];
        return AuditLine::unreadable(place, at, Unreadable { reason, message: text });
    }
    let mut line =
        if state == AuditState::Unencrypted { unencrypted(place, &at) } else { encrypted(place, &at) };
    line.state = state;
    line.problems = vec![text.clone()];
    line.findings = vec![finding(Check::Users, Verdict::Fail, &text, &text)];
    line
}

/// Lines of few places, so that some come several times, each at a time of its own, with texts of any signs.
fn some_lines() -> impl Strategy<Value = Vec<AuditLine>> {
    let text =
        prop_oneof![any::<String>(), "[=+@'\",\r\n<>&-]{0,6}", Just("</script><!--\u{2028}".to_owned()),];
    prop::collection::vec((text, 0..24_usize, 0..7_usize), 0..40).prop_map(|lines| {
        let lines = lines.into_iter().enumerate();
        lines.map(|(number, (text, place, state))| a_line(text, place, state, number)).collect()
    })
}

fn summary(lines: &[AuditLine]) -> AuditSummary {
    lines.iter().cloned().collect::<Audit>().summary("2026-03-02T12:00:00Z", None)
}

fn places(changes: &[PlaceChange]) -> BTreeSet<(String, String)> {
    let places: BTreeSet<_> =
        changes.iter().map(|change| (change.account.clone(), change.region.clone())).collect();
    assert_eq!(places.len(), changes.len(), "each place once");
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_place_is_there_once_whatever_the_order(
        lines in some_lines().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        again in any::<bool>(),
    ) {
        let (lines, mut shuffled) = lines;
        if again {
            shuffled.extend(lines.clone());
        }
        let audit: Audit = lines.iter().cloned().collect();
        let other: Audit = shuffled.into_iter().collect();
        let states = |audit: &Audit| -> Vec<_> {
            audit.lines().map(|line| (line.place.account.clone(), line.place.region.clone(), line.audited_at.clone(), line.state)).collect()
        };
        prop_assert_eq!(states(&audit), states(&other));
        let all: BTreeSet<_> = lines.iter().map(|line| (&line.place.account, &line.place.region)).collect();
        prop_assert_eq!(audit.len(), all.len());
        prop_assert!(audit.lines().is_sorted_by_key(|line| (line.place.account.clone(), line.place.region.clone())));
    }

    #[test]
    fn the_counts_add_up(lines in some_lines()) {
        let audit: Audit = lines.into_iter().collect();
        let totals = audit.totals();
        prop_assert_eq!(totals.places, audit.len());
        prop_assert_eq!(totals.ratings.values().sum::<usize>(), totals.places);
        prop_assert_eq!(totals.states.values().sum::<usize>(), totals.places);
        prop_assert_eq!(totals.unreadable.values().sum::<usize>(), totals.in_state(AuditState::Unreadable));
        let of_regions = totals.by_region.values();
        let sum = of_regions.map(|group| group.fails + group.unknown + group.passes + group.not_enabled);
        prop_assert_eq!(sum.sum::<usize>(), totals.places);
        prop_assert_eq!(audit.fails(), totals.rated(Rating::Fails) + totals.rated(Rating::Unknown) > 0);
    }

    #[test]
    fn changes_agree_with_those_in_the_other_direction(before in some_lines(), after in some_lines()) {
        let (before, after) = (summary(&before), summary(&after));
        let (there, back) = (Changes::between(&before, &after), Changes::between(&after, &before));
        prop_assert_eq!(places(&there.new), places(&back.gone));
        prop_assert_eq!(places(&there.gone), places(&back.new));
        prop_assert_eq!(places(&there.other_key), places(&back.other_key));
        prop_assert!(places(&there.recovered).is_subset(&places(&back.newly_failing)));
        prop_assert!(places(&there.recovered).is_disjoint(&places(&there.newly_failing)));
        prop_assert!(places(&there.new).is_disjoint(&places(&there.gone)));
        for list in [&there.newly_unencrypted, &there.newly_locked_out, &there.newly_failing, &there.newly_unreadable] {
            places(list);
        }
        prop_assert!(Changes::between(&before, &before).is_empty());
        let stored = serde_json::to_vec(&before).unwrap();
        prop_assert_eq!(AuditSummary::parse(&stored).unwrap(), before);
    }

    #[test]
    fn every_format_gives_back_every_text(lines in some_lines()) {
        let audit: Audit = lines.into_iter().collect();
        let wanted: Vec<_> = audit.lines().cloned().collect();
        let report = AuditReport::new(audit, None, "2026-03-02T13:00:00Z".to_owned(), maker());
        let rows = parse_csv(&written(&report, AuditFormat::Csv));
        prop_assert_eq!(rows.len(), 1 + wanted.len());
        for (row, line) in rows.iter().skip(1).zip(&wanted) {
            prop_assert_eq!(row.len(), rows[0].len());
            let name = row[1].strip_prefix('\'').unwrap_or(&row[1]);
            prop_assert_eq!(Some(name), line.place.account_name.as_deref());
        }
        let page = written(&report, AuditFormat::Html);
        prop_assert_eq!(page.matches("<script>").count(), 1);
        let blocks = blocks(&page);
        prop_assert_eq!(blocks.len(), 1 + usize::from(!wanted.is_empty()));
        if let Some((_, details)) = blocks.get(1) {
            let details: Vec<AuditLine> = serde_json::from_value(details.clone()).unwrap();
            prop_assert_eq!(&details, &wanted);
        }
        let json: serde_json::Value = serde_json::from_str(&written(&report, AuditFormat::Json)).unwrap();
        let rows: Vec<AuditLine> = serde_json::from_value(json["rows"].clone()).unwrap();
        prop_assert_eq!(rows, wanted);
        for format in [AuditFormat::Asff, AuditFormat::Ocsf] {
            for line in written(&report, format).lines() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
            }
        }
        let text = written(&report, AuditFormat::Text { colour: false });
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
