//! The check *key policy admits an account*: the key leaves its use to the account's own policies, so that the key policy
//! need not name anybody in it.

use serde_json::json;

use super::unread::unread;
use crate::access::{CallerKind, DecidingRule, KeyVerdict};
use crate::preflight::assessment::Assessment;
use crate::preflight::assessor::{Assessor, Assumption};
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{AccessObservation, Read};
use kms_key_policy::AccountId;

/// Assesses each account for both calls: findings, and the statements that would admit those that are not admitted.
#[must_use]
pub fn assess_accounts(observation: &AccessObservation, accounts: &[AccountId]) -> Assessment {
    let assessor = Assessor::new(observation);
    let mut assessment = Assessment::default();
    for side in [CallerKind::User, CallerKind::Node] {
        let mut refused = Vec::new();
        for account in accounts {
            let verdict = assess(&assessor.all, *account, side);
            if matches!(verdict, Ok(KeyVerdict::ImplicitDeny { .. })) {
                refused.push(format!("arn:{}:iam::{account}:root", observation.arn().location().partition));
            }
            let mut found = finding(*account, side, observation, &verdict);
            found.evidence.push_str(&assessor.rests_on(&found, &|other| {
                finding(*account, side, observation, &assess(other, *account, side))
            }));
            assessment.findings.push(found);
        }
        // No policy makes a key of the wrong kind a key for sessions.
        if !refused.is_empty() && !observation.key.is_of_wrong_kind() {
            let sid = match side {
                CallerKind::User => "AllowAccountsOfSessionManagerUsers",
                CallerKind::Node => "AllowAccountsOfSessionManagerNodes",
            };
            assessment.remedies.key_policy_statements.push(json!({
                "Sid": sid,
                "Effect": "Allow",
                "Principal": { "AWS": refused },
                "Action": side.call().action(),
                "Resource": "*"
            }));
        }
    }
    assessment
}

fn assess(assumption: &Assumption<'_>, account: AccountId, side: CallerKind) -> Result<KeyVerdict, String> {
    let verdict = assumption.rules.as_ref().map_err(Clone::clone).and_then(|rules| {
        rules.evaluate_account(&account.to_string(), side).map_err(|error| error.to_string())
    });
    match (verdict, &assumption.observation.grants) {
        (Ok(KeyVerdict::ImplicitDeny { why }), Read::Unknown(unread)) => {
            Err(format!("{why}, and the key's grants are not known: {unread}"))
        }
        (verdict, _) => verdict,
    }
}

fn finding(
    account: AccountId,
    side: CallerKind,
    observation: &AccessObservation,
    verdict: &Result<KeyVerdict, String>,
) -> Finding {
    let action = side.call().action();
    let (answer, evidence, remedy) = match verdict {
        Ok(KeyVerdict::Allows { by, .. }) => (
            Verdict::Pass,
            format!("{} leaves {action} to the account's own policies", DecidingRule::names(by)),
            None,
        ),
        Ok(KeyVerdict::ExplicitDeny { by }) => (
            Verdict::Fail,
            format!("{} denies the account {action}", DecidingRule::names(by)),
            Some("a Deny wins over every Allow: except the account from that statement".to_owned()),
        ),
        Ok(KeyVerdict::ImplicitDeny { .. }) => (
            Verdict::Fail,
            format!("{action}: the key policy does not admit the account as such"),
            Some(format!(
                "allow the account {action} by a statement of the key policy, or name the account's principals in one"
            )),
        ),
        Ok(KeyVerdict::Depends { on, keys, .. }) => {
            let why = unread(observation, &account.to_string(), None, keys);
            (Verdict::Unknown, format!("whether the account may {action} depends on {on}{why}"), None)
        }
        Err(why) => (Verdict::Unknown, format!("{action}: the key's side is not known: {why}"), None),
    };
    let key_policy_statements = match verdict {
        Ok(decided @ (KeyVerdict::Allows { .. } | KeyVerdict::ExplicitDeny { .. })) => {
            decided.key_policy_statements()
        }
        _ => Vec::new(),
    };
    Finding {
        remedy: remedy.filter(|_| !observation.key.is_of_wrong_kind()),
        side: Some(side),
        key_policy_statements,
        ..Finding::new(Check::KeyPolicy, answer, format!("account {account}"), evidence)
    }
}
