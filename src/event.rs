//! Reads the events. Each source has one file, which turns JSON into a value and does nothing else. Only [`read`] tells
//! the sources apart.
//!
//! Events of AWS are read leniently: real ones lack fields, have unknown ones, and are delivered twice. Properties
//! and direct calls are written by people and are read strictly.

pub(crate) mod config_rule;
pub(crate) mod custom_resource;
#[cfg(feature = "cli")]
pub(crate) mod descriptions;
pub(crate) mod direct;
pub(crate) mod organization_call;
pub(crate) mod question;
pub(crate) mod session_encryption;
pub(crate) mod session_key;
pub(crate) mod session_key_access;
pub(crate) mod sns;
pub(crate) mod terraform;

mod audit_call;
mod cloud_trail;
mod config_compliance;
mod context_property;
mod document_call;
mod event_bridge;
mod key_call;
mod key_event;
mod log_safe;
mod named_document;
mod record_call;
mod record_change;
mod safeguards;
mod schedule;
mod security_hub;

use serde_json::{Map, Value};

use crate::change_event::ChangeEvent;
use crate::location::Location;
use cloudformation_custom_resource::PropertyProblems;
use event_bridge::EventBridgeEnvelope;

/// What arrived.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// CloudFormation asks for a custom resource. It waits for a response to each request.
    CustomResource(Box<custom_resource::CustomResourceEvent>),
    /// A topic delivers messages, each of which is an event.
    SnsMessages(Vec<Result<sns::SnsMessage, String>>),
    /// Somebody says that a document or a key has changed.
    ChangeEvent(ChangeEvent),
    /// AWS Config asks whether documents comply.
    ConfigRule(config_rule::RuleEvaluation),
    /// Somebody calls the function directly.
    DirectCall {
        /// Everything in the call but its action.
        properties: Map<String, Value>,
        /// The call, or what is wrong with it.
        call: Result<direct::DirectCall, PropertyProblems>,
        /// Whether it asks a question, for which nothing is changed. A misspelt action is none: it may be meant to change
        /// something, and nobody is to take it for done.
        is_question: bool,
    },
    /// Nothing to act on, and why: one line for the log.
    Ignored(String),
    /// No source that this function knows.
    Unknown,
}

/// What the function knows of itself, to distinguish its own calls and documents from those of others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FunctionIdentity<'a> {
    /// The function's role, as IAM names it: `arn:aws:iam::123456789012:role/path/NAME`.
    pub(crate) role_arn: Option<&'a str>,
    /// The function's account and Region.
    pub(crate) location: Option<&'a Location>,
}

/// Finds the source of an event, and reads the event. Any JSON is an event.
#[must_use]
pub(crate) fn read(event: &Value, function: FunctionIdentity<'_>) -> Event {
    sns::read(event, function).unwrap_or_else(|| read_one(event, function))
}

/// Reads an event that is not an envelope of SNS: a topic within a topic is unknown.
fn read_one(event: &Value, function: FunctionIdentity<'_>) -> Event {
    if let Some(request) = custom_resource::read(event) {
        return request;
    }
    let Some(fields) = event.as_object() else { return Event::Unknown };
    if fields.contains_key("invokingEvent") {
        return config_rule::read(fields, function);
    }
    if let Some(envelope) = EventBridgeEnvelope::read(event) {
        return read_event_bridge(&envelope, function);
    }
    if fields.contains_key("action") {
        return direct::read(fields);
    }
    Event::Unknown
}

/// The sources whose events come through EventBridge.
fn read_event_bridge(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    match (envelope.source, envelope.detail_type) {
        ("aws.ssm", cloud_trail::API_CALL) => {
            record_call::read(envelope, function).unwrap_or_else(|| document_call::read(envelope, function))
        }
        ("aws.ssm", record_change::DETAIL_TYPE) => record_change::read(envelope, function),
        ("aws.kms", cloud_trail::API_CALL | cloud_trail::SERVICE_EVENT) => key_call::read(envelope, function),
        ("aws.kms", _) => key_event::read(envelope, function),
        ("aws.events" | "aws.scheduler", schedule::DETAIL_TYPE) => schedule::read(envelope),
        ("aws.config", config_compliance::DETAIL_TYPE) => config_compliance::read(envelope, function),
        (
            "aws.securityhub",
            security_hub::CUSTOM_ACTION | security_hub::IMPORTED | security_hub::IMPORTED_OCSF,
        ) => security_hub::read(envelope, function),
        (source, detail_type) => ignored(format_args!(
            "`{detail_type}` of {source} says nothing of session documents and their keys"
        )),
    }
}

/// An event to ignore, with a reason that is safe for the log.
fn ignored(why: std::fmt::Arguments<'_>) -> Event {
    Event::Ignored(log_safe::log_safe_line(why))
}

#[cfg(test)]
mod tests;
