//! Change events: somebody has changed the document or its record.

use serde_json::json;

use super::super::flow::{Flow, FlowEvent, K1, Step};
use crate::fixture::{NAME, RECORD, enabled, rival_key};
use crate::stub::World;

/// A document that the stack has set to `k1`, and that somebody has changed since.
pub const DRIFTED: Flow = Flow {
    before: &[Step::Deployed(|| enabled(K1)), Step::Changed(|world| rival_key("alias/theirs")(world))],
    wanted: &["latest k1, default k1; demo wants k1, before alias/old"],
    ..Flow::PLAIN
};

/// The same, if the document was deleted.
const DELETED: Flow =
    Flow { before: &[Step::Deployed(|| enabled(K1)), Step::Changed(delete_document)], ..DRIFTED };

fn delete_document(world: &mut World) {
    world.ask("ssm", "DeleteDocument", json!({"Name": NAME})).unwrap();
}

fn delete_record(world: &mut World) {
    world.ask("ssm", "DeleteParameter", json!({"Name": RECORD})).unwrap();
}

pub fn changes() -> Vec<Flow> {
    vec![
        Flow {
            name: "a call that updates the document",
            event: FlowEvent::Change(sample!("document-update-call")),
            ..DRIFTED
        },
        Flow {
            name: "a call that sets the default version",
            event: FlowEvent::Change(sample!("document-default-version-call")),
            ..DRIFTED
        },
        Flow {
            name: "a call that deletes the document",
            event: FlowEvent::Change(sample!("document-delete-call")),
            ..DELETED
        },
        Flow {
            name: "a call in a topic",
            event: FlowEvent::Change(sample!("document-update-call")),
            in_topic: true,
            ..DRIFTED
        },
        Flow { name: "the schedule", event: FlowEvent::Change(sample!("schedule")), ..DRIFTED },
        Flow {
            name: "the schedule after the document was deleted",
            event: FlowEvent::Change(sample!("scheduler")),
            ..DELETED
        },
        Flow {
            name: "a change of the record",
            event: FlowEvent::Change(sample!("record-change")),
            ..DRIFTED
        },
        Flow {
            name: "a call that deletes the record",
            before: &[Step::Deployed(|| enabled(K1)), Step::Changed(delete_record)],
            event: FlowEvent::Change(sample!("record-delete-call")),
            wanted: &["latest k1, default k1; no record"],
            ..DRIFTED
        },
        Flow {
            name: "a change of compliance",
            event: FlowEvent::Change(sample!("config-compliance-change")),
            ..DRIFTED
        },
        Flow {
            name: "an action of Security Hub",
            event: FlowEvent::Change(sample!("security-hub-custom-action")),
            ..DRIFTED
        },
        Flow {
            name: "a finding of Security Hub",
            event: FlowEvent::Change(sample!("security-hub-imported")),
            ..DRIFTED
        },
    ]
}
