//! The kinds of faults, and which calls can have them.

use crate::stub::{CallRecord, Fault, Refusal, When};

/// A kind of fault. What is lasting also affects all later calls of the same operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ThrottledOnce,
    Throttled,
    InternalErrorOnce,
    UnavailableOnce,
    /// The first attempt is never answered, and a second one is made before the deadline.
    SlowOnce,
    /// The call is never answered and not executed.
    Hangs,
    /// The call is executed and never answered.
    HangsAfterExecution,
    /// The connection is closed before the call is executed.
    CutBeforeOnce,
    /// There is no connection.
    NoConnection,
    /// The call is executed, and the connection is closed before the answer.
    CutAfterOnce,
    /// The call is executed as often as it is made, and no answer comes.
    NeverReported,
    /// The call is executed, and its answer stops in the middle.
    HalfAnswerOnce,
    DeniedOnce,
    Denied,
    /// The service does not find what is there.
    NotFoundOnce,
    /// Another writer was faster.
    ConflictOnce,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::ThrottledOnce,
        Self::Throttled,
        Self::InternalErrorOnce,
        Self::UnavailableOnce,
        Self::SlowOnce,
        Self::Hangs,
        Self::HangsAfterExecution,
        Self::CutBeforeOnce,
        Self::NoConnection,
        Self::CutAfterOnce,
        Self::NeverReported,
        Self::HalfAnswerOnce,
        Self::DeniedOnce,
        Self::Denied,
        Self::NotFoundOnce,
        Self::ConflictOnce,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ThrottledOnce => "throttled once",
            Self::Throttled => "throttled",
            Self::InternalErrorOnce => "500 once",
            Self::UnavailableOnce => "503 once",
            Self::SlowOnce => "slow once",
            Self::Hangs => "hangs",
            Self::HangsAfterExecution => "hangs after execution",
            Self::CutBeforeOnce => "cut before once",
            Self::NoConnection => "no connection",
            Self::CutAfterOnce => "cut after once",
            Self::NeverReported => "never reported",
            Self::HalfAnswerOnce => "half an answer once",
            Self::DeniedOnce => "denied once",
            Self::Denied => "denied",
            Self::NotFoundOnce => "not found once",
            Self::ConflictOnce => "conflict once",
        }
    }

    fn is_lasting(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::Hangs
                | Self::HangsAfterExecution
                | Self::NoConnection
                | Self::NeverReported
                | Self::Denied
        )
    }

    /// Whether the call hangs until the deadline of the run.
    pub fn hangs(self) -> bool {
        matches!(self, Self::Hangs | Self::HangsAfterExecution)
    }

    /// Whether the SDK's next attempt succeeds, so that the run must end as if nothing had happened.
    pub fn is_absorbed(self) -> bool {
        matches!(
            self,
            Self::ThrottledOnce
                | Self::InternalErrorOnce
                | Self::UnavailableOnce
                | Self::SlowOnce
                | Self::CutBeforeOnce
                | Self::CutAfterOnce
                | Self::HalfAnswerOnce
        )
    }

    /// The fault at this call; `None` if the call cannot have it.
    pub fn fault(self, call: &CallId) -> Option<Fault> {
        Some(match self {
            Self::ThrottledOnce | Self::Throttled => Fault::Throttle,
            Self::InternalErrorOnce => Fault::InternalError,
            Self::UnavailableOnce => Fault::Unavailable,
            Self::SlowOnce | Self::Hangs => Fault::Hang,
            Self::HangsAfterExecution => Fault::HangAfter,
            Self::CutBeforeOnce | Self::NoConnection => Fault::CutBefore,
            Self::CutAfterOnce | Self::NeverReported => Fault::CutAfter,
            Self::HalfAnswerOnce => Fault::HalfAnswer,
            Self::DeniedOnce | Self::Denied => Fault::AccessDenied { action: "some:Action" },
            Self::NotFoundOnce => Fault::Refuse(not_found(call)?),
            Self::ConflictOnce => Fault::Refuse(conflict(call)?),
        })
    }

    /// The calls that the fault affects.
    pub fn when(self, call: &CallId) -> When {
        let of_operation = When::operation(call.service, call.operation);
        match self.is_lasting() {
            true => of_operation.nth_on(call.number),
            false => of_operation.nth(call.number),
        }
    }
}

/// A call of a flow: the n-th of its operation, counted from 1. Calls that are made together have no certain order, so
/// their position among all calls says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId {
    pub service: &'static str,
    pub operation: &'static str,
    pub number: usize,
}

impl CallId {
    /// The ids of the calls of a run.
    pub fn each(calls: &[CallRecord]) -> Vec<Self> {
        let mut ids: Vec<Self> = Vec::new();
        for call in calls {
            let same = ids.iter().filter(|id| (id.service, id.operation) == (call.service, &call.operation));
            let number = same.count() + 1;
            // The journal owns its names; the faults want some that last. There are a few dozens.
            let operation = match ids.iter().find(|id| id.operation == call.operation) {
                Some(known) => known.operation,
                None => call.operation.clone().leak(),
            };
            ids.push(Self { service: call.service, operation, number });
        }
        ids
    }
}

impl std::fmt::Display for CallId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}#{}", self.service, self.operation, self.number)
    }
}

/// How the service says that what the call names is not there.
fn not_found(call: &CallId) -> Option<Refusal> {
    let code = match (call.service, call.operation) {
        ("ssm", "GetParameter" | "GetParameterHistory" | "DeleteParameter") => "ParameterNotFound",
        ("ssm", "GetServiceSetting") => "ServiceSettingNotFound",
        ("ssm", "UpdateDocumentDefaultVersion") => "InvalidDocumentVersion",
        (
            "ssm",
            "GetDocument" | "DescribeDocument" | "ListDocumentVersions" | "UpdateDocument" | "DeleteDocument",
        ) => "InvalidDocument",
        ("kms", _) => "NotFoundException",
        ("iam", _) => return Some(Refusal::client("NoSuchEntity", MISSING).coded(404, "NoSuchEntity")),
        ("ec2", "DescribeInstances") => "InvalidInstanceID.NotFound",
        ("organizations", _) => "AWSOrganizationsNotInUseException",
        _ => return None,
    };
    Some(Refusal::client(code, MISSING))
}

const MISSING: &str = "It cannot be found.";

/// How the service says that somebody else writes the same.
fn conflict(call: &CallId) -> Option<Refusal> {
    let code = match (call.service, call.operation) {
        ("ssm", "CreateDocument") => "DocumentAlreadyExists",
        ("ssm", "UpdateDocument") => "InvalidDocumentVersion",
        ("ssm", "UpdateDocumentDefaultVersion" | "DeleteDocument" | "PutParameter") => "TooManyUpdates",
        ("kms", "DescribeKey" | "GenerateDataKey" | "Decrypt") => "DependencyTimeoutException",
        _ => return None,
    };
    Some(Refusal::client(code, "Somebody else was faster."))
}
