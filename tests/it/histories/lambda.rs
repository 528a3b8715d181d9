//! Lambda: it delivers an event to the function, loses and repeats deliveries, and ends runs.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use cloudformation_custom_resource::{Backoff, ResponseSender, RetryPolicy};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionSettings};

use super::account::{Change, Others, changes_in_between};
use crate::fixture::{PATIENCE, function_on, handle};
use crate::stub::{Fault, PutFault, Request, Stop, Stub, When};

/// How long the sender waits for the receiver of answers.
const PUT_PATIENCE: Duration = Duration::from_secs(5);

/// What goes wrong in one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// As many calls from the n-th on fail in this way.
    Calls { from: usize, count: usize, how: CallFault },
    /// The role may not make this call.
    Denied(&'static str, &'static str),
    /// The process ends at the n-th call, before or after the call is executed.
    Killed(usize, Execution),
    /// The n-th call is never answered, and the deadline passes.
    Hangs(usize, Execution),
    /// AWS fails the next version of a document.
    VersionFails,
    /// Somebody changes something just before the n-th call.
    Change(usize, Change),
    /// What the receiver of answers does to the first PUTs.
    Put(PutTrouble),
    /// The response URL has expired when the request arrives.
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    Throttled,
    InternalError,
    Unavailable,
    CutBefore,
    CutAfter,
    Garbage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutTrouble {
    /// 403 once: the invocation fails, and Lambda repeats it.
    Refused,
    /// 403 for ever: nobody ever hears an answer.
    AlwaysRefused,
    /// This many times 500.
    ServerError(usize),
    CutBefore,
    CutAfter,
    /// The answer is taken, and that is never acknowledged.
    Hanging,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls { from, count: 1, how } => write!(f, "call {from} is {how:?}"),
            Self::Calls { from, count, how } => write!(f, "{count} calls from {from} are {how:?}"),
            Self::Denied(_, operation) => write!(f, "{operation} is denied"),
            Self::Killed(call, execution) => write!(f, "killed at call {call} ({execution:?})"),
            Self::Hangs(call, execution) => write!(f, "call {call} hangs ({execution:?})"),
            Self::VersionFails => f.write_str("AWS fails the next version"),
            Self::Change(call, change) => write!(f, "before call {call} {change}"),
            Self::Put(put) => write!(f, "the PUT is {put:?}"),
            Self::Expired => f.write_str("the URL has expired"),
        }
    }
}

impl Trouble {
    /// Its kind, to count.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Calls { how: CallFault::CutBefore | CallFault::CutAfter, .. } => "calls cut off",
            Self::Calls { how: CallFault::Garbage, .. } => "answers of AWS that cannot be read",
            Self::Calls { .. } => "calls refused",
            Self::Denied(..) => "calls denied",
            Self::Killed(..) => "runs killed",
            Self::Hangs(..) => "calls that hang",
            Self::VersionFails => "versions that AWS fails",
            Self::Change(..) => "changes in the middle of a request",
            Self::Put(PutTrouble::Refused | PutTrouble::AlwaysRefused) => "PUTs refused",
            Self::Put(PutTrouble::Hanging) => "PUTs that hang",
            Self::Put(_) => "PUTs that are repeated",
            Self::Expired => "expired URLs",
        }
    }
}

pub fn troubles() -> impl Strategy<Value = Trouble> {
    let call = || prop_oneof![5 => 1..12_usize, 1 => 12..30_usize];
    let how = select(
        &[
            CallFault::Throttled,
            CallFault::InternalError,
            CallFault::Unavailable,
            CallFault::CutBefore,
            CallFault::CutAfter,
            CallFault::Garbage,
        ][..],
    );
    let execution = || select(&[Execution::Before, Execution::After][..]);
    let denied = select(
        &[
            ("kms", "DescribeKey"),
            ("ssm", "GetParameter"),
            ("ssm", "PutParameter"),
            ("ssm", "DeleteParameter"),
            ("ssm", "UpdateDocument"),
            ("ssm", "UpdateDocumentDefaultVersion"),
            ("ssm", "CreateDocument"),
        ][..],
    );
    let put = prop_oneof![
        Just(PutTrouble::Refused),
        Just(PutTrouble::AlwaysRefused),
        (1..4_usize).prop_map(PutTrouble::ServerError),
        Just(PutTrouble::CutBefore),
        Just(PutTrouble::CutAfter),
        Just(PutTrouble::Hanging),
    ];
    prop_oneof![
        4 => (call(), prop_oneof![1 => Just(1_usize), 2 => Just(8)], how)
            .prop_map(|(from, count, how)| Trouble::Calls { from, count, how }),
        2 => denied.prop_map(|(service, operation)| Trouble::Denied(service, operation)),
        4 => (call(), execution()).prop_map(|(call, execution)| Trouble::Killed(call, execution)),
        2 => (call(), execution()).prop_map(|(call, execution)| Trouble::Hangs(call, execution)),
        1 => Just(Trouble::VersionFails),
        3 => (call(), changes_in_between()).prop_map(|(call, change)| Trouble::Change(call, change)),
        3 => put.prop_map(Trouble::Put),
        1 => Just(Trouble::Expired),
    ]
}

impl From<Execution> for Stop {
    fn from(execution: Execution) -> Self {
        match execution {
            Execution::Before => Self::Before,
            Execution::After => Self::After,
        }
    }
}

impl CallFault {
    fn fault(self) -> Fault {
        match self {
            Self::Throttled => Fault::Throttle,
            Self::InternalError => Fault::InternalError,
            Self::Unavailable => Fault::Unavailable,
            Self::CutBefore => Fault::CutBefore,
            Self::CutAfter => Fault::CutAfter,
            Self::Garbage => Fault::Garbage,
        }
    }
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The function returned, and Lambda is content.
    Done,
    /// The function failed or was killed, so Lambda delivers the event again.
    Failed,
}

/// A function as a new execution environment has it. No repair is one too many for it, and it waits only milliseconds
/// before it repeats a PUT.
pub fn new_function(stub: &Stub) -> Function<Aws> {
    let policy = RetryPolicy {
        attempt_timeout: PUT_PATIENCE,
        backoff: Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2) },
    };
    Function {
        sender: ResponseSender::new(Connector::builder().build_http(), policy),
        settings: FunctionSettings { repairs_per_hour: 10_000, ..FunctionSettings::default() },
        ..function_on(stub, &stub.sdk_config(3, None), Duration::from_millis(1))
    }
}

/// Delivers an event once. Returns how that ended, and whether the change of the trouble was made.
pub async fn deliver(
    stub: &Stub,
    function: &Function<Aws>,
    payload: &Value,
    url: Option<&str>,
    trouble: Option<Trouble>,
    others: &Others,
) -> (Ending, bool) {
    let is_changed = Arc::new(AtomicBool::new(false));
    prepare(stub, url, trouble, others, &is_changed);
    let mut handled = pin!(handle(function, payload, PATIENCE));
    let ending = match trouble {
        Some(Trouble::Killed(call, execution)) => {
            stub.stop_at(call, execution.into());
            tokio::select! {
                result = handled.as_mut() => Some(result.is_ok()),
                () = stub.reached() => None,
            }
        }
        Some(Trouble::Hangs(call, execution)) => {
            stub.stop_at(call, execution.into());
            let ended = tokio::select! {
                result = handled.as_mut() => Some(result.is_ok()),
                () = stub.reached() => None,
            };
            match ended {
                None => {
                    pass(PATIENCE).await;
                    Some(handled.as_mut().await.is_ok())
                }
                ended => ended,
            }
        }
        Some(Trouble::Put(PutTrouble::Hanging)) => {
            let url = url.expect("a request");
            let ended = tokio::select! {
                result = handled.as_mut() => Some(result.is_ok()),
                _ = stub.answer(url) => None,
            };
            match ended {
                None => {
                    pass(PUT_PATIENCE + Duration::from_secs(1)).await;
                    Some(handled.as_mut().await.is_ok())
                }
                ended => ended,
            }
        }
        _ => Some(handled.as_mut().await.is_ok()),
    };
    stub.clear_faults();
    stub.resume();
    stub.world(|world| world.documents.fail_next = None);
    let ending = if ending == Some(true) { Ending::Done } else { Ending::Failed };
    (ending, is_changed.load(Ordering::SeqCst))
}

/// Lets time pass for those who wait.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn prepare(
    stub: &Stub,
    url: Option<&str>,
    trouble: Option<Trouble>,
    others: &Others,
    is_changed: &Arc<AtomicBool>,
) {
    match trouble {
        Some(Trouble::Calls { from, count, how }) => {
            for call in from..from + count {
                stub.fault(When::any().nth(call), how.fault());
            }
        }
        Some(Trouble::Denied(service, operation)) => {
            stub.fault(When::operation(service, operation), Fault::AccessDenied { action: "some:Action" });
        }
        Some(Trouble::VersionFails) => {
            stub.world(|world| world.documents.fail_next = Some("it is not valid".to_owned()));
        }
        Some(Trouble::Change(call, change)) => {
            let (others, is_changed) = (Arc::clone(others), Arc::clone(is_changed));
            let hook = Fault::before(move |world| {
                change.apply(world, &others);
                is_changed.store(true, Ordering::SeqCst);
            });
            stub.fault(When::any().nth(call), hook);
        }
        Some(Trouble::Put(put)) => {
            let faults = match put {
                PutTrouble::Refused => vec![PutFault::Status(403)],
                PutTrouble::AlwaysRefused => vec![PutFault::Status(403); 3],
                PutTrouble::ServerError(times) => vec![PutFault::Status(500); times],
                PutTrouble::CutBefore => vec![PutFault::CutBefore],
                PutTrouble::CutAfter => vec![PutFault::CutAfter],
                PutTrouble::Hanging => vec![PutFault::Held],
            };
            stub.put_faults(url.expect("a request"), &faults);
        }
        Some(Trouble::Killed(..) | Trouble::Hangs(..) | Trouble::Expired) | None => {}
    }
}

/// Runs two requests. Each turn lets one of them make some calls, and then each runs to its end.
pub async fn interleave(
    stub: &Stub,
    functions: [&Function<Aws>; 2],
    payloads: [&Value; 2],
    turns: &[(bool, usize)],
) -> [Ending; 2] {
    let mut first = pin!(handle(functions[0], payloads[0], PATIENCE));
    let mut second = pin!(handle(functions[1], payloads[1], PATIENCE));
    let mut ended = [None, None];
    for (is_second, calls) in turns {
        let index = usize::from(*is_second);
        if ended[index].is_none() {
            ended[index] = match is_second {
                false => run_for(stub, first.as_mut(), *calls).await,
                true => run_for(stub, second.as_mut(), *calls).await,
            };
        }
    }
    if ended[0].is_none() {
        ended[0] = Some(first.await.is_ok());
    }
    if ended[1].is_none() {
        ended[1] = Some(second.await.is_ok());
    }
    ended.map(|ended| if ended == Some(true) { Ending::Done } else { Ending::Failed })
}

/// Polls a run until it has made this many calls. Returns how it ended, if it ended before.
async fn run_for<T, E>(
    stub: &Stub,
    run: Pin<&mut impl Future<Output = Result<T, E>>>,
    calls: usize,
) -> Option<bool> {
    let before = stub.calls().len();
    tokio::select! {
        biased;
        () = stub.arrived(before + calls) => None,
        result = run => Some(result.is_ok()),
    }
}

/// The same request with an expired URL, or with the id of an earlier request.
pub fn readdressed(stub: &Stub, request: &Request, request_id: Option<&str>, is_expired: bool) -> Request {
    let text = |name: &str| request.payload[name].as_str().unwrap().to_owned();
    let ids = crate::stub::Ids {
        stack_id: text("StackId"),
        request_id: request_id.map_or_else(|| text("RequestId"), str::to_owned),
        logical_resource_id: text("LogicalResourceId"),
    };
    let url = match is_expired {
        true => stub.response_url_with(&ids, "Expires=1500000000&Signature=x"),
        false => stub.response_url(&ids),
    };
    let mut payload = request.payload.clone();
    payload["ResponseURL"] = url.as_str().into();
    payload["RequestId"] = ids.request_id.into();
    Request { payload, url }
}
