//! An operation gives the report that the command line prints, whoever asks for it.

use serde_json::Value;
use session_kms::intent::{Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner, Safeguards};
use session_kms::key::KeyRef;
use session_kms::location::Location;
use session_kms::operations::{self, ChangeRequest};
use session_kms::ports::Environment;
use session_kms::reconcile::ReconcileError;
use session_kms::report::{Report, ReportFormat};
use session_kms::session::DocumentName;

use super::{Terminal, on};
use crate::fixture::{Fixture, key_in};
use crate::stub::{ACCOUNT, Fault, REGION, SimulatedAnswer, When};

fn location() -> Location {
    Location { partition: "aws".into(), region: REGION.into(), account: ACCOUNT.into() }
}

/// A fixture with one role that may use any key, and one that may use none.
async fn fixture() -> (Fixture, String, String) {
    let fixture = Fixture::with_settings().await;
    let (ops, dev) = fixture.stub.world(|world| {
        let (ops, dev) = (world.add_role("Ops"), world.add_role("Dev"));
        world.simulates(&ops, "*", "*", SimulatedAnswer::allowed("UseKeys"));
        (ops, dev)
    });
    (fixture, ops, dev)
}

fn intent(key: &str, user: &str) -> Intent {
    let user = session_kms::access::PrincipalArn::parse(user).unwrap();
    let discovered = Safeguards { discover_users: true, discover_nodes: true, ..Safeguards::default() };
    Intent {
        document: DocumentName::default(),
        encryption: Encryption::with_key(KeyRef::parse(key).unwrap()),
        on_delete: OnDelete::default(),
        on_conflict: OnConflict::default(),
        create_document: false,
        safeguards: Safeguards { users: vec![user], ..discovered },
    }
}

fn wanted(command: &'static str, intent: Intent) -> ChangeRequest {
    let owner = Owner { stack_id: "direct-call".into(), logical_resource_id: "session-kms".into() };
    ChangeRequest::new(command, intent, owner, "digest".into())
}

/// The report as the command line prints it.
/// What a command prints, without what only a report of the command line says: by whom and when it was made.
async fn printed(fixture: &Fixture, arguments: &[&str]) -> String {
    let out = on(fixture, &[arguments, &["--format", "json"]].concat(), &Terminal::None).await.out;
    let mut report: serde_json::Map<String, Value> = serde_json::from_str(&out).unwrap();
    for origin in ["generatedAt", "version", "caller", "commandLine"] {
        report.shift_remove(origin).unwrap();
    }
    format!("{:#}\n", Value::Object(report))
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&report.render(ReportFormat::Json)).unwrap()
}

#[tokio::test]
async fn status_check_and_plan_report_the_same_whoever_asks() {
    let (fixture, ops, dev) = fixture().await;
    let ports = fixture.function(None).ports;
    let name = DocumentName::default();
    let status = operations::status(Environment::new(&ports, &location()), &name).await.unwrap();
    let report = operations::status_report(&name, vec![(location(), status)]);
    assert_eq!(report.render(ReportFormat::Json), printed(&fixture, &["status"]).await);
    for user in [&ops, &dev] {
        let intent = intent(&fixture.k1, user);
        let report = operations::check(Environment::new(&ports, &location()), &intent).await.unwrap();
        let check = ["check", "--key", &fixture.k1, "--user", user];
        assert_eq!(report.render(ReportFormat::Json), printed(&fixture, &check).await);
        let wanted = wanted("plan", intent);
        let preview = wanted.preview(Environment::new(&ports, &location())).await.unwrap();
        let plan = ["plan", "--key", &fixture.k1, "--user", user];
        assert_eq!(
            wanted.planned(&location(), &preview).render(ReportFormat::Json),
            printed(&fixture, &plan).await
        );
    }
    assert_eq!(fixture.stub.writes().len(), 0);
}

#[tokio::test]
async fn a_change_is_made_and_reported_unless_somebody_would_be_locked_out() {
    let (fixture, ops, dev) = fixture().await;
    let ports = fixture.function(None).ports;
    let blocked = wanted("reconcile", intent(&fixture.k1, &dev));
    let report = operations::apply(Environment::new(&ports, &location()), &blocked).await.unwrap();
    assert!(report.fails() && report.notes.contains(&"nothing was changed".to_owned()));
    assert_eq!(fixture.stub.writes().len(), 0);
    let good = wanted("reconcile", intent(&fixture.k1, &ops));
    let report = value(&operations::apply(Environment::new(&ports, &location()), &good).await.unwrap());
    assert_eq!((&report["command"], &report["change"]["done"]), (&"reconcile".into(), &true.into()));
    assert_eq!(report["change"]["after"]["kmsKeyId"], fixture.k1);
    let latest = fixture
        .stub
        .world(|world| key_in(world.document(DocumentName::PREFERENCES).unwrap().latest_content()));
    assert_eq!(latest, fixture.k1);
    // Nothing differs now, so nothing is written.
    fixture.stub.forget_calls();
    let report = value(&operations::apply(Environment::new(&ports, &location()), &good).await.unwrap());
    assert_eq!((&report["change"]["done"], &report["change"]["differs"]), (&false.into(), &false.into()));
    assert_eq!(fixture.stub.writes().len(), 0);
    // The command line is another owner, so it is refused as another stack is.
    let ran = on(&fixture, &["clear", "--yes"], &Terminal::None).await;
    assert!(ran.out.contains("is owned by a direct call of the function"), "{}", ran.out);
    fixture.assert_settings_kept();
}

#[tokio::test]
async fn a_check_covers_the_standby_key_and_needs_none_for_encryption_off() {
    let (fixture, ops, _) = fixture().await;
    let ports = fixture.function(None).ports;
    let standby = |key: &str| Intent {
        encryption: Encryption::Enabled {
            key: KeyRef::parse(&fixture.k1).unwrap(),
            on_key_trouble: OnKeyTrouble::Standby(KeyRef::parse(key).unwrap()),
        },
        ..intent(&fixture.k1, &ops)
    };
    fixture.stub.world(|world| world.key(&fixture.k2).state = "Disabled");
    let report =
        operations::check(Environment::new(&ports, &location()), &standby(&fixture.k2)).await.unwrap();
    assert!(report.fails() && report.render(ReportFormat::Json).contains("its state is Disabled"));
    let error =
        operations::check(Environment::new(&ports, &location()), &standby("alias/none")).await.unwrap_err();
    assert!(matches!(error, ReconcileError::StandbyKey(_)), "{error}");
    let off = Intent { encryption: Encryption::Disabled, ..intent(&fixture.k1, &ops) };
    let report = operations::check(Environment::new(&ports, &location()), &off).await.unwrap();
    assert!(!report.fails() && report.key_assessment.is_none(), "{}", report.render(ReportFormat::Json));
}

#[tokio::test]
async fn check_and_plan_report_alike_that_the_standby_key_may_not_be_described() {
    let (fixture, ops, _) = fixture().await;
    let ports = fixture.function(None).ports;
    let (here, intent) = (location(), intent(&fixture.k1, &ops));
    let encryption = Encryption::Enabled {
        key: KeyRef::parse(&fixture.k1).unwrap(),
        on_key_trouble: OnKeyTrouble::Standby(KeyRef::parse(&fixture.k2).unwrap()),
    };
    let intent = Intent { encryption, ..intent };
    // The first key is described first.
    let denied = || {
        fixture.stub.fault(
            When::operation("kms", "DescribeKey").nth(2),
            Fault::AccessDenied { action: "kms:DescribeKey" },
        )
    };
    denied();
    let of_check = operations::check(Environment::new(&ports, &here), &intent).await.unwrap_err();
    denied();
    let of_plan = wanted("plan", intent).preview(Environment::new(&ports, &here)).await.unwrap_err();
    for error in [of_check, of_plan] {
        assert!(matches!(&error, ReconcileError::Aws(error) if error.is_denied()), "{error}");
    }
}
