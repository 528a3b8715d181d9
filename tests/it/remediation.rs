//! Remediation after a change event, case by case, against the AWS in memory of the model test: drift is repaired,
//! trouble with the key is handled, and the breaker stops repairs against another writer.

mod breaker;
mod drift;
mod failed_repairs;
mod key_trouble;
mod lost_access;
mod races;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::FutureExt;
use session_kms::access::PrincipalArn;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::{
    Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner, PreflightMode, Safeguards,
};
use session_kms::key::KeyRef;
use session_kms::ports::Environment;
use session_kms::reconcile::{EstablishRequest, Outcome, ReconcileError, Record, establish, read_record};
use session_kms::remediation::Remediation;

use crate::model::in_memory_aws::{DuplicateRule, InMemoryAws, KEYS, NODE, Write, other_settings};
use crate::model::outside_change::{OutsideChange, event_of, name};
use crate::model::ports::{FaultPlan, InMemoryPorts};
use crate::model::run::{location, owner, remediated};

const FIRST: &str = KEYS[0];
const OTHER: &str = KEYS[1];
const STANDBY: &str = KEYS[2];

/// An AWS in memory with a document, and the library that is run against it.
struct LibraryFixture {
    aws: RefCell<InMemoryAws>,
    runs: Cell<usize>,
}

impl LibraryFixture {
    /// Somebody's document without a key, and no record.
    fn new() -> Self {
        let mut aws = InMemoryAws::new(DuplicateRule::Latest, 0);
        OutsideChange::Create.apply(&mut aws);
        Self { aws: RefCell::new(aws), runs: Cell::new(0) }
    }

    /// The same after an owner has established this intent.
    fn of(intent: &Intent) -> Self {
        let fixture = Self::new();
        fixture.establish(intent).expect("nothing is in the way");
        fixture
    }

    fn establish(&self, intent: &Intent) -> Result<Outcome, ReconcileError> {
        let (owner, digest): (Owner, _) = (owner(0), format!("{intent:?}"));
        let request = EstablishRequest {
            owner: &owner,
            intent,
            digest: &digest,
            patience: Duration::ZERO,
            preview: None,
        };
        let ports = self.ports();
        establish(Environment::new(&ports, &location()), request).now_or_never().expect("nothing waits")
    }

    /// Others change something. Returns the change event.
    fn change(&self, change: OutsideChange) -> ChangeEvent {
        change.apply(&mut self.aws.borrow_mut()).expect("it can be done")
    }

    fn remediate(&self, event: &ChangeEvent) -> Remediation {
        let ports = self.ports();
        remediated(&ports, &name(), event).now_or_never().expect("nothing waits").expect("AWS answers")
    }

    /// Others change something, and the program handles the change event.
    fn remediate_after(&self, change: OutsideChange) -> Remediation {
        let event = self.change(change);
        self.remediate(&event)
    }

    fn remediate_on_schedule(&self) -> Remediation {
        self.remediate(&event_of(ChangeSource::Schedule))
    }

    fn ports(&self) -> InMemoryPorts<'_> {
        self.runs.set(self.runs.get() + 1);
        InMemoryPorts::new(&self.aws, self.runs.get(), FaultPlan::default(), false)
    }

    fn advance_minutes(&self, minutes: u64) {
        self.aws.borrow_mut().now += minutes * 60;
    }

    /// What the last run wrote.
    fn writes(&self) -> Vec<Write> {
        let aws = self.aws.borrow();
        let of_run = aws.log.iter().filter(|entry| entry.run == self.runs.get());
        of_run.map(|entry| entry.write.clone()).collect()
    }

    /// The keys of the latest and of the default version.
    fn keys(&self) -> [String; 2] {
        let aws = self.aws.borrow();
        let document = aws.document.as_ref().expect("a document");
        [document.latest_content(), document.default_content()]
            .map(|content| content.kms_key_id().expect("a key"))
    }

    /// Fails if a version does not carry this key, or another setting was lost.
    fn assert_carries(&self, key: &str) {
        assert_eq!(self.keys(), [key, key]);
        self.assert_settings_kept();
    }

    fn assert_settings_kept(&self) {
        let aws = self.aws.borrow();
        let found = aws.document.as_ref().map(|document| other_settings(document.latest_content()));
        assert_eq!(found, aws.expected_settings);
        assert_eq!(aws.violations, Vec::<String>::new());
    }

    fn record(&self) -> Record {
        let ports = InMemoryPorts::new(&self.aws, 0, FaultPlan::default(), false);
        let record = read_record(&ports, &name()).now_or_never().expect("nothing waits");
        record.expect("one that can be read").expect("a record")
    }
}

/// Encryption with this key, and the preflight off.
fn encrypted(key: &str) -> Intent {
    Intent {
        document: name(),
        encryption: Encryption::with_key(KeyRef::parse(key).expect("a key")),
        on_delete: OnDelete::Restore,
        on_conflict: OnConflict::Fail,
        create_document: false,
        safeguards: Safeguards { mode: PreflightMode::Off, ..Safeguards::default() },
    }
}

/// The same, but the nodes must be able to use the key.
fn with_nodes(key: &str, mode: PreflightMode) -> Intent {
    let nodes = vec![PrincipalArn::parse(NODE).expect("a role")];
    Intent { safeguards: Safeguards { mode, nodes, ..Safeguards::default() }, ..encrypted(key) }
}

fn with_key_trouble(on_key_trouble: OnKeyTrouble, intent: Intent) -> Intent {
    let Encryption::Enabled { key, .. } = intent.encryption else { return intent };
    Intent { encryption: Encryption::Enabled { key, on_key_trouble }, ..intent }
}

fn standby() -> OnKeyTrouble {
    OnKeyTrouble::Standby(KeyRef::parse(STANDBY).expect("a key"))
}

/// The alert, which must be the only one.
fn only_alert(remediation: &Remediation) -> &str {
    assert_eq!(remediation.alerts.len(), 1, "{remediation:?}");
    &remediation.alerts[0]
}

fn assert_mentions(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}
