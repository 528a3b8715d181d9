//! Updates of `Custom::SessionEncryption`, and Deletes of each mode.

use serde_json::Value;

use super::super::flow::{Flow, FlowEvent, K1, K2, OTHER_DOCUMENT, Step};
use super::fleet;
use crate::fixture::{and, created, disabled, enabled};

const SET_TO_K1: &[&str] = &["latest k1, default k1; demo wants k1, before alias/old"];
const SET_TO_K2: &[&str] = &["latest k2, default k2; demo wants k2, before alias/old"];
const RESTORED: &[&str] = &["latest alias/old, default alias/old; no record"];

const UPDATE: Flow = Flow {
    before: &[Step::Deployed(|| enabled(K1))],
    event: FlowEvent::Update(|| enabled(K2)),
    wanted: SET_TO_K2,
    undone: SET_TO_K1,
    ..Flow::PLAIN
};

const DELETE: Flow = Flow { event: FlowEvent::Delete, wanted: RESTORED, undone: &[], ..UPDATE };

fn to_other_document() -> Value {
    created(K2, OTHER_DOCUMENT)
}

pub fn updates() -> Vec<Flow> {
    vec![
        Flow { name: "an update to another key", ..UPDATE },
        Flow {
            name: "an update back to an earlier key",
            before: &[Step::Deployed(|| enabled(K1)), Step::Deployed(|| enabled(K2))],
            event: FlowEvent::Update(|| enabled(K1)),
            wanted: SET_TO_K1,
            undone: SET_TO_K2,
            ..UPDATE
        },
        Flow {
            name: "an update to another document",
            event: FlowEvent::Update(to_other_document),
            wanted: &[
                "latest k1, default k1; demo wants k1, before alias/old | latest k2, default k2; demo wants k2, before \
                 none",
            ],
            undone: &[
                "latest k1, default k1; demo wants k1, before alias/old",
                "latest k1, default k1; demo wants k1, before alias/old | latest none, default none; no record",
            ],
            ..UPDATE
        },
        Flow {
            name: "an update that turns encryption off",
            event: FlowEvent::Update(disabled),
            wanted: &["latest none, default none; demo wants none, before alias/old"],
            ..UPDATE
        },
        Flow {
            name: "an update of the safeguards alone",
            event: FlowEvent::Update(|| and(enabled(K1), "OnDelete", "Retain")),
            wanted: SET_TO_K1,
            ..UPDATE
        },
        Flow {
            name: "a strict update",
            world: fleet::able,
            before: &[Step::Deployed(|| fleet::discovered(K1, "Strict"))],
            event: FlowEvent::Update(|| fleet::discovered(K2, "Strict")),
            ..UPDATE
        },
        Flow { name: "a delete that restores", ..DELETE },
        Flow {
            name: "a delete that clears",
            before: &[Step::Deployed(|| and(enabled(K1), "OnDelete", "Clear"))],
            wanted: &["latest none, default none; no record"],
            ..DELETE
        },
        Flow {
            name: "a delete that retains",
            before: &[Step::Deployed(|| and(enabled(K1), "OnDelete", "Retain"))],
            wanted: &["latest k1, default k1; no record"],
            ..DELETE
        },
        Flow { name: "a delete by a made-up id", event: FlowEvent::DeleteByMadeUpId, ..DELETE },
        Flow {
            name: "a delete of what was never created",
            before: &[],
            event: FlowEvent::DeleteByMadeUpId,
            ..DELETE
        },
    ]
}
