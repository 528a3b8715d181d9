//! What may happen, one thing after the other, and how it is drawn.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::{Mode, OnDelete};

use super::line::{Fate, Fault, Side};
use super::rival::{Deed, call_event, deeds, event_of, key_states};
use super::run::{Ask, Trouble};
use super::world::Duplicates;

/// The world that a sequence begins in.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub duplicates: Duplicates,
    pub pending: u32,
    pub most_versions: usize,
    pub has_document: bool,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// Others do something, and the notice of it comes.
    Deed(Deed, Delivery),
    /// One run.
    Run(What, Fate),
    /// Two runs at the same time, and perhaps something that others do meanwhile.
    Both([(What, Fate); 2], Vec<bool>, Option<(usize, Deed)>),
    /// Time passes, in minutes.
    Pass(u64),
    /// AWS will not take up the next version that is written.
    FailNext,
    /// Somebody deletes the record, or puts back one of its versions.
    Meddle(Option<usize>),
    /// From now on somebody writes the document whenever it is written, or leaves it alone again.
    Answer(bool),
}

/// When a notice comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Now,
    Later,
    Twice,
    Never,
}

/// What a run is about.
#[derive(Clone, Debug)]
pub enum What {
    Schedule,
    /// One of the notices that have not come yet.
    Late(usize),
    RecordChange,
    Ask(Ask),
    /// The last request once more.
    AskAgain,
    Release {
        owner: usize,
        on_delete: Option<OnDelete>,
    },
}

pub fn settings() -> impl Strategy<Value = Setting> {
    let duplicates =
        [Duplicates::Latest, Duplicates::Any, Duplicates::LatestByMeaning, Duplicates::AnyByMeaning];
    (select(duplicates.to_vec()), 0..3_u32, select(&[4, 6, 20][..]), any::<bool>()).prop_map(
        |(duplicates, pending, most_versions, has_document)| Setting {
            duplicates,
            pending,
            most_versions,
            has_document,
        },
    )
}

/// The last event that comes.
pub fn lasts() -> impl Strategy<Value = ChangeEvent> {
    let sources = [
        ChangeSource::Schedule,
        ChangeSource::RecordChange,
        ChangeSource::DirectCall,
        ChangeSource::ConfigCompliance,
    ];
    prop_oneof![4 => select(sources.to_vec()).prop_map(event_of), 1 => Just(call_event("UpdateDocument", None))]
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 1..16)
}

/// Little but runs at the same time, one of which may be far ahead of the other, over a document that has drifted.
pub fn races() -> impl Strategy<Value = Vec<Action>> {
    let turns = vec((any::<bool>(), 1..20_usize), 0..12).prop_map(|turns| {
        let turns = turns.into_iter();
        turns.flat_map(|(is_lefts, calls)| std::iter::repeat_n(is_lefts, calls)).collect::<Vec<_>>()
    });
    let fate = || prop_oneof![2 => Just(Fate::default()), 1 => fates()];
    let repair = (Just(What::Schedule), fate());
    let race = (repair, (whats(), fate()), turns)
        .prop_map(|(left, right, order)| Action::Both([left, right], order, None));
    let drift = deeds().prop_map(|deed| Action::Deed(deed, Delivery::Later));
    vec((drift, race).prop_map(|(drift, race)| [drift, race]), 1..4)
        .prop_map(|all| all.into_iter().flatten().collect())
}

/// Little but keys that fail and work again, and what follows from it.
pub fn failing_keys() -> impl Strategy<Value = Vec<Action>> {
    let late = (0..8_usize).prop_map(What::Late);
    let whats = || prop_oneof![2 => Just(What::Schedule), 1 => late.clone()];
    vec(
        prop_oneof![
            8 => (key_states(), deliveries()).prop_map(|(deed, delivery)| Action::Deed(deed, delivery)),
            2 => (deeds(), deliveries()).prop_map(|(deed, delivery)| Action::Deed(deed, delivery)),
            3 => (whats(), fates()).prop_map(|(what, fate)| Action::Run(what, fate)),
            1 => ((whats(), fates()), (whats(), fates()), vec(any::<bool>(), 0..60))
                .prop_map(|(left, right, order)| Action::Both([left, right], order, None)),
            2 => (1..90_u64).prop_map(Action::Pass),
        ],
        4..16,
    )
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    select(&[Delivery::Now, Delivery::Later, Delivery::Twice, Delivery::Never][..])
}

fn action() -> impl Strategy<Value = Action> {
    let order = || vec(any::<bool>(), 0..60);
    let midst = option::weighted(0.4, (0..60_usize, deeds()));
    prop_oneof![
        8 => (deeds(), deliveries()).prop_map(|(deed, delivery)| Action::Deed(deed, delivery)),
        9 => (whats(), fates()).prop_map(|(what, fate)| Action::Run(what, fate)),
        4 => ((whats(), fates()), (whats(), fates()), order(), midst)
            .prop_map(|(left, right, order, midst)| Action::Both([left, right], order, midst)),
        3 => (1..90_u64).prop_map(Action::Pass),
        1 => Just(Action::FailNext),
        1 => option::of(0..12_usize).prop_map(Action::Meddle),
        1 => any::<bool>().prop_map(Action::Answer),
    ]
}

fn whats() -> impl Strategy<Value = What> {
    prop_oneof![
        3 => Just(What::Schedule),
        5 => (0..8_usize).prop_map(What::Late),
        1 => Just(What::RecordChange),
        6 => asks().prop_map(What::Ask),
        1 => Just(What::AskAgain),
        1 => (owners(), option::of(on_delete())).prop_map(|(owner, on_delete)| What::Release { owner, on_delete }),
    ]
}

/// Requests of one stack as a rule, and now and then of another.
fn owners() -> impl Strategy<Value = usize> {
    prop_oneof![9 => Just(0), 1 => Just(1)]
}

fn on_delete() -> impl Strategy<Value = OnDelete> {
    select(&[OnDelete::Restore, OnDelete::Clear, OnDelete::Retain][..])
}

pub fn asks() -> impl Strategy<Value = Ask> {
    let trouble = select(&[Trouble::Alert, Trouble::Standby(2), Trouble::Standby(1), Trouble::Clear][..]);
    let mode = select(&[Mode::Off, Mode::Off, Mode::Enforce, Mode::Strict, Mode::Warn][..]);
    let key = prop_oneof![1 => Just(None), 7 => (0..2_usize).prop_map(Some)];
    (owners(), key, trouble, mode, on_delete(), any::<bool>()).prop_map(
        |(owner, key, trouble, mode, on_delete, takes_over)| Ask {
            owner,
            key,
            trouble,
            mode,
            on_delete,
            takes_over,
        },
    )
}

fn fates() -> impl Strategy<Value = Fate> {
    let side = || select(&[Side::Before, Side::After][..]);
    let fault = prop_oneof![Just(Fault::Throttled), side().prop_map(Fault::Silent)];
    prop_oneof![
        5 => Just(Fate::default()),
        3 => (1..26_usize, side()).prop_map(|cut| Fate { cut: Some(cut), fault: None }),
        2 => (1..26_usize, fault).prop_map(|fault| Fate { cut: None, fault: Some(fault) }),
    ]
}
