//! Direct calls, and the questions of AWS Config.

use serde_json::json;

use super::super::flow::{Flow, FlowEvent, K1, Step};
use super::changes::DRIFTED;
use super::fleet;
use crate::fixture::{enabled, rival_key};

const UNSET: &[&str] = &["latest alias/old, default alias/old; no record"];
const SET: &[&str] = &["latest k1, default k1; demo wants k1, before alias/old"];
/// What a question finds, and leaves.
const DRIFTED_STATE: &[&str] =
    &["latest alias/theirs, default alias/theirs; demo wants k1, before alias/old"];

pub fn direct() -> Vec<Flow> {
    vec![
        Flow {
            name: "status",
            event: FlowEvent::Call(|| json!({"action": "status"})),
            ..with_state(DRIFTED_STATE)
        },
        Flow {
            name: "check",
            world: fleet::able,
            event: FlowEvent::Call(|| json!({"action": "check", "kmsKeyId": K1})),
            wanted: UNSET,
            ..Flow::PLAIN
        },
        Flow {
            name: "check of a key that locks a node out",
            world: fleet::locked_out,
            event: FlowEvent::Call(|| json!({"action": "check", "kmsKeyId": K1})),
            wanted: UNSET,
            ..Flow::PLAIN
        },
        Flow {
            name: "plan",
            world: fleet::able,
            event: FlowEvent::Call(|| json!({"action": "plan", "kmsKeyId": K1})),
            wanted: UNSET,
            ..Flow::PLAIN
        },
        Flow {
            name: "reconcile by the record",
            event: FlowEvent::Call(|| json!({"action": "reconcile"})),
            ..DRIFTED
        },
        Flow {
            name: "reconcile of one document by its record",
            event: FlowEvent::Call(sample!("direct-reconcile")),
            ..DRIFTED
        },
        Flow {
            name: "reconcile with a key",
            world: fleet::able,
            event: FlowEvent::Call(|| json!({"action": "reconcile", "kmsKeyId": K1})),
            wanted: &["latest k1, default k1; direct-call wants k1, before alias/old"],
            ..Flow::PLAIN
        },
        Flow {
            name: "a scheduled question of AWS Config",
            event: FlowEvent::Rule(sample!("config-rule-scheduled")),
            before: &[Step::Deployed(|| enabled(K1))],
            ..with_state(SET)
        },
        Flow {
            name: "a question of AWS Config about a document without the key",
            event: FlowEvent::Rule(sample!("config-rule-change")),
            ..with_state(DRIFTED_STATE)
        },
    ]
}

/// A document that somebody has changed, and a question that leaves it so.
const fn with_state(wanted: &'static [&'static str]) -> Flow {
    Flow {
        before: &[Step::Deployed(|| enabled(K1)), Step::Changed(|world| rival_key("alias/theirs")(world))],
        wanted,
        ..Flow::PLAIN
    }
}
