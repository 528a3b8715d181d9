//! KMS itself: a key is gone, or its imported material has expired.

use serde_json::Value;

use super::event_bridge::Envelope;
use super::{Arrival, FunctionIdentity, key_call, plain};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};
use crate::key::KeyArn;

/// What KMS says of its own accord that makes a key unusable.
const DETAIL_TYPES: [&str; 2] = ["KMS CMK Deletion", "KMS Imported Key Material Expiration"];

pub(super) fn read(envelope: &Envelope<'_>, function: FunctionIdentity<'_>) -> Arrival {
    let what = envelope.detail_type;
    if !DETAIL_TYPES.contains(&what) {
        return Arrival::Ignored(plain::line(format_args!("`{what}` leaves the key usable as it was")));
    }
    let of_resources = envelope.resources.iter().find_map(|arn| KeyArn::parse(arn).ok());
    let of_detail = || {
        let id = envelope.detail.get("key-id").and_then(Value::as_str)?;
        key_call::complete(id, (envelope.account, envelope.region), function)
    };
    Arrival::ChangeEvent(ChangeEvent {
        source: ChangeSource::KeyEvent,
        what: what.to_owned(),
        scope: of_resources.or_else(of_detail).map_or(Scope::Everything, Scope::Key),
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
            Arrival::ChangeEvent(change) => change.scope,
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
    fn the_key_is_found_by_its_id_and_where_it_is_not_every_key_is_looked_at() {
        let mut event: Value = serde_json::from_str(sample!("key-deletion-event")).unwrap();
        event["resources"] = json!([]);
        assert_eq!(scope_of(&event), Scope::Key(key()));
        event["detail"] = json!({});
        assert_eq!(scope_of(&event), Scope::Everything);
    }

    #[test]
    fn a_rotation_is_no_trouble() {
        let event =
            json!({"source": "aws.kms", "detail-type": "KMS CMK Rotation", "detail": {"key-id": "1-2"}});
        let Arrival::Ignored(why) = crate::event::read(&event, function()) else { panic!("not ignored") };
        assert_eq!(why, "`KMS CMK Rotation` leaves the key usable as it was");
    }
}
