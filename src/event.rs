//! What arrives, one file a source. Each turns JSON into what is asked, and does nothing else.
//!
//! Events of AWS are read leniently: real ones lack fields, hold foreign ones, and are delivered twice. What
//! somebody wrote by hand, properties and direct calls, is read strictly.

pub mod config_rule;
pub mod custom_resource;
pub mod direct;
pub mod key_access;
pub mod sns;

mod cloud_trail;
mod config_compliance;
mod document_call;
mod event_bridge;
mod key_call;
mod key_event;
mod known_keys;
mod named_document;
mod plain;
mod record_change;
mod schedule;
mod security_hub;

use serde_json::Value;

use crate::change_event::ChangeEvent;
use crate::location::Location;
use cloudformation_custom_resource::Problems;
use event_bridge::Envelope;

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Somebody says that a document or a key is not as it was.
    ChangeEvent(ChangeEvent),
    /// AWS Config asks whether documents comply.
    ConfigRule(config_rule::Evaluation),
    /// A call of somebody's own, or what is wrong with it.
    Direct(Result<direct::Call, Problems>),
    /// Nothing to act on, and why: one line for the log.
    Ignored(String),
    /// Nothing that this function knows.
    Unknown,
}

/// What the function knows of itself, to tell its own calls and documents from others'.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionIdentity<'a> {
    /// The function's role, as IAM names it: `arn:aws:iam::123456789012:role/path/NAME`.
    pub role_arn: Option<&'a str>,
    /// Where the function is.
    pub location: Option<&'a Location>,
}

/// Tells the source of an event, and reads it. Requests for custom resources and SNS envelopes
/// ([`sns::messages`]) are told apart before.
#[must_use]
pub fn read(event: &Value, function: FunctionIdentity<'_>) -> Arrival {
    let Some(fields) = event.as_object() else { return Arrival::Unknown };
    if fields.contains_key("invokingEvent") {
        return config_rule::read(event, function);
    }
    if let Some(envelope) = Envelope::read(event) {
        return of_event_bridge(&envelope, function);
    }
    if fields.contains_key("action") {
        return direct::read(fields);
    }
    Arrival::Unknown
}

/// The sources that come through EventBridge.
fn of_event_bridge(envelope: &Envelope<'_>, function: FunctionIdentity<'_>) -> Arrival {
    match (envelope.source, envelope.detail_type) {
        ("aws.ssm", cloud_trail::API_CALL) => document_call::read(envelope, function),
        ("aws.ssm", record_change::DETAIL_TYPE) => record_change::read(envelope, function),
        ("aws.kms", cloud_trail::API_CALL | cloud_trail::SERVICE_EVENT) => key_call::read(envelope, function),
        ("aws.kms", _) => key_event::read(envelope, function),
        ("aws.events" | "aws.scheduler", schedule::DETAIL_TYPE) => schedule::read(envelope),
        ("aws.config", config_compliance::DETAIL_TYPE) => config_compliance::read(envelope, function),
        ("aws.securityhub", security_hub::CUSTOM_ACTION | security_hub::IMPORTED) => {
            security_hub::read(envelope, function)
        }
        (source, detail_type) => Arrival::Ignored(plain::line(format_args!(
            "`{detail_type}` of {source} says nothing of session documents and their keys"
        ))),
    }
}

#[cfg(test)]
mod tests;
