//! An owner asks while the document is being put right.

use session_kms::intent::{Mode, OnDelete};
use session_kms::notice::Source;

use super::{FIRST, OTHER, Room, encrypted};
use crate::model::line::{Fate, Side};
use crate::model::rival::{Deed, hint};
use crate::model::run::{Ask, Came, Run, both};

/// More turns than the two runs take together.
const TURNS: usize = 40;
/// More calls than a repair makes.
const CALLS: usize = 14;

/// A document that has drifted, being put right for as many turns; then the other run goes from its beginning to its
/// end, and the repair goes on, to its end or until it is cut.
fn overtaken(turns: usize, cut: Option<(usize, Side)>, other: &Run) -> (Room, Option<Came>) {
    let room = Room::of(&encrypted(FIRST));
    room.others(Deed::Overwrite { promotes: true });
    let mut order = vec![true; turns];
    order.resize(TURNS * 4, false);
    let repair = Run::Keep(hint(Source::RecordChange));
    let runs = [(101, &repair, Fate { cut, fault: None }), (102, other, Fate::default())];
    let [_, came] = both(&room.world, runs, &order, (usize::MAX, || ())).expect("both end");
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
        let (room, came) = overtaken(turns, cut, &Run::Establish(update.clone()));
        let Some(Came::Established(answer)) = came else { panic!("an answer") };
        answer.expect("nothing is in the way");
        assert_eq!(room.record().wanted, OTHER, "{turns} turns, {cut:?}");
        room.scheduled();
        room.assert_carries(OTHER);
    });
}

#[test]
fn a_delete_that_was_answered_leaves_no_record_behind() {
    let delete = Run::Release { owner: 0, on_delete: None };
    each(|turns, cut| {
        let (room, came) = overtaken(turns, cut, &delete);
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
