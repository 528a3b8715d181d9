//! What Terraform adds to a call to reconcile: a resource `aws_lambda_invocation` whose `lifecycle_scope` is `CRUD` calls the
//! function when it is created, updated and deleted, and says in member `tf` which of these it is and what its input was
//! before.

use serde_json::{Map, Value};

use super::direct::DirectCall;
use super::session_encryption;
use crate::intent::{Intent, OnDelete};
use crate::session::DocumentName;
use cloudformation_custom_resource::{ObjectOrText, Properties, PropertyProblems, UnknownProperties};

/// The member that Terraform adds. It is no property: the same properties are the same request, whatever they were before.
pub(super) const TERRAFORM: &str = "tf";

/// What Terraform asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TerraformCall {
    /// The resource is created or updated: make the document as the intent wants it.
    Establish {
        /// What is wanted.
        intent: Box<Intent>,
        /// The document of the input before an update, if it is another one. It is given back.
        previous: Option<PreviousDocument>,
    },
    /// The resource is destroyed: give the document back.
    Release {
        /// The document. `None` if the input names none that can exist, so that there is nothing to give back.
        document: Option<DocumentName>,
        /// What to leave behind. `None` for what was said when the document was taken.
        on_delete: Option<OnDelete>,
    },
}

/// A document that an update leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreviousDocument {
    /// The document.
    pub(crate) document: DocumentName,
    /// What the input before asked to leave behind.
    pub(crate) on_delete: Option<OnDelete>,
}

/// What happens to the resource.
#[derive(Clone, Copy)]
enum ResourceAction {
    Create,
    Update,
    Delete,
}

const ACTIONS: [(&str, ResourceAction); 3] = [
    ("create", ResourceAction::Create),
    ("update", ResourceAction::Update),
    ("delete", ResourceAction::Delete),
];

/// Reads a call to reconcile that Terraform makes.
pub(super) fn read(
    mut reader: Properties<'_>,
    fields: &Map<String, Value>,
) -> Result<DirectCall, PropertyProblems> {
    let lifecycle = match reader.object_or_text("Tf") {
        Some(ObjectOrText::Object(lifecycle)) => lifecycle,
        Some(ObjectOrText::Text(_)) | None => {
            reader.reject("Tf", "must be the object that Terraform adds to the input");
            Map::new()
        }
    };
    let mut lifecycle_reader = Properties::camel_case(&lifecycle);
    let action = lifecycle_reader.word("Action", &ACTIONS);
    if matches!(action, Some(ResourceAction::Delete)) {
        // Nothing else of the input matters, and nothing else keeps Terraform from destroying what it knows.
        let (document, on_delete) = released(fields);
        return Ok(DirectCall::Terraform(TerraformCall::Release { document, on_delete }));
    }
    if action.is_none() {
        reader.reject("Tf", "must say by `action` whether Terraform makes a create, an update or a delete");
    }
    let intent = Box::new(session_encryption::intent(&mut reader));
    reader.finish(UnknownProperties::Refuse)?;
    let previous = match (action, lifecycle.get("prev_input")) {
        (Some(ResourceAction::Update), Some(Value::Object(previous))) => {
            let (document, on_delete) = released(previous);
            let other = document.filter(|document| *document != intent.document);
            other.map(|document| PreviousDocument { document, on_delete })
        }
        _ => None,
    };
    Ok(DirectCall::Terraform(TerraformCall::Establish { intent, previous }))
}

/// The document of an input, and what is to be left of it, whatever else the input holds.
fn released(input: &Map<String, Value>) -> (Option<DocumentName>, Option<OnDelete>) {
    let mut reader = Properties::camel_case(input);
    let document = session_encryption::document_name(&mut reader).unwrap_or_default();
    let document = reader.finish(UnknownProperties::Ignore).is_ok().then_some(document);
    (document, session_encryption::on_delete_word(&mut Properties::camel_case(input)))
}

#[cfg(test)]
mod tests;
