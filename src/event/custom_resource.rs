//! CloudFormation: a request for a custom resource, from the service itself or through a topic.

use aws_lambda_events::event::cloudformation::CloudFormationCustomResourceRequest;
use serde_json::{Map, Value};

use super::Event;
use crate::intent::Owner;
use cloudformation_custom_resource::{Envelope, Unanswerable, is_request};

/// The type of the resource that checks a key for the accounts that will use it.
pub(crate) const SESSION_KEY_ACCESS: &str = "Custom::SessionKeyAccess";
/// The type of the resource that resolves the keys of a document.
pub(crate) const SESSION_KEY: &str = "Custom::SessionKey";
/// The types of the resource that owns a document. CloudFormation names a custom resource without a type of its own
/// by the second.
pub(crate) const SESSION_ENCRYPTION: [&str; 2] =
    ["Custom::SessionEncryption", "AWS::CloudFormation::CustomResource"];

/// A request for a custom resource. Its properties are read only while the request is served, so that whatever
/// happens then is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CustomResourceEvent {
    /// The resource that serves the request.
    pub(crate) kind: ResourceKind,
    /// The request with the URL to answer to, or why nobody can be answered.
    pub(crate) envelope: Result<Envelope, Unanswerable>,
}

/// The custom resources of this function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    /// `Custom::SessionEncryption`. It also answers requests for types that the function does not know.
    Encryption,
    /// `Custom::SessionKey`.
    Key,
    /// `Custom::SessionKeyAccess`.
    KeyAccess,
}

/// A request as the event types of AWS describe it. The crate `cloudformation_custom_resource` fills it after its
/// lenient envelope has found no defect.
///
/// Its `Debug` prints the response URL. The URL in it is shortened to its host, but requests hold properties too,
/// so no value of this type may be logged.
pub(crate) type CustomResourceRequest =
    CloudFormationCustomResourceRequest<Map<String, Value>, Map<String, Value>>;

/// Reads a request, however broken it is; `None` if the event is something else.
pub(super) fn read(event: &Value) -> Option<Event> {
    let kind = match event.get("ResourceType").and_then(Value::as_str) {
        Some(SESSION_KEY) => ResourceKind::Key,
        Some(SESSION_KEY_ACCESS) => ResourceKind::KeyAccess,
        _ => ResourceKind::Encryption,
    };
    let read = || CustomResourceEvent { kind, envelope: Envelope::read(event) };
    is_request(event).then(|| Event::CustomResource(Box::new(read())))
}

/// The type of a request is one that this version does not know. The envelope refuses such a request before.
pub(super) const UNKNOWN_REQUEST: &str = "its `RequestType` is not known";

/// The resource in its stack.
pub(super) fn owner(stack_id: String, logical_resource_id: String) -> Owner {
    Owner { stack_id, logical_resource_id }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::FunctionIdentity;
    use crate::event::tests::{parsed, sample};

    fn read_request(event: &Value) -> CustomResourceEvent {
        match crate::event::read(event, FunctionIdentity::default()) {
            Event::CustomResource(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_type_of_the_resource_decides_who_serves_it() {
        for (text, kind) in [
            (sample!("custom-resource-create"), ResourceKind::Encryption),
            (sample!("key-access-create"), ResourceKind::KeyAccess),
            (sample!("session-key-create"), ResourceKind::Key),
        ] {
            let request = read_request(&parsed(text));
            assert_eq!(request.kind, kind);
            assert!(request.envelope.unwrap().request.is_ok());
        }
        let mut event = parsed(sample!("custom-resource-create"));
        event["ResourceType"] = "Custom::Other".into();
        assert_eq!(read_request(&event).kind, ResourceKind::Encryption);
    }

    #[test]
    fn a_broken_request_is_a_request_all_the_same() {
        assert!(read_request(&json!({"ResponseURL": 7})).envelope.is_err());
        let mut event = parsed(sample!("custom-resource-update"));
        event["OldResourceProperties"] = "x".into();
        assert!(read_request(&event).envelope.unwrap().request.is_err());
    }

    #[test]
    fn the_response_url_is_not_shown() {
        let request = read_request(&parsed(sample!("custom-resource-create")));
        let shown = format!("{request:?}");
        assert!(!shown.contains("Signature") && !shown.contains("cfn-response"), "{shown}");
    }
}
