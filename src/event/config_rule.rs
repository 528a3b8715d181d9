//! AWS Config: the function is a custom rule, and AWS Config asks whether documents comply.

use std::fmt;

use aws_lambda_events::event::config::ConfigEvent;
use serde_json::{Map, Value};

use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, log_safe};
use crate::session::DocumentName;

/// The result token that AWS Config sends if it only tries the rule.
const TEST_TOKEN: &str = "TESTMODE";

/// A question of AWS Config, which expects an answer to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleEvaluation {
    /// The token by which AWS Config knows its question.
    pub(crate) result_token: ResultToken,
    /// Whether the resource is gone or no longer in the scope of the rule. The answer then is that the rule does
    /// not apply.
    pub(crate) left_scope: bool,
    /// What to evaluate.
    pub(crate) resource: EvaluatedResource,
    /// The account, twelve digits.
    pub(crate) account: String,
    /// The time of the state to evaluate, as AWS Config writes it: RFC 3339.
    pub(crate) ordering: String,
    /// Whether AWS Config only tries the rule.
    pub(crate) test_mode: bool,
}

/// What a rule evaluates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EvaluatedResource {
    /// Every document of the account that has a record.
    Account,
    /// One document.
    Document {
        /// `AWS::SSM::Document`, as the answer repeats it.
        resource_type: String,
        /// The document, as the answer repeats it.
        resource_id: String,
        /// The document's name.
        name: DocumentName,
    },
    /// A resource that is no document. The rule says nothing about it.
    Other {
        /// The resource's type, as the answer repeats it.
        resource_type: String,
        /// The resource, as the answer repeats it.
        resource_id: String,
    },
}

/// A token whose bearer may answer for the rule. It has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ResultToken(String);

impl ResultToken {
    /// The token as PutEvaluations takes it. It must not be logged.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultToken(…)")
    }
}

pub(super) fn read(fields: &Map<String, Value>, function: FunctionIdentity<'_>) -> Event {
    evaluation(config_event(fields), function).map_or_else(Event::Ignored, Event::ConfigRule)
}

/// The outer part of the event. A field of an unexpected type counts as absent.
///
/// The `Debug` of this type prints the result token, so no value of it may be logged or become part of an error.
fn config_event(fields: &Map<String, Value>) -> ConfigEvent {
    let mut fields = fields.clone();
    fields
        .retain(|name, value| if name == "eventLeftScope" { value.is_boolean() } else { value.is_string() });
    fields.entry("eventLeftScope").or_insert(false.into());
    // It cannot fail with these fields. If it did, the event would have no result token, and the reason would say so.
    serde_json::from_value(Value::Object(fields)).unwrap_or_default()
}

/// The question, or why it cannot be answered.
fn evaluation(event: ConfigEvent, function: FunctionIdentity<'_>) -> Result<RuleEvaluation, String> {
    let unanswerable = |why: &str| log_safe::log_safe_line(format_args!("the question of AWS Config {why}"));
    let token = event.result_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| unanswerable("has no result token, so there is nothing to answer to"))?;
    let invoking = event.invoking_event.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let invoking =
        invoking.filter(Value::is_object).ok_or_else(|| unanswerable("holds no readable invoking event"))?;
    let message = text(&invoking, "messageType").unwrap_or_default();
    let item = match message {
        "ScheduledNotification" | "ConfigurationSnapshotDeliveryCompleted" => None,
        "ConfigurationItemChangeNotification" => invoking.get("configurationItem"),
        "OversizedConfigurationItemChangeNotification" => invoking.get("configurationItemSummary"),
        other => {
            return Err(unanswerable(&format!("is of the kind `{other}`, which this rule does not know")));
        }
    };
    if item.is_none() && message.contains("ItemChange") {
        return Err(unanswerable("holds no configuration item"));
    }
    let account =
        item.and_then(|item| text(item, "awsAccountId")).or_else(|| text(&invoking, "awsAccountId"));
    let account = account
        .or(event.account_id.as_deref().filter(|id| !id.is_empty()))
        .or(function.location.map(|location| &*location.account));
    let account = account.ok_or_else(|| unanswerable("names no account"))?;
    if function.location.is_some_and(|location| location.account != account) {
        return Err(unanswerable(&format!(
            "is about account {account}, whose documents are not seen from here"
        )));
    }
    let ordering = item.and_then(|item| text(item, "configurationItemCaptureTime"));
    let ordering = ordering.or_else(|| text(&invoking, "notificationCreationTime"));
    let gone = item.and_then(|item| text(item, "configurationItemStatus")).is_some_and(is_gone);
    Ok(RuleEvaluation {
        left_scope: gone || event.event_left_scope,
        resource: match item {
            None => EvaluatedResource::Account,
            Some(item) => {
                resource(item).ok_or_else(|| unanswerable("names no resource, or not of which type"))?
            }
        },
        account: account.to_owned(),
        ordering: ordering.ok_or_else(|| unanswerable("carries no time"))?.to_owned(),
        test_mode: token == TEST_TOKEN,
        result_token: ResultToken(token),
    })
}

/// The resource of a configuration item. AWS Config may put the name or the ARN of a document into either field.
fn resource(item: &Value) -> Option<EvaluatedResource> {
    let (resource_type, resource_id) = (text(item, "resourceType")?, text(item, "resourceId")?);
    let names = [Some(resource_id), text(item, "resourceName"), text(item, "ARN")];
    let document = names.into_iter().flatten().find_map(NamedDocument::read);
    let (resource_type, resource_id) = (resource_type.to_owned(), resource_id.to_owned());
    Some(match document {
        Some(NamedDocument { name, .. }) if resource_type == "AWS::SSM::Document" => {
            EvaluatedResource::Document { resource_type, resource_id, name }
        }
        _ => EvaluatedResource::Other { resource_type, resource_id },
    })
}

fn is_gone(status: &str) -> bool {
    ["ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded"].contains(&status)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
