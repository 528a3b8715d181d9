//! An owner sends a request while a repair runs.

use session_kms::change_event::ChangeSource;
use session_kms::intent::{Intent, OnDelete, PreflightMode};

use super::{FIRST, LibraryFixture, OTHER, encrypted};
use crate::model::in_memory_aws::Write;
use crate::model::outside_change::{OutsideChange, event_of};
use crate::model::ports::{FaultPlan, Moment};
use crate::model::run::{OwnerRequest, Run, RunResult, both};

/// More turns than the two runs take together.
const TURNS: usize = 40;
/// More calls than a repair makes.
const CALLS: usize = 14;

/// Repairs a drifted document for as many turns. Then the other run goes from its beginning to its end, and the repair
/// goes on to its end, or until it is cut off.
fn overtaken(
    turns: usize,
    cut: Option<(usize, Moment)>,
    on_delete: OnDelete,
    other: &Run,
) -> (LibraryFixture, [Option<RunResult>; 2]) {
    let mut order = vec![true; turns];
    order.resize(TURNS * 4, false);
    in_turns(&order, cut, on_delete, other)
}

/// The same with the turns in this order. After its end the runs alternate.
fn in_turns(
    order: &[bool],
    cut: Option<(usize, Moment)>,
    on_delete: OnDelete,
    other: &Run,
) -> (LibraryFixture, [Option<RunResult>; 2]) {
    let fixture = LibraryFixture::of(&Intent { on_delete, ..encrypted(FIRST) });
    fixture.change(OutsideChange::Overwrite { promotes: true });
    let repair = Run::Remediate(event_of(ChangeSource::RecordChange));
    let runs = [(101, &repair, FaultPlan { cut, fault: None }), (102, other, FaultPlan::default())];
    let result = both(&fixture.aws, runs, order, (usize::MAX, || ())).expect("both end");
    (fixture, result)
}

fn each_point(mut with: impl FnMut(usize, Option<(usize, Moment)>)) {
    for turns in 0..TURNS {
        with(turns, None);
        for call in 1..CALLS {
            with(turns, Some((call, Moment::Before)));
            with(turns, Some((call, Moment::After)));
        }
    }
}

#[test]
fn an_update_that_was_answered_is_never_rolled_back_by_a_repair() {
    let update = OwnerRequest {
        owner: 0,
        key: Some(1),
        on_key_trouble: crate::model::run::TroubleResponse::Alert,
        mode: PreflightMode::Off,
        on_delete: OnDelete::Restore,
        takes_over: false,
    };
    each_point(|turns, cut| {
        let update = Run::Establish(update.clone());
        let (fixture, [_, result]) = overtaken(turns, cut, OnDelete::Restore, &update);
        let Some(RunResult::Established(answer)) = result else { panic!("an answer") };
        answer.expect("nothing is in the way");
        assert_eq!(fixture.record().wanted, OTHER.into(), "{turns} turns, {cut:?}");
        fixture.remediate_on_schedule();
        fixture.assert_carries(OTHER);
    });
}

#[test]
fn a_repair_that_a_delete_overtakes_does_not_remove_a_key_that_must_stay() {
    let delete = Run::Release { owner: 0, on_delete: Some(OnDelete::Retain) };
    each_point(|turns, cut| {
        let (fixture, [repaired, result]) = overtaken(turns, cut, OnDelete::Retain, &delete);
        let Some(RunResult::Released(answer)) = result else { panic!("an answer") };
        answer.expect("nothing is in the way");
        let aws = fixture.aws.borrow();
        let cleared = aws.log.iter().filter(|entry| match &entry.write {
            Write::Create { key } | Write::Update { key } | Write::Promote { key } => key.is_empty(),
            Write::DeleteVersion(_) | Write::Record | Write::DeleteRecord => false,
        });
        assert_eq!(cleared.count(), 0, "{turns} turns, {cut:?}: {:?}", aws.log);
        if let Some(RunResult::Remediated(Ok(remediation))) = repaired {
            assert_eq!(remediation.alerts, Vec::<String>::new(), "{turns} turns");
        }
    });
}

/// A repair writes the record and the document, and both can start another run while the repair goes on. The second run
/// pauses for as long as several calls of the first.
#[test]
fn two_runs_that_repair_the_same_drift_count_one_repair() {
    for source in [ChangeSource::RecordChange, ChangeSource::Schedule] {
        for turns in 0..TURNS {
            let other = Run::Remediate(event_of(source));
            let after = [true, true, true, false].into_iter().cycle().take(TURNS * 16);
            let order: Vec<_> = std::iter::repeat_n(true, turns).chain(after).collect();
            let (fixture, [_, result]) = in_turns(&order, None, OnDelete::Restore, &other);
            let Some(RunResult::Remediated(remediation)) = result else { panic!("an answer") };
            remediation.expect("AWS answers");
            fixture.assert_carries(FIRST);
            assert_eq!(fixture.record().remediation.repairs.len(), 1, "{turns} turns, {source:?}");
        }
    }
}

#[test]
fn a_delete_that_was_answered_leaves_no_record_behind() {
    let delete = Run::Release { owner: 0, on_delete: None };
    each_point(|turns, cut| {
        let (fixture, [_, result]) = overtaken(turns, cut, OnDelete::Restore, &delete);
        let Some(RunResult::Released(answer)) = result else { panic!("an answer") };
        answer.expect("nothing is in the way");
        fixture.remediate_on_schedule();
        assert_eq!(fixture.writes(), [], "{turns} turns, {cut:?}");
        if cut.is_none() {
            assert_eq!(fixture.keys(), ["", ""], "{turns} turns: what was there before");
            assert!(fixture.aws.borrow().parameter.is_none(), "{turns} turns");
        }
        fixture.assert_settings_kept();
    });
}
