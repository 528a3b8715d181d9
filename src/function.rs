//! What the Lambda does with each kind of event.

#[cfg(feature = "cli")]
pub(crate) mod answers;
mod audit;
mod change_event;
mod check_command;
mod config_rule;
mod direct;
mod ignored;
mod organization;
mod own_location;
mod resource;
mod session_encryption;
mod session_key;
mod session_key_access;
mod terraform;

use std::time::SystemTime;

use serde_json::Value;
use thiserror::Error;
use tracing::Instrument;

use crate::arn::Arn;
use crate::change_event::ChangeEvent;
use crate::event::config_rule::RuleEvaluation;
use crate::event::custom_resource::{CustomResourceEvent, ResourceKind};
use crate::event::direct::DirectCall;
use crate::event::sns::SnsMessage;
use crate::event::{self, Event, FunctionIdentity};
use crate::location::Location;
use crate::metrics::Metrics;
use crate::operations::AuditFailure;
use crate::ports::{
    AwsError, CallerIdentity, Compliance, Environment, FleetMemory, LastStep, OrganizationPorts, OutOfTime,
    TimeLimit, WritePorts, left_to_work, within,
};
use crate::quote::quoted;
use crate::reconcile::{ReconcileError, digest};
use crate::session::DocumentName;
use change_event::ChangeEventHandler;
use cloudformation_custom_resource::{
    CustomResource, Invocation, Origin, PropertyProblems, Provider, ResponseSender, ServeError,
};
use direct::DirectInvocation;
use ignored::{FOREIGN, ignored};
use kms_key_policy::matches_wildcards;
use own_location::own_location;
use resource::FunctionLocation;
use session_encryption::SessionEncryption;
use session_key::SessionKey;
use session_key_access::SessionKeyAccess;

/// The function: its ports, and what it needs to answer CloudFormation.
#[derive(Debug)]
pub struct Function<P> {
    /// The calls to AWS.
    pub ports: P,
    /// Sends responses to CloudFormation.
    pub sender: ResponseSender,
    /// Where responses may go besides AWS.
    pub endpoints: Vec<Origin>,
    /// The Region of the environment.
    pub region: String,
    /// What the deployment sets.
    pub settings: FunctionSettings,
    /// Writes the line of metrics of one event.
    pub write_metrics: fn(&Value),
}

/// What the deployment sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSettings {
    /// The ARN of the function's own role. Its calls are no change events.
    pub role_arn: Option<String>,
    /// How often within an hour a document is repaired before the breaker opens.
    pub repairs_per_hour: usize,
    /// The document of the deployment. It is an alert if this document has no record.
    pub document: Option<DocumentName>,
    /// A further document, or a pattern with `*` and `?`, that the function's role covers.
    pub additional_documents: Option<String>,
    /// Whether the checks try the key: the function's role may make both calls of a session as dry runs.
    pub dry_run: bool,
    /// The name of the log group.
    pub log_group: Option<String>,
}

impl FunctionSettings {
    /// Whether the function is to manage this document: then its role must be able to.
    fn lists(&self, document: &DocumentName) -> bool {
        self.document.as_ref() == Some(document)
            || self
                .additional_documents
                .as_ref()
                .is_some_and(|pattern| matches_wildcards(pattern, document.as_str()))
    }
}

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            role_arn: None,
            repairs_per_hour: 5,
            document: None,
            additional_documents: None,
            dry_run: false,
            log_group: None,
        }
    }
}

/// Why an invocation failed, so that Lambda retries it or passes the event on as failed.
#[derive(Debug, Error)]
pub enum FunctionError {
    /// No response to a custom-resource request was accepted.
    #[error(transparent)]
    CustomResource(#[from] ServeError),
    /// A direct call has wrong properties.
    #[error("{0}")]
    BadCall(PropertyProblems),
    /// A direct call or a question of AWS Config could not be answered.
    #[error(transparent)]
    Unanswered(#[from] ReconcileError),
    /// AWS throttled an audit to the last attempt of a call. Asked again later, it can be answered.
    #[error(transparent)]
    Throttled(AwsError),
    /// The list of the accounts and Regions of an audit, or the report over it, could not be made.
    #[error(transparent)]
    Organization(#[from] AuditFailure),
    /// What Terraform asks for was refused. Terraform shows the text, and takes any answer but an error for success.
    #[error("{0}")]
    Refused(String),
    /// Some documents of a change event could not be handled.
    #[error("not every document could be handled: {problems}")]
    Incomplete {
        /// One problem for each such document.
        problems: String,
    },
    /// No time was left for a direct call or a question of AWS Config.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// The function's account is unknown, for this reason.
    #[error("the function's ARN names no account, and AWS does not say whose the credentials are: {0}")]
    NoAccount(String),
    /// No source that this function knows.
    #[error(
        "the event is none that this function knows: a custom-resource request, an event of EventBridge about \
         session documents and keys, a question of AWS Config, or a call with an `action`"
    )]
    UnknownEvent,
}

impl FunctionError {
    /// The name that Lambda reports as the type of the error.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CustomResource(ServeError::Unanswerable(_)) => "Unanswerable",
            Self::CustomResource(ServeError::ForeignHost(_)) => "ForeignHost",
            Self::CustomResource(ServeError::Undelivered(_)) => "Undelivered",
            Self::BadCall(_) => "BadCall",
            Self::Unanswered(error) if matches!(error.cause(), ReconcileError::Aws(_)) => "Aws",
            Self::Unanswered(_) | Self::Refused(_) => "Refused",
            Self::Throttled(_) => "Throttled",
            Self::Organization(AuditFailure::Aws(error)) if error.is_throttled() => "Throttled",
            Self::Organization(AuditFailure::Aws(_)) => "Aws",
            Self::Organization(_) => "Refused",
            Self::Incomplete { .. } => "Incomplete",
            Self::OutOfTime(_) => "OutOfTime",
            Self::NoAccount(_) => "NoAccount",
            Self::UnknownEvent => "UnknownEvent",
        }
    }
}

/// What stays the same for all messages of an invocation.
#[derive(Clone, Copy)]
struct Context<'a> {
    function_arn: &'a str,
    /// Where the function is, or why that is not known.
    location: Result<&'a Location, &'a str>,
    invocation: Invocation<'a>,
}

impl<P: WritePorts + Compliance + CallerIdentity + OrganizationPorts> Function<P> {
    /// Handles one event. The value is the report, which a direct caller gets and Lambda passes on to a
    /// destination. The report of several messages is the list of their reports.
    ///
    /// # Errors
    /// See [`FunctionError`]. A custom resource that failed, and whose stack knows it, is no error.
    pub async fn handle(
        &self,
        payload: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
    ) -> Result<Value, FunctionError> {
        let Invocation { deadline, .. } = invocation;
        // Boxed: the state of a call is large.
        let location =
            Box::pin(own_location(&self.ports, function_arn, &self.region, payload, deadline)).await;
        let location = location.as_ref().map_err(String::as_str);
        let identity =
            FunctionIdentity { role_arn: self.settings.role_arn.as_deref(), location: location.ok() };
        let context = Context { function_arn, location, invocation };
        let handled = self.handle_event(event::read(payload, identity), payload, context).await;
        if let Err(error @ FunctionError::UnknownEvent) = &handled {
            tracing::error!("{error}");
        }
        handled
    }

    async fn handle_event(
        &self,
        event: Event,
        payload: &Value,
        context: Context<'_>,
    ) -> Result<Value, FunctionError> {
        let (begun, mut metrics) = (self.ports.now(), Metrics::default());
        let span = span(payload, context.invocation);
        // The futures are boxed: their states together are too large for the compiler.
        let handled = match event {
            Event::SnsMessages(messages) => {
                return Box::pin(self.handle_messages(messages, context)).await;
            }
            Event::CustomResource(request) => {
                Box::pin(self.serve(*request, context, &mut metrics)).instrument(span).await
            }
            Event::ChangeEvent(change) => {
                Box::pin(self.remediate(&change, context, &mut metrics)).instrument(span).await
            }
            Event::ConfigRule(evaluation) => {
                Box::pin(self.evaluate(&evaluation, context)).instrument(span).await
            }
            Event::DirectCall { properties, call, is_question } => {
                let is_request = matches!(call, Ok(DirectCall::Terraform(_)));
                let answered = async {
                    let call = call.map_err(FunctionError::BadCall)?;
                    self.answer(&call, digest(&properties), context).await
                };
                match Box::pin(answered).instrument(span).await {
                    Err(error) if is_question => Ok(direct::unanswered(payload, &error)),
                    answered => answered.inspect(|_| metrics.guarded = u64::from(is_request)),
                }
            }
            Event::Ignored(why) => Ok(span.in_scope(|| ignored(&why))),
            Event::Unknown => Err(FunctionError::UnknownEvent),
        };
        let now = self.ports.now();
        metrics.duration_ms = milliseconds(begun, now);
        let function_name =
            Arn::parse(context.function_arn).and_then(|arn| arn.name_after_type()).unwrap_or("session-kms");
        (self.write_metrics)(&metrics.line(function_name, milliseconds(SystemTime::UNIX_EPOCH, now)));
        handled
    }

    /// Handles every message of a topic, whatever happens to the others. The last error is returned.
    async fn handle_messages(
        &self,
        messages: Vec<Result<SnsMessage, String>>,
        context: Context<'_>,
    ) -> Result<Value, FunctionError> {
        let (mut reports, mut failure) = (Vec::new(), None);
        for message in messages {
            let handled = match message {
                Ok(SnsMessage { payload, event }) => self.handle_event(event, &payload, context).await,
                Err(why) => Ok(ignored(&why)),
            };
            match handled {
                Ok(report) => reports.push(report),
                // A topic may carry messages for others too.
                Err(FunctionError::UnknownEvent) => reports.push(ignored(FOREIGN)),
                Err(error) => failure = Some(error),
            }
        }
        match (failure, reports.pop()) {
            (Some(error), _) => Err(error),
            // SNS sends one message at a time.
            (None, Some(report)) if reports.is_empty() => Ok(report),
            (None, last) => Ok(reports.into_iter().chain(last).collect()),
        }
    }

    /// Serves a request for a custom resource.
    async fn serve(
        &self,
        request: CustomResourceEvent,
        context: Context<'_>,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        let Context { invocation, location, .. } = context;
        let (ports, request_id) = (&self.ports, invocation.request_id);
        let location = FunctionLocation { location: location.ok(), region: &self.region };
        let settings = &self.settings;
        match request.kind {
            ResourceKind::Key => {
                let provider = self.provider(SessionKey { ports, location });
                Box::pin(provider.serve(request.envelope, invocation)).await?;
                metrics.guarded = 1;
            }
            ResourceKind::KeyAccess => {
                let provider = self.provider(SessionKeyAccess { ports, location, request_id, settings });
                Box::pin(provider.serve(request.envelope, invocation)).await?;
            }
            ResourceKind::Encryption => {
                let provider = self.provider(SessionEncryption { ports, location, request_id, settings });
                Box::pin(provider.serve(request.envelope, invocation)).await?;
                metrics.guarded = 1;
            }
        }
        Ok(Value::Null)
    }

    fn environment<'a>(&'a self, context: Context<'a>) -> Result<Environment<'a, P>, FunctionError> {
        let location = context.location.map_err(|why| FunctionError::NoAccount(why.to_owned()))?;
        Ok(Environment::new(&self.ports, location).with_dry_run(self.settings.dry_run))
    }

    fn provider<R: CustomResource>(&self, resource: R) -> Provider<R, impl Fn() -> SystemTime> {
        Provider::new(resource, self.sender.clone(), self.endpoints.clone(), || self.ports.now())
    }

    /// Makes the documents of a change event as their records want them.
    async fn remediate(
        &self,
        change: &ChangeEvent,
        context: Context<'_>,
        metrics: &mut Metrics,
    ) -> Result<Value, FunctionError> {
        let environment = self.environment(context)?;
        tracing::info!(source = %change.source, about = %change.scope, %change, "change event");
        let deadline = context.invocation.deadline;
        let request_id = context.invocation.request_id;
        let memory = FleetMemory::with_keys();
        let environment = environment.with_memory(&memory);
        let handler = ChangeEventHandler { environment, settings: &self.settings, deadline, request_id };
        handler.handle(change, metrics).await
    }

    /// Answers a direct call with its report. `digest` identifies its properties.
    async fn answer(
        &self,
        call: &DirectCall,
        digest: String,
        context: Context<'_>,
    ) -> Result<Value, FunctionError> {
        let (memory, step) = (FleetMemory::default(), LastStep::default());
        let set_step = |text: &str| step.set(text);
        let environment = self.environment(context)?.with_memory(&memory).with_progress(&set_step);
        let time = left_to_work(&self.ports, context.invocation.deadline);
        let invocation =
            DirectInvocation { settings: &self.settings, request_id: context.invocation.request_id, time };
        let answer = direct::answer(environment, call, digest, invocation);
        // Boxed: the state of all that an answer awaits is large.
        match (within(&self.ports, TimeLimit { time, step: &step }, Box::pin(answer)).await, call) {
            (Ok(answered), _) => answered,
            (Err(error), DirectCall::Audit(question)) => {
                Ok(audit::out_of_time(&self.ports, question, &error))
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Answers a question of AWS Config.
    async fn evaluate(
        &self,
        evaluation: &RuleEvaluation,
        context: Context<'_>,
    ) -> Result<Value, FunctionError> {
        let environment = self.environment(context)?;
        let time = left_to_work(&self.ports, context.invocation.deadline);
        let step = LastStep::default();
        step.set("reading the documents");
        let evaluate = config_rule::evaluate(environment, evaluation);
        Ok(within(&self.ports, TimeLimit { time, step: &step }, Box::pin(evaluate)).await??)
    }
}

/// The span of one event, with the ids that its source has given it.
fn span(payload: &Value, invocation: Invocation<'_>) -> tracing::Span {
    let text = |name| payload.get(name).and_then(Value::as_str).map(quoted).unwrap_or_default();
    tracing::info_span!(
        "invocation",
        request_id = invocation.request_id,
        stack = text("StackId"),
        logical_resource_id = text("LogicalResourceId"),
        event_id = text("id"),
    )
}

fn milliseconds(from: SystemTime, to: SystemTime) -> u64 {
    to.duration_since(from).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}
