//! The accounts and Regions of an audit from the command line.

use super::AuditFailure;
use super::audit_pairs::accounts::{FoundAccount, accounts};
use super::audit_pairs::pairs_of;
use crate::audit::AuditedPlace;
use crate::intent::{AuditRole, AuditedAccounts, AuditedRegions};
use crate::ports::{Environment, OrganizationPorts};

/// How many accounts a note names.
const MOST_NAMED: usize = 10;

/// Which accounts and Regions are asked for.
#[derive(Clone, Copy, Debug)]
pub struct PlacesQuestion<'a> {
    /// The accounts.
    pub accounts: &'a AuditedAccounts,
    /// Ids of accounts, and ids or paths of organizational units, that are left out.
    pub exclude: &'a [String],
    /// The Regions of each account.
    pub regions: &'a AuditedRegions,
    /// The role by which an account other than the own one is asked for its Regions.
    pub role: Option<&'a AuditRole>,
}

/// The accounts and Regions of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPlaces {
    /// Each once: one Region after the other, so that the calls spread over the accounts.
    pub places: Vec<AuditedPlace>,
    /// Which accounts are left out, and of which the Regions could not be read, one line each.
    pub notes: Vec<String>,
}

/// Finds the accounts and Regions.
///
/// # Errors
/// See [`AuditFailure`]. An account whose Regions cannot be read is no error: it is there with the own Region.
pub async fn audit_places<P: OrganizationPorts>(
    environment: Environment<'_, P>,
    question: PlacesQuestion<'_>,
) -> Result<AuditPlaces, AuditFailure> {
    let found = Box::pin(accounts(environment.ports, question.accounts, question.exclude)).await?;
    let mut notes = Vec::new();
    let pairs = pairs_of(environment, &found, question.regions, question.role, |account, error| {
        notes.push(format!("the Regions of account {} could not be read: {error}", account.id));
        Ok(())
    });
    let pairs = pairs.await?;
    for (what, accounts) in [
        ("accounts are not active and were left out", &found.not_active),
        ("accounts were left out, as was asked for", &found.excluded),
        ("accounts or organizational units were to be left out and are not there", &found.unknown_exclusions),
    ] {
        if !accounts.is_empty() {
            let named: Vec<_> = accounts.iter().take(MOST_NAMED).map(String::as_str).collect();
            let more = if accounts.len() > MOST_NAMED { ", …" } else { "" };
            notes.push(format!("{} {what}: {}{more}", accounts.len(), named.join(", ")));
        }
    }
    let place = |(region, account): (String, &FoundAccount)| AuditedPlace {
        account: account.id.clone(),
        region,
        account_name: account.name.clone(),
        organizational_unit: account.unit.clone(),
    };
    Ok(AuditPlaces { places: pairs.into_iter().map(place).collect(), notes })
}
