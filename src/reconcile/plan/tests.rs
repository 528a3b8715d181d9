use std::sync::LazyLock;

use super::*;
use crate::intent::OwnerKind;
use crate::session::DocumentFormat;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1-2";

fn owner(stack: &str) -> Owner {
    Owner { stack_id: stack.into(), logical_resource_id: "Key".into() }
}

fn goal<'a>(owner: &'a Owner, wanted: &'a str) -> Goal<'a> {
    static SAFEGUARDS: LazyLock<Safeguards> = LazyLock::new(Safeguards::default);
    Goal {
        adopts_anew: false,
        unread: None,
        owner,
        // Lives as long as the tests do.
        wanted: Box::leak(Box::new(Target::from(wanted))),
        on_delete: OnDelete::Restore,
        on_conflict: OnConflict::Fail,
        creates_document: true,
        safeguards: &SAFEGUARDS,
        on_key_trouble: &RecordedKeyTrouble::Alert,
        remediation: None,
        digest: "d",
    }
}

fn document(latest: (u64, &str), default: (u64, &str)) -> ObservedDocument {
    let version = |(number, key)| ObservedVersion::with_key(number, key);
    ObservedDocument::new(version(latest), version(default))
}

fn record(wanted: &str, before: &str) -> Record {
    Record {
        releasing: None,
        owner: owner("mine"),
        wanted: wanted.into(),
        before_adoption: before.into(),
        before_change: BeforeChange::default(),
        on_delete: OnDelete::Restore,
        safeguards: Safeguards::default(),
        on_key_trouble: RecordedKeyTrouble::default(),
        remediation: RemediationState::default(),
        accepted: vec!["d".into()],
    }
}

fn saved(plan: &Plan) -> (&Record, bool) {
    match plan.first() {
        Some(Step::SaveRecord { record, first }) => (record, *first),
        other => panic!("no record first, but {other:?}"),
    }
}

#[test]
fn the_record_is_written_before_the_document() {
    let mine = owner("mine");
    let observation = Observation { document: Some(document((3, "old"), (3, "old"))), record: None };
    let plan = plan_establish(&observation, goal(&mine, KEY)).unwrap();
    let (record, first) = saved(&plan);
    assert!(first);
    assert_eq!((&record.wanted, &record.before_adoption), (&KEY.into(), &"old".into()));
    assert_eq!(
        record.before_change,
        BeforeChange { kms_key_id: "old".into(), version: 3, set_by_owner: false }
    );
    assert!(matches!(&plan[1..], [Step::UpdateDocument { latest: 3, .. }]));
}

#[test]
fn an_absent_document_is_created_unless_nothing_is_wanted() {
    let mine = owner("mine");
    let nothing = Observation { document: None, record: None };
    let plan = plan_establish(&nothing, goal(&mine, KEY)).unwrap();
    assert!(
        matches!(&plan[1..], [Step::CreateDocument(content)] if content.kms_key_id().as_deref() == Ok(KEY))
    );
    assert_eq!(plan_establish(&nothing, goal(&mine, "")).unwrap().len(), 1, "only the record");
}

#[test]
fn nothing_is_written_where_nothing_differs() {
    let mine = owner("mine");
    let observation =
        Observation { document: Some(document((3, KEY), (3, KEY))), record: Some(record(KEY, "old")) };
    assert_eq!(plan_establish(&observation, goal(&mine, KEY)).unwrap(), vec![]);
    let both_carry_it =
        Observation { document: Some(document((3, KEY), (2, KEY))), record: Some(record(KEY, "old")) };
    assert_eq!(plan_establish(&both_carry_it, goal(&mine, KEY)).unwrap(), vec![]);
}

#[test]
fn a_default_version_without_the_key_is_replaced_by_the_latest() {
    let mine = owner("mine");
    let observation =
        Observation { document: Some(document((3, KEY), (2, "old"))), record: Some(record(KEY, "old")) };
    assert_eq!(plan_establish(&observation, goal(&mine, KEY)).unwrap(), vec![Step::Promote { version: 3 }]);
}

#[test]
fn the_key_before_stays_the_one_before_adoption() {
    let mine = owner("mine");
    let observation =
        Observation { document: Some(document((4, KEY), (4, KEY))), record: Some(record(KEY, "old")) };
    let plan = plan_establish(&observation, goal(&mine, "arn:other")).unwrap();
    let (record, first) = saved(&plan);
    assert!(!first);
    assert_eq!(record.before_adoption, "old".into());
    assert_eq!(record.before_change, BeforeChange { kms_key_id: KEY.into(), version: 4, set_by_owner: true });
}

#[test]
fn another_owner_is_named_or_taken_over_from() {
    let mine = owner("second");
    let observation =
        Observation { document: Some(document((4, KEY), (4, KEY))), record: Some(record(KEY, "old")) };
    let refused = PlanError::Owned { owner: owner("mine"), asked_by: OwnerKind::Stack };
    assert_eq!(plan_establish(&observation, goal(&mine, KEY)), Err(refused));
    let taking = Goal { on_conflict: OnConflict::TakeOver, ..goal(&mine, KEY) };
    let plan = plan_establish(&observation, taking).unwrap();
    assert_eq!(saved(&plan).0.owner, mine);
    assert_eq!(saved(&plan).0.before_adoption, "old".into());
}

#[test]
fn a_pending_version_is_awaited_and_a_failed_one_written_again() {
    let mine = owner("mine");
    let mut pending = document((3, KEY), (2, "old"));
    pending.latest.status = VersionStatus::Pending;
    let mut failed = pending.clone();
    failed.latest.status = VersionStatus::Failed("why".into());
    let plan = |document| {
        let observation = Observation { document: Some(document), record: Some(record(KEY, "old")) };
        plan_establish(&observation, goal(&mine, KEY)).unwrap()
    };
    assert_eq!(plan(pending), vec![Step::Await { version: 3 }]);
    let plan = plan(failed.clone());
    let Some(Step::UpdateDocument { content, latest: 3 }) = plan.last() else { panic!("{plan:?}") };
    assert_ne!(content.text(), failed.latest.content.text());
    assert_eq!(content.kms_key_id().as_deref(), Ok(KEY));
}

#[test]
fn content_of_another_kind_is_left_alone() {
    let mine = owner("mine");
    let mut other = document((3, KEY), (3, KEY));
    other.latest.content = Content::new("{}".into(), DocumentFormat::Json);
    other.latest.kms_key_id = other.latest.content.kms_key_id().map(Target::from);
    let observation = Observation { document: Some(other.clone()), record: None };
    assert!(matches!(plan_establish(&observation, goal(&mine, KEY)), Err(PlanError::Content(_))));
    assert_eq!(
        plan_release(Some(&other), &record(KEY, "old"), OnDelete::Restore),
        Ok(vec![Step::DeleteRecord])
    );
}

#[test]
fn release_restores_clears_or_retains() {
    let there = document((4, KEY), (4, KEY));
    let release = |on_delete| plan_release(Some(&there), &record(KEY, "old"), on_delete).unwrap();
    let key_after = |plan: Plan| match plan.as_slice() {
        [Step::UpdateDocument { content, latest: 4 }] => content.kms_key_id().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(key_after(release(OnDelete::Restore)), "old");
    assert_eq!(key_after(release(OnDelete::Clear)), "");
    assert_eq!(release(OnDelete::Retain), vec![Step::DeleteRecord]);
    assert_eq!(plan_release(None, &record(KEY, "old"), OnDelete::Restore), Ok(vec![Step::DeleteRecord]));
}

#[test]
fn release_leaves_what_is_no_longer_the_owner_s() {
    for document in [document((5, "theirs"), (5, "theirs")), document((5, "theirs"), (4, KEY))] {
        assert_eq!(
            plan_release(Some(&document), &record(KEY, "old"), OnDelete::Restore),
            Ok(vec![Step::DeleteRecord])
        );
    }
}

#[test]
fn release_goes_on_where_it_was_cut_off() {
    let half = document((5, "old"), (4, KEY));
    assert_eq!(
        plan_release(Some(&half), &record(KEY, "old"), OnDelete::Restore),
        Ok(vec![Step::Promote { version: 5 }])
    );
    let before_the_write = Record {
        before_change: BeforeChange { kms_key_id: "first".into(), version: 4, set_by_owner: true },
        ..record(KEY, "old")
    };
    let unchanged = document((4, "first"), (4, "first"));
    let plan = plan_release(Some(&unchanged), &before_the_write, OnDelete::Restore).unwrap();
    assert!(matches!(plan.as_slice(), [Step::UpdateDocument { latest: 4, .. }]));
}
