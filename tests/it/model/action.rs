//! The actions of a sequence, and the strategies that draw them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::{OnDelete, PreflightMode};

use super::in_memory_aws::DuplicateRule;
use super::outside_change::{OutsideChange, call_event, event_of, key_state_changes, outside_changes};
use super::ports::{CallFault, FaultPlan, Moment};
use super::run::{OwnerRequest, TroubleResponse};

/// What AWS is like when a sequence begins.
#[derive(Clone, Copy, Debug)]
pub struct InitialState {
    pub duplicates: DuplicateRule,
    pub pending: u32,
    pub most_versions: usize,
    pub has_document: bool,
}

/// One step of a sequence.
#[derive(Clone, Debug)]
pub enum Action {
    /// Others change something, and the change event is delivered.
    OutsideChange(OutsideChange, Delivery),
    /// One run.
    Run(Trigger, FaultPlan),
    /// Two runs at the same time. Perhaps others change something after that many turns.
    TwoRuns([(Trigger, FaultPlan); 2], Vec<bool>, Option<(usize, OutsideChange)>),
    /// Time passes, in minutes.
    TimePasses(u64),
    /// AWS gives the next version that is written the status Failed.
    FailNext,
    /// Somebody deletes the record, or restores one of its versions.
    TamperWithRecord(Option<usize>),
    /// Somebody starts, or stops, to overwrite the document whenever a run writes it.
    RivalOverwrites(bool),
}

/// When a change event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Now,
    Later,
    Twice,
    Never,
}

/// What starts a run.
#[derive(Clone, Debug)]
pub enum Trigger {
    Schedule,
    /// One of the change events that were not delivered yet.
    DelayedEvent(usize),
    RecordChange,
    OwnerRequest(OwnerRequest),
    /// The last request is delivered once more.
    RepeatedRequest,
    Release {
        owner: usize,
        on_delete: Option<OnDelete>,
    },
}

pub fn initial_states() -> impl Strategy<Value = InitialState> {
    let duplicates = [
        DuplicateRule::Latest,
        DuplicateRule::Any,
        DuplicateRule::LatestByMeaning,
        DuplicateRule::AnyByMeaning,
    ];
    (select(duplicates.to_vec()), 0..3_u32, select(&[4, 6, 20][..]), any::<bool>()).prop_map(
        |(duplicates, pending, most_versions, has_document)| InitialState {
            duplicates,
            pending,
            most_versions,
            has_document,
        },
    )
}

/// The last event of a sequence.
pub fn last_events() -> impl Strategy<Value = ChangeEvent> {
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

/// Mostly concurrent runs on a document that has drifted. One run may be far ahead of the other.
pub fn races() -> impl Strategy<Value = Vec<Action>> {
    let turns = vec((any::<bool>(), 1..20_usize), 0..12).prop_map(|turns| {
        let turns = turns.into_iter();
        turns.flat_map(|(is_lefts, calls)| std::iter::repeat_n(is_lefts, calls)).collect::<Vec<_>>()
    });
    let faults = || prop_oneof![2 => Just(FaultPlan::default()), 1 => fault_plans()];
    let repair = (Just(Trigger::Schedule), faults());
    let race = (repair, (triggers(), faults()), turns)
        .prop_map(|(left, right, order)| Action::TwoRuns([left, right], order, None));
    let drift = outside_changes().prop_map(|change| Action::OutsideChange(change, Delivery::Later));
    vec((drift, race).prop_map(|(drift, race)| [drift, race]), 1..4)
        .prop_map(|all| all.into_iter().flatten().collect())
}

/// Mostly keys that become unusable and usable again, and the runs that follow.
pub fn failing_keys() -> impl Strategy<Value = Vec<Action>> {
    let delayed_events = (0..8_usize).prop_map(Trigger::DelayedEvent);
    let triggers = || prop_oneof![2 => Just(Trigger::Schedule), 1 => delayed_events.clone()];
    vec(
        prop_oneof![
            8 => (key_state_changes(), deliveries()).prop_map(|(change, delivery)| Action::OutsideChange(change, delivery)),
            2 => (outside_changes(), deliveries()).prop_map(|(change, delivery)| Action::OutsideChange(change, delivery)),
            3 => (triggers(), fault_plans()).prop_map(|(trigger, faults)| Action::Run(trigger, faults)),
            1 => ((triggers(), fault_plans()), (triggers(), fault_plans()), vec(any::<bool>(), 0..60))
                .prop_map(|(left, right, order)| Action::TwoRuns([left, right], order, None)),
            2 => (1..90_u64).prop_map(Action::TimePasses),
        ],
        4..16,
    )
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    select(&[Delivery::Now, Delivery::Later, Delivery::Twice, Delivery::Never][..])
}

fn action() -> impl Strategy<Value = Action> {
    let order = || vec(any::<bool>(), 0..60);
    let interference = option::weighted(0.4, (0..60_usize, outside_changes()));
    prop_oneof![
        8 => (outside_changes(), deliveries()).prop_map(|(change, delivery)| Action::OutsideChange(change, delivery)),
        9 => (triggers(), fault_plans()).prop_map(|(trigger, faults)| Action::Run(trigger, faults)),
        4 => ((triggers(), fault_plans()), (triggers(), fault_plans()), order(), interference)
            .prop_map(|(left, right, order, interference)| Action::TwoRuns([left, right], order, interference)),
        3 => (1..90_u64).prop_map(Action::TimePasses),
        1 => Just(Action::FailNext),
        1 => option::of(0..12_usize).prop_map(Action::TamperWithRecord),
        1 => any::<bool>().prop_map(Action::RivalOverwrites),
    ]
}

fn triggers() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        3 => Just(Trigger::Schedule),
        5 => (0..8_usize).prop_map(Trigger::DelayedEvent),
        1 => Just(Trigger::RecordChange),
        6 => owner_requests().prop_map(Trigger::OwnerRequest),
        1 => Just(Trigger::RepeatedRequest),
        1 => (owners(), option::of(on_delete())).prop_map(|(owner, on_delete)| Trigger::Release { owner, on_delete }),
    ]
}

/// Mostly one stack, and now and then another.
fn owners() -> impl Strategy<Value = usize> {
    prop_oneof![9 => Just(0), 1 => Just(1)]
}

fn on_delete() -> impl Strategy<Value = OnDelete> {
    select(&[OnDelete::Restore, OnDelete::Clear, OnDelete::Retain][..])
}

pub fn owner_requests() -> impl Strategy<Value = OwnerRequest> {
    let on_key_trouble = select(
        &[
            TroubleResponse::Alert,
            TroubleResponse::Standby(2),
            TroubleResponse::Standby(1),
            TroubleResponse::Clear,
        ][..],
    );
    let mode = select(
        &[
            PreflightMode::Off,
            PreflightMode::Off,
            PreflightMode::Enforce,
            PreflightMode::Strict,
            PreflightMode::Warn,
        ][..],
    );
    let key = prop_oneof![1 => Just(None), 7 => (0..2_usize).prop_map(Some)];
    (owners(), key, on_key_trouble, mode, on_delete(), any::<bool>()).prop_map(
        |(owner, key, on_key_trouble, mode, on_delete, takes_over)| OwnerRequest {
            owner,
            key,
            on_key_trouble,
            mode,
            on_delete,
            takes_over,
        },
    )
}

fn fault_plans() -> impl Strategy<Value = FaultPlan> {
    let moment = || select(&[Moment::Before, Moment::After][..]);
    let fault = prop_oneof![Just(CallFault::Throttled), moment().prop_map(CallFault::Silent)];
    prop_oneof![
        5 => Just(FaultPlan::default()),
        3 => (1..26_usize, moment()).prop_map(|cut| FaultPlan { cut: Some(cut), fault: None }),
        2 => (1..26_usize, fault).prop_map(|fault| FaultPlan { cut: None, fault: Some(fault) }),
    ]
}
