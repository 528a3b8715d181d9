//! Somebody who needs the key can no longer use it.

use session_kms::change_event::{ChangeDetail, ChangeEvent, ChangeSource};
use session_kms::intent::{Intent, Mode, Safeguards};
use session_kms::remediation::{Remediation, RemediationOutcome};

use super::{FIRST, LibraryFixture, NODE, alert, assert_names, proven};
use crate::model::rival::{Deed, call_event, event_of};
use crate::model::world::{KeyState, closed_policy, grant, open_policy};

const FOREIGN: &str = "arn:aws:kms:eu-west-1:444455556666:key/44444444-4444-4444-8444-444444444444";

/// The statement that would let the nodes in, ready to paste.
fn assert_remedy(kept: &Remediation) {
    let remedies = kept.remedies.as_ref().expect("a remedy");
    let statements = serde_json::to_string(&remedies.key_policy_statements).expect("JSON");
    assert_names(&statements, &[NODE, "kms:Decrypt", "Allow"]);
}

#[test]
fn a_policy_that_locks_the_nodes_out_is_told_with_the_statement_that_lets_them_in() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    let kept = room.noticed(Deed::LockOut { key: 0 });
    assert_eq!((kept.outcome, kept.checks_failed, room.writes()), (RemediationOutcome::AsWanted, 1, vec![]));
    assert_names(alert(&kept), &[FIRST, NODE, "PutKeyPolicy", "assumed-role/Pipeline/deploy"]);
    assert_remedy(&kept);
    let kept = room.scheduled();
    assert_names(alert(&kept), &[NODE]);
    assert_eq!(room.noticed(Deed::LetIn { key: 0 }).alerts, Vec::<String>::new());
}

/// By then the policy may be another one again: what counts is what the event says was put.
#[test]
fn a_policy_is_judged_as_the_event_carries_it() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    let late = ChangeEvent {
        detail: Some(ChangeDetail::KeyPolicy(closed_policy())),
        ..call_event("PutKeyPolicy", Some(FIRST))
    };
    assert_names(alert(&room.told(&late)), &[NODE]);
}

#[test]
fn the_policy_of_another_accounts_key_which_nothing_here_may_read_is_judged_by_the_event() {
    let room = LibraryFixture::new();
    let key = room.world.borrow().keys[FIRST].clone();
    room.world.borrow_mut().keys.insert(FOREIGN.to_owned(), key);
    let intent = proven(FOREIGN, Mode::Enforce);
    let key_policy = Some(open_policy().replace(":root", ":role/Node"));
    room.ask(&Intent { safeguards: Safeguards { key_policy, ..intent.safeguards.clone() }, ..intent })
        .expect("the policy that is handed in lets the nodes in");
    let put = |policy: String| ChangeEvent {
        detail: Some(ChangeDetail::KeyPolicy(policy)),
        ..call_event("PutKeyPolicy", Some(FOREIGN))
    };
    let kept = room.told(&put(closed_policy()));
    assert_names(alert(&kept), &[FOREIGN, NODE]);
    assert_remedy(&kept);
    let kept = room.told(&put(open_policy().replace(":root", ":role/Node")));
    assert_eq!((kept.alerts, room.writes()), (vec![], vec![]));
}

/// Nothing tells of it later, where nobody here may read the policy.
#[test]
fn a_policy_that_is_put_on_a_key_that_cannot_be_used_is_judged_all_the_same() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    room.noticed(Deed::KeyState { key: 0, state: KeyState::Disabled });
    let kept = room.noticed(Deed::LockOut { key: 0 });
    let [trouble, locked] = kept.alerts.as_slice() else { panic!("{:?}", kept.alerts) };
    assert_names(trouble, &[FIRST, "Disabled"]);
    assert_names(locked, &[FIRST, NODE, "PutKeyPolicy"]);
    assert_remedy(&kept);
}

/// Where the policy cannot be read, that of the event is what is known of it.
#[test]
fn a_key_is_not_put_back_that_the_policy_of_the_event_locks_the_nodes_out_of() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    room.world.borrow_mut().hides_policies = true;
    room.others(Deed::Off { promotes: true });
    let kept = room.noticed(Deed::LockOut { key: 0 });
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(alert(&kept), &[FIRST, NODE, "nothing was changed"]);
    assert_eq!(room.noticed(Deed::LetIn { key: 0 }).outcome, RemediationOutcome::Repaired);
    room.assert_carries(FIRST);
}

/// What keeps a document from being put right keeps nobody's loss from being told.
#[test]
fn who_lost_access_is_told_though_the_document_cannot_be_put_right() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    room.others(Deed::Template);
    room.others(Deed::LockOut { key: 0 });
    let kept = room.scheduled();
    assert_eq!(kept.outcome, RemediationOutcome::Refused);
    let [content, locked] = kept.alerts.as_slice() else { panic!("{:?}", kept.alerts) };
    assert_names(content, &["mend it by hand"]);
    assert_names(locked, &[FIRST, NODE]);
}

#[test]
fn a_grant_that_is_revoked_is_told() {
    let room = LibraryFixture::new();
    {
        let mut world = room.world.borrow_mut();
        let key = world.keys.get_mut(FIRST).expect("a key");
        key.policy = closed_policy();
        key.grants = vec![grant()];
    }
    room.ask(&proven(FIRST, Mode::Enforce)).expect("the grant lets the nodes in");
    let revoked = call_event("RevokeGrant", Some(FIRST));
    assert_eq!(room.told(&revoked).alerts, Vec::<String>::new());
    room.world.borrow_mut().keys.get_mut(FIRST).expect("a key").grants.clear();
    let kept = room.told(&revoked);
    assert_names(alert(&kept), &["RevokeGrant", NODE]);
    assert_remedy(&kept);
}

#[test]
fn a_repair_that_would_lock_somebody_out_is_not_made() {
    for mode in [Mode::Enforce, Mode::Strict] {
        let room = LibraryFixture::of(&proven(FIRST, mode));
        room.others(Deed::LockOut { key: 0 });
        let kept = room.noticed(Deed::Off { promotes: true });
        assert_eq!((kept.outcome, kept.changed, room.writes()), (RemediationOutcome::Refused, false, vec![]));
        assert_names(alert(&kept), &[FIRST, NODE, "nothing was changed"]);
        assert_remedy(&kept);
        assert_eq!(room.keys(), ["", ""]);
    }
}

/// Preflight Warn lets it pass, and does not keep it to itself.
#[test]
fn a_repair_that_locks_somebody_out_all_the_same_is_told_whatever_the_occasion() {
    for source in [ChangeSource::DocumentCall, ChangeSource::Schedule, ChangeSource::RecordChange] {
        let room = LibraryFixture::of(&proven(FIRST, Mode::Warn));
        room.others(Deed::LockOut { key: 0 });
        room.others(Deed::Off { promotes: true });
        let kept = room.told(&event_of(source));
        assert_eq!((kept.outcome, kept.checks_failed), (RemediationOutcome::Repaired, 1));
        assert_names(alert(&kept), &[FIRST, NODE]);
        assert_remedy(&kept);
    }
}

/// Once by the policy that is there and once by that of the event, which are the same.
#[test]
fn who_lost_access_is_told_once_where_the_document_is_put_right_too() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Warn));
    room.others(Deed::Off { promotes: true });
    let kept = room.noticed(Deed::LockOut { key: 0 });
    assert_eq!((kept.outcome, kept.checks_failed), (RemediationOutcome::Repaired, 1));
    assert_names(alert(&kept), &[FIRST, NODE, "PutKeyPolicy"]);
}

/// A version that AWS failed is not in use: nobody is used to the key in it.
#[test]
fn a_key_that_only_a_failed_version_carries_is_proven_like_any_other() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Enforce));
    room.others(Deed::Delete);
    room.world.borrow_mut().fail_next = true;
    assert_eq!(
        room.told(&call_event("DeleteDocument", None)).outcome,
        RemediationOutcome::Refused,
        "AWS failed it"
    );
    room.others(Deed::LockOut { key: 0 });
    let kept = room.scheduled();
    assert_eq!((kept.outcome, room.writes()), (RemediationOutcome::Refused, vec![]));
    assert_names(alert(&kept), &[NODE]);
}

#[test]
fn nobody_is_asked_about_where_preflight_is_off() {
    let room = LibraryFixture::of(&proven(FIRST, Mode::Off));
    let kept = room.noticed(Deed::LockOut { key: 0 });
    assert_eq!((kept.alerts, kept.checks_failed), (vec![], 0));
}
