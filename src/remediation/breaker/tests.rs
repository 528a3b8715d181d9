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
fn worn(repairs: usize) -> Watch {
    let mut watch = Watch::default();
    for repair in 0..repairs as u64 {
        watch = match gate(&watch, &rival(), START + 60 * repair, LIMIT, at(repair), Repair::Back) {
            BreakerDecision::Go(watch) => watch,
            stay @ BreakerDecision::Stay { .. } => panic!("{stay:?}"),
        };
    }
    watch
}

fn open() -> Watch {
    match gate(&worn(LIMIT), &rival(), START + 600, LIMIT, at(9), Repair::Back) {
        BreakerDecision::Stay { watch, opened: true } => watch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn repairs_are_counted_up_to_the_limit_and_then_the_breaker_opens_and_names_the_other() {
    assert_eq!(worn(LIMIT).repairs.len(), LIMIT);
    let watch = open();
    assert_eq!(watch.actor, rival().actor);
    let breaker = watch.breaker.unwrap();
    assert_eq!((breaker.opened, breaker.seen, breaker.versions), (START + 600, START + 600, at(9)));
}

#[test]
fn repairs_of_more_than_an_hour_ago_do_not_count() {
    let BreakerDecision::Go(watch) = gate(&worn(LIMIT), &rival(), START + HOUR, LIMIT, at(9), Repair::Back)
    else {
        panic!("the first repair is an hour old");
    };
    assert_eq!(watch.repairs, [START + 60, START + 120, START + HOUR]);
}

#[test]
fn where_nothing_is_written_nothing_is_counted() {
    assert_eq!(
        gate(&worn(LIMIT), &rival(), START, LIMIT, at(9), Repair::None),
        BreakerDecision::Go(worn(LIMIT))
    );
}

#[test]
fn a_repair_that_aws_refused_counts_once_whatever_the_limit() {
    let refused = Watch { refused: true, ..worn(LIMIT) };
    let again = gate(&refused, &schedule(), START + 200, LIMIT, at(9), Repair::Back);
    assert_eq!(again, BreakerDecision::Go(refused.clone()));
    let settled = gate(&refused, &schedule(), START + 200, LIMIT, at(9), Repair::None);
    assert_eq!(settled, BreakerDecision::Go(worn(LIMIT)), "somebody else put it right");
}

#[test]
fn who_touched_a_key_is_named_where_that_is_what_the_document_is_written_for() {
    let admin = event(ChangeSource::KeyCall, Some("admin"));
    for (repair, by) in [(Repair::Turn, "admin"), (Repair::Back, "rival")] {
        let BreakerDecision::Go(watch) = gate(&worn(1), &admin, START, LIMIT, at(9), repair) else {
            panic!("it goes on")
        };
        assert_eq!(watch.actor.unwrap().principal, by, "{repair:?}");
    }
}

#[test]
fn who_changed_the_document_is_remembered_though_the_event_comes_after_the_repair() {
    let clocked = gate(&Watch::default(), &schedule(), START, LIMIT, at(1), Repair::Back);
    let BreakerDecision::Go(repaired) = clocked else { panic!("it goes on") };
    assert_eq!(repaired.actor, None);
    let late = gate(&repaired, &rival(), START + 60, LIMIT, at(2), Repair::None);
    assert_eq!(late, BreakerDecision::Go(Watch { actor: rival().actor, ..repaired }));
    let idle = gate(&Watch::default(), &rival(), START, LIMIT, at(2), Repair::None);
    assert_eq!(
        idle,
        BreakerDecision::Go(Watch::default()),
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
        let stays = BreakerDecision::Stay { watch: open(), opened: false };
        assert_eq!(gate(&open(), &event, now, LIMIT, at(9), Repair::Back), stays, "{event:?} at {now}");
    }
    let BreakerDecision::Go(watch) = gate(&open(), &schedule(), later, LIMIT, at(9), Repair::Back) else {
        panic!("it was quiet");
    };
    assert_eq!(watch, Watch { repairs: vec![later], ..Watch::default() });
}

#[test]
fn a_change_that_no_event_told_of_is_no_quiet() {
    let later = START + 600 + HOUR;
    let BreakerDecision::Stay { watch, .. } = gate(&open(), &schedule(), later, LIMIT, at(10), Repair::Back)
    else {
        panic!("the version has changed");
    };
    let breaker = watch.breaker.clone().unwrap();
    assert_eq!((breaker.opened, breaker.seen, breaker.versions), (START + 600, later, at(10)));
    assert!(matches!(
        gate(&watch, &schedule(), later + HOUR, LIMIT, at(10), Repair::Back),
        BreakerDecision::Go(_)
    ));
}

#[test]
fn a_rival_who_put_it_right_is_a_rival_still() {
    let BreakerDecision::Stay { watch, opened: false } =
        gate(&open(), &rival(), START + 700, LIMIT, at(9), Repair::None)
    else {
        panic!("it is open");
    };
    assert_eq!(watch.breaker.unwrap().seen, START + 700);
}
