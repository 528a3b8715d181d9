//! Faults at chosen calls, and the stop that holds a caller between two calls.

use std::sync::Arc;

use super::call::{Call, Refusal};
use super::services::Service;
use super::world::World;

/// Which calls a fault affects. Each fault counts its calls from the moment when it is set.
#[derive(Clone, Copy, Debug)]
pub struct When {
    service: Option<&'static str>,
    operation: Option<&'static str>,
    name: Option<&'static str>,
    from: usize,
    to: usize,
}

impl When {
    /// Every call of this operation, of the service with this signing name.
    pub fn operation(service: &'static str, operation: &'static str) -> Self {
        Self { service: Some(service), operation: Some(operation), name: None, from: 1, to: usize::MAX }
    }

    /// Every call of the service.
    pub fn service(service: &'static str) -> Self {
        Self { operation: None, ..Self::operation(service, "") }
    }

    /// Every call.
    pub fn any() -> Self {
        Self { service: None, ..Self::service("") }
    }

    /// Only calls whose member `Name` is this.
    pub fn on(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Only the n-th of them, counted from 1.
    pub fn nth(self, n: usize) -> Self {
        Self { from: n, to: n, ..self }
    }

    /// The n-th of them, counted from 1, and all after it.
    pub fn nth_on(self, n: usize) -> Self {
        Self { from: n, to: usize::MAX, ..self }
    }

    /// Only the first n of them.
    pub fn first(self, n: usize) -> Self {
        Self { from: 1, to: n, ..self }
    }

    fn names(&self, call: &Call) -> bool {
        self.service.is_none_or(|service| service == call.service)
            && self.operation.is_none_or(|operation| operation == call.operation)
            && self.name.is_none_or(|name| matches!(call.text("Name"), Ok(Some(named)) if named == name))
    }
}

/// What a hook does to the world.
type Hook = Arc<dyn Fn(&mut World) + Send + Sync>;

/// How a call fails.
#[derive(Clone)]
pub enum Fault {
    /// The service's refusal for lack of a permission; its message names this action (`ssm:UpdateDocument`).
    AccessDenied { action: &'static str },
    /// The service's throttling.
    Throttle,
    /// SSM's TooManyUpdates.
    TooManyUpdates,
    /// The service's own HTTP 500.
    InternalError,
    /// HTTP 503.
    Unavailable,
    /// Any other error.
    Refuse(Refusal),
    /// Never answered and not executed. The connection stays open until the stub ends.
    Hang,
    /// Executed and never answered.
    HangAfter,
    /// The connection is closed, and the call is not executed.
    CutBefore,
    /// The call is executed, and the connection is closed before the answer.
    CutAfter,
    /// The call is executed, and the answer is no JSON.
    Garbage,
    /// The call is executed, and the answer stops in the middle.
    HalfAnswer,
    /// The hook runs just before the call, as a concurrent writer would.
    Before(Hook),
    /// The hook runs just after the call and before its answer.
    After(Hook),
}

impl Fault {
    pub fn before(hook: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(hook))
    }

    pub fn after(hook: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self::After(Arc::new(hook))
    }

    /// The error answer, for the faults that are one.
    pub fn refusal(&self, call: &Call, service: &Service) -> Option<Refusal> {
        Some(match self {
            Self::AccessDenied { action } => {
                let because = format!("no identity-based policy allows the {action} action");
                let (status, code) = service.denied;
                Refusal::access_denied(&call.caller.arn, action, "*", &because).coded(status, code)
            }
            Self::Throttle => {
                let (status, code) = service.throttled;
                Refusal::client(code, "Rate exceeded").coded(status, code)
            }
            Self::TooManyUpdates => Refusal::client(
                "TooManyUpdates",
                "There are concurrent updates for a resource that supports one update at a time.",
            ),
            Self::InternalError => {
                Refusal::server(500, service.internal_error, "An error occurred on the server side.")
            }
            Self::Unavailable => Refusal::server(503, "ServiceUnavailable", "The service is unavailable."),
            Self::Refuse(refusal) => refusal.clone(),
            _ => return None,
        })
    }
}

/// The faults that are set, each with the number of calls that it has matched.
#[derive(Default)]
pub struct Plan {
    set: Vec<(When, Fault, usize)>,
}

impl Plan {
    pub fn add(&mut self, when: When, fault: Fault) {
        self.set.push((when, fault, 0));
    }

    pub fn clear(&mut self) {
        self.set.clear();
    }

    /// Counts the call, and returns its faults in the order in which they were set.
    pub fn strike(&mut self, call: &Call) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (when, fault, seen) in &mut self.set {
            if when.names(call) {
                *seen += 1;
                if (when.from..=when.to).contains(seen) {
                    faults.push(fault.clone());
                }
            }
        }
        faults
    }
}

/// Whether the call at which the stub stops is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Received, not executed, never answered.
    Before,
    /// Received, executed, never answered.
    After,
}

/// The gate that every AWS call passes. It stops a caller between two calls.
#[derive(Clone, Copy, Debug, Default)]
pub enum CallGate {
    #[default]
    Open,
    /// The gate shuts at the call that finds `left` at 1.
    Armed { left: usize, stop: Stop },
    /// The gate is shut. `reached` says whether the stopped call has arrived and, if asked for, was executed.
    Shut { reached: bool },
}

/// What the gate decides about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Pass,
    /// This call is the one to stop at.
    StopHere(Stop),
    /// The gate was already shut. The call is not executed and never answered, because its caller counts as killed.
    Held,
}

impl CallGate {
    pub fn pass(&mut self) -> Passage {
        match self {
            Self::Open => Passage::Pass,
            Self::Shut { .. } => Passage::Held,
            Self::Armed { left: 1, stop } => {
                let stop = *stop;
                *self = Self::Shut { reached: false };
                Passage::StopHere(stop)
            }
            Self::Armed { left, .. } => {
                *left -= 1;
                Passage::Pass
            }
        }
    }

    /// The stopped call has arrived and, if asked for, was executed.
    pub fn arrive(&mut self) {
        if let Self::Shut { reached } = self {
            *reached = true;
        }
    }
}
