//! What is done on a notice, case by case, on a world in memory: drift is put right, key trouble is caught, and a
//! rival is not fought for ever.

mod breaker;
mod drift;
mod lost_access;
mod races;
mod trouble;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::FutureExt;
use session_kms::access::PrincipalArn;
use session_kms::change_event::{ChangeEvent, ChangeSource};
use session_kms::intent::{Encryption, Intent, Mode, OnConflict, OnDelete, OnKeyTrouble, Owner, Safeguards};
use session_kms::key::KeyRef;
use session_kms::ports::Environment;
use session_kms::reconcile::{Establish, Outcome, ReconcileError, Record, establish, read_record};
use session_kms::remediation::Remediation;

use crate::model::line::{Fate, Line};
use crate::model::rival::{Deed, event_of, name};
use crate::model::run::{location, owner, remediated};
use crate::model::world::{Duplicates, KEYS, NODE, World, Write};

const FIRST: &str = KEYS[0];
const OTHER: &str = KEYS[1];
const STANDBY: &str = KEYS[2];

/// A world with a document, and short words for what happens in it.
struct LibraryFixture {
    world: RefCell<World>,
    runs: Cell<usize>,
}

impl LibraryFixture {
    /// A document of somebody's own, without a key.
    fn new() -> Self {
        let mut world = World::new(Duplicates::Latest, 0);
        Deed::Create.play(&mut world);
        Self { world: RefCell::new(world), runs: Cell::new(0) }
    }

    /// The same, and its owner has asked for this.
    fn of(intent: &Intent) -> Self {
        let room = Self::new();
        room.ask(intent).expect("nothing is in the way");
        room
    }

    fn ask(&self, intent: &Intent) -> Result<Outcome, ReconcileError> {
        let (owner, digest): (Owner, _) = (owner(0), format!("{intent:?}"));
        let request = Establish { owner: &owner, intent, digest: &digest, patience: Duration::ZERO };
        let line = self.line();
        establish(Environment::new(&line, &location()), request).now_or_never().expect("nothing waits")
    }

    /// Others do something; the notice that tells of it.
    fn others(&self, deed: Deed) -> ChangeEvent {
        deed.play(&mut self.world.borrow_mut()).expect("it can be done")
    }

    fn told(&self, event: &ChangeEvent) -> Remediation {
        let line = self.line();
        remediated(&line, &name(), event).now_or_never().expect("nothing waits").expect("AWS answers")
    }

    /// Others do something, and the notice of it comes.
    fn noticed(&self, deed: Deed) -> Remediation {
        let event = self.others(deed);
        self.told(&event)
    }

    fn scheduled(&self) -> Remediation {
        self.told(&event_of(ChangeSource::Schedule))
    }

    fn line(&self) -> Line<'_> {
        self.runs.set(self.runs.get() + 1);
        Line::new(&self.world, self.runs.get(), Fate::default(), false)
    }

    fn pass(&self, minutes: u64) {
        self.world.borrow_mut().now += minutes * 60;
    }

    /// What the last run wrote.
    fn writes(&self) -> Vec<Write> {
        let world = self.world.borrow();
        let of_run = world.log.iter().filter(|entry| entry.run == self.runs.get());
        of_run.map(|entry| entry.write.clone()).collect()
    }

    /// The keys of the latest and of the default version.
    fn keys(&self) -> [String; 2] {
        let world = self.world.borrow();
        let document = world.document.as_ref().expect("a document");
        [document.latest_content(), document.default_content()]
            .map(|content| content.kms_key_id().expect("a key"))
    }

    /// Fails where the document is not as wanted with this key, or another setting was lost.
    fn assert_carries(&self, key: &str) {
        assert_eq!(self.keys(), [key, key]);
        self.assert_settings_kept();
    }

    fn assert_settings_kept(&self) {
        let world = self.world.borrow();
        let there =
            world.document.as_ref().map(|document| crate::model::world::others(document.latest_content()));
        assert_eq!(there, world.others);
        assert_eq!(world.wrongs, Vec::<String>::new());
    }

    fn record(&self) -> Record {
        let line = Line::new(&self.world, 0, Fate::default(), false);
        let record = read_record(&line, &name()).now_or_never().expect("nothing waits");
        record.expect("one that can be read").expect("a record")
    }
}

/// Encryption with a key, and nobody asked whether it can be used.
fn encrypted(key: &str) -> Intent {
    Intent {
        document: name(),
        encryption: Encryption::with_key(KeyRef::parse(key).expect("a key")),
        on_delete: OnDelete::Restore,
        on_conflict: OnConflict::Fail,
        safeguards: Safeguards { mode: Mode::Off, ..Safeguards::default() },
    }
}

/// The same, where the nodes must be able to use the key.
fn proven(key: &str, mode: Mode) -> Intent {
    let nodes = vec![PrincipalArn::parse(NODE).expect("a role")];
    Intent { safeguards: Safeguards { mode, nodes, ..Safeguards::default() }, ..encrypted(key) }
}

fn in_trouble(on_key_trouble: OnKeyTrouble, intent: Intent) -> Intent {
    let Encryption::Enabled { key, .. } = intent.encryption else { return intent };
    Intent { encryption: Encryption::Enabled { key, on_key_trouble }, ..intent }
}

fn standby() -> OnKeyTrouble {
    OnKeyTrouble::Standby(KeyRef::parse(STANDBY).expect("a key"))
}

/// The one alert.
fn alert(kept: &Remediation) -> &str {
    assert_eq!(kept.alerts.len(), 1, "{kept:?}");
    &kept.alerts[0]
}

fn assert_names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}
