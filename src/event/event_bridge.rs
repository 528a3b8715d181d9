//! The envelope that EventBridge puts around every event.

use std::borrow::Cow;

use serde_json::Value;

use super::{FunctionIdentity, log_safe};
use crate::location::Location;

/// An event of EventBridge. Everything but its source and detail type may be missing.
#[derive(Debug)]
pub(super) struct EventBridgeEnvelope<'a> {
    pub(super) source: &'a str,
    pub(super) detail_type: &'a str,
    /// The account in which it happened, even if another bus has forwarded it.
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    /// ARNs that the event is about.
    pub(super) resources: Vec<&'a str>,
    pub(super) detail: Cow<'a, Value>,
    time: Option<&'a Value>,
}

impl<'a> EventBridgeEnvelope<'a> {
    /// Reads the envelope; `None` if the event has none.
    pub(super) fn read(event: &'a Value) -> Option<Self> {
        let text = |name| event.get(name).and_then(Value::as_str);
        let resources = event.get("resources").and_then(Value::as_array);
        let detail = match event.get("detail") {
            // EventBridge Scheduler sends the detail as text.
            Some(Value::String(text)) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
            Some(detail) => Cow::Borrowed(detail),
            None => Cow::Owned(Value::Null),
        };
        Some(Self {
            source: text("source")?,
            detail_type: text("detail-type")?,
            account: text("account"),
            region: text("region"),
            resources: resources.into_iter().flatten().filter_map(Value::as_str).collect(),
            detail,
            time: event.get("time"),
        })
    }

    /// When it happened, as EventBridge writes it.
    pub(super) fn time(&self) -> Option<String> {
        log_safe::log_safe_text(self.time)
    }

    /// Whether it happened in another account or Region than the function's own. If either is unknown, it may have
    /// happened here.
    pub(super) fn is_elsewhere(&self, function: FunctionIdentity<'_>) -> bool {
        function.location.is_some_and(|location| is_elsewhere(location, self.account, self.region))
    }
}

/// Whether a known account or Region is another one than that of the location.
pub(super) fn is_elsewhere(location: &Location, account: Option<&str>, region: Option<&str>) -> bool {
    account.is_some_and(|account| account != location.account)
        || region.is_some_and(|region| region != location.region)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_source_and_detail_type_are_required() {
        let event =
            json!({"source": "aws.kms", "detail-type": "x", "resources": ["arn:a", 7], "account": null});
        let envelope = EventBridgeEnvelope::read(&event).unwrap();
        assert_eq!((envelope.account, envelope.time()), (None, None));
        assert_eq!(envelope.resources, ["arn:a"]);
        assert!(envelope.detail.is_null());
        for event in [json!({"source": "aws.kms"}), json!({"source": 1, "detail-type": "x"}), json!("text")] {
            assert!(EventBridgeEnvelope::read(&event).is_none(), "{event}");
        }
    }

    #[test]
    fn a_detail_may_be_text() {
        let read = |detail: Value| {
            let event = json!({"source": "aws.scheduler", "detail-type": "x", "detail": detail});
            EventBridgeEnvelope::read(&event).unwrap().detail.into_owned()
        };
        assert_eq!(read(json!("{\"a\": 1}")), json!({"a": 1}));
        assert_eq!(read(json!("no JSON")), Value::Null);
    }

    #[test]
    fn an_event_without_account_and_region_may_have_happened_here() {
        let location =
            Location { partition: "aws".into(), region: "eu-west-1".into(), account: "123456789012".into() };
        let function = FunctionIdentity { role_arn: None, location: Some(&location) };
        let elsewhere = |mut event: Value, function| {
            event["source"] = "aws.ssm".into();
            event["detail-type"] = "x".into();
            EventBridgeEnvelope::read(&event).unwrap().is_elsewhere(function)
        };
        assert!(!elsewhere(json!({}), function));
        assert!(!elsewhere(json!({"account": "123456789012", "region": "eu-west-1"}), function));
        assert!(elsewhere(json!({"account": "222222222222"}), function));
        assert!(elsewhere(json!({"account": "123456789012", "region": "us-east-1"}), function));
        assert!(!elsewhere(json!({"account": "222222222222"}), FunctionIdentity::default()));
    }
}
