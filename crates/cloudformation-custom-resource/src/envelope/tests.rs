use proptest::prelude::*;
use serde_json::json;

use super::*;

const URL: &str = "https://b.s3.amazonaws.com/k?s3cr3t";

fn event(request_type: &str) -> Value {
    json!({
        "RequestType": request_type,
        "ServiceToken": "arn:aws:lambda:eu-central-1:111122223333:function:thing",
        "ResponseURL": URL,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Thing",
        "PhysicalResourceId": "thing-1",
        "ResourceType": "Custom::Thing",
        "ResourceProperties": {"Zebra": "1", "ServiceToken": "t", "Apple": ["a"], "ServiceTimeout": "300"},
        "OldResourceProperties": {"ServiceToken": "t", "Apple": "b", "ServiceTimeout": "60"},
    })
}

fn with(request_type: &str, field: &str, value: Value) -> Value {
    let mut event = event(request_type);
    event[field] = value;
    event
}

fn without(request_type: &str, field: &str) -> Value {
    let mut event = event(request_type);
    event.as_object_mut().unwrap().remove(field);
    event
}

#[test]
fn each_request_type_is_read_with_what_it_needs() {
    let id = PhysicalResourceId::new("thing-1").unwrap();
    let old = json!({"Apple": "b"}).as_object().unwrap().clone();
    for (name, expected) in [
        ("Create", RequestType::Create),
        ("Update", RequestType::Update { physical_resource_id: id.clone(), old_properties: old }),
        ("Delete", RequestType::Delete { physical_resource_id: id.clone() }),
    ] {
        let envelope = Envelope::read(&event(name)).unwrap();
        assert_eq!(envelope.service_timeout, Duration::from_secs(300));
        assert_eq!(envelope.physical_resource_id, id);
        let request = envelope.request.unwrap();
        assert_eq!(request.request_type, expected);
        assert_eq!(request.request_type.name(), name);
        assert_eq!(request.resource_type, "Custom::Thing");
        assert_eq!(request.ids.stack_id, "stack");
        // The properties stay in their order, without those that only the protocol needs.
        assert_eq!(Value::Object(request.properties).to_string(), r#"{"Zebra":"1","Apple":["a"]}"#);
    }
}

#[test]
fn a_create_has_no_id_of_its_own_yet() {
    let envelope = Envelope::read(&without("Create", "PhysicalResourceId")).unwrap();
    assert!(envelope.request.is_ok());
    assert_eq!(envelope.physical_resource_id.as_str(), "Thing");
}

#[test]
fn service_timeout_is_3600_s_by_default() {
    for (properties, seconds) in [(json!({}), 3600), (json!({"ServiceTimeout": 1}), 1)] {
        let envelope = Envelope::read(&with("Create", "ResourceProperties", properties)).unwrap();
        assert_eq!(envelope.service_timeout, Duration::from_secs(seconds));
        assert!(envelope.request.is_ok());
    }
}

#[test]
fn trap_5_every_defect_of_an_answerable_request_is_named() {
    for (payload, message) in [
        (
            with("Create", "RequestType", json!("Read")),
            "`RequestType` of the request is `Read`, not Create, Update or Delete",
        ),
        (with("Create", "RequestType", json!(["Create"])), "`RequestType` of the request is not text"),
        (without("Create", "RequestType"), "the request has no `RequestType`"),
        (without("Create", "ResourceType"), "the request has no `ResourceType`"),
        (without("Create", "ResourceProperties"), "the request has no `ResourceProperties`"),
        (
            with("Create", "ResourceProperties", json!("x")),
            "`ResourceProperties` of the request is not an object",
        ),
        (without("Update", "PhysicalResourceId"), "the request has no `PhysicalResourceId`"),
        (
            with("Delete", "PhysicalResourceId", json!("")),
            "`PhysicalResourceId` of the request is missing, empty or not text",
        ),
        (with("Delete", "PhysicalResourceId", json!(7)), "`PhysicalResourceId` of the request is not text"),
        (without("Update", "OldResourceProperties"), "the request has no `OldResourceProperties`"),
        (
            with("Update", "OldResourceProperties", json!(null)),
            "`OldResourceProperties` of the request is not an object",
        ),
        (
            with("Create", "ResourceProperties", json!({"ServiceTimeout": "1 h"})),
            "`ServiceTimeout` of the request is not a number of seconds from 1 to 3600",
        ),
        (
            with("Create", "ResourceProperties", json!({"ServiceTimeout": 3601})),
            "`ServiceTimeout` of the request is not a number of seconds from 1 to 3600",
        ),
    ] {
        assert!(is_request(&payload));
        let envelope = Envelope::read(&payload).unwrap();
        assert_eq!(envelope.request.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_request_without_url_or_ids_cannot_be_answered_and_the_error_says_why() {
    for (payload, message) in [
        (json!("x"), "the payload is not a JSON object, so there is nobody to answer"),
        (without("Create", "ResponseURL"), "the request has no `ResponseURL`, so there is nobody to answer"),
        (
            with("Create", "ResponseURL", json!(1)),
            "the request has no `ResponseURL`, so there is nobody to answer",
        ),
        (
            with("Create", "ResponseURL", json!("s3cr3t")),
            "`ResponseURL` of the request is not an http or https URL with a plain host, so it cannot be answered",
        ),
        (
            without("Create", "StackId"),
            "`StackId` of the request is missing, empty or not text, so CloudFormation would not take an answer",
        ),
        (
            with("Create", "RequestId", json!("r".repeat(129))),
            "`RequestId` of the request is 129 bytes long, and 128 are allowed, so CloudFormation would not take an answer",
        ),
        (
            with("Create", "LogicalResourceId", json!("a\u{0}")),
            "`LogicalResourceId` of the request holds a control character, so CloudFormation would not take an answer",
        ),
    ] {
        assert_eq!(Envelope::read(&payload).unwrap_err().to_string(), message);
    }
}

#[test]
fn trap_19_neither_an_envelope_nor_a_request_shows_the_url() {
    let envelope = Envelope::read(&event("Update")).unwrap();
    assert!(!format!("{envelope:?}").contains("s3cr3t"));
}

#[test]
fn requests_are_distinguished_from_other_events() {
    assert!(is_request(&event("Create")));
    assert!(is_request(&json!({"ResponseURL": 1})));
    assert!(is_request(&without("Create", "ResponseURL")));
    for other in [
        json!(null),
        json!([{"ResponseURL": URL}]),
        json!({"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": {"ResponseURL": URL}}),
        json!({"action": "plan"}),
    ] {
        assert!(!is_request(&other), "{other}");
    }
}

proptest! {
    #[test]
    fn trap_5_any_field_may_be_anything(field in 0..10_usize, text in ".{0,20}", kind in 0..5_u8) {
        let mut event = event("Update");
        let name = event.as_object().unwrap().keys().nth(field).unwrap().clone();
        event[&name] = [json!(null), json!(text), json!([text]), json!({"ServiceTimeout": text}), json!(-1)][usize::from(kind)].clone();
        match Envelope::read(&event) {
            Ok(envelope) => prop_assert!(!envelope.physical_resource_id.as_str().is_empty()),
            Err(error) => prop_assert!(["ResponseURL", "StackId", "RequestId", "LogicalResourceId"].contains(&name.as_str()), "{error}"),
        }
    }
}
