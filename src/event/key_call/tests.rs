use serde_json::json;

use super::*;
use crate::event::tests::{change, function, ignored, key, parsed, sample};

fn read_change(event: &Value) -> ChangeEvent {
    match crate::event::read(event, function()) {
        Event::ChangeEvent(change) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_call_is_a_change_event_about_its_key() {
    let alice = "arn:aws:iam::123456789012:user/Alice";
    let bob = "arn:aws:sts::123456789012:assumed-role/Operator/bob";
    for (text, what, actor, at) in [
        (sample!("key-disable-call"), "DisableKey", alice, "2026-03-03T08:00:12Z"),
        (sample!("key-enable-call"), "EnableKey", alice, "2026-03-03T08:41:57Z"),
        (sample!("key-cancel-deletion-call"), "CancelKeyDeletion", alice, "2026-03-03T09:20:03Z"),
        (sample!("key-revoke-grant-call"), "RevokeGrant", alice, "2026-03-03T11:45:00Z"),
        (sample!("key-create-grant-call"), "CreateGrant", alice, "2026-03-03T11:31:20Z"),
        (sample!("key-retire-grant-call"), "RetireGrant", bob, "2026-03-03T11:52:36Z"),
        (sample!("key-import-material-call"), "ImportKeyMaterial", alice, "2026-03-03T12:58:41Z"),
        (
            sample!("key-delete-imported-material-call"),
            "DeleteImportedKeyMaterial",
            alice,
            "2026-03-03T12:30:08Z",
        ),
        (sample!("key-tag-resource-call"), "TagResource", alice, "2026-03-03T13:05:31Z"),
        (sample!("key-untag-resource-call"), "UntagResource", alice, "2026-03-03T13:11:48Z"),
        (sample!("key-deleted-service-event"), "DeleteKey", "AWS Internal", "2026-04-02T00:07:00Z"),
    ] {
        let change = change(text);
        let principal = Some(actor.to_owned());
        assert_eq!(change.actor.as_ref().map(|actor| actor.principal.clone()), principal, "{what}");
        assert!(change.actor.as_ref().unwrap().user_agent.is_some(), "{what}");
        let expected = ChangeEvent {
            source: ChangeSource::KeyCall,
            what: what.to_owned(),
            scope: Scope::Key(key()),
            actor: change.actor.clone(),
            at: Some(at.to_owned()),
            detail: None,
        };
        assert_eq!(change, expected);
    }
}

#[test]
fn a_scheduled_deletion_has_its_date_as_cloudtrail_writes_it() {
    let event = change(sample!("key-schedule-deletion-call"));
    assert_eq!((&*event.what, &event.scope), ("ScheduleKeyDeletion", &Scope::Key(key())));
    assert_eq!(event.detail, Some(ChangeDetail::DeletionDate("Apr 2, 2026, 12:00:00 AM".to_owned())));
    // A multi-Region key that waits for its replicas has no date yet.
    let mut event = parsed(sample!("key-schedule-deletion-call"));
    event["detail"]["responseElements"] =
        json!({"keyId": key().as_str(), "keyState": "PendingReplicaDeletion"});
    assert_eq!(read_change(&event).detail, None);
}

#[test]
fn a_put_key_policy_carries_the_policy() {
    let put = change(sample!("key-put-policy-call"));
    assert_eq!((&*put.what, &put.scope), ("PutKeyPolicy", &Scope::Key(key())));
    let Some(ChangeDetail::KeyPolicy(policy)) = put.detail else { panic!("{:?}", put.detail) };
    assert_eq!(parsed(&policy)["Statement"][0]["Sid"], "Administration");

    let mut event = parsed(sample!("key-put-policy-call"));
    event["detail"]["requestParameters"].as_object_mut().unwrap().remove("policyName");
    assert_eq!(read_change(&event).detail, Some(ChangeDetail::KeyPolicy(policy)));
    event["detail"]["requestParameters"]["policyName"] = "other".into();
    assert_eq!(read_change(&event).detail, None);
}

#[test]
fn the_key_is_found_in_every_field_that_may_name_it() {
    let arn = "arn:aws:kms:eu-west-1:222222222222:key/mrk-1234abcd";
    let other = Scope::Key(KeyArn::parse(arn).unwrap());
    for (changes, expected) in [
        (
            json!({"resources": [{"type": "AWS::KMS::Alias", "ARN": "arn:aws:kms:eu-west-1:1:alias/x"}, {"ARN": arn}]}),
            &other,
        ),
        (json!({"resources": [], "requestParameters": {"keyId": arn}}), &other),
        (json!({"resources": null, "requestParameters": {"keyId": key().id()}}), &Scope::Key(key())),
        (
            json!({"resources": null, "requestParameters": null, "serviceEventDetails": {"keyId": key().id()}}),
            &Scope::Key(key()),
        ),
        (
            json!({"resources": "?", "requestParameters": {"keyId": "alias/x"}, "responseElements": {"keyId": arn}}),
            &other,
        ),
    ] {
        let mut event = parsed(sample!("key-disable-call"));
        for (name, value) in changes.as_object().unwrap() {
            event["detail"][name] = value.clone();
        }
        assert_eq!(&read_change(&event).scope, expected, "{changes}");
    }
}

#[test]
fn without_a_known_key_everything_is_meant_and_the_policy_is_dropped() {
    let mut event = parsed(sample!("key-put-policy-call"));
    event["detail"]["resources"] = json!(null);
    event["detail"]["responseElements"] = json!(null);
    event["detail"]["requestParameters"]["keyId"] = "alias/session-manager".into();
    let change = read_change(&event);
    assert_eq!((change.scope, change.detail), (Scope::Everything, None));
}

#[test]
fn calls_on_keys_of_other_accounts_count() {
    let arn = "arn:aws:kms:eu-west-1:222222222222:key/5678efab-12ab-34cd-56ef-1234567890ab";
    let forwarded = change(sample!("key-disable-call-forwarded"));
    assert_eq!((&*forwarded.what, forwarded.scope), ("DisableKey", Scope::Key(KeyArn::parse(arn).unwrap())));
}

/// KMS itself deletes imported material that has expired.
#[test]
fn material_that_expired_is_about_its_key() {
    let mut event = parsed(sample!("key-deleted-service-event"));
    event["detail"]["eventName"] = "DeleteExpiredKeyMaterial".into();
    let event = read_change(&event);
    assert_eq!((&*event.what, event.scope), ("DeleteExpiredKeyMaterial", Scope::Key(key())));
}

/// UpdateAlias takes an alias from one key to another, and the record names only the second.
#[test]
fn a_call_on_an_alias_is_about_every_key_that_may_lose_or_get_it() {
    let of_key = Scope::Key(key());
    for (call, scope) in
        [("CreateAlias", &of_key), ("UpdateAlias", &Scope::Everything), ("DeleteAlias", &of_key)]
    {
        let mut event = parsed(sample!("key-alias-update-call"));
        event["detail"]["eventName"] = call.into();
        let change = read_change(&event);
        assert_eq!((&*change.what, &change.scope, &change.detail), (call, scope, &None));
        assert!(change.is_alias_call() && change.actor.is_some() && change.at.is_some(), "{change:?}");
        event["detail"]["errorCode"] = "AccessDenied".into();
        assert_eq!(ignored(&event), format!("{call} failed with AccessDenied, so nothing has changed"));
    }
    assert!(!change(sample!("key-untag-resource-call")).is_alias_call());
}

#[test]
fn failures_and_other_calls_are_ignored() {
    for (sample, call) in [
        (sample!("key-disable-call"), "DisableKey"),
        (sample!("key-tag-resource-call"), "TagResource"),
        (sample!("key-untag-resource-call"), "UntagResource"),
    ] {
        let mut event = parsed(sample);
        event["detail"]["errorCode"] = "AccessDenied".into();
        assert_eq!(ignored(&event), format!("{call} failed with AccessDenied, so nothing has changed"));
    }
    let mut event = parsed(sample!("key-disable-call"));
    event["detail"]["eventName"] = "Decrypt".into();
    assert_eq!(ignored(&event), "Decrypt does not change who can use a key");
    event["detail"] = json!(null);
    assert_eq!(ignored(&event), "the record names no call");
}
