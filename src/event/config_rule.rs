//! AWS Config: the function is a custom rule, and is asked whether documents comply.

use std::fmt;

use serde_json::Value;

use super::named_document::NamedDocument;
use super::{Arrival, FunctionIdentity, plain};
use crate::session::DocumentName;

/// The resource token that AWS Config sends where it only tries the rule.
const TEST_TOKEN: &str = "TESTMODE";

/// A question of AWS Config. It expects an answer to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// What AWS Config wants back to know its question.
    pub result_token: ResultToken,
    /// Whether the subject is gone, or no longer one for the rule: the answer is that it does not apply.
    pub left_scope: bool,
    /// What is to be judged.
    pub subject: Subject,
    /// The account, twelve digits.
    pub account: String,
    /// The moment that the verdict is about, as AWS Config writes it: RFC 3339.
    pub ordering: String,
    /// Whether AWS Config only tries the rule.
    pub test_mode: bool,
}

/// What is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Every document of the account with a record.
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
    /// Something that the rule says nothing of.
    Other {
        /// The resource's type, as the answer repeats it.
        resource_type: String,
        /// The resource, as the answer repeats it.
        resource_id: String,
    },
}

/// A token whose bearer may answer for the rule. It has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultToken(String);

impl ResultToken {
    /// The token as PutEvaluations takes it; not to be logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResultToken(…)")
    }
}

pub(super) fn read(event: &Value, function: FunctionIdentity<'_>) -> Arrival {
    evaluation(event, function).map_or_else(Arrival::Ignored, Arrival::ConfigRule)
}

/// The question, or why it cannot be answered.
fn evaluation(event: &Value, function: FunctionIdentity<'_>) -> Result<Evaluation, String> {
    let unanswerable = |why: &str| plain::line(format_args!("the question of AWS Config {why}"));
    let token = event.get("resultToken").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| unanswerable("has no result token, so there is nothing to answer to"))?;
    let invoking = event.get("invokingEvent").and_then(Value::as_str);
    let invoking = invoking.and_then(|text| serde_json::from_str::<Value>(text).ok());
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
    let account =
        account.or_else(|| text(event, "accountId")).or(function.location.map(|location| &*location.account));
    let account = account.ok_or_else(|| unanswerable("names no account"))?;
    if function.location.is_some_and(|location| location.account != account) {
        return Err(unanswerable(&format!(
            "is about account {account}, whose documents are not seen from here"
        )));
    }
    let ordering = item.and_then(|item| text(item, "configurationItemCaptureTime"));
    let ordering = ordering.or_else(|| text(&invoking, "notificationCreationTime"));
    let gone = item.and_then(|item| text(item, "configurationItemStatus")).is_some_and(is_gone);
    Ok(Evaluation {
        left_scope: gone || event.get("eventLeftScope").and_then(Value::as_bool) == Some(true),
        subject: match item {
            None => Subject::Account,
            Some(item) => {
                subject(item).ok_or_else(|| unanswerable("names no resource, or not of which type"))?
            }
        },
        account: account.to_owned(),
        ordering: ordering.ok_or_else(|| unanswerable("carries no time"))?.to_owned(),
        test_mode: token == TEST_TOKEN,
        result_token: ResultToken(token.to_owned()),
    })
}

/// The resource of a configuration item. For documents AWS Config may give name or ARN, in either field.
fn subject(item: &Value) -> Option<Subject> {
    let (resource_type, resource_id) = (text(item, "resourceType")?, text(item, "resourceId")?);
    let names = [Some(resource_id), text(item, "resourceName"), text(item, "ARN")];
    let document = names.into_iter().flatten().find_map(NamedDocument::read);
    let (resource_type, resource_id) = (resource_type.to_owned(), resource_id.to_owned());
    Some(match document {
        Some(NamedDocument { name, .. }) if resource_type == "AWS::SSM::Document" => {
            Subject::Document { resource_type, resource_id, name }
        }
        _ => Subject::Other { resource_type, resource_id },
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
