//! The accounts and Regions of an audit from the command line.

use std::cell::Cell;
use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::AuditFailure;
use super::audit_pairs::accounts::accounts;
use super::audit_pairs::enabled;
use crate::audit::AuditedPlace;
use crate::intent::{AuditRole, AuditedAccounts, AuditedRegions};
use crate::ports::{Environment, OrganizationPorts};

/// How many accounts are asked for their Regions at a time.
const ACCOUNTS_AT_A_TIME: usize = 8;
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
    // Whether Account Management has not answered, and is asked no more.
    let is_unreachable = Cell::new(false);
    let regions_of = &async |account: &str| match question.regions {
        AuditedRegions::Listed(regions) => Ok(regions.clone()),
        AuditedRegions::Enabled => enabled(environment, question.role, account, &is_unreachable).await,
    };
    // Boxed: each call in flight has a large state.
    let asked = found.audited.iter().map(|account| {
        Box::pin(async move {
            let regions = regions_of(&account.id).await;
            (account, regions)
        })
    });
    let mut asked = stream::iter(asked).buffered(ACCOUNTS_AT_A_TIME);
    let mut places = BTreeSet::new();
    let mut notes = Vec::new();
    while let Some((account, regions)) = asked.next().await {
        let regions = regions.unwrap_or_else(|error| {
            notes.push(format!("the Regions of account {} could not be read: {error}", account.id));
            vec![environment.location.region.clone()]
        });
        places.extend(regions.into_iter().map(|region| (region, account)));
    }
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
    let place = |(region, account): (String, &super::audit_pairs::accounts::FoundAccount)| AuditedPlace {
        account: account.id.clone(),
        region,
        account_name: account.name.clone(),
        organizational_unit: account.unit.clone(),
    };
    Ok(AuditPlaces { places: places.into_iter().map(place).collect(), notes })
}
