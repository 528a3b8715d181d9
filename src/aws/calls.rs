//! What is the same for every call, of whichever client: which calls AWS has not answered yet, and when a call is made
//! again.
//!
//! The SDK makes a call again after throttling, an error inside AWS, a time-out and a broken connection, up to five
//! times in all, with backoff. Here it also does so if the answer cannot be read: a call that is made twice does no harm,
//! since every write is conditional or ends in the same state. The SDK would count retries over the life of the process
//! too, so that after an outage a process had none left. That is off. What bounds the retries is the number for each call,
//! the deadline of the event, and Lambda's number of retries for an event.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ssm::config::ConfigBag;
use aws_sdk_ssm::config::interceptors::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ssm::error::{BoxError, ProvideErrorMetadata};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use serde::de::IgnoredAny;

use super::Aws;
use super::pace::Pace;
use super::raw_operation::Refusal;
use crate::ports::Calls;

/// The calls that AWS has not answered yet, and the pace of those that are many.
#[derive(Clone, Debug, Default)]
pub(super) struct CallsInFlight {
    unanswered: Arc<Mutex<Unanswered>>,
    /// The pace of the calls of IAM.
    pub(super) iam: Pace,
    /// The pace of the calls of Organizations and of Account Management, which are many in an audit.
    pub(super) organization: Pace,
}

/// The names of the calls, each under a number of its own.
#[derive(Debug, Default)]
struct Unanswered {
    last: u64,
    names: BTreeMap<u64, String>,
}

/// One call. It is held by the call's settings, which end with the call, also if nobody waits for it any more.
struct CallInFlight {
    calls: CallsInFlight,
    number: u64,
}

impl CallsInFlight {
    fn with<T>(&self, change: impl FnOnce(&mut Unanswered) -> T) -> T {
        change(&mut self.unanswered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for CallsInFlight {
    fn name(&self) -> &'static str {
        "CallsInFlight"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = settings.load::<Metadata>() else { return Ok(()) };
        // `SSM`, and `Config Service` of a service without a client.
        let service = call.service().split(' ').next().unwrap_or_default().to_ascii_lowercase();
        let name = format!("{service}:{}", call.name());
        let number = self.with(|unanswered| {
            unanswered.last += 1;
            unanswered.names.insert(unanswered.last, name);
            unanswered.last
        });
        settings.interceptor_state().store_put(CallInFlight { calls: self.clone(), number });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(response), Some(call)) = (context.response(), settings.load::<Metadata>()) {
            match call.service() {
                "IAM" => self.iam.answered(response),
                "Organizations" | "Account" => self.organization.answered(response),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.calls.with(|unanswered| unanswered.names.remove(&self.number));
    }
}

impl fmt::Debug for CallInFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallInFlight").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Storable for CallInFlight {
    type Storer = StoreReplace<Self>;
}

impl Aws {
    /// How many calls AWS has not answered yet.
    #[must_use]
    pub fn calls_under_way(&self) -> usize {
        self.in_flight.with(|unanswered| unanswered.names.len())
    }
}

impl Calls for Aws {
    fn unanswered(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.in_flight.with(|unanswered| unanswered.names.values().cloned().collect());
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// An answer that says that the call was executed, and that cannot be read: half of it, or a proxy's page.
#[derive(Debug)]
pub(super) struct UnreadableAnswer;

impl ClassifyRetry for UnreadableAnswer {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        // Such an answer can be a refusal all the same.
        let is_refusal = error
            .as_operation_error()
            .and_then(|error| error.downcast_ref::<Refusal>())
            .is_some_and(|refusal| refusal.code().is_some());
        match context.response() {
            Some(response) if !is_refusal && (response.status().is_success() || is_cut(response)) => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "UnreadableAnswer"
    }
}

/// Whether the body of an answer ends too early: JSON that is none, or XML whose last tag is not closed.
fn is_cut(response: &HttpResponse) -> bool {
    let Some(body) = response.body().bytes().map(<[u8]>::trim_ascii).filter(|body| !body.is_empty()) else {
        return false;
    };
    match body.first() {
        Some(b'{') => serde_json::from_slice::<IgnoredAny>(body).is_err(),
        Some(b'<') => body.last() != Some(&b'>'),
        _ => false,
    }
}

/// Retries that do not run out over the life of the process.
pub(super) fn retry_partition() -> RetryPartition {
    RetryPartition::custom("session-kms").token_bucket(TokenBucket::unlimited()).build()
}
