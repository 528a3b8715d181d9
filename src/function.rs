//! What the Lambda does with what arrives: the source is told by its shape, and each has its way on.

mod home;
mod session_encryption;
mod session_key_access;

use std::time::SystemTime;

use serde_json::Value;
use thiserror::Error;
use tracing::Instrument;

use crate::cloudformation::{self, Courier, CustomResource, Invocation, Origin, Provider, Unserved};
use crate::reconcile::ports::AccessPorts;
use home::Home;
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
}

/// Why an invocation failed, so that Lambda tries again or keeps the event.
#[derive(Debug, Error)]
pub enum FunctionError {
    /// A custom-resource request whose answer was not taken.
    #[error(transparent)]
    Unserved(#[from] Unserved),
    /// Nothing that this function knows.
    #[error("the event is none that this function knows; it answers CloudFormation custom-resource requests")]
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
            Self::UnknownEvent => "UnknownEvent",
        }
    }
}

impl<P: AccessPorts> Function<P> {
    /// Handles one event. The value is what a direct caller gets.
    ///
    /// # Errors
    /// See [`FunctionError`]. A custom resource that failed, and whose stack was told so, is no error.
    pub async fn handle(
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
            logical_resource_id = text("LogicalResourceId")
        );
        self.route(event, function_arn, invocation).instrument(span).await
    }

    async fn route(
        &self,
        event: &Value,
        function_arn: &str,
        invocation: Invocation<'_>,
    ) -> Result<Value, FunctionError> {
        if !cloudformation::is_request(event) {
            tracing::error!("the event is none that this function knows");
            return Err(FunctionError::UnknownEvent);
        }
        let (ports, request_id) = (&self.ports, invocation.request_id);
        let home = Home::new(function_arn, &self.region);
        // Boxed: the state of the whole way, inlined into the runtime's own, is too deep for the compiler.
        match event.get("ResourceType").and_then(Value::as_str) {
            Some(session_key_access::TYPE) => {
                let provider = self.provider(SessionKeyAccess { ports, home, request_id });
                Box::pin(provider.serve(event, invocation)).await?;
            }
            _ => {
                let provider = self.provider(SessionEncryption { ports, home, request_id });
                Box::pin(provider.serve(event, invocation)).await?;
            }
        }
        Ok(Value::Null)
    }

    fn provider<R: CustomResource>(&self, resource: R) -> Provider<R, fn() -> SystemTime> {
        Provider::new(resource, self.courier.clone(), self.endpoints.clone(), SystemTime::now)
    }
}
