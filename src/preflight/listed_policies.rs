//! The own sides of many principals, from IAM's list of everything in the account.
//!
//! The simulator answers about one principal a call, and IAM throttles these calls. The list has the policies of all
//! principals on a few pages, so it is read if there are many. It lacks the control policies of the organization, which the
//! simulator knows, and so it is not read for a few principals.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::lookups::{Lookups, RequestedReads};
use super::observation::{Read, Subject};
use crate::access::{AccountPolicies, OwnSide};
use crate::ports::PreflightPorts;

/// The most principals that are simulated if the list may be read. With eight calls at a time so many simulations take
/// seconds. The list of an account with as many principals takes one or two pages, and each page takes seconds too.
const MOST_SIMULATED: usize = 100;

/// What became of the list.
#[derive(Debug)]
pub(super) enum PolicyList {
    /// It is not needed, or it may not be read.
    NotAsked,
    /// It was read.
    Read(AccountPolicies),
    /// It could not be read, for this reason.
    Unreadable(String),
}

impl PolicyList {
    /// Reads the list if these subjects are many. The tags in it are taken for read, and so is the organization.
    pub(super) async fn of<'s, P: PreflightPorts>(
        lookups: &Lookups<'_, P>,
        subjects: impl Iterator<Item = &'s Subject>,
    ) -> Self {
        let environment = lookups.environment;
        let account = &environment.location.account;
        let own = subjects.map(|subject| &subject.principal).filter(|one| one.account() == account);
        let wanted: BTreeSet<_> = own.cloned().collect();
        if !environment.lists_policies || wanted.len() <= MOST_SIMULATED {
            return Self::NotAsked;
        }
        match environment.account_policies(&wanted).await {
            Ok(policies) => {
                lookups.remember_tags(&policies).await;
                let organization =
                    RequestedReads { principal_organization: true, ..RequestedReads::default() };
                lookups.read_of_key(organization).await;
                Self::Read(policies)
            }
            Err(why) => Self::Unreadable(why),
        }
    }

    /// Why the list could not be read, if it could not.
    pub(super) fn why_unreadable(&self) -> Option<&str> {
        match self {
            Self::Unreadable(why) => Some(why),
            Self::NotAsked | Self::Read(_) => None,
        }
    }

    /// The subject with its own side. `None` if the list does not have all of its policies, as with a role that was made
    /// a moment ago.
    pub(super) async fn own_side<P: PreflightPorts>(
        &self,
        lookups: &Lookups<'_, P>,
        subject: &Subject,
    ) -> Option<Subject> {
        let Self::Read(policies) = self else { return None };
        let own =
            policies.of(&subject.principal).inspect_err(|why| tracing::info!(why, "simulating")).ok()?;
        let asked = RequestedReads::of(own.condition_keys(), &lookups.safeguards.context);
        lookups.read_of_key(asked).await;
        let mut subject = subject.clone();
        if asked.principal_tags && subject.tags.is_none() {
            subject.tags = Some(lookups.tags_of(&subject.principal, subject.side).await);
        }
        let own = own.with_unknown_control_policies(&subject.principal, unknown_control_policies(lookups));
        Some(Subject { own: OwnSide::Listed(Arc::new(own)), asked_of_context: Vec::new(), ..subject })
    }
}

/// Why nobody knows whether control policies of an organization refuse a call. `None` if there is no organization.
fn unknown_control_policies<P: PreflightPorts>(lookups: &Lookups<'_, P>) -> Option<String> {
    match lookups.attributes().organization {
        Some(Read::Known(None)) => None,
        Some(Read::Known(Some(id))) => Some(format!(
            "the account is in organization {id}, and iam:GetAccountAuthorizationDetails, which was asked since there are \
             many principals, does not list its service control policies and resource control policies"
        )),
        Some(Read::Unknown(why)) => {
            Some(format!("whether the account is in an organization could not be read: {why}"))
        }
        None => Some("whether the account is in an organization was not read".to_owned()),
    }
}
