//! What the Lambda does with what arrives: the source is told by its shape, and each has its way on.

mod session_encryption;

use serde_json::Value;
use thiserror::Error;

use crate::cloudformation::{self, Courier, Invocation, Origin, Provider, Unserved};
use crate::place::Place;
use crate::reconcile::ports::Ports;
pub use session_encryption::SessionEncryption;

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

impl<P: Ports> Function<P> {
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
        if !cloudformation::is_request(event) {
            tracing::error!("the event is none that this function knows");
            return Err(FunctionError::UnknownEvent);
        }
        let resource =
            SessionEncryption::new(&self.ports, Place::of_function(function_arn, &self.region), &self.region);
        let provider =
            Provider::new(resource, self.courier.clone(), self.endpoints.clone(), std::time::SystemTime::now);
        // Boxed: the state of the whole way, inlined into the runtime's own, is too deep for the compiler.
        Box::pin(provider.serve(event, invocation)).await?;
        Ok(Value::Null)
    }
}
