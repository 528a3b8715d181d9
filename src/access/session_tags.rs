//! Whether sessions of a role can have session tags, which win over the role's own tags.

use kms_key_policy::matches_wildcards;
use serde_json::Value;

/// Whether a role's trust policy allows session tags. For a policy that cannot be read the answer is yes.
///
/// A caller can pass tags only if the trust policy allows `sts:TagSession` (IAM user guide, "Pass session tags in AWS
/// STS"), as the policies of IAM Identity Center's roles do. Conditions and Deny statements do not count here, because
/// sessions with tags remain possible under them.
#[must_use]
pub fn may_tag_sessions(trust_policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(trust_policy) else { return true };
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().any(allows_tags),
        Some(statement) => allows_tags(statement),
        None => false,
    }
}

fn allows_tags(statement: &Value) -> bool {
    if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
        return false;
    }
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), None) => names_tag_session(actions).unwrap_or(true),
        (None, Some(actions)) => !names_tag_session(actions).unwrap_or(false),
        // IAM accepts no such statement.
        _ => true,
    }
}

/// Whether a list of actions, or a single one, has `sts:TagSession`; `None` if the value is neither.
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
    fn a_trust_policy_allows_session_tags_or_does_not() {
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
