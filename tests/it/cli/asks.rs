//! What is asked elsewhere than at the command line gets the report that the command line gives.

use serde_json::Value;
use session_kms::ask::{self, Wanted};
use session_kms::intent::{Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner, Safeguards};
use session_kms::key::KeyRef;
use session_kms::place::Place;
use session_kms::reconcile::ReconcileError;
use session_kms::report::{Format, Report};
use session_kms::session::DocumentName;

use super::{Terminal, on};
use crate::house::{House, key_in};
use crate::stub::{ACCOUNT, REGION, SimulatedAnswer};

fn home() -> Place {
    Place { partition: "aws".into(), region: REGION.into(), account: ACCOUNT.into() }
}

/// The house with one role that may use any key, and one that may use none.
async fn house() -> (House, String, String) {
    let house = House::furnished().await;
    let (ops, dev) = house.stub.world(|world| {
        let (ops, dev) = (world.add_role("Ops"), world.add_role("Dev"));
        world.simulates(&ops, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        (ops, dev)
    });
    (house, ops, dev)
}

fn intent(key: &str, user: &str) -> Intent {
    let user = session_kms::access::PrincipalArn::parse(user).unwrap();
    let discovered = Safeguards { discover_users: true, discover_nodes: true, ..Safeguards::default() };
    Intent {
        document: DocumentName::default(),
        encryption: Encryption::Enabled(KeyRef::parse(key).unwrap()),
        on_delete: OnDelete::default(),
        on_conflict: OnConflict::default(),
        on_key_trouble: OnKeyTrouble::Alert,
        safeguards: Safeguards { users: vec![user], ..discovered },
    }
}

fn wanted(command: &'static str, intent: Intent) -> Wanted {
    let owner = Owner { stack_id: "direct-call".into(), logical_resource_id: "session-kms".into() };
    Wanted::new(command, intent, owner, "digest".into())
}

/// The report as the command line prints it.
async fn printed(house: &House, arguments: &[&str]) -> String {
    on(house, &[arguments, &["--format", "json"]].concat(), &Terminal::None).await.out
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&report.render(Format::Json)).unwrap()
}

#[tokio::test]
async fn status_check_and_plan_say_the_same_whoever_asks() {
    let (house, ops, dev) = house().await;
    let ports = house.function(None).ports;
    let name = DocumentName::default();
    let status = ask::status(&ports, &home(), &name).await.unwrap();
    let report = ask::status_report(&name, vec![(home(), status)]);
    assert_eq!(report.render(Format::Json), printed(&house, &["status"]).await);
    for user in [&ops, &dev] {
        let intent = intent(&house.k1, user);
        let report = ask::check(&ports, &home(), &intent).await.unwrap();
        let check = ["check", "--key", &house.k1, "--user", user];
        assert_eq!(report.render(Format::Json), printed(&house, &check).await);
        let wanted = wanted("plan", intent);
        let preview = wanted.preview(&ports, &home(), &|_| {}).await.unwrap();
        let plan = ["plan", "--key", &house.k1, "--user", user];
        assert_eq!(wanted.planned(&home(), &preview).render(Format::Json), printed(&house, &plan).await);
    }
    assert_eq!(house.stub.writes().len(), 0);
}

#[tokio::test]
async fn what_is_asked_is_done_and_reported_unless_somebody_would_be_locked_out() {
    let (house, ops, dev) = house().await;
    let ports = house.function(None).ports;
    let blocked = wanted("reconcile", intent(&house.k1, &dev));
    let report = ask::carry_out(&ports, &home(), &blocked, &|_| {}).await.unwrap();
    assert!(report.fails() && report.notes.contains(&"nothing was changed".to_owned()));
    assert_eq!(house.stub.writes().len(), 0);
    let good = wanted("reconcile", intent(&house.k1, &ops));
    let report = value(&ask::carry_out(&ports, &home(), &good, &|_| {}).await.unwrap());
    assert_eq!((&report["command"], &report["change"]["done"]), (&"reconcile".into(), &true.into()));
    assert_eq!(report["change"]["after"]["kmsKeyId"], house.k1);
    let latest =
        house.stub.world(|world| key_in(world.document(DocumentName::PREFERENCES).unwrap().latest_content()));
    assert_eq!(latest, house.k1);
    // Nothing differs now, so nothing is written.
    house.stub.forget_calls();
    let report = value(&ask::carry_out(&ports, &home(), &good, &|_| {}).await.unwrap());
    assert_eq!((&report["change"]["done"], &report["change"]["differs"]), (&false.into(), &false.into()));
    assert_eq!(house.stub.writes().len(), 0);
    // Another owner is refused, as between stacks.
    let ran = on(&house, &["clear", "--yes"], &Terminal::None).await;
    assert!(ran.err.contains("is owned by resource session-kms of stack direct-call"), "{}", ran.err);
    house.assert_settings_kept();
}

#[tokio::test]
async fn a_check_covers_the_standby_key_and_needs_none_for_encryption_off() {
    let (house, ops, _) = house().await;
    let ports = house.function(None).ports;
    let standby = |key: &str| Intent {
        on_key_trouble: OnKeyTrouble::Standby(KeyRef::parse(key).unwrap()),
        ..intent(&house.k1, &ops)
    };
    house.stub.world(|world| world.key(&house.k2).state = "Disabled");
    let report = ask::check(&ports, &home(), &standby(&house.k2)).await.unwrap();
    assert!(report.fails() && report.render(Format::Json).contains("its state is Disabled"));
    let error = ask::check(&ports, &home(), &standby("alias/none")).await.unwrap_err();
    assert!(matches!(error, ReconcileError::Standby(_)), "{error}");
    let off = Intent { encryption: Encryption::Disabled, ..intent(&house.k1, &ops) };
    let report = ask::check(&ports, &home(), &off).await.unwrap();
    assert!(!report.fails() && report.judged.is_none(), "{}", report.render(Format::Json));
}
