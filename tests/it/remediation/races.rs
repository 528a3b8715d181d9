//! An owner asks while the document is being put right.

use session_kms::change_event::ChangeSource;
use session_kms::intent::{Intent, Mode, OnDelete};

use super::{FIRST, LibraryFixture, OTHER, encrypted};
use crate::model::line::{Fate, Side};
use crate::model::rival::{Deed, event_of};
use crate::model::run::{Ask, Came, Run, both};
use crate::model::world::Write;

/// More turns than the two runs take together.
const TURNS: usize = 40;
/// More calls than a repair makes.
const CALLS: usize = 14;

/// A document that has drifted, being put right for as many turns; then the other run goes from its beginning to its
/// end, and the repair goes on, to its end or until it is cut.
fn overtaken(
    turns: usize,
    cut: Option<(usize, Side)>,
    on_delete: OnDelete,
    other: &Run,
) -> (LibraryFixture, [Option<Came>; 2]) {
    let mut order = vec![true; turns];
    order.resize(TURNS * 4, false);
    in_turns(&order, cut, on_delete, other)
}

/// The same, with the turns in this order, and one after the other from its end on.
fn in_turns(
    order: &[bool],
    cut: Option<(usize, Side)>,
    on_delete: OnDelete,
    other: &Run,
) -> (LibraryFixture, [Option<Came>; 2]) {
    let room = LibraryFixture::of(&Intent { on_delete, ..encrypted(FIRST) });
    room.others(Deed::Overwrite { promotes: true });
    let repair = Run::Remediate(event_of(ChangeSource::RecordChange));
    let runs = [(101, &repair, Fate { cut, fault: None }), (102, other, Fate::default())];
    let came = both(&room.world, runs, order, (usize::MAX, || ())).expect("both end");
    (room, came)
}

fn each(mut with: impl FnMut(usize, Option<(usize, Side)>)) {
    for turns in 0..TURNS {
        with(turns, None);
        for call in 1..CALLS {
            with(turns, Some((call, Side::Before)));
            with(turns, Some((call, Side::After)));
        }
    }
}

#[test]
fn an_update_that_was_answered_is_never_rolled_back_by_a_repair() {
    let update = Ask {
        owner: 0,
        key: Some(1),
        trouble: crate::model::run::Trouble::Alert,
        mode: Mode::Off,
        on_delete: OnDelete::Restore,
        takes_over: false,
    };
    each(|turns, cut| {
        let update = Run::Establish(update.clone());
        let (room, [_, came]) = overtaken(turns, cut, OnDelete::Restore, &update);
        let Some(Came::Established(answer)) = came else { panic!("an answer") };
        answer.expect("nothing is in the way");
        assert_eq!(room.record().wanted, OTHER.into(), "{turns} turns, {cut:?}");
        room.scheduled();
        room.assert_carries(OTHER);
    });
}

#[test]
fn a_repair_that_a_delete_overtakes_takes_no_key_off_that_is_to_stay() {
    let delete = Run::Release { owner: 0, on_delete: Some(OnDelete::Retain) };
    each(|turns, cut| {
        let (room, [repaired, came]) = overtaken(turns, cut, OnDelete::Retain, &delete);
        let Some(Came::Released(answer)) = came else { panic!("an answer") };
        answer.expect("nothing is in the way");
        let world = room.world.borrow();
        let cleared = world.log.iter().filter(|entry| match &entry.write {
            Write::Create { key } | Write::Update { key } | Write::Promote { key } => key.is_empty(),
            Write::DeleteVersion(_) | Write::Record | Write::DeleteRecord => false,
        });
        assert_eq!(cleared.count(), 0, "{turns} turns, {cut:?}: {:?}", world.log);
        if let Some(Came::Remediated(Ok(kept))) = repaired {
            assert_eq!(kept.alerts, Vec::<String>::new(), "{turns} turns");
        }
    });
}

/// The record that a repair writes is news by itself, and so is each of its calls where they are not told apart. What
/// the second run waits is as long as several calls of the first.
#[test]
fn two_runs_that_put_the_same_right_count_one_repair() {
    for source in [ChangeSource::RecordChange, ChangeSource::Schedule] {
        for turns in 0..TURNS {
            let other = Run::Remediate(event_of(source));
            let after = [true, true, true, false].into_iter().cycle().take(TURNS * 16);
            let order: Vec<_> = std::iter::repeat_n(true, turns).chain(after).collect();
            let (room, [_, came]) = in_turns(&order, None, OnDelete::Restore, &other);
            let Some(Came::Remediated(kept)) = came else { panic!("an answer") };
            kept.expect("AWS answers");
            room.assert_carries(FIRST);
            assert_eq!(room.record().remediation.repairs.len(), 1, "{turns} turns, {source:?}");
        }
    }
}

#[test]
fn a_delete_that_was_answered_leaves_no_record_behind() {
    let delete = Run::Release { owner: 0, on_delete: None };
    each(|turns, cut| {
        let (room, [_, came]) = overtaken(turns, cut, OnDelete::Restore, &delete);
        let Some(Came::Released(answer)) = came else { panic!("an answer") };
        answer.expect("nothing is in the way");
        room.scheduled();
        assert_eq!(room.writes(), [], "{turns} turns, {cut:?}");
        if cut.is_none() {
            assert_eq!(room.keys(), ["", ""], "{turns} turns: what was there before");
            assert!(room.world.borrow().parameter.is_none(), "{turns} turns");
        }
        room.assert_settings_kept();
    });
}
