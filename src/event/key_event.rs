//! KMS itself: a key is gone, or its imported material has expired.

use serde_json::Value;

use super::event_bridge::EventBridgeEnvelope;
use super::{Event, FunctionIdentity, ignored, key_call};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::key::KeyArn;

/// The events of KMS itself that make a key unusable.
const DETAIL_TYPES: [&str; 2] = ["KMS CMK Deletion", "KMS Imported Key Material Expiration"];

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let what = envelope.detail_type;
    if !DETAIL_TYPES.contains(&what) {
        return ignored(format_args!("`{what}` leaves the key usable as it was"));
    }
    let in_resources = envelope.resources.iter().find_map(|arn| KeyArn::parse(arn).ok());
    let in_detail = || {
        let id = envelope.detail.get("key-id").and_then(Value::as_str)?;
        key_call::complete(id, (envelope.account, envelope.region), function)
    };
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::KeyEvent,
        what: what.to_owned(),
        scope: in_resources.or_else(in_detail).map_or(Scope::Everything, Scope::Key),
        actor: None,
        at: envelope.time(),
        detail: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{change, function, key, sample};

    fn scope_of(event: &Value) -> Scope {
        match crate::event::read(event, function()) {
            Event::ChangeEvent(change) => change.scope,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn deletion_and_expiry_are_about_the_key() {
        for (text, what, at) in [
            (sample!("key-deletion-event"), "KMS CMK Deletion", "2026-04-02T00:07:01Z"),
            (
                sample!("key-material-expiration-event"),
                "KMS Imported Key Material Expiration",
                "2026-03-09T20:00:00Z",
            ),
        ] {
            let expected = ChangeEvent {
                source: ChangeSource::KeyEvent,
                what: what.to_owned(),
                scope: Scope::Key(key()),
                actor: None,
                at: Some(at.to_owned()),
                detail: None,
            };
            assert_eq!(change(text), expected);
        }
    }

    #[test]
    fn the_key_is_found_by_its_id_and_without_an_id_every_key_is_meant() {
        let mut event: Value = serde_json::from_str(sample!("key-deletion-event")).unwrap();
        event["resources"] = json!([]);
        assert_eq!(scope_of(&event), Scope::Key(key()));
        event["detail"] = json!({});
        assert_eq!(scope_of(&event), Scope::Everything);
    }

    #[test]
    fn a_rotation_is_ignored() {
        let event =
            json!({"source": "aws.kms", "detail-type": "KMS CMK Rotation", "detail": {"key-id": "1-2"}});
        let Event::Ignored(why) = crate::event::read(&event, function()) else { panic!("not ignored") };
        assert_eq!(why, "`KMS CMK Rotation` leaves the key usable as it was");
    }
}
