//! SNS: an envelope of records, each of which holds an event as text.

use serde_json::Value;

use super::{Event, FunctionIdentity, read_one};

/// A message of a topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SnsMessage {
    /// The event in the message, as JSON. It may hold a response URL, so it must not be logged.
    pub(crate) payload: Value,
    /// The event in the message.
    pub(crate) event: Event,
}

/// Reads an envelope; `None` if the event is something else. For a message that cannot be read there is a line that
/// says why. The line never repeats the message, which may hold a response URL.
pub(super) fn read(event: &Value, function: FunctionIdentity<'_>) -> Option<Event> {
    let records = event.get("Records")?.as_array()?;
    let read = |record: &Value| {
        let payload =
            if is_sns(record) { message(record) } else { Err("the record is none of SNS".to_owned()) }?;
        let event = read_one(&payload, function);
        Ok(SnsMessage { payload, event })
    };
    records.iter().any(is_sns).then(|| Event::SnsMessages(records.iter().map(read).collect()))
}

fn is_sns(record: &Value) -> bool {
    record.get("EventSource").and_then(Value::as_str) == Some("aws:sns")
}

fn message(record: &Value) -> Result<Value, String> {
    let text = record.pointer("/Sns/Message").and_then(Value::as_str);
    let text = text.ok_or_else(|| "the SNS record holds no message".to_owned())?;
    serde_json::from_str(text).map_err(|error| format!("the SNS message is no JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{parsed, sample};

    /// The payloads of the messages; `None` if the event is no envelope.
    fn messages(event: &Value) -> Option<Vec<Result<Value, String>>> {
        match crate::event::read(event, FunctionIdentity::default()) {
            Event::SnsMessages(messages) => {
                Some(messages.into_iter().map(|message| message.map(|message| message.payload)).collect())
            }
            _ => None,
        }
    }

    fn only(text: &str) -> Value {
        let mut messages = messages(&parsed(text)).unwrap();
        assert_eq!(messages.len(), 1);
        messages.remove(0).unwrap()
    }

    #[test]
    fn a_topic_within_a_topic_is_unknown() {
        let inner = parsed(sample!("sns-document-update-call"));
        let record = json!({"EventSource": "aws:sns", "Sns": {"Message": inner.to_string()}});
        let Event::SnsMessages(messages) =
            crate::event::read(&json!({"Records": [record]}), FunctionIdentity::default())
        else {
            panic!("no envelope")
        };
        assert_eq!(messages[0].as_ref().unwrap().event, Event::Unknown);
    }

    #[test]
    fn the_event_in_a_message_is_not_changed() {
        assert_eq!(only(sample!("sns-document-update-call")), parsed(sample!("document-update-call")));
    }

    #[test]
    fn a_custom_resource_request_in_a_message_is_whole() {
        let request = only(sample!("sns-custom-resource-create"));
        let direct = parsed(sample!("custom-resource-create"));
        for field in ["RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(request[field], direct[field], "{field}");
        }
        assert_eq!(request["ResourceProperties"]["KmsKeyId"], direct["ResourceProperties"]["KmsKeyId"]);
    }

    #[test]
    fn a_message_that_cannot_be_read_is_reported_but_not_repeated() {
        let record = |message: Value| json!({"EventSource": "aws:sns", "Sns": {"Message": message}});
        let event = json!({"Records": [
            record(json!("https://secret.example/?token")),
            record(json!({"a": 1})),
            {"EventSource": "aws:s3"},
            record(json!("{}")),
        ]});
        let messages = messages(&event).unwrap();
        let why = messages[0].as_ref().unwrap_err();
        assert!(why.starts_with("the SNS message is no JSON") && !why.contains("secret"), "{why}");
        assert_eq!(messages[1], Err("the SNS record holds no message".to_owned()));
        assert_eq!(messages[2], Err("the record is none of SNS".to_owned()));
        assert_eq!(messages[3], Ok(json!({})));
    }

    #[test]
    fn records_of_other_sources_are_no_envelope() {
        for event in [
            json!({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}),
            json!({"Records": []}),
            json!({"Records": "x"}),
            json!([]),
        ] {
            assert_eq!(messages(&event), None, "{event}");
        }
    }
}
