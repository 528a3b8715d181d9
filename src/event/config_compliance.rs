//! AWS Config: a rule found that something no longer complies.

use serde_json::Value;

use super::event_bridge::{Envelope, is_elsewhere};
use super::named_document::NamedDocument;
use super::{Arrival, Own, plain};
use crate::notice::{About, Notice, Source};

pub(super) const DETAIL_TYPE: &str = "Config Rules Compliance Change";

pub(super) fn read(envelope: &Envelope<'_>, own: Own<'_>) -> Arrival {
    let text = |pointer: &str| envelope.detail.pointer(pointer).and_then(Value::as_str);
    let rule = text("/configRuleName").map_or_else(|| "without a name".to_owned(), plain::plain);
    match text("/newEvaluationResult/complianceType") {
        Some("NON_COMPLIANT") => {}
        Some(other) => return ignored(format_args!("rule {rule} says {other}, which asks for nothing")),
        None => return ignored(format_args!("rule {rule} says nothing of compliance")),
    }
    let account = text("/awsAccountId").or(envelope.account);
    let region = text("/awsRegion").or(envelope.region);
    if own.place.is_some_and(|place| is_elsewhere(place, account, region)) {
        return ignored(format_args!("rule {rule} is about another account or Region"));
    }
    let about = match (text("/resourceType"), text("/resourceId").and_then(NamedDocument::read)) {
        (Some("AWS::SSM::Document"), Some(document)) if document.is_elsewhere(own) => {
            return ignored(format_args!("rule {rule} is about a document of another account or Region"));
        }
        (Some("AWS::SSM::Document"), Some(document)) => About::Document(document.name),
        _ => About::Everything,
    };
    Arrival::Notice(Notice {
        source: Source::ConfigCompliance,
        what: format!("NON_COMPLIANT by rule {rule}"),
        about,
        by: None,
        at: envelope.time(),
        news: None,
    })
}

fn ignored(why: std::fmt::Arguments<'_>) -> Arrival {
    Arrival::Ignored(plain::line(why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::tests::{ignored, notice, own, parsed, sample};
    use crate::session::DocumentName;

    fn about(event: &Value) -> About {
        match crate::event::read(event, own()) {
            Arrival::Notice(notice) => notice.about,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_document_that_does_not_comply_is_looked_at() {
        let expected = Notice {
            source: Source::ConfigCompliance,
            what: "NON_COMPLIANT by rule session-encryption".to_owned(),
            about: About::Document(DocumentName::default()),
            by: None,
            at: Some("2026-03-04T06:12:41Z".to_owned()),
            news: None,
        };
        assert_eq!(notice(sample!("config-compliance-change")), expected);
    }

    #[test]
    fn the_document_may_be_named_by_its_arn_and_another_resource_means_everything() {
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["resourceId"] = "arn:aws:ssm:eu-west-1:123456789012:document/Other-Document".into();
        assert_eq!(about(&event), About::Document(DocumentName::parse("Other-Document").unwrap()));
        event["detail"]["resourceType"] = "AWS::::Account".into();
        event["detail"]["resourceId"] = "123456789012".into();
        assert_eq!(about(&event), About::Everything);
    }

    #[test]
    fn whatever_else_a_rule_says_asks_for_nothing() {
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
    fn other_places_are_not_ours() {
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["awsAccountId"] = "222222222222".into();
        assert!(ignored(&event).contains("another account or Region"));
        let mut event = parsed(sample!("config-compliance-change"));
        event["detail"]["resourceId"] = "arn:aws:ssm:eu-west-1:222222222222:document/Shared".into();
        assert!(ignored(&event).contains("a document of another account or Region"));
    }
}
