//! What the Lambda does with what arrives: the source is told by its shape, and each has its way on.

mod change_event;
mod config_rule;
mod direct;
mod resource;
mod session_encryption;
mod session_key_access;

use std::time::SystemTime;

use serde_json::{Value, json};
use thiserror::Error;
use tracing::Instrument;

use crate::arn::Arn;
use crate::event::{self, Arrival, FunctionIdentity, sns};
use crate::location::Location;
use crate::log;
use crate::metrics::Metrics;
use crate::ports::{Compliance, Environment, WritePorts};
use crate::reconcile::{ReconcileError, digest};
use crate::session::DocumentName;
use change_event::ChangeEventHandler;
use cloudformation_custom_resource::{
    Courier, CustomResource, Invocation, Origin, Problems, Provider, Unserved,
};
use resource::Home;
use session_encryption::SessionEncryption;
use session_key_access::SessionKeyAccess;

/// The function: its ports, and what it needs to answer CloudFormation.
#[derive(Debug)]
pub struct Function<P> {
    /// The outside.
    pub ports: P,
    /// Sends answers.
    pub courier: Courier,
    /// Where answers may go besides AWS.
    pub endpoints: Vec<Origin>,
    /// The Region of the environment.
    pub region: String,
    /// What the deployment sets.
    pub settings: Settings,
}

/// What the deployment sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The ARN of the function's own role, whose calls are no news.
    pub role_arn: Option<String>,
    /// How often within an hour a document is put right before that stops.
    pub repairs_per_hour: usize,
    /// The document that the deployment is for: that it has no record is news.
    pub document: Option<DocumentName>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { role_arn: None, repairs_per_hour: 5, document: None }
    }
}

/// Why an invocation failed, so that Lambda tries again or keeps the event.
#[derive(Debug, Error)]
pub enum FunctionError {
    /// A custom-resource request whose answer was not taken.
    #[error(transparent)]
    Unserved(#[from] Unserved),
    /// A direct call whose words are wrong.
    #[error("{0}")]
    BadCall(Problems),
    /// A direct call, or a question of AWS Config, that could not be answered.
    #[error(transparent)]
    Unanswered(#[from] ReconcileError),
    /// A notice whose documents could not all be looked after.
    #[error("not all could be looked after: {problems}")]
    Unkept {
        /// What kept it from it.
        problems: String,
    },
    /// Where the function is cannot be told.
    #[error("the function's ARN names no account")]
    NoHome,
    /// Nothing that this function knows.
    #[error(
        "the event is none that this function knows: a custom-resource request, an event of EventBridge about \
         session documents and keys, a question of AWS Config, or a call with an `action`"
    )]
    UnknownEvent,
}

impl FunctionError {
    /// A name for the kind of error, the same in every version: what Lambda calls the error type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unserved(Unserved::Unanswerable(_)) => "Unanswerable",
            Self::Unserved(Unserved::ForeignHost(_)) => "ForeignHost",
            Self::Unserved(Unserved::Undelivered(_)) => "Undelivered",
            Self::BadCall(_) => "BadCall",
            Self::Unanswered(ReconcileError::Aws(_)) => "Aws",
            Self::Unanswered(_) => "Refused",
            Self::Unkept { .. } => "Unkept",
            Self::NoHome => "NoHome",
            Self::UnknownEvent => "UnknownEvent",
        }
    }
}

impl<P: WritePorts + Compliance> Function<P> {
    /// Handles one event. The value is the report, which a direct caller gets and Lambda passes on to a
    /// destination.
    ///
    /// # Errors
    /// See [`FunctionError`]. A custom resource that failed, and whose stack was told so, is no error.
    pub async fn handle(
        &self,
        event: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
    ) -> Result<Value, FunctionError> {
        let Some(messages) = sns::messages(event) else {
            let handled = self.one(event, function_arn, invocation).await;
            if let Err(error @ FunctionError::UnknownEvent) = &handled {
                tracing::error!("{error}");
            }
            return handled;
        };
        let (mut reports, mut failure) = (Vec::new(), None);
        for message in messages {
            let handled = match message {
                Ok(event) => self.one(&event, function_arn, invocation).await,
                Err(why) => Ok(ignored(&why)),
            };
            match handled {
                Ok(report) => reports.push(report),
                // A topic may carry messages for others too.
                Err(FunctionError::UnknownEvent) => reports.push(ignored(FOREIGN)),
                Err(error) => failure = Some(error),
            }
        }
        // SNS sends one message at a time; the others have been handled where it does not.
        match (failure, reports.pop()) {
            (Some(error), _) => Err(error),
            (None, Some(report)) if reports.is_empty() => Ok(report),
            (None, last) => Ok(reports.into_iter().chain(last).collect()),
        }
    }

    async fn one(
        &self,
        event: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
    ) -> Result<Value, FunctionError> {
        let text = |name| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let span = tracing::info_span!(
            "invocation",
            request_id = invocation.request_id,
            stack = text("StackId"),
            logical_resource_id = text("LogicalResourceId"),
            event_id = text("id"),
        );
        let (begun, mut metrics) = (self.ports.now(), Metrics::default());
        // Boxed: the state of the whole way, inlined into the runtime's own, is too deep for the compiler.
        let handled = if cloudformation_custom_resource::is_request(event) {
            Box::pin(self.serve(event, function_arn, invocation, &mut metrics)).instrument(span).await
        } else {
            Box::pin(self.take(event, function_arn, invocation, &mut metrics)).instrument(span).await
        };
        let now = self.ports.now();
        metrics.duration_ms = milliseconds(begun, now);
        let function_name =
            Arn::parse(function_arn).and_then(|arn| arn.name_after_type()).unwrap_or("session-kms");
        log::metrics(&metrics.line(function_name, milliseconds(SystemTime::UNIX_EPOCH, now)));
        handled
    }

    /// A request for a custom resource.
    async fn serve(
        &self,
        event: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        let (ports, request_id) = (&self.ports, invocation.request_id);
        let location = Home::new(function_arn, &self.region);
        match event.get("ResourceType").and_then(Value::as_str) {
            Some(session_key_access::TYPE) => {
                let provider = self.provider(SessionKeyAccess { ports, location, request_id });
                Box::pin(provider.serve(event, invocation)).await?;
            }
            _ => {
                let provider = self.provider(SessionEncryption { ports, location, request_id });
                Box::pin(provider.serve(event, invocation)).await?;
                metrics.guarded = 1;
            }
        }
        Ok(Value::Null)
    }

    /// Anything else.
    async fn take(
        &self,
        event: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        let location = Location::of_arn(function_arn, &self.region);
        let own =
            FunctionIdentity { role_arn: self.settings.role_arn.as_deref(), location: location.as_ref() };
        let arrival = event::read(event, own);
        let location = location.as_ref().ok_or(FunctionError::NoHome);
        let environment = location.map(|location| Environment::new(&self.ports, location));
        match arrival {
            Arrival::ChangeEvent(change) => {
                tracing::info!(source = ?change.source, about = ?change.scope, %change, "notice");
                let deadline = invocation.deadline;
                let handler =
                    ChangeEventHandler { environment: environment?, settings: &self.settings, deadline };
                Box::pin(handler.handle(&change, metrics)).await
            }
            Arrival::ConfigRule(evaluation) => {
                Ok(Box::pin(config_rule::evaluate(environment?, &evaluation)).await?)
            }
            Arrival::Direct(Ok(call)) => {
                let mut properties = event.as_object().cloned().unwrap_or_default();
                properties.remove("action");
                let now = self.ports.now();
                let patience = invocation.deadline.duration_since(now).unwrap_or_default().div_f64(2.0);
                let answer = direct::answer(environment?, &call, digest(&properties), patience);
                Ok(Box::pin(answer).await?)
            }
            Arrival::Direct(Err(problems)) => Err(FunctionError::BadCall(problems)),
            Arrival::Ignored(why) => Ok(ignored(&why)),
            Arrival::Unknown => Err(FunctionError::UnknownEvent),
        }
    }

    fn provider<R: CustomResource>(&self, resource: R) -> Provider<R, fn() -> SystemTime> {
        Provider::new(resource, self.courier.clone(), self.endpoints.clone(), SystemTime::now)
    }
}

fn milliseconds(from: SystemTime, to: SystemTime) -> u64 {
    to.duration_since(from).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

/// Why a message of a topic is ignored.
const FOREIGN: &str = "the SNS message is none of this function's";

/// The answer to what is no business of this function.
fn ignored(why: &str) -> Value {
    tracing::info!(why, "ignored");
    json!({ "command": "event", "ignored": why, "alert": false, "changed": false, "summary": why })
}
