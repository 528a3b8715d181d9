//! The statements that give somebody access to a key, ready to paste.

use serde_json::{Value, json};

use super::call::CallerKind;
use super::principal::PrincipalArn;
use crate::key::KeyArn;

/// The key policy statement that allows these principals their side's call.
#[must_use]
pub fn key_policy_statement(side: CallerKind, principals: &[&PrincipalArn]) -> Value {
    let sid = match side {
        CallerKind::User => "AllowSessionManagerUsers",
        CallerKind::Node => "AllowSessionManagerNodes",
    };
    let arns: Vec<_> = principals.iter().map(|principal| principal.as_str()).collect();
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "AWS": arns },
        "Action": side.call().action(),
        "Resource": "*"
    })
}

/// The identity policy that allows users or nodes their call on the key. In another account they need it besides the
/// key policy.
#[must_use]
pub fn identity_policy(side: CallerKind, key: &KeyArn) -> Value {
    let sid = match side {
        CallerKind::User => "UseSessionKeyAsUser",
        CallerKind::Node => "UseSessionKeyAsNode",
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": sid,
            "Effect": "Allow",
            "Action": side.call().action(),
            "Resource": key.as_str()
        }]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::OwnLayers;
    use crate::access::{KeyFacts, KeyRules, KeyVerdict};
    use crate::key::example_arn;
    use kms_key_policy::{Policy, PolicyKind};

    #[test]
    fn the_statement_and_the_policy_together_allow_the_call() {
        let key = example_arn();
        for arn in ["arn:aws:iam::111122223333:role/team/App", "arn:aws:iam::222222222222:user/ann"] {
            let principal = PrincipalArn::parse(arn).unwrap();
            for (side, other) in [(CallerKind::User, CallerKind::Node), (CallerKind::Node, CallerKind::User)]
            {
                let policy = json!({"Version": "2012-10-17", "Statement": [key_policy_statement(side, &[&principal])]});
                let rules =
                    KeyRules::new(key.clone(), KeyFacts::default(), &policy.to_string(), "[]").unwrap();
                let own = identity_policy(side, &key).to_string();
                let own = [Policy::parse(PolicyKind::Identity, &own).unwrap()];
                let verdict = rules.evaluate_with(&principal, side, OwnLayers::of(&own)).unwrap();
                assert!(matches!(verdict, KeyVerdict::Allows { .. }), "{arn}: {verdict:?}");
                let verdict = rules.evaluate_with(&principal, other, OwnLayers::of(&own)).unwrap();
                assert!(
                    matches!(verdict, KeyVerdict::ImplicitDeny { .. }),
                    "it allows its own side's call only: {verdict:?}"
                );
                assert_eq!(rules.warnings().count(), 0);
            }
        }
    }
}
