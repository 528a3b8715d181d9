//! AWS Config: a rule has found that something no longer complies.

use serde_json::Value;

use super::event_bridge::{EventBridgeEnvelope, is_elsewhere};
use super::named_document::NamedDocument;
use super::{Event, FunctionIdentity, ignored, log_safe};
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
    let scope = match (text("/resourceType"), text("/resourceId").and_then(NamedDocument::read)) {
        (Some("AWS::SSM::Document"), Some(document)) if document.is_elsewhere(function) => {
            return ignored(format_args!("rule {rule} is about a document of another account or Region"));
        }
        (Some("AWS::SSM::Document"), Some(document)) => Scope::Document(document.name),
        _ => Scope::Everything,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{change, function, ignored, parsed, sample};
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
    fn the_document_may_be_named_by_its_arn_and_another_resource_is_about_everything() {
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["resourceId"] = "arn:aws:ssm:eu-west-1:123456789012:document/Other-Document".into();
        assert_eq!(scope_of(&event), Scope::Document(DocumentName::parse("Other-Document").unwrap()));
        event["detail"]["resourceType"] = "AWS::::Account".into();
        event["detail"]["resourceId"] = "123456789012".into();
        assert_eq!(scope_of(&event), Scope::Everything);
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
