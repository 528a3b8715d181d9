//! Whether sessions of a role can have tags of their own, which win over the role's.

use kms_key_policy::matches_wildcards;
use serde_json::Value;

/// Whether a role's trust policy lets sessions be tagged. A policy that cannot be read may.
///
/// Whoever assumes a role passes tags only where the trust policy allows `sts:TagSession` (IAM user guide, "Pass
/// session tags in AWS STS"), as those of IAM Identity Center's roles do. Conditions are not looked at, and neither is
/// a Deny: either way tags may come.
#[must_use]
pub fn may_tag_sessions(trust_policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(trust_policy) else { return true };
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().any(allows),
        Some(statement) => allows(statement),
        None => false,
    }
}

fn allows(statement: &Value) -> bool {
    if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
        return false;
    }
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) => names_tag_session(actions).unwrap_or(true),
        (None, Some(actions)) => !names_tag_session(actions).unwrap_or(false),
        // Of no form that IAM takes.
        _ => true,
    }
}

/// Whether a list of actions, or a single one, has `sts:TagSession`; `None` where it is no such list.
fn names_tag_session(actions: &Value) -> Option<bool> {
    let actions = match actions {
        Value::Array(actions) => actions.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut named = false;
    for action in actions {
        named |= matches_wildcards(&action.as_str()?.to_ascii_lowercase(), "sts:tagsession");
    }
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_lets_sessions_be_tagged_or_not() {
        for (statement, expected) in [
            (r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#, false),
            (r#"[{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]"#, false),
            (r#"{"Effect":"Allow","Action":["sts:AssumeRoleWithSAML","sts:TagSession"]}"#, true),
            (
                r#"[{"Effect":"Allow","Action":"sts:AssumeRole"},{"Effect":"Allow","Action":"STS:tagsession"}]"#,
                true,
            ),
            (r#"{"Effect":"Allow","Action":"sts:*"}"#, true),
            (r#"{"Effect":"Allow","Action":"*"}"#, true),
            (r#"{"Effect":"Allow","Action":"sts:Tag*"}"#, true),
            (r#"{"Effect":"Allow","Action":"sts:TagSessio?"}"#, true),
            (r#"{"Effect":"Allow","Action":"sts:AssumeRole*"}"#, false),
            (r#"{"Effect":"Allow","NotAction":"sts:AssumeRoleWithSAML"}"#, true),
            (r#"{"Effect":"Allow","NotAction":["sts:Tag*","s3:*"]}"#, false),
            (r#"{"Effect":"Allow","NotAction":[7]}"#, true),
            (r#"{"Effect":"Deny","Action":"sts:TagSession"}"#, false),
            (r#"{"Effect":"Allow","Action":{}}"#, true),
            ("[]", false),
        ] {
            let policy = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
            assert_eq!(may_tag_sessions(&policy), expected, "{statement}");
        }
        assert!(may_tag_sessions("no policy"));
        assert!(!may_tag_sessions(r#"{"Version":"2012-10-17"}"#));
    }
}
