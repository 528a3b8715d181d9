//! Change events about the key: it can no longer be used, or not by everybody.

use super::super::flow::{Flow, FlowEvent, K1, K2, Step};
use super::creates::with_standby;
use super::fleet;
use crate::fixture::{and, enabled};
use crate::stub::World;

const ON_K1: &[&str] = &["latest k1, default k1; demo wants k1, before alias/old"];

/// The key was switched off.
const DISABLED: Flow = Flow {
    before: &[Step::Deployed(|| enabled(K1)), Step::Changed(disable)],
    event: FlowEvent::Change(sample!("key-disable-call")),
    wanted: ON_K1,
    ..Flow::PLAIN
};

/// Somebody was locked out of the key.
const LOCKED_OUT: Flow = Flow {
    world: fleet::able,
    before: &[Step::Deployed(|| fleet::discovered(K1, "Enforce")), Step::Changed(fleet::lock_out)],
    wanted: ON_K1,
    ..Flow::PLAIN
};

fn disable(world: &mut World) {
    world.key(K1).state = "Disabled";
}

fn delete(world: &mut World) {
    world.key(K1).state = "PendingDeletion";
    world.delete_key(K1);
}

fn enable(world: &mut World) {
    world.key(K1).state = "Enabled";
}

pub fn keys() -> Vec<Flow> {
    vec![
        Flow { name: "a call that disables the key", ..DISABLED },
        Flow {
            name: "a call that disables the key of a document with a standby key",
            before: &[Step::Deployed(|| with_standby(K1)), Step::Changed(disable)],
            wanted: &["latest k2, default k2; demo wants k2, before alias/old"],
            ..DISABLED
        },
        Flow {
            name: "a call that disables the key of a document to be cleared",
            before: &[Step::Deployed(|| and(enabled(K1), "OnKeyTrouble", "Clear")), Step::Changed(disable)],
            wanted: &["latest none, default none; demo wants none, before alias/old"],
            ..DISABLED
        },
        Flow {
            name: "a call that enables the key again",
            before: &[
                Step::Deployed(|| with_standby(K1)),
                Step::Changed(disable),
                Step::Handled(sample!("key-disable-call")),
                Step::Changed(enable),
            ],
            event: FlowEvent::Change(sample!("key-enable-call")),
            wanted: ON_K1,
            ..DISABLED
        },
        Flow {
            name: "the deletion of the key",
            before: &[Step::Deployed(|| with_standby(K1)), Step::Changed(delete)],
            event: FlowEvent::Change(sample!("key-deletion-event")),
            wanted: &["latest k2, default k2; demo wants k2, before alias/old"],
            ..DISABLED
        },
        Flow {
            name: "the schedule of a document to be cleared",
            before: &[Step::Deployed(|| and(enabled(K1), "OnKeyTrouble", "Clear"))],
            event: FlowEvent::Change(sample!("schedule")),
            wanted: ON_K1,
            ..DISABLED
        },
        Flow {
            name: "a call on a key that nobody has trouble with",
            world: fleet::able,
            before: &[
                Step::Deployed(|| fleet::discovered(K1, "Enforce")),
                Step::Deployed(|| fleet::discovered(K2, "Enforce")),
                Step::Deployed(|| fleet::discovered(K1, "Enforce")),
            ],
            event: FlowEvent::Change(sample!("key-create-grant-call")),
            ..LOCKED_OUT
        },
        Flow {
            name: "a call that locks the node out",
            event: FlowEvent::Change(sample!("key-put-policy-call")),
            ..LOCKED_OUT
        },
        Flow {
            name: "a call that revokes a grant",
            event: FlowEvent::Change(sample!("key-revoke-grant-call")),
            ..LOCKED_OUT
        },
        Flow {
            name: "a call that takes a tag away",
            event: FlowEvent::Change(sample!("key-untag-resource-call")),
            ..LOCKED_OUT
        },
        Flow {
            name: "a call that moves an alias",
            event: FlowEvent::Change(sample!("key-alias-update-call")),
            ..LOCKED_OUT
        },
        Flow {
            name: "the schedule after the node was locked out",
            event: FlowEvent::Change(sample!("schedule")),
            ..LOCKED_OUT
        },
    ]
}
