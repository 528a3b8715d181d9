//! The record of a call, as CloudTrail writes it into the detail of an event.

use serde_json::Value;

use super::event_bridge::{EventBridgeEnvelope, is_elsewhere};
use super::{FunctionIdentity, log_safe};
use crate::access::{PrincipalArn, SessionOwner};
use crate::change_event::Actor;

/// The detail type of calls.
pub(super) const API_CALL: &str = "AWS API Call via CloudTrail";
/// The detail type of what a service does by itself, such as deleting a key whose time has come.
pub(super) const SERVICE_EVENT: &str = "AWS Service Event via CloudTrail";

/// The record of one call. Every field may be missing, null, or of another type.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallRecord<'a> {
    envelope: &'a EventBridgeEnvelope<'a>,
    detail: &'a Value,
}

impl<'a> CallRecord<'a> {
    pub(super) fn of(envelope: &'a EventBridgeEnvelope<'a>) -> Self {
        Self { envelope, detail: &envelope.detail }
    }

    /// The call's name: `UpdateDocument`.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.text("/eventName")
    }

    /// The error code if the call failed, such as `AccessDenied`. A failed call has changed nothing.
    pub(super) fn error(&self) -> Option<&'a str> {
        self.text("/errorCode")
    }

    /// A value by its JSON pointer, such as `/requestParameters/name`. Null counts as absent.
    pub(super) fn value(&self, pointer: &str) -> Option<&'a Value> {
        self.detail.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A text by its JSON pointer. An empty text counts as absent.
    pub(super) fn text(&self, pointer: &str) -> Option<&'a str> {
        self.value(pointer)?.as_str().filter(|text| !text.is_empty())
    }

    /// The account to whose trail the record belongs.
    pub(super) fn account(&self) -> Option<&'a str> {
        self.envelope.account.or_else(|| self.text("/recipientAccountId"))
    }

    /// The Region of the call.
    pub(super) fn region(&self) -> Option<&'a str> {
        self.envelope.region.or_else(|| self.text("/awsRegion"))
    }

    /// When the call was made.
    pub(super) fn at(&self) -> Option<String> {
        log_safe::log_safe_text(self.value("/eventTime")).or_else(|| self.envelope.time())
    }

    /// Who made the call, as exactly as the record says.
    pub(super) fn actor(&self) -> Option<Actor> {
        let principal = [
            "/userIdentity/arn",
            "/userIdentity/sessionContext/sessionIssuer/arn",
            "/userIdentity/invokedBy",
            "/userIdentity/principalId",
            "/userIdentity/accountId",
        ];
        let principal = principal.iter().find_map(|pointer| log_safe::log_safe_text(self.value(pointer)))?;
        Some(Actor { principal, user_agent: log_safe::log_safe_text(self.value("/userAgent")) })
    }

    /// Why the call changed nothing that this function has to look at: it failed, it was the function's own, or it was made
    /// in another account or Region.
    pub(super) fn why_without_effect(&self, call: &str, function: FunctionIdentity<'_>) -> Option<String> {
        if let Some(error) = self.error() {
            return Some(format!("{call} failed with {error}, so nothing has changed"));
        }
        if function.role_arn.is_some_and(|role| self.is_by(role)) {
            return Some(format!("{call} is a call of this function's own"));
        }
        let is_elsewhere =
            function.location.is_some_and(|location| is_elsewhere(location, self.account(), self.region()));
        is_elsewhere.then(|| format!("{call} was made in another account or Region"))
    }

    /// Whether a session of the role made the call. Sessions name their role without its path, so account and name
    /// decide.
    pub(super) fn is_by(&self, role_arn: &str) -> bool {
        if self.text("/userIdentity/sessionContext/sessionIssuer/arn") == Some(role_arn) {
            return true;
        }
        let (Some(caller), Ok(role)) = (self.text("/userIdentity/arn"), PrincipalArn::parse(role_arn)) else {
            return false;
        };
        match SessionOwner::parse(caller) {
            SessionOwner::Role { account, name } => account == role.account() && name == role.name(),
            SessionOwner::User(_) | SessionOwner::Other(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with<T>(detail: &Value, read: impl FnOnce(CallRecord<'_>) -> T) -> T {
        let event = json!({"source": "aws.ssm", "detail-type": API_CALL, "time": "t", "detail": detail});
        let envelope = EventBridgeEnvelope::read(&event).unwrap();
        read(CallRecord::of(&envelope))
    }

    fn principal(identity: &Value) -> Option<String> {
        let detail = json!({"userIdentity": identity});
        with(&detail, |record| record.actor()).map(|actor| actor.principal)
    }

    #[test]
    fn the_actor_is_named_as_exactly_as_the_record_says() {
        let issuer = json!({"sessionIssuer": {"arn": "arn:issuer"}});
        assert_eq!(principal(&json!({"arn": "arn:a", "sessionContext": issuer})).as_deref(), Some("arn:a"));
        assert_eq!(principal(&json!({"arn": "", "sessionContext": issuer})).as_deref(), Some("arn:issuer"));
        assert_eq!(
            principal(&json!({"accountId": "1", "invokedBy": "ssm.amazonaws.com"})).as_deref(),
            Some("ssm.amazonaws.com")
        );
        assert_eq!(principal(&json!({"principalId": "AIDA", "accountId": "1"})).as_deref(), Some("AIDA"));
        assert_eq!(principal(&json!({"accountId": "123456789012"})).as_deref(), Some("123456789012"));
        assert_eq!(principal(&json!({"type": "Unknown"})), None);
        assert_eq!(principal(&Value::Null), None);
    }

    #[test]
    fn texts_that_callers_choose_are_shortened_and_cleaned() {
        let detail =
            json!({"userIdentity": {"arn": "arn:a\nb"}, "userAgent": format!("x\r{}", "y".repeat(999))});
        let actor = with(&detail, |record| record.actor()).unwrap();
        assert_eq!(actor.principal, "arn:ab");
        assert_eq!(actor.user_agent.unwrap(), format!("x{}", "y".repeat(255)));
    }

    #[test]
    fn a_session_belongs_to_its_role_whatever_the_roles_path() {
        let role = "arn:aws:iam::123456789012:role/service/Name";
        let is_by = |identity: Value| with(&json!({"userIdentity": identity}), |record| record.is_by(role));
        assert!(is_by(json!({"sessionContext": {"sessionIssuer": {"arn": role}}})));
        assert!(is_by(json!({"arn": "arn:aws:sts::123456789012:assumed-role/Name/session"})));
        for arn in [
            "arn:aws:sts::222222222222:assumed-role/Name/session",
            "arn:aws:sts::123456789012:assumed-role/Other/Name",
            "arn:aws:sts::123456789012:assumed-role/NameTwo/session",
            "arn:aws:iam::123456789012:user/Name",
            "",
        ] {
            assert!(!is_by(json!({"arn": arn})), "{arn}");
        }
        let identity = json!({"arn": "arn:aws:sts::123456789012:assumed-role/Name/s"});
        assert!(!with(&json!({"userIdentity": identity}), |record| record.is_by("no ARN")));
    }

    #[test]
    fn the_time_of_the_call_is_preferred_to_that_of_the_event() {
        assert_eq!(with(&json!({"eventTime": "e"}), |record| record.at()).as_deref(), Some("e"));
        assert_eq!(with(&json!({"eventTime": 7}), |record| record.at()).as_deref(), Some("t"));
    }
}
