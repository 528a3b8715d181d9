//! The function is killed at each of its AWS calls, before and after the call is executed. Then the next event comes:
//! the same again, or what CloudFormation sends instead.

use serde_json::Value;

use crate::fixture::{Fixture, NAME, and, created, disabled, enabled, id_of, resource};
use crate::stub::{Document, Format, Request, Resource, Stop};

const OTHER: &str = "Team-Preferences";
/// More calls than any request makes.
const MANY: usize = 60;

/// A request that is ready to be sent, and the state in which it arrives.
struct Event {
    fixture: Fixture,
    resource: Resource,
    request: Request,
}

/// What comes after the cut.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The same event, because Lambda tries again.
    Again,
    /// The Delete of a Create that never answered, with an id that CloudFormation made up.
    DeleteByMadeUpId,
    /// The Delete of a resource that existed before.
    DeleteById,
    /// The Update back to the old properties.
    Rollback,
}

#[tokio::test]
async fn a_create_on_an_existing_document() {
    let prepare = async || create(Fixture::with_settings().await, |fixture| enabled(&fixture.k1));
    each_cut(prepare, Next::Again, "latest k1, default k1; demo wants k1, before alias/old").await;
    each_cut(prepare, Next::DeleteByMadeUpId, "latest alias/old, default alias/old; no record").await;
}

#[tokio::test]
async fn a_create_that_creates_the_document() {
    let prepare = async || {
        let fixture = Fixture::empty().await;
        fixture.stub.world(|world| world.documents.settle_after = 1);
        create(fixture, |fixture| enabled(&fixture.k1))
    };
    let state = "latest k1, default k1; demo wants k1, before none";
    each_cut(prepare, Next::Again, state).await;
    for (n, stop) in cuts(prepare).await {
        let event = cut(prepare, n, stop).await;
        finish(&event, Next::DeleteByMadeUpId).await;
        let state = event.fixture.state();
        let undone = ["no document; no record", "latest none, default none; no record"];
        assert!(undone.contains(&state.as_str()), "call {n} {stop:?}: {state}");
        event.fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_create_that_is_to_be_cleared() {
    let prepare = async || {
        create(Fixture::with_settings().await, |fixture| and(enabled(&fixture.k1), "OnDelete", "Clear"))
    };
    for (n, stop) in cuts(prepare).await {
        let event = cut(prepare, n, stop).await;
        let was_set = event.fixture.state().starts_with("latest k1");
        finish(&event, Next::DeleteByMadeUpId).await;
        let key = if was_set { "none" } else { "alias/old" };
        let state = format!("latest {key}, default {key}; no record");
        assert_eq!(event.fixture.state(), state, "call {n} {stop:?}");
        event.fixture.assert_settings_kept();
        event.fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_create_on_versions_that_differ() {
    let prepare = async || {
        let document = Document::session(Format::Json, &crate::fixture::settings("console"))
            .with_version(Format::Json, &crate::fixture::settings("alias/old"));
        let fixture = Fixture::with_document(document).await;
        fixture.stub.world(|world| world.documents.settle_after = 1);
        create(fixture, |fixture| enabled(&fixture.k1))
    };
    each_cut(prepare, Next::Again, "latest k1, default k1; demo wants k1, before alias/old").await;
    for (n, stop) in cuts(prepare).await {
        let event = cut(prepare, n, stop).await;
        finish(&event, Next::DeleteByMadeUpId).await;
        let state = event.fixture.state();
        let undone = [
            "latest alias/old, default console; no record",
            "latest alias/old, default alias/old; no record",
        ];
        assert!(undone.contains(&state.as_str()), "call {n} {stop:?}: {state}");
        event.fixture.assert_settings_kept();
        event.fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn an_update_to_another_key() {
    let prepare = async || update(|fixture| enabled(&fixture.k2)).await;
    each_cut(prepare, Next::Again, "latest k2, default k2; demo wants k2, before alias/old").await;
    each_cut(prepare, Next::Rollback, "latest k1, default k1; demo wants k1, before alias/old").await;
    each_cut(prepare, Next::DeleteById, "latest alias/old, default alias/old; no record").await;
}

#[tokio::test]
async fn an_update_that_turns_encryption_off() {
    let prepare = async || update(|_| disabled()).await;
    each_cut(prepare, Next::Again, "latest none, default none; demo wants none, before alias/old").await;
    each_cut(prepare, Next::Rollback, "latest k1, default k1; demo wants k1, before alias/old").await;
    each_cut(prepare, Next::DeleteById, "latest alias/old, default alias/old; no record").await;
}

#[tokio::test]
async fn an_update_to_another_document() {
    let prepare = async || update(|fixture| created(&fixture.k2, OTHER)).await;
    let old = "latest k1, default k1; demo wants k1, before alias/old";
    for (n, stop) in cuts(prepare).await {
        let again = cut(prepare, n, stop).await;
        let answer = finish(&again, Next::Again).await;
        assert_eq!(answer, id_of(OTHER), "a replacement");
        let new = again.fixture.state_of(OTHER);
        assert_eq!(new, "latest k2, default k2; demo wants k2, before none", "call {n} {stop:?}");
        assert_eq!(again.fixture.state(), old, "the old one waits for its Delete");
        finish(&again, Next::DeleteById).await;
        assert_eq!(again.fixture.state(), "latest alias/old, default alias/old; no record");
        assert_eq!(again.fixture.state_of(OTHER), new);

        let back = cut(prepare, n, stop).await;
        finish(&back, Next::Rollback).await;
        assert_eq!(back.fixture.state(), old, "call {n} {stop:?}");
        let left = back.fixture.state_of(OTHER);
        let undone = ["no document; no record", "latest none, default none; no record"];
        assert!(undone.contains(&left.as_str()), "call {n} {stop:?}: {left}");
        for fixture in [again.fixture, back.fixture] {
            fixture.assert_settings_kept();
            fixture.assert_no_violations();
        }
    }
}

#[tokio::test]
async fn an_update_back_to_the_document_before() {
    let prepare = async || {
        let updated = update(|fixture| created(&fixture.k2, OTHER)).await;
        assert!(updated.fixture.send(&updated.request).await.success);
        let Event { fixture, resource, request } = updated;
        let (new, old) = (&request.payload["OldResourceProperties"], &request.payload["ResourceProperties"]);
        let request = resource.update(&fixture.stub, &id_of(NAME), new, old);
        Event { fixture, resource, request }
    };
    each_cut(prepare, Next::Again, "latest k1, default k1; demo wants k1, before alias/old").await;
    for (n, stop) in cuts(prepare).await {
        let event = cut(prepare, n, stop).await;
        finish(&event, Next::Again).await;
        assert_eq!(
            event.fixture.state_of(OTHER),
            "latest none, default none; no record",
            "call {n} {stop:?}"
        );
    }
}

#[tokio::test]
async fn a_delete_that_restores() {
    let prepare = async || delete("Restore").await;
    each_cut(prepare, Next::Again, "latest alias/old, default alias/old; no record").await;
}

#[tokio::test]
async fn a_delete_that_clears() {
    let prepare = async || delete("Clear").await;
    each_cut(prepare, Next::Again, "latest none, default none; no record").await;
}

#[tokio::test]
async fn a_delete_that_retains() {
    let prepare = async || delete("Retain").await;
    each_cut(prepare, Next::Again, "latest k1, default k1; no record").await;
}

/// Cuts at every point, sends the next event, and checks the state.
async fn each_cut(prepare: impl AsyncFn() -> Event, next: Next, wanted: &str) {
    for (n, stop) in cuts(&prepare).await {
        let event = cut(&prepare, n, stop).await;
        finish(&event, next).await;
        assert_eq!(event.fixture.state(), wanted, "call {n} {stop:?}, then {next:?}");
        if event.fixture.stub.world(|world| world.document(NAME).unwrap().versions.len()) > 1 {
            event.fixture.assert_settings_kept();
        }
        event.fixture.assert_no_violations();
    }
}

/// Every point at which an undisturbed run can be cut. Fails if there is one beyond the last.
async fn cuts(prepare: impl AsyncFn() -> Event) -> Vec<(usize, Stop)> {
    let undisturbed = prepare().await;
    undisturbed.fixture.stub.forget_calls();
    let answer = undisturbed.fixture.send(&undisturbed.request).await;
    assert!(answer.success, "{}", answer.reason);
    let calls = undisturbed.fixture.stub.calls().len();
    assert!((2..MANY).contains(&calls), "{calls} calls");
    assert!(!stopped(&prepare().await, calls + 1, Stop::Before).await, "a call beyond the last");
    (1..=calls).flat_map(|n| [(n, Stop::Before), (n, Stop::After)]).collect()
}

/// Delivers the event for the first time, and kills the function at its n-th call.
async fn cut(prepare: impl AsyncFn() -> Event, n: usize, stop: Stop) -> Event {
    let event = prepare().await;
    assert!(stopped(&event, n, stop).await, "fewer than {n} calls");
    event.fixture.stub.resume();
    assert_eq!(event.fixture.stub.answers(&event.request.url), [], "a function that was killed says nothing");
    event
}

/// Whether the run came to its n-th call, where it was killed.
async fn stopped(event: &Event, n: usize, stop: Stop) -> bool {
    event.fixture.stub.stop_at(n, stop);
    tokio::select! {
        () = event.fixture.run(event.request.payload.clone()) => false,
        () = event.fixture.stub.reached() => true,
    }
}

/// Sends the next event, which must succeed. Returns the physical id of its answer.
async fn finish(event: &Event, next: Next) -> String {
    let Event { fixture, resource, request } = event;
    let stub = &fixture.stub;
    let (new, old) = (&request.payload["ResourceProperties"], &request.payload["OldResourceProperties"]);
    let next = match next {
        Next::Again => request.clone(),
        Next::DeleteByMadeUpId => resource.delete(stub, &resource.made_up_id(), new),
        Next::DeleteById => resource.delete(stub, &id_of(NAME), old),
        Next::Rollback => resource.update(stub, &id_of(NAME), old, new),
    };
    let answer = fixture.send(&next).await;
    assert!(answer.success, "{}", answer.reason);
    answer.physical_resource_id
}

fn create(fixture: Fixture, properties: impl Fn(&Fixture) -> Value) -> Event {
    let resource = resource("demo");
    let request = resource.create(&fixture.stub, &properties(&fixture));
    Event { fixture, resource, request }
}

/// An Update of a stack that has set `k1`.
async fn update(properties: impl Fn(&Fixture) -> Value) -> Event {
    let (fixture, resource) = deployed(enabled).await;
    let request = resource.update(&fixture.stub, &id_of(NAME), &properties(&fixture), &enabled(&fixture.k1));
    Event { fixture, resource, request }
}

/// The Delete of a stack that has set `k1`.
async fn delete(on_delete: &str) -> Event {
    let properties = |key: &str| and(enabled(key), "OnDelete", on_delete);
    let (fixture, resource) = deployed(properties).await;
    let request = resource.delete(&fixture.stub, &id_of(NAME), &properties(&fixture.k1));
    Event { fixture, resource, request }
}

async fn deployed(properties: impl Fn(&str) -> Value) -> (Fixture, Resource) {
    let fixture = Fixture::with_settings().await;
    let resource = resource("demo");
    let answer = fixture.send(&resource.create(&fixture.stub, &properties(&fixture.k1))).await;
    assert!(answer.success, "{}", answer.reason);
    (fixture, resource)
}
