//! Concurrent requests of one resource. One function is polled until it has made some calls, and is then paused while
//! the other runs.

use std::pin::{Pin, pin};

use crate::fixture::{Fixture, NAME, RESTORED, SET_TO_K1, and, enabled, id_of, resource};
use crate::stub::{Request, Resource, Stop};

/// More calls than any request makes.
const ALL: usize = 60;

#[tokio::test]
async fn trap_3_a_delete_concurrent_with_its_create_leaves_nothing_half_done() {
    for created in 0..=14 {
        for deleted in [2, 3, 4, ALL] {
            let fixture = Fixture::with_settings().await;
            let resource = resource("demo");
            let create = resource.create(&fixture.stub, &enabled(&fixture.k1));
            run_create_and_delete(&fixture, &resource, &create, created, deleted).await;
        }
    }
}

#[tokio::test]
async fn trap_3_a_delete_that_clears_concurrently_with_its_create() {
    for created in 0..=14 {
        let fixture = Fixture::with_settings().await;
        let resource = resource("demo");
        let create = resource.create(&fixture.stub, &and(enabled(&fixture.k1), "OnDelete", "Clear"));
        let delete = delete_of(&fixture, &resource, &create);
        interleave(&fixture, &create, created, &delete, ALL).await;
        let state = fixture.state();
        let cleared = "latest none, default none; no record";
        assert!([RESTORED, cleared, SET_TO_K1].contains(&state.as_str()), "after {created} calls: {state}");
        fixture.assert_settings_kept();
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn trap_3_a_create_that_was_cut_off_and_comes_again_does_not_outlive_its_delete() {
    // From its third call on, the Create that comes again has seen the record.
    for cut in [5, 6, 8] {
        for created in 3..=12 {
            let fixture = Fixture::with_settings().await;
            let resource = resource("demo");
            let create = resource.create(&fixture.stub, &enabled(&fixture.k1));
            fixture.stub.stop_at(cut, Stop::After);
            tokio::select! {
                () = fixture.run(create.payload.clone()) => panic!("fewer than {cut} calls"),
                () = fixture.stub.reached() => {}
            }
            fixture.stub.resume();
            run_create_and_delete(&fixture, &resource, &create, created, ALL).await;
        }
    }
}

#[tokio::test]
async fn one_create_delivered_twice_at_once_is_one_create() {
    for first in 0..=14 {
        let fixture = Fixture::with_settings().await;
        let create = resource("demo").create(&fixture.stub, &enabled(&fixture.k1));
        fixture.stub.redelivered(&create.url);
        interleave(&fixture, &create, first, &create, ALL).await;
        let answers = fixture.stub.answers(&create.url);
        assert!(answers.iter().all(|answer| answer.success), "{answers:?}");
        assert_eq!(fixture.state(), SET_TO_K1);
        assert_eq!(fixture.stub.world(|world| world.document(NAME).unwrap().versions.len()), 2);
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_delete_delivered_twice_at_once_is_one_delete() {
    for first in 0..=14 {
        let fixture = Fixture::with_settings().await;
        let stack = fixture.deployed("demo", &enabled(&fixture.k1)).await;
        let delete = stack.resource.delete(&fixture.stub, &id_of(NAME), &enabled(&fixture.k1));
        fixture.stub.redelivered(&delete.url);
        interleave(&fixture, &delete, first, &delete, ALL).await;
        let answers = fixture.stub.answers(&delete.url);
        assert!(answers.iter().all(|answer| answer.success), "{answers:?}");
        assert_eq!(fixture.state(), RESTORED);
        fixture.assert_no_violations();
    }
}

/// Runs a Delete with a made-up id concurrently with its Create. Nothing of the Create may be left, unless the Delete
/// ran before the Create had written anything.
async fn run_create_and_delete(
    fixture: &Fixture,
    resource: &Resource,
    create: &Request,
    created: usize,
    deleted: usize,
) {
    let delete = delete_of(fixture, resource, create);
    interleave(fixture, create, created, &delete, deleted).await;
    let point = format!("a Create of {created} calls and a Delete of {deleted}");
    let [made, gone] = [create, &delete].map(|request| fixture.stub.answers(&request.url).remove(0));
    assert!(gone.success, "{point}: {}", gone.reason);
    let state = fixture.state();
    let all = made.success && gone.reason.contains("nothing of this resource") && state == SET_TO_K1;
    assert!(all || state == RESTORED, "{point}: {state}");
    assert!(made.success || made.reason.contains("a Delete of the same resource came"), "{}", made.reason);
    fixture.assert_settings_kept();
    fixture.assert_no_violations();
}

/// Runs the first request for some calls, then the second for some, then each to its end.
async fn interleave(fixture: &Fixture, first: &Request, calls: usize, second: &Request, then: usize) {
    let mut first = pin!(fixture.run(first.payload.clone()));
    let mut second = pin!(fixture.run(second.payload.clone()));
    let first_ended = run_for(fixture, first.as_mut(), calls).await;
    let second_ended = run_for(fixture, second.as_mut(), then).await;
    if !first_ended {
        first.await;
    }
    if !second_ended {
        second.await;
    }
}

/// Polls a request until it has made this many calls. Returns whether it ended before.
async fn run_for(fixture: &Fixture, request: Pin<&mut impl Future<Output = ()>>, calls: usize) -> bool {
    let before = fixture.stub.calls().len();
    tokio::select! {
        biased;
        () = fixture.stub.arrived(before + calls) => false,
        () = request => true,
    }
}

fn delete_of(fixture: &Fixture, resource: &Resource, create: &Request) -> Request {
    resource.delete(&fixture.stub, &resource.made_up_id(), &create.payload["ResourceProperties"])
}
