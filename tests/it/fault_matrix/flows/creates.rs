//! Creates of `Custom::SessionEncryption`, and the resources that only ask.

use serde_json::json;

use super::super::flow::{Flow, FlowEvent, K1, K2};
use super::fleet;
use crate::fixture::{disabled, enabled};

const SET: &[&str] = &["latest k1, default k1; demo wants k1, before alias/old"];
const UNSET: &[&str] = &["latest alias/old, default alias/old; no record"];

const CREATE: Flow =
    Flow { event: FlowEvent::Create(|| enabled(K1)), wanted: SET, undone: UNSET, ..Flow::PLAIN };

pub fn creates() -> Vec<Flow> {
    vec![
        Flow { name: "a create", ..CREATE },
        Flow { name: "a create in a topic", in_topic: true, ..CREATE },
        Flow {
            name: "a create without a document",
            has_document: false,
            world: |world| world.documents.settle_after = 1,
            wanted: &["latest k1, default k1; demo wants k1, before none"],
            undone: &["no document; no record", "latest none, default none; no record"],
            ..CREATE
        },
        Flow {
            name: "a create that turns encryption off",
            event: FlowEvent::Create(disabled),
            wanted: &["latest none, default none; demo wants none, before alias/old"],
            ..CREATE
        },
        Flow { name: "a create with a standby key", event: FlowEvent::Create(|| with_standby(K1)), ..CREATE },
        Flow {
            name: "a create that discovers who uses the key",
            world: fleet::able,
            event: FlowEvent::Create(|| fleet::discovered(K1, "Enforce")),
            ..CREATE
        },
        Flow {
            name: "a strict create",
            world: fleet::able,
            event: FlowEvent::Create(|| fleet::discovered(K1, "Strict")),
            ..CREATE
        },
        Flow {
            name: "a strict create that would lock a node out",
            world: fleet::locked_out,
            event: FlowEvent::Create(|| fleet::discovered(K1, "Strict")),
            wanted: UNSET,
            ..CREATE
        },
        Flow {
            name: "a create with the key of another account",
            world: fleet::with_foreign_key,
            event: FlowEvent::Create(fleet::through_reader),
            wanted: &[
                "latest arn:aws:kms:eu-west-1:210987654321:key/44444444-4444-4444-8444-444444444444, default \
                 arn:aws:kms:eu-west-1:210987654321:key/44444444-4444-4444-8444-444444444444; demo wants \
                 arn:aws:kms:eu-west-1:210987654321:key/44444444-4444-4444-8444-444444444444, before alias/old",
            ],
            ..CREATE
        },
        Flow {
            name: "the keys of a stack",
            event: FlowEvent::Question("Custom::SessionKey", || with_standby_of_stack(K1)),
            wanted: UNSET,
            ..CREATE
        },
        Flow {
            name: "the access to a key",
            event: FlowEvent::Question(
                "Custom::SessionKeyAccess",
                || json!({"KmsKeyId": K1, "ConsumerAccounts": ["123456789012"]}),
            ),
            wanted: UNSET,
            ..CREATE
        },
    ]
}

/// Properties of `Custom::SessionEncryption` with a standby key.
pub fn with_standby(key: &str) -> serde_json::Value {
    json!({"KmsKeyId": key, "Preflight": "Off", "OnKeyTrouble": "Standby", "StandbyKmsKeyId": K2})
}

/// Properties of `Custom::SessionKey` with a standby key.
fn with_standby_of_stack(key: &str) -> serde_json::Value {
    json!({"KmsKeyId": key, "OnKeyTrouble": "Standby", "StandbyKmsKeyId": K2})
}
