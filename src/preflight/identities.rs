//! The check *identities may use it*: each principal's own policies, boundary and SCPs allow its call.

use super::finding::{Check, Finding, Verdict};
use super::key_policy;
use super::observation::{AccessObservation, Read, Subject};
use crate::access::{
    IdentityVerdict, KeyRules, KeyVerdict, OwnSide, PrincipalType, Simulated, judge_identity,
};

/// The finding about one subject; what is needed of it depends on the key's side.
pub(super) fn finding(
    subject: &Subject,
    observation: &AccessObservation,
    rules: &Result<KeyRules, String>,
    key_side: &Result<KeyVerdict, String>,
) -> (Finding, IdentityVerdict) {
    let action = subject.side.call().action();
    let verdict = match judge_identity(&subject.principal, &subject.own, key_side.as_ref().ok()) {
        IdentityVerdict::Lacks(why) => match may_do_without(subject, observation, rules) {
            Some(doubt) => IdentityVerdict::Unknown(format!("{why}, and {doubt}")),
            None => IdentityVerdict::Lacks(why),
        },
        IdentityVerdict::Refuses(why) if is_bounded_user(subject) => {
            match may_do_without(subject, observation, rules) {
                Some(doubt) => IdentityVerdict::Unknown(format!("{why}, and {doubt}")),
                None => IdentityVerdict::Refuses(why),
            }
        }
        verdict => verdict,
    };
    let (answer, evidence, remedy) = match &verdict {
        IdentityVerdict::Allows(why) => (Verdict::Pass, format!("{action}: {why}"), None),
        IdentityVerdict::Lacks(why) => (
            Verdict::Fail,
            format!("{action}: {why}"),
            Some(format!("attach the policy for {}s of the report to it", subject.side)),
        ),
        IdentityVerdict::Refuses(why) => (
            Verdict::Fail,
            format!("{action}: {why}"),
            Some("a Deny, a boundary or an SCP wins over every Allow: change it there".to_owned()),
        ),
        IdentityVerdict::Unknown(why) => (Verdict::Unknown, format!("{action}: {why}"), None),
    };
    let finding = Finding {
        check: Check::Identities,
        verdict: answer,
        subject: subject.principal.to_string(),
        evidence,
        remedy,
        side: Some(subject.side),
        exempt: false,
    };
    (finding, verdict)
}

/// Whether a boundary is all that limits a user: it does not limit what a key policy grants to a user by name.
fn is_bounded_user(subject: &Subject) -> bool {
    let OwnSide::Simulated(simulation) = &subject.own else { return false };
    subject.principal.principal_type() == PrincipalType::User
        && simulation.boundary_allows == Some(false)
        && simulation.organizations_allow != Some(false)
        && simulation.decision != Simulated::ExplicitDeny
}

/// Why it may be that the subject needs no Allow of its own: what is not known of the key's side could admit it
/// alone. `None` where it certainly needs one.
///
/// Another account's key needs both sides (KMS developer guide), whatever its policy says; only a grant that was
/// seen can spare the own side there.
fn may_do_without(
    subject: &Subject,
    observation: &AccessObservation,
    rules: &Result<KeyRules, String>,
) -> Option<String> {
    let is_of_key_account = subject.principal.account() == observation.arn().place().account;
    let without = |rules: &KeyRules| rules.judge_with(&subject.principal, subject.side, &[]).ok();
    match rules {
        Err(unread) if is_of_key_account => {
            Some(format!("whether the key policy grants it by name is not known: {unread}"))
        }
        Err(_) => match key_policy::most_permissive(observation).as_ref().and_then(without)? {
            KeyVerdict::Silent { .. } | KeyVerdict::Refuses { .. } => None,
            _ => Some("a grant may admit it alone".to_owned()),
        },
        Ok(rules) => match (without(rules)?, &observation.grants) {
            (KeyVerdict::Depends { on, .. }, _) => {
                Some(format!("whether the key's side admits it without that depends on {on}"))
            }
            (KeyVerdict::Silent { .. }, Read::Unknown(unread)) if is_of_key_account => {
                Some(format!("whether a grant admits it is not known: {unread}"))
            }
            _ => None,
        },
    }
}
