//! Runs of the software on the world: one alone, or two that take turns at each call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_kms::change_event::ChangeEvent;
use session_kms::intent::{Encryption, Intent, Mode, OnConflict, OnDelete, OnKeyTrouble, Owner, Safeguards};
use session_kms::key::KeyRef;
use session_kms::location::Location;
use session_kms::ports::{AwsError, Environment};
use session_kms::reconcile::{
    Establish, Outcome, ReconcileError, RecordedKeyTrouble, Release, establish, release,
};
use session_kms::remediation::{Remediation, RemediationRequest, remediate};
use session_kms::session::DocumentName;

use super::line::{Fate, Line};
use super::rival::name;
use super::world::{ACCOUNT, KEYS, NODE, REGION, World};

/// How often a run is polled before it counts as one that never ends.
const POLLS: usize = 20_000;
/// How often a document is put right within an hour.
pub const LIMIT: usize = 3;

/// What an owner asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub owner: usize,
    /// The key, by its place among the world's; `None` for encryption off.
    pub key: Option<usize>,
    pub trouble: Trouble,
    pub mode: Mode,
    pub on_delete: OnDelete,
    pub takes_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Alert,
    Standby(usize),
    Clear,
}

/// A run, ready to begin.
#[derive(Clone, Debug)]
pub enum Run {
    Establish(Ask),
    Release { owner: usize, on_delete: Option<OnDelete> },
    Remediate(ChangeEvent),
}

/// What came of it.
#[derive(Debug)]
pub enum Came {
    Established(Result<Outcome, ReconcileError>),
    Released(Result<Outcome, ReconcileError>),
    Remediated(Result<Remediation, AwsError>),
}

impl Came {
    /// Whether AWS answered to the end.
    pub fn ended(&self) -> bool {
        match self {
            Self::Established(result) | Self::Released(result) => {
                !matches!(result, Err(ReconcileError::Aws(_)))
            }
            Self::Remediated(result) => result.is_ok(),
        }
    }

    pub fn is_ok(&self) -> bool {
        match self {
            Self::Established(result) | Self::Released(result) => result.is_ok(),
            Self::Remediated(result) => result.is_ok(),
        }
    }
}

impl Ask {
    pub fn wanted(&self) -> &'static str {
        self.key.map_or("", |key| KEYS[key])
    }

    /// What the record is to remember of it for when the key fails.
    pub fn on_trouble(&self) -> RecordedKeyTrouble {
        match (self.trouble, self.key) {
            (Trouble::Clear, Some(_)) => RecordedKeyTrouble::Clear,
            (Trouble::Standby(key), Some(_)) => RecordedKeyTrouble::Standby(KEYS[key].to_owned()),
            (Trouble::Alert, Some(_)) | (_, None) => RecordedKeyTrouble::Alert,
        }
    }

    pub fn intent(&self) -> Intent {
        let key = |key: usize| KeyRef::parse(KEYS[key]).expect("a key ARN");
        Intent {
            document: name(),
            encryption: self.key.map_or(Encryption::Disabled, |at| Encryption::Enabled {
                key: key(at),
                on_key_trouble: match self.trouble {
                    Trouble::Alert => OnKeyTrouble::Alert,
                    Trouble::Standby(at) => OnKeyTrouble::Standby(key(at)),
                    Trouble::Clear => OnKeyTrouble::Clear,
                },
            }),
            on_delete: self.on_delete,
            on_conflict: if self.takes_over { OnConflict::TakeOver } else { OnConflict::Fail },
            safeguards: Safeguards {
                mode: self.mode,
                nodes: vec![session_kms::access::PrincipalArn::parse(NODE).expect("a role")],
                ..Safeguards::default()
            },
        }
    }

    pub fn digest(&self) -> String {
        format!("{self:?}")
    }
}

pub fn owner(number: usize) -> Owner {
    Owner { stack_id: format!("stack-{number}"), logical_resource_id: "Encryption".to_owned() }
}

pub fn location() -> Location {
    Location { partition: "aws".to_owned(), region: REGION.to_owned(), account: ACCOUNT.to_owned() }
}

impl Run {
    pub fn is_release(&self) -> bool {
        matches!(self, Self::Release { .. })
    }

    async fn go(&self, line: &Line<'_>) -> Came {
        let location = location();
        let environment = Environment::new(line, &location);
        match self {
            Self::Establish(ask) => {
                let (owner, intent, digest) = (owner(ask.owner), ask.intent(), ask.digest());
                let patience = Duration::from_secs(5);
                let request = Establish { owner: &owner, intent: &intent, digest: &digest, patience };
                Came::Established(establish(environment, request).await)
            }
            Self::Release { owner: number, on_delete } => {
                let (owner, document) = (owner(*number), name());
                let request = Release { owner: &owner, document: &document, on_delete: *on_delete };
                Came::Released(release(environment, request).await)
            }
            Self::Remediate(event) => Came::Remediated(remediated(line, &name(), event).await),
        }
    }
}

/// Remediates the document after an event.
pub async fn remediated(
    line: &Line<'_>,
    document: &DocumentName,
    event: &ChangeEvent,
) -> Result<Remediation, AwsError> {
    let request = RemediationRequest { document, event, repairs_per_hour: LIMIT };
    remediate(Environment::new(line, &location()), request).await
}

/// A future that is polled by hand, until it is done or its line is cut.
struct Polled<'a, 'w> {
    line: &'a Line<'w>,
    future: Option<Pin<Box<dyn Future<Output = Came> + 'a>>>,
    came: Option<Came>,
}

impl<'a, 'w> Polled<'a, 'w> {
    fn new(run: &'a Run, line: &'a Line<'w>) -> Self {
        Self { line, future: Some(Box::pin(run.go(line))), came: None }
    }

    fn is_over(&self) -> bool {
        self.future.is_none()
    }

    fn poll(&mut self) {
        let Some(future) = &mut self.future else { return };
        if let Poll::Ready(came) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.came = Some(came);
            self.future = None;
        } else if self.line.is_cut() {
            self.future = None;
        }
    }
}

/// Runs alone; `None` where it was cut off.
pub fn alone(world: &RefCell<World>, number: usize, run: &Run, fate: Fate) -> Result<Option<Came>, String> {
    let line = Line::new(world, number, fate, false);
    let mut polled = Polled::new(run, &line);
    for _ in 0..POLLS {
        polled.poll();
        if polled.is_over() {
            return Ok(polled.came);
        }
    }
    Err(format!("{run:?} never ends"))
}

/// Runs two that take turns as `order` says; `midst` happens after as many turns.
pub fn both(
    world: &RefCell<World>,
    runs: [(usize, &Run, Fate); 2],
    order: &[bool],
    midst: (usize, impl FnOnce()),
) -> Result<[Option<Came>; 2], String> {
    let [(left, left_run, left_fate), (right, right_run, right_fate)] = runs;
    let lines = [Line::new(world, left, left_fate, true), Line::new(world, right, right_fate, true)];
    let [left_line, right_line] = &lines;
    let mut left = Polled::new(left_run, left_line);
    let mut right = Polled::new(right_run, right_line);
    let mut midst = Some(midst);
    for turn in 0..POLLS {
        if left.is_over() && right.is_over() {
            return Ok([left.came, right.came]);
        }
        if let Some((_, happens)) = midst.take_if(|(at, _)| *at == turn) {
            happens();
        }
        let is_lefts = order.get(turn).copied().unwrap_or(turn % 2 == 0);
        if (is_lefts && !left.is_over()) || right.is_over() { left.poll() } else { right.poll() }
    }
    Err(format!("{left_run:?} and {right_run:?} never end"))
}
