//! A custom-resource request, read leniently: if it names a URL to answer, every other defect becomes an answer.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value, json};

use super::ids::{Ids, InvalidId, PhysicalResourceId};
use super::response_url::{InvalidUrl, ResponseUrl};

/// The longest `ServiceTimeout` and its default, in seconds.
const SERVICE_TIMEOUT: u64 = 3600;

/// Whether a payload is meant as a custom-resource request, however broken it is.
///
/// ```
/// use cloudformation_custom_resource::is_request;
/// use serde_json::json;
///
/// assert!(is_request(&json!({"RequestType": "Create", "LogicalResourceId": "Thing"})));
/// assert!(!is_request(&json!({"source": "aws.events", "detail-type": "Scheduled Event"})));
/// ```
pub fn is_request(payload: &Value) -> bool {
    let has = |field| payload.get(field).is_some();
    has("ResponseURL") || (has("RequestType") && has("LogicalResourceId"))
}

/// What is needed to answer a request, and the request itself if it can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Where the response goes.
    pub response_url: ResponseUrl,
    /// What the response echoes.
    pub ids: Ids,
    /// The physical id of the request; its logical id if it has none, as on Create.
    pub physical_resource_id: PhysicalResourceId,
    /// How long CloudFormation waits, from 1 to 3600 seconds.
    pub service_timeout: Duration,
    /// The request, or what is wrong with it.
    pub request: Result<Request, Malformed>,
}

impl Envelope {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`Unanswerable`] if the response URL or an id to echo cannot be read.
    pub fn read(payload: &Value) -> Result<Self, Unanswerable> {
        let fields = payload.as_object().ok_or(Unanswerable::NoObject)?;
        let url = fields.get("ResponseURL").and_then(Value::as_str).ok_or(Unanswerable::NoResponseUrl)?;
        let response_url = ResponseUrl::parse(url)?;
        let ids = Ids::read(fields).map_err(|(field, problem)| Unanswerable::Id { field, problem })?;
        let physical_id = physical_id(fields);
        let service_timeout = service_timeout(fields);
        Ok(Self {
            physical_resource_id: physical_id.clone().unwrap_or_else(|_| ids.stand_in()),
            service_timeout: service_timeout.clone().unwrap_or(Duration::from_secs(SERVICE_TIMEOUT)),
            request: service_timeout.and_then(|_| Request::read(fields, &ids, physical_id)),
            response_url,
            ids,
        })
    }
}

/// What CloudFormation asks for. The response URL is not part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What to do, with the fields that only this kind of request has.
    pub request_type: RequestType,
    /// The ids of stack, request and resource.
    pub ids: Ids,
    /// The type in the template, such as `Custom::Thing`.
    pub resource_type: String,
    /// What the template names as the resource's implementation: the ARN of a function or of a topic.
    pub service_token: Option<String>,
    /// The properties, without `ServiceToken` and `ServiceTimeout`. Scalars arrive as text.
    pub properties: Map<String, Value>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum RequestType {
    /// Make the resource.
    Create,
    /// Change it. A failed Update is followed by another Update with old and new properties swapped.
    Update {
        /// The id in the last response.
        physical_resource_id: PhysicalResourceId,
        /// The properties before, without `ServiceToken` and `ServiceTimeout`.
        old_properties: Map<String, Value>,
    },
    /// Remove it. CloudFormation may have made up the id, and the properties may be of a past schema.
    Delete {
        /// The id in the last response.
        physical_resource_id: PhysicalResourceId,
    },
}

impl RequestType {
    /// CloudFormation's word for the request type.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update { .. } => "Update",
            Self::Delete { .. } => "Delete",
        }
    }
}

impl Request {
    /// The request as CloudFormation sends it, but for what only the protocol needs: the URL shows its host alone,
    /// and the properties hold neither `ServiceToken` nor `ServiceTimeout`.
    pub(super) fn to_json(&self, response_url: &ResponseUrl) -> Value {
        let mut payload = json!({
            "RequestType": self.request_type.name(),
            "ServiceToken": self.service_token,
            "ResponseURL": response_url.to_string(),
            "StackId": self.ids.stack_id,
            "RequestId": self.ids.request_id,
            "LogicalResourceId": self.ids.logical_resource_id,
            "ResourceType": self.resource_type,
            "ResourceProperties": self.properties,
        });
        let mut put = |name: &str, value: Value| {
            if let Value::Object(fields) = &mut payload {
                fields.insert(name.to_owned(), value);
            }
        };
        match &self.request_type {
            RequestType::Create => {}
            RequestType::Update { physical_resource_id, old_properties } => {
                put("PhysicalResourceId", physical_resource_id.as_str().into());
                put("OldResourceProperties", old_properties.clone().into());
            }
            RequestType::Delete { physical_resource_id } => {
                put("PhysicalResourceId", physical_resource_id.as_str().into());
            }
        }
        payload
    }

    fn read(
        fields: &Map<String, Value>,
        ids: &Ids,
        physical_id: Result<PhysicalResourceId, Malformed>,
    ) -> Result<Self, Malformed> {
        let request_type = match text(fields, "RequestType")? {
            "Create" => RequestType::Create,
            "Update" => RequestType::Update {
                physical_resource_id: physical_id?,
                old_properties: properties(fields, "OldResourceProperties")?,
            },
            "Delete" => RequestType::Delete { physical_resource_id: physical_id? },
            other => return Err(Malformed::RequestType(other.chars().take(40).collect())),
        };
        Ok(Self {
            request_type,
            ids: ids.clone(),
            resource_type: text(fields, "ResourceType")?.to_owned(),
            service_token: fields.get("ServiceToken").and_then(Value::as_str).map(str::to_owned),
            properties: properties(fields, "ResourceProperties")?,
        })
    }
}

/// Reads a request as CloudFormation sends it. The response URL is ignored.
impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        let ids = Ids::read(&fields).map_err(|(field, problem)| {
            D::Error::custom(format_args!("`{field}` of the request {problem}"))
        })?;
        Self::read(&fields, &ids, physical_id(&fields)).map_err(D::Error::custom)
    }
}

/// A defect of a request that can still be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A field is not there.
    #[error("the request has no `{0}`")]
    Missing(&'static str),
    /// A field has another type or value than it must have.
    #[error("`{field}` of the request is not {expected}")]
    Unreadable {
        /// The field's name.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The request type is unknown.
    #[error("`RequestType` of the request is `{}`, not Create, Update or Delete", .0.escape_debug())]
    RequestType(String),
    /// The physical id is invalid.
    #[error("`PhysicalResourceId` of the request {0}")]
    PhysicalResourceId(InvalidId),
}

/// Why a payload cannot be answered at all. It never holds the response URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswerable {
    /// The payload is no JSON object.
    #[error("the payload is not a JSON object, so there is nobody to answer")]
    NoObject,
    /// There is no response URL.
    #[error("the request has no `ResponseURL`, so there is nobody to answer")]
    NoResponseUrl,
    /// The response URL cannot be used.
    #[error("`ResponseURL` of the request {0}, so it cannot be answered")]
    ResponseUrl(#[from] InvalidUrl),
    /// An id to echo cannot be used.
    #[error("`{field}` of the request {problem}, so CloudFormation would not take an answer")]
    Id {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        problem: InvalidId,
    },
}

fn text<'a>(fields: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, Malformed> {
    let value = fields.get(field).ok_or(Malformed::Missing(field))?;
    value.as_str().ok_or(Malformed::Unreadable { field, expected: "text" })
}

fn physical_id(fields: &Map<String, Value>) -> Result<PhysicalResourceId, Malformed> {
    let id = text(fields, "PhysicalResourceId")?;
    PhysicalResourceId::new(id).map_err(Malformed::PhysicalResourceId)
}

/// The resource's own properties: those that only the protocol needs are left out.
fn properties(fields: &Map<String, Value>, field: &'static str) -> Result<Map<String, Value>, Malformed> {
    let value = fields.get(field).ok_or(Malformed::Missing(field))?;
    let all = value.as_object().ok_or(Malformed::Unreadable { field, expected: "an object" })?;
    let own = |name: &String| !matches!(name.as_str(), "ServiceToken" | "ServiceTimeout");
    Ok(all.iter().filter(|(name, _)| own(name)).map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn service_timeout(fields: &Map<String, Value>) -> Result<Duration, Malformed> {
    let property = fields.get("ResourceProperties").and_then(|all| all.get("ServiceTimeout"));
    let seconds = match property {
        None => Some(SERVICE_TIMEOUT),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    match seconds {
        Some(seconds @ 1..=SERVICE_TIMEOUT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Malformed::Unreadable {
            field: "ServiceTimeout",
            expected: "a number of seconds from 1 to 3600",
        }),
    }
}

#[cfg(test)]
mod tests;
