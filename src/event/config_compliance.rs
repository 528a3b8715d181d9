//! AWS Config: a rule has found that something no longer complies.

use serde_json::Value;

use super::event_bridge::{EventBridgeEnvelope, is_elsewhere};
use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, ignored, key_call, log_safe};
use crate::change_event::{ChangeEvent, ChangeSource, Scope};

pub(super) const DETAIL_TYPE: &str = "Config Rules Compliance Change";

pub(super) fn read(envelope: &EventBridgeEnvelope<'_>, function: FunctionIdentity<'_>) -> Event {
    let text = |pointer: &str| envelope.detail.pointer(pointer).and_then(Value::as_str);
    let rule = text("/configRuleName").map_or_else(|| "without a name".to_owned(), log_safe::log_safe);
    match text("/newEvaluationResult/complianceType") {
        Some("NON_COMPLIANT") => {}
        Some(other) => return ignored(format_args!("rule {rule} says {other}, which asks for nothing")),
        None => return ignored(format_args!("rule {rule} says nothing of compliance")),
    }
    let account = text("/awsAccountId").or(envelope.account);
    let region = text("/awsRegion").or(envelope.region);
    if function.location.is_some_and(|location| is_elsewhere(location, account, region)) {
        return ignored(format_args!("rule {rule} is about another account or Region"));
    }
    let scope = match scope(text("/resourceType"), text("/resourceId"), (account, region), function) {
        Ok(scope) => scope,
        Err(why) => return ignored(format_args!("rule {rule} is about {why}")),
    };
    Event::ChangeEvent(ChangeEvent {
        source: ChangeSource::ConfigCompliance,
        what: format!("NON_COMPLIANT by rule {rule}"),
        scope,
        actor: None,
        at: envelope.time(),
        detail: None,
    })
}

/// The scope of a resource, which is a document, a key or the account as a whole; or what else the rule is about.
fn scope(
    resource_type: Option<&str>,
    id: Option<&str>,
    location: (Option<&str>, Option<&str>),
    function: FunctionIdentity<'_>,
) -> Result<Scope, String> {
    let (resource_type, id) = match (resource_type, id) {
        // The result of a rule that the owner has named may concern every document.
        (None, _) | (Some("AWS::SSM::Document" | "AWS::KMS::Key"), None) => return Ok(Scope::Everything),
        (Some(resource_type), id) => (resource_type, id.unwrap_or_default()),
    };
    match resource_type {
        "AWS::SSM::Document" => match NamedDocument::read(id) {
            Some(document) if document.is_elsewhere(function) => {
                Err("a document of another account or Region".to_owned())
            }
            Some(document) => Ok(Scope::Document(document.name)),
            None => Err(format!("`{id}`, which is no document of an account")),
        },
        "AWS::KMS::Key" => match key_call::complete(id, location, function) {
            Some(key) => Ok(Scope::Key(key)),
            None => Err(format!("`{id}`, which is no key of an account")),
        },
        "AWS::::Account" if id.is_empty() || function.location.is_none_or(|here| here.account == id) => {
            Ok(Scope::Everything)
        }
        "AWS::::Account" => Err("another account or Region".to_owned()),
        other => Err(format!("a resource of type {other}, which is no document, no key and no account")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{change, function, ignored, key, parsed, sample};
    use crate::session::DocumentName;

    fn scope_of(event: &Value) -> Scope {
        match crate::event::read(event, function()) {
            Event::ChangeEvent(change) => change.scope,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_document_that_does_not_comply_is_a_change_event() {
        let expected = ChangeEvent {
            source: ChangeSource::ConfigCompliance,
            what: "NON_COMPLIANT by rule session-encryption".to_owned(),
            scope: Scope::Document(DocumentName::default()),
            actor: None,
            at: Some("2026-03-04T06:12:41Z".to_owned()),
            detail: None,
        };
        assert_eq!(change(sample!("config-compliance-change")), expected);
    }

    #[test]
    fn the_document_may_be_named_by_its_arn_and_the_account_is_about_everything() {
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["resourceId"] = "arn:aws:ssm:eu-west-1:123456789012:document/Other-Document".into();
        assert_eq!(scope_of(&event), Scope::Document(DocumentName::parse("Other-Document").unwrap()));
        event["detail"]["resourceType"] = "AWS::::Account".into();
        event["detail"]["resourceId"] = "123456789012".into();
        assert_eq!(scope_of(&event), Scope::Everything);
        for field in ["resourceId", "resourceType"] {
            event["detail"].as_object_mut().unwrap().remove(field);
            assert_eq!(scope_of(&event), Scope::Everything, "without {field}");
        }
    }

    #[test]
    fn a_key_that_does_not_comply_is_named_by_its_id_or_its_arn() {
        for id in [key().id(), key().as_str()] {
            let mut event = parsed(sample!("config-compliance-change"));
            event["detail"]["resourceType"] = "AWS::KMS::Key".into();
            event["detail"]["resourceId"] = id.into();
            assert_eq!(scope_of(&event), Scope::Key(key()));
        }
    }

    #[test]
    fn other_results_of_a_rule_are_ignored() {
        for word in ["COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"] {
            let mut event = parsed(sample!("config-compliance-change"));
            event["detail"]["newEvaluationResult"]["complianceType"] = word.into();
            assert_eq!(
                ignored(&event),
                format!("rule session-encryption says {word}, which asks for nothing")
            );
        }
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"] = json!({});
        assert_eq!(ignored(&event), "rule without a name says nothing of compliance");
    }

    #[test]
    fn other_accounts_and_regions_are_ignored() {
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["awsAccountId"] = "222222222222".into();
        assert!(ignored(&event).contains("another account or Region"));
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["resourceId"] = "arn:aws:ssm:eu-west-1:222222222222:document/Shared".into();
        assert!(ignored(&event).contains("a document of another account or Region"));
    }
}
