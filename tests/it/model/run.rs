//! Runs of the program against the AWS in memory: one alone, or two that take turns at each call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use session_kms::change_event::ChangeEvent;
use session_kms::intent::{
    Encryption, Intent, OnConflict, OnDelete, OnKeyTrouble, Owner, PreflightMode, Safeguards,
};
use session_kms::key::KeyRef;
use session_kms::location::Location;
use session_kms::ports::Environment;
use session_kms::reconcile::{
    EstablishRequest, Outcome, ReconcileError, RecordedKeyTrouble, ReleaseRequest, establish, release,
};
use session_kms::remediation::{Remediation, RemediationError, RemediationRequest, remediate};
use session_kms::session::DocumentName;

use super::in_memory_aws::{ACCOUNT, InMemoryAws, KEYS, NODE, REGION};
use super::outside_change::name;
use super::ports::{FaultPlan, InMemoryPorts};

/// A run that is polled more often than this never ends.
const POLLS: usize = 20_000;
/// The most repairs of a document within an hour.
pub const LIMIT: usize = 3;

/// What an owner's custom resource asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRequest {
    pub owner: usize,
    /// The index of the key in [`KEYS`]; `None` for encryption off.
    pub key: Option<usize>,
    pub on_key_trouble: TroubleResponse,
    pub mode: PreflightMode,
    pub on_delete: OnDelete,
    pub takes_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleResponse {
    Alert,
    Standby(usize),
    Clear,
}

/// What a run does.
#[derive(Clone, Debug)]
pub enum Run {
    Establish(OwnerRequest),
    Release { owner: usize, on_delete: Option<OnDelete> },
    Remediate(ChangeEvent),
}

/// The result of a run.
#[derive(Debug)]
pub enum RunResult {
    Established(Result<Outcome, ReconcileError>),
    Released(Result<Outcome, ReconcileError>),
    Remediated(Result<Remediation, RemediationError>),
}

impl RunResult {
    /// Whether the run ended without an error of AWS.
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

impl OwnerRequest {
    pub fn wanted(&self) -> &'static str {
        self.key.map_or("", |key| KEYS[key])
    }

    /// What the record must remember about trouble with the key.
    pub fn recorded_key_trouble(&self) -> RecordedKeyTrouble {
        match (self.on_key_trouble, self.key) {
            (TroubleResponse::Clear, Some(_)) => RecordedKeyTrouble::Clear,
            (TroubleResponse::Standby(key), Some(_)) => RecordedKeyTrouble::Standby(KEYS[key].to_owned()),
            (TroubleResponse::Alert, Some(_)) | (_, None) => RecordedKeyTrouble::Alert,
        }
    }

    pub fn intent(&self) -> Intent {
        let key = |key: usize| KeyRef::parse(KEYS[key]).expect("a key ARN");
        Intent {
            document: name(),
            encryption: self.key.map_or(Encryption::Disabled, |at| Encryption::Enabled {
                key: key(at),
                on_key_trouble: match self.on_key_trouble {
                    TroubleResponse::Alert => OnKeyTrouble::Alert,
                    TroubleResponse::Standby(at) => OnKeyTrouble::Standby(key(at)),
                    TroubleResponse::Clear => OnKeyTrouble::Clear,
                },
            }),
            on_delete: self.on_delete,
            on_conflict: if self.takes_over { OnConflict::TakeOver } else { OnConflict::Fail },
            create_document: false,
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

    pub async fn perform(&self, ports: &InMemoryPorts<'_>) -> RunResult {
        let location = location();
        let environment = Environment::new(ports, &location);
        match self {
            Self::Establish(request) => {
                let (owner, intent, digest) = (owner(request.owner), request.intent(), request.digest());
                let patience = Duration::from_secs(5);
                let request = EstablishRequest {
                    owner: &owner,
                    intent: &intent,
                    digest: &digest,
                    patience,
                    preview: None,
                };
                RunResult::Established(establish(environment, request).await)
            }
            Self::Release { owner: number, on_delete } => {
                let (owner, document) = (owner(*number), name());
                let request = ReleaseRequest { owner: &owner, document: &document, on_delete: *on_delete };
                RunResult::Released(release(environment, request).await)
            }
            Self::Remediate(event) => RunResult::Remediated(remediated(ports, &name(), event).await),
        }
    }
}

/// Remediates the document after an event.
pub async fn remediated(
    ports: &InMemoryPorts<'_>,
    document: &DocumentName,
    event: &ChangeEvent,
) -> Result<Remediation, RemediationError> {
    let request_id = ports.request_id();
    let request =
        RemediationRequest { document, event, repairs_per_hour: LIMIT, request_id: &request_id, limit: None };
    let (ports, location) = (ports, location());
    let environment = Environment::new(ports, &location);
    let remediation = remediate(environment, request).await?;
    if let Some(note) = &remediation.note_to_save {
        // If this fails, the repair is told once more.
        let _ = note.save(environment, document).await;
    }
    Ok(remediation)
}

/// A run that is polled by hand until it ends or is cut off.
struct PolledRun<'a, 'w> {
    ports: &'a InMemoryPorts<'w>,
    future: Option<Pin<Box<dyn Future<Output = RunResult> + 'a>>>,
    result: Option<RunResult>,
}

impl<'a, 'w> PolledRun<'a, 'w> {
    fn new(run: &'a Run, ports: &'a InMemoryPorts<'w>) -> Self {
        Self { ports, future: Some(Box::pin(run.perform(ports))), result: None }
    }

    fn is_over(&self) -> bool {
        self.future.is_none()
    }

    fn poll(&mut self) {
        let Some(future) = &mut self.future else { return };
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.result = Some(result);
            self.future = None;
        } else if self.ports.is_cut() {
            self.future = None;
        }
    }
}

/// Runs one alone. The result is `None` if the run was cut off.
pub fn alone(
    aws: &RefCell<InMemoryAws>,
    number: usize,
    run: &Run,
    faults: FaultPlan,
) -> Result<Option<RunResult>, String> {
    let ports = InMemoryPorts::new(aws, number, faults, false);
    let mut polled = PolledRun::new(run, &ports);
    for _ in 0..POLLS {
        polled.poll();
        if polled.is_over() {
            return Ok(polled.result);
        }
    }
    Err(format!("{run:?} never ends"))
}

/// Runs two that take turns as `order` says, with true for the first. `interference` happens after as many turns.
pub fn both(
    aws: &RefCell<InMemoryAws>,
    runs: [(usize, &Run, FaultPlan); 2],
    order: &[bool],
    interference: (usize, impl FnOnce()),
) -> Result<[Option<RunResult>; 2], String> {
    let [(left, left_run, left_faults), (right, right_run, right_faults)] = runs;
    let ports = [
        InMemoryPorts::new(aws, left, left_faults, true),
        InMemoryPorts::new(aws, right, right_faults, true),
    ];
    let [left_ports, right_ports] = &ports;
    let mut left = PolledRun::new(left_run, left_ports);
    let mut right = PolledRun::new(right_run, right_ports);
    let mut interference = Some(interference);
    for turn in 0..POLLS {
        if left.is_over() && right.is_over() {
            return Ok([left.result, right.result]);
        }
        if let Some((_, happens)) = interference.take_if(|(at, _)| *at == turn) {
            happens();
        }
        let is_lefts = order.get(turn).copied().unwrap_or(turn % 2 == 0);
        if (is_lefts && !left.is_over()) || right.is_over() { left.poll() } else { right.poll() }
    }
    Err(format!("{left_run:?} and {right_run:?} never end"))
}
