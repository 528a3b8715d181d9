//! `Custom::SessionKey`: the ARNs of the keys that a document is to carry, before they are switched on.

use super::resource::{self, FunctionLocation, plain_failure};
use crate::event::question::QuestionRequest;
use crate::intent::SessionKeyQuestion;
use crate::ports::{Environment, ReadPorts, waiting_for};
use crate::reconcile::session_keys;
use cloudformation_custom_resource::{
    CustomResource, Deadline, Failure, PhysicalResourceId, Progress, Success,
};

/// The resource, for one invocation. It changes nothing, so its Delete has nothing to do.
#[derive(Debug)]
pub(super) struct SessionKey<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: FunctionLocation<'a>,
}

impl<P: ReadPorts> CustomResource for SessionKey<'_, P> {
    type Request = QuestionRequest<SessionKeyQuestion>;

    fn physical_id_of_create(&self, request: &Self::Request) -> Result<PhysicalResourceId, Failure> {
        resource::id_of_question(&self.location, request, "key")
    }

    fn waiting_for(&self) -> Option<String> {
        waiting_for(self.ports)
    }

    async fn handle(
        &self,
        request: &Self::Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        let id = match &request.physical_resource_id {
            Some(id) => resource::valid_physical_id(id)?,
            None => self.physical_id_of_create(request)?,
        };
        let Some(question) = &request.question else { return Ok(Success::new(id)) };
        let question = question.as_ref().map_err(plain_failure)?;
        let location = self.location.or_of_stack(&request.stack_id)?;
        let step = |step: &str| progress.set(step);
        let environment = Environment::new(self.ports, &location).with_progress(&step);
        let denials = resource::retries_of_fresh_role(self.ports, deadline);
        // Boxed: the state of all that is awaited is large.
        let attempt = async || Box::pin(session_keys(environment, &request.stack_id, question)).await;
        let keys = resource::despite_fresh_role(self.ports, &denials, attempt)
            .await
            .map_err(|error| plain_failure(&error))?;
        let account = keys.key.as_ref().map_or("", |key| &key.location().account);
        Ok(Success::new(id)
            .with_attribute("KeyArn", &text(keys.key.as_ref()))
            .with_attribute("KeyAccount", account)
            .with_attribute("StandbyKeyArn", &text(keys.standby.as_ref()))
            .with_attribute("PresentKeyArn", &text(keys.present.as_ref())))
    }
}

/// An ARN as an attribute, empty for none.
fn text(key: Option<&impl ToString>) -> String {
    key.map_or_else(String::new, ToString::to_string)
}
