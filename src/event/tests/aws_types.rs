//! The samples in the types of `aws_lambda_events`. Every sample that has a type there can be read with it, but for
//! those in [`MISSING`], which AWS sends without fields that the type requires.

use aws_lambda_events::event::cloudformation::CloudFormationCustomResourceRequest;
use aws_lambda_events::event::cloudwatch_events::cloudtrail::AWSAPICall;
use aws_lambda_events::event::cloudwatch_events::kms::CMKEvent;
use aws_lambda_events::event::config::ConfigEvent;
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::sns::SnsEvent;
use serde::de::DeserializeOwned;

use super::*;

/// The fields that a type requires and that AWS leaves out, by sample.
const MISSING: [(&str, &[&str]); 1] = [
    // KMS deletes the key by itself. The record of such an event names no type of caller and no request.
    ("key-deleted-service-event", &["/detail/userIdentity/type", "/detail/requestID"]),
];

/// Reads a sample with its type.
type ReadSample = fn(&Value) -> Result<(), String>;

/// The type of a sample, if there is one.
fn reader(event: &Value) -> Option<(&'static str, ReadSample)> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match (text("source"), text("detail-type")) {
        ("", _) if event.get("RequestType").is_some() => {
            ("CloudFormationCustomResourceRequest", read_as::<CloudFormationCustomResourceRequest>)
        }
        ("", _) if event.get("invokingEvent").is_some() => ("ConfigEvent", read_as::<ConfigEvent>),
        ("", _) if event.get("Records").is_some() => ("SnsEvent", read_as::<SnsEvent>),
        ("", _) => return None,
        (_, cloud_trail::API_CALL | cloud_trail::SERVICE_EVENT) => {
            ("EventBridgeEvent<AWSAPICall>", read_as::<EventBridgeEvent<AWSAPICall>>)
        }
        ("aws.kms", _) => ("EventBridgeEvent<CMKEvent>", read_as::<EventBridgeEvent<CMKEvent>>),
        _ => ("EventBridgeEvent", read_as::<EventBridgeEvent>),
    })
}

fn read_as<T: DeserializeOwned>(event: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(event.clone()).map(|_| ()).map_err(|error| error.to_string())
}

fn missing(sample: &str) -> &'static [&'static str] {
    MISSING.iter().find(|(name, _)| *name == sample).map_or(&[], |(_, fields)| fields)
}

/// Adds fields by their JSON pointers, with a text as their value.
fn with_fields(mut event: Value, fields: &[&str]) -> Value {
    for pointer in fields {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = "any".into();
    }
    event
}

#[test]
fn each_sample_that_has_a_type_can_be_read_with_it_or_lacks_listed_fields() {
    let (mut without_type, mut failures) = (Vec::new(), Vec::new());
    for (name, text, _) in SAMPLES {
        let event = parsed(text);
        let Some((type_name, read)) = reader(&event) else {
            without_type.push(name);
            continue;
        };
        let fields = missing(name);
        let complete = with_fields(event, fields);
        if let Err(error) = read(&complete) {
            failures.push(format!("{name} as {type_name}: {error}"));
        }
    }
    assert_eq!(failures, [""; 0]);
    assert_eq!(
        without_type,
        [
            "direct-audit",
            "direct-audit-pairs",
            "direct-audit-report",
            "direct-check",
            "direct-plan",
            "direct-reconcile",
            "direct-release",
            "direct-status",
            "direct-terraform-create",
            "direct-terraform-delete",
            "direct-terraform-update"
        ]
    );
}

#[test]
fn each_listed_field_is_missing_and_required() {
    for (name, fields) in MISSING {
        let (_, text, _) = SAMPLES.iter().find(|(sample, ..)| *sample == name).unwrap();
        let event = parsed(text);
        let (type_name, read) = reader(&event).unwrap();
        for field in fields {
            assert_eq!(event.pointer(field), None, "{name} has {field}");
            let others: Vec<_> = fields.iter().copied().filter(|other| other != field).collect();
            let error = read(&with_fields(event.clone(), &others)).unwrap_err();
            let (_, field) = field.rsplit_once('/').unwrap();
            assert!(error.contains(&format!("missing field `{field}`")), "{name} as {type_name}: {error}");
        }
    }
}

/// The reason why the function reads CloudTrail's records itself: it needs both fields.
#[test]
fn the_type_of_a_call_drops_its_error_and_its_resources() {
    for (text, field) in
        [(sample!("document-update-call-failed"), "errorCode"), (sample!("key-disable-call"), "resources")]
    {
        let call = parsed(text)["detail"].take();
        assert!(call.get(field).is_some());
        let typed: AWSAPICall = serde_json::from_value(call).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap().get(field), None);
    }
}
