//! The ids in a response: three that are echoed as they came, and the physical id.
//!
//! Their lengths are bounded here so that a response with all of them always fits, however they are escaped.

use serde_json::{Map, Value};

/// The ids that CloudFormation wants back verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// ARN of the stack.
    pub stack_id: String,
    /// Id of the request. A retried deployment uses the same id, so it is no idempotency key.
    pub request_id: String,
    /// Name of the resource in the template.
    pub logical_resource_id: String,
}

impl Ids {
    /// Reads the ids of a request's envelope.
    ///
    /// # Errors
    /// The first id that is missing, or that CloudFormation cannot have sent.
    pub(super) fn read(envelope: &Map<String, Value>) -> Result<Self, (&'static str, InvalidId)> {
        let id = |field, longest| {
            let text = envelope.get(field).and_then(Value::as_str);
            match checked(text.unwrap_or_default(), longest) {
                Ok(id) => Ok(id),
                Err(problem) => Err((field, problem)),
            }
        };
        Ok(Self {
            stack_id: id("StackId", 512)?,
            request_id: id("RequestId", 128)?,
            logical_resource_id: id("LogicalResourceId", 255)?,
        })
    }

    /// The physical id of a resource if nothing better is known: its logical id.
    pub(super) fn stand_in(&self) -> PhysicalResourceId {
        PhysicalResourceId(self.logical_resource_id.clone())
    }
}

/// The id of the resource outside CloudFormation: 1 to 1024 bytes without control characters.
///
/// Another id in the response to an Update means replacement: a Delete with the old id follows.
///
/// ```
/// use cloudformation_custom_resource::{InvalidId, PhysicalResourceId};
///
/// assert_eq!(PhysicalResourceId::new("bucket:logs").unwrap().as_str(), "bucket:logs");
/// assert_eq!(PhysicalResourceId::new(""), Err(InvalidId::Empty));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalResourceId(String);

impl PhysicalResourceId {
    /// The longest id that CloudFormation accepts, in bytes.
    pub const LONGEST: usize = 1024;

    /// Makes a physical id of a text.
    ///
    /// # Errors
    /// [`InvalidId`] says why CloudFormation would not accept it.
    pub fn new(id: &str) -> Result<Self, InvalidId> {
        checked(id, Self::LONGEST).map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// It is missing, empty or not text.
    #[error("is missing, empty or not text")]
    Empty,
    /// It is longer than CloudFormation allows.
    #[error("is {length} bytes long, and {longest} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The length that is allowed, in bytes.
        longest: usize,
    },
    /// It holds a control character.
    #[error("holds a control character")]
    ControlCharacter,
}

fn checked(id: &str, longest: usize) -> Result<String, InvalidId> {
    if id.is_empty() {
        Err(InvalidId::Empty)
    } else if id.len() > longest {
        Err(InvalidId::TooLong { length: id.len(), longest })
    } else if id.chars().any(char::is_control) {
        Err(InvalidId::ControlCharacter)
    } else {
        Ok(id.to_owned())
    }
}

#[cfg(test)]
mod tests;
