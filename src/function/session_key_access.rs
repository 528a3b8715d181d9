//! `Custom::SessionKeyAccess`: the answer to the question whether a key admits those who will use it.

use std::collections::BTreeMap;

use super::resource::Home;
use crate::event::key_access::question;
use crate::ports::{Environment, PreflightPorts};
use crate::preflight::check_key_access;
use crate::preflight::summary;
use cloudformation_custom_resource::{
    Attribute, CustomResource, Deadline, Failure, PhysicalResourceId, Progress, Request, RequestType,
    Success, Unknown,
};

/// The resource's type.
pub(super) const TYPE: &str = "Custom::SessionKeyAccess";

/// The resource, for one invocation. It changes nothing, so its Delete has nothing to do.
#[derive(Debug)]
pub(super) struct SessionKeyAccess<'a, P> {
    pub(super) ports: &'a P,
    pub(super) location: Home<'a>,
    pub(super) request_id: &'a str,
}

impl<P: PreflightPorts> CustomResource for SessionKeyAccess<'_, P> {
    fn physical_id_of_create(&self, request: &Request) -> Result<PhysicalResourceId, Failure> {
        let location = self.location.of(request)?;
        let id = format!(
            "session-kms:{}:{}:access:{}",
            location.account, location.region, request.ids.logical_resource_id
        );
        PhysicalResourceId::new(&id).map_err(|error| Failure { reason: error.to_string() })
    }

    async fn handle(
        &self,
        request: &Request,
        deadline: &Deadline,
        progress: &Progress,
    ) -> Result<Success, Failure> {
        let physical_resource_id = match &request.request_type {
            RequestType::Create => self.physical_id_of_create(request)?,
            RequestType::Update { physical_resource_id, .. } => physical_resource_id.clone(),
            RequestType::Delete { physical_resource_id } => {
                return Ok(Success {
                    physical_resource_id: physical_resource_id.clone(),
                    data: BTreeMap::new(),
                    reason: None,
                    no_echo: false,
                });
            }
        };
        let question = question(&request.properties, Unknown::Refused)
            .map_err(|problems| Failure { reason: problems.to_string() })?;
        let location = self.location.of(request)?;
        let step = |step: &str| progress.set(step);
        let patience = deadline.left_to_work(self.ports.now()).div_f64(2.0);
        let environment = Environment::new(self.ports, &location).with_progress(&step);
        let (key, assessment) = check_key_access(environment, &question, patience)
            .await
            .map_err(|error| super::resource::failure(&error.into(), self.request_id))?;
        let exact = |text: &str| Attribute::Exact(text.to_owned());
        let data = BTreeMap::from([
            ("KeyArn".to_owned(), exact(key.arn.as_str())),
            ("KeyAccount".to_owned(), exact(&key.arn.location().account)),
            ("Findings".to_owned(), Attribute::FreeText(summary(&assessment.findings))),
        ]);
        Ok(Success { physical_resource_id, data, reason: None, no_echo: false })
    }
}
