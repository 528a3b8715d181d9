//! The envelope of SNS: each record holds an event as text.

use serde_json::Value;

/// The events inside; `None` where the event is no envelope of SNS. A message that cannot be read gives a line that
/// says why, and never repeats the message: it may hold an address to answer to.
#[must_use]
pub fn messages(event: &Value) -> Option<Vec<Result<Value, String>>> {
    let records = event.get("Records")?.as_array()?;
    let is_sns = |record: &Value| record.get("EventSource").and_then(Value::as_str) == Some("aws:sns");
    records.iter().any(is_sns).then(|| {
        let read = |record: &Value| {
            if is_sns(record) { message(record) } else { Err("the record is none of SNS".to_owned()) }
        };
        records.iter().map(read).collect()
    })
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

    fn only(text: &str) -> Value {
        let mut messages = messages(&parsed(text)).unwrap();
        assert_eq!(messages.len(), 1);
        messages.remove(0).unwrap()
    }

    #[test]
    fn an_event_comes_out_as_it_went_in() {
        assert_eq!(only(sample!("sns-document-update-call")), parsed(sample!("document-update-call")));
    }

    #[test]
    fn a_custom_resource_request_comes_out_whole() {
        let request = only(sample!("sns-custom-resource-create"));
        let direct = parsed(sample!("custom-resource-create"));
        for field in ["RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(request[field], direct[field], "{field}");
        }
        assert_eq!(request["ResourceProperties"]["KmsKeyId"], direct["ResourceProperties"]["KmsKeyId"]);
    }

    #[test]
    fn a_message_that_cannot_be_read_says_why_and_not_what_it_was() {
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
    fn other_records_are_no_envelope() {
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
