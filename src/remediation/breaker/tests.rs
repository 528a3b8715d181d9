use super::*;
use crate::change_event::{Actor, Scope};

const LIMIT: usize = 3;
const START: u64 = 1_800_000_000;

fn event(source: ChangeSource, actor: Option<&str>) -> ChangeEvent {
    let actor = actor.map(|principal| Actor { principal: principal.to_owned(), user_agent: None });
    ChangeEvent { source, what: "test".to_owned(), scope: Scope::Everything, actor, at: None, detail: None }
}

fn at(version: u64) -> Versions {
    Versions { latest: version, default: version }
}

fn rival() -> ChangeEvent {
    event(ChangeSource::DocumentCall, Some("rival"))
}

fn schedule() -> ChangeEvent {
    event(ChangeSource::Schedule, None)
}

/// The watch after so many repairs, a minute apart.
fn worn(repairs: usize) -> RemediationState {
    let mut state = RemediationState::default();
    for repair in 0..repairs as u64 {
        state = match decide_breaker(
            &state,
            &rival(),
            START + 60 * repair,
            LIMIT,
            at(repair),
            RepairKind::SameKey,
        ) {
            BreakerDecision::Proceed(state) => state,
            stay @ BreakerDecision::Leave { .. } => panic!("{stay:?}"),
        };
    }
    state
}

fn open() -> RemediationState {
    match decide_breaker(&worn(LIMIT), &rival(), START + 600, LIMIT, at(9), RepairKind::SameKey) {
        BreakerDecision::Leave { state, opened: true } => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn repairs_are_counted_up_to_the_limit_and_then_the_breaker_opens_and_names_the_other() {
    assert_eq!(worn(LIMIT).repairs.len(), LIMIT);
    let state = open();
    assert_eq!(state.actor, rival().actor);
    let breaker = state.breaker.unwrap();
    assert_eq!((breaker.opened, breaker.seen, breaker.versions), (START + 600, START + 600, at(9)));
}

#[test]
fn repairs_of_more_than_an_hour_ago_do_not_count() {
    let BreakerDecision::Proceed(state) =
        decide_breaker(&worn(LIMIT), &rival(), START + HOUR, LIMIT, at(9), RepairKind::SameKey)
    else {
        panic!("the first repair is an hour old");
    };
    assert_eq!(state.repairs, [START + 60, START + 120, START + HOUR]);
}

#[test]
fn where_nothing_is_written_nothing_is_counted() {
    assert_eq!(
        decide_breaker(&worn(LIMIT), &rival(), START, LIMIT, at(9), RepairKind::None),
        BreakerDecision::Proceed(worn(LIMIT))
    );
}

#[test]
fn a_repair_that_aws_refused_counts_once_whatever_the_limit() {
    let refused = RemediationState { refused: true, ..worn(LIMIT) };
    let again = decide_breaker(&refused, &schedule(), START + 200, LIMIT, at(9), RepairKind::SameKey);
    assert_eq!(again, BreakerDecision::Proceed(refused.clone()));
    let settled = decide_breaker(&refused, &schedule(), START + 200, LIMIT, at(9), RepairKind::None);
    assert_eq!(settled, BreakerDecision::Proceed(worn(LIMIT)), "somebody else put it right");
}

#[test]
fn who_touched_a_key_is_named_where_that_is_what_the_document_is_written_for() {
    let admin = event(ChangeSource::KeyCall, Some("admin"));
    for (repair, by) in [(RepairKind::OtherKey, "admin"), (RepairKind::SameKey, "rival")] {
        let BreakerDecision::Proceed(state) = decide_breaker(&worn(1), &admin, START, LIMIT, at(9), repair)
        else {
            panic!("it goes on")
        };
        assert_eq!(state.actor.unwrap().principal, by, "{repair:?}");
    }
}

#[test]
fn who_changed_the_document_is_remembered_though_the_event_comes_after_the_repair() {
    let clocked =
        decide_breaker(&RemediationState::default(), &schedule(), START, LIMIT, at(1), RepairKind::SameKey);
    let BreakerDecision::Proceed(repaired) = clocked else { panic!("it goes on") };
    assert_eq!(repaired.actor, None);
    let late = decide_breaker(&repaired, &rival(), START + 60, LIMIT, at(2), RepairKind::None);
    assert_eq!(late, BreakerDecision::Proceed(RemediationState { actor: rival().actor, ..repaired }));
    let idle = decide_breaker(&RemediationState::default(), &rival(), START, LIMIT, at(2), RepairKind::None);
    assert_eq!(
        idle,
        BreakerDecision::Proceed(RemediationState::default()),
        "nothing was repaired, and nobody is to be named"
    );
}

#[test]
fn only_the_schedule_closes_it_and_only_after_a_quiet_hour() {
    let later = START + 600 + HOUR;
    for (event, now) in [
        (schedule(), later - 1),
        (event(ChangeSource::KeyCall, Some("admin")), later),
        (event(ChangeSource::RecordChange, None), later),
    ] {
        let stays = BreakerDecision::Leave { state: open(), opened: false };
        assert_eq!(
            decide_breaker(&open(), &event, now, LIMIT, at(9), RepairKind::SameKey),
            stays,
            "{event:?} at {now}"
        );
    }
    let BreakerDecision::Proceed(state) =
        decide_breaker(&open(), &schedule(), later, LIMIT, at(9), RepairKind::SameKey)
    else {
        panic!("it was quiet");
    };
    assert_eq!(state, RemediationState { repairs: vec![later], ..RemediationState::default() });
}

#[test]
fn a_change_that_no_event_told_of_is_no_quiet() {
    let later = START + 600 + HOUR;
    let BreakerDecision::Leave { state, .. } =
        decide_breaker(&open(), &schedule(), later, LIMIT, at(10), RepairKind::SameKey)
    else {
        panic!("the version has changed");
    };
    let breaker = state.breaker.clone().unwrap();
    assert_eq!((breaker.opened, breaker.seen, breaker.versions), (START + 600, later, at(10)));
    assert!(matches!(
        decide_breaker(&state, &schedule(), later + HOUR, LIMIT, at(10), RepairKind::SameKey),
        BreakerDecision::Proceed(_)
    ));
}

#[test]
fn a_rival_who_put_it_right_is_a_rival_still() {
    let BreakerDecision::Leave { state, opened: false } =
        decide_breaker(&open(), &rival(), START + 700, LIMIT, at(9), RepairKind::None)
    else {
        panic!("it is open");
    };
    assert_eq!(state.breaker.unwrap().seen, START + 700);
}
