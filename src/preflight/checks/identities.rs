//! The check *identities may use it*: each principal's own policies, boundary and SCPs allow its call.

use std::borrow::Cow;

use super::unread::unread;
use crate::access::{
    IdentityVerdict, KeyRules, KeyVerdict, KnownContext, KnownKeySide, OwnLayers, OwnSide, PrincipalType,
    SimulatedDecision, evaluate_identity,
};
use crate::preflight::assessor::Assumption;
use crate::preflight::finding::{Check, Finding, Verdict};
use crate::preflight::observation::{AccessObservation, Read, Subject};

/// The finding about one subject. What its own side has to allow depends on the key's side.
pub(in crate::preflight) fn finding(
    subject: &Subject,
    assumption: &Assumption<'_>,
    key_side: &Result<KeyVerdict, String>,
) -> (Finding, IdentityVerdict) {
    let action = subject.side.call().action();
    let own = as_known(subject, &assumption.known);
    let key = KnownKeySide {
        rules: assumption.rules.as_ref().map_err(String::as_str),
        permissive: assumption.permissive.as_ref(),
        verdict: key_side.as_ref().ok(),
    };
    let verdict = match evaluate_identity(&subject.principal, subject.side, &own, key) {
        IdentityVerdict::MissingAllow(why) => match may_do_without(subject, assumption) {
            Some(doubt) => IdentityVerdict::Unknown(format!("{why}, and {doubt}")),
            None => IdentityVerdict::MissingAllow(why),
        },
        IdentityVerdict::Denied(why) if is_bounded_user(subject, key) => {
            match may_do_without(subject, assumption) {
                Some(doubt) => IdentityVerdict::Unknown(format!("{why}, and {doubt}")),
                None => IdentityVerdict::Denied(why),
            }
        }
        verdict => verdict,
    };
    let (answer, evidence, remedy) = match &verdict {
        IdentityVerdict::Allows(why) => (Verdict::Pass, format!("{action}: {why}"), None),
        IdentityVerdict::MissingAllow(why) => {
            (Verdict::Fail, format!("{action}: {why}"), Some(where_to_add(subject)))
        }
        IdentityVerdict::Denied(why) => {
            (Verdict::Fail, format!("{action}: {why}"), Some(where_to_change(subject).to_owned()))
        }
        IdentityVerdict::Admitted(why) | IdentityVerdict::Unknown(why) => {
            let missing = match own.as_ref() {
                OwnSide::Simulated(simulation) => simulation.missing_context.clone(),
                OwnSide::Listed(policies) => policies.condition_keys().map(str::to_owned).collect(),
                OwnSide::Unknown(_) | OwnSide::Given(_) => Vec::new(),
            };
            let account = subject.principal.account();
            let unread = unread(assumption.observation, account, subject.tags.as_ref(), &missing);
            (Verdict::Unknown, format!("{action}: {why}{unread}"), None)
        }
    };
    let finding = Finding {
        remedy,
        side: Some(subject.side),
        ..Finding::new(Check::Identities, answer, subject.principal.to_string(), evidence)
    };
    (finding, verdict)
}

/// That IAM's simulator was asked about each of many principals, because their policies could not be listed.
pub(in crate::preflight) fn unlisted(observation: &AccessObservation) -> Option<Finding> {
    let why = observation.unlisted_policies.as_ref()?;
    let evidence = format!(
        "IAM's simulator was asked about each principal, since the policies of many could not be listed: {why}"
    );
    Some(Finding::new(Check::Identities, Verdict::Warning, &observation.account, evidence))
}

/// Where the policy that it lacks belongs. Only its permission set can change a role of IAM Identity Center.
fn where_to_add(Subject { principal, side, .. }: &Subject) -> String {
    let action = side.call().action();
    match principal.permission_set_name() {
        Some(name) => format!("allow {action} on the key in permission set {name}"),
        None if principal.is_of_identity_center() => {
            format!("allow {action} on the key in its permission set in IAM Identity Center")
        }
        None => format!("allow it {action} on the key by a policy that is attached to it"),
    }
}

/// What to do about a refusal that no further Allow changes.
fn where_to_change(Subject { own, .. }: &Subject) -> &'static str {
    match own {
        OwnSide::Simulated(simulation) if simulation.is_refused_by_organization() => {
            "change the policy; if it allows the real call, say by Context what its conditions ask for, or list the \
             principal in Exempt (--exempt on the command line)"
        }
        OwnSide::Simulated(_) | OwnSide::Listed(_) | OwnSide::Given(_) | OwnSide::Unknown(_) => {
            "a Deny, a boundary or an SCP wins over every Allow: change it there"
        }
    }
}

/// The subject's own side if Context says this. A key that its policies ask for and that Context does not give is missing.
fn as_known<'a>(subject: &'a Subject, known: &KnownContext) -> Cow<'a, OwnSide> {
    let not_known: Vec<_> =
        subject.asked_of_context.iter().filter(|name| known.get(name).is_none()).cloned().collect();
    match &subject.own {
        OwnSide::Simulated(simulation) if !not_known.is_empty() => {
            let mut simulation = simulation.clone();
            simulation.missing_context.extend(not_known);
            // Without these keys nobody knows what service control policies say.
            simulation.organizations_allow = None;
            Cow::Owned(OwnSide::Simulated(simulation))
        }
        own => Cow::Borrowed(own),
    }
}

/// Whether the boundary is all that limits a user. It does not limit what a key policy grants to a user by name.
fn is_bounded_user(subject: &Subject, key: KnownKeySide<'_>) -> bool {
    let simulation = match &subject.own {
        OwnSide::Simulated(simulation) => simulation,
        OwnSide::Listed(policies) => {
            return policies.is_bounded_user(&subject.principal, subject.side, key);
        }
        OwnSide::Given(_) | OwnSide::Unknown(_) => return false,
    };
    subject.principal.principal_type() == PrincipalType::User
        && simulation.boundary_allows == Some(false)
        && !simulation.is_refused_by_organization()
        && simulation.decision != SimulatedDecision::ExplicitDeny
}

/// Why the subject may need no Allow of its own: something unknown of the key's side could be sufficient. `None` if the
/// subject certainly needs one.
///
/// Another account's key needs both sides (KMS developer guide), whatever its policy says. There only a grant makes an
/// Allow of its own needless.
fn may_do_without(subject: &Subject, assumption: &Assumption<'_>) -> Option<String> {
    let Assumption { observation, rules, permissive, .. } = assumption;
    let is_of_key_account = subject.principal.account() == observation.arn().location().account;
    let without =
        |rules: &KeyRules| rules.evaluate_with(&subject.principal, subject.side, OwnLayers::default()).ok();
    match rules {
        Err(unread) if is_of_key_account => {
            Some(format!("whether the key policy grants it by name is not known: {unread}"))
        }
        Err(_) => match permissive.as_ref().and_then(without)? {
            KeyVerdict::ImplicitDeny { .. } | KeyVerdict::ExplicitDeny { .. } => None,
            _ => Some("a grant may admit it alone".to_owned()),
        },
        Ok(rules) => match (without(rules)?, &observation.grants) {
            (KeyVerdict::Depends { on, .. }, _) => {
                Some(format!("whether the key's side admits it without that depends on {on}"))
            }
            (KeyVerdict::ImplicitDeny { .. }, Read::Unknown(unread)) if is_of_key_account => {
                Some(format!("whether a grant admits it is not known: {unread}"))
            }
            _ => None,
        },
    }
}
