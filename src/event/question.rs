//! Requests for the custom resources that change nothing: their properties are a question, and their attributes are its
//! answer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::custom_resource::{CustomResourceRequest, UNKNOWN_REQUEST};
use cloudformation_custom_resource::PropertyProblems;

/// The properties of a resource that changes nothing.
pub(crate) trait Question: Sized {
    /// Reads the properties of a Create or an Update.
    ///
    /// # Errors
    /// Every problem at once.
    fn read(properties: &Map<String, Value>) -> Result<Self, PropertyProblems>;

    /// The question with what it takes from the properties before an Update.
    fn after(self, _old_properties: &Map<String, Value>) -> Self {
        self
    }
}

/// A request, read whole.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "CustomResourceRequest", bound = "Q: Question")]
pub(crate) struct QuestionRequest<Q> {
    /// The stack's ARN.
    pub(crate) stack_id: String,
    /// The resource's name in the stack's template.
    pub(crate) logical_resource_id: String,
    /// The id in the last response; `None` for a Create.
    pub(crate) physical_resource_id: Option<String>,
    /// The question, or every problem with the properties; `None` for a Delete, which asks nothing.
    pub(crate) question: Option<Result<Q, PropertyProblems>>,
}

impl<Q: Question> TryFrom<CustomResourceRequest> for QuestionRequest<Q> {
    type Error = &'static str;

    fn try_from(request: CustomResourceRequest) -> Result<Self, Self::Error> {
        Ok(match request {
            CustomResourceRequest::Create(create) => Self {
                stack_id: create.stack_id,
                logical_resource_id: create.logical_resource_id,
                physical_resource_id: None,
                question: Some(Q::read(&create.resource_properties)),
            },
            CustomResourceRequest::Update(update) => Self {
                stack_id: update.stack_id,
                logical_resource_id: update.logical_resource_id,
                physical_resource_id: Some(update.physical_resource_id),
                question: Some(
                    Q::read(&update.resource_properties)
                        .map(|question| question.after(&update.old_resource_properties)),
                ),
            },
            CustomResourceRequest::Delete(delete) => Self {
                stack_id: delete.stack_id,
                logical_resource_id: delete.logical_resource_id,
                physical_resource_id: Some(delete.physical_resource_id),
                question: None,
            },
            _ => return Err(UNKNOWN_REQUEST),
        })
    }
}
