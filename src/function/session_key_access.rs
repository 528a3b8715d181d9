//! `Custom::SessionKeyAccess`: the answer to the question whether a key admits those who will use it.

use super::FunctionSettings;
use super::check_command::CheckCommand;
use super::resource::{self, FunctionLocation, WholeReport, plain_failure};
use crate::event::question::QuestionRequest;
use crate::intent::KeyAccessQuestion;
use crate::ports::{Environment, PreflightPorts, waiting_for};
use crate::preflight::{check_key_access, summary};
use crate::reconcile::ReconcileError;
use cloudformation_custom_resource::{
    CustomResource, Deadline, Failure, PhysicalResourceId, Progress, Success,
};

/// The resource, for one invocation. It changes nothing, so its Delete has nothing to do.
#[derive(Debug)]
pub(super) struct SessionKeyAccess<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: FunctionLocation<'a>,
    pub(super) request_id: &'a str,
    pub(super) settings: &'a FunctionSettings,
}

impl<P: PreflightPorts> CustomResource for SessionKeyAccess<'_, P> {
    type Request = QuestionRequest<KeyAccessQuestion>;

    fn physical_id_of_create(&self, request: &Self::Request) -> Result<PhysicalResourceId, Failure> {
        resource::id_of_question(&self.location, request, "access")
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
        let patience = deadline.left_to_work(self.ports.now()).div_f64(2.0);
        let environment = Environment::new(self.ports, &location).with_progress(&step);
        let denials = resource::retries_of_fresh_role(self.ports, deadline);
        // Boxed: the state of all that the check awaits is large.
        let attempt = async || {
            Box::pin(check_key_access(environment, question, patience)).await.map_err(ReconcileError::from)
        };
        let (key, assessment) =
            resource::despite_fresh_role(self.ports, &denials, attempt).await.map_err(|error| {
                let command = CheckCommand::of_question(question, &location.region);
                let log_group = self.settings.log_group.as_deref();
                let (request_id, command) = (self.request_id, &command);
                resource::failure(&error, WholeReport { request_id, log_group, command })
            })?;
        Ok(Success::new(id)
            .with_attribute("KeyArn", key.arn.as_str())
            .with_attribute("KeyAccount", &key.arn.location().account)
            .with_free_text("Findings", &summary(&assessment.findings)))
    }
}
