//! The operation auditPairs: the list of the accounts and Regions of an audit, of which Step Functions starts an execution
//! each.

pub(super) mod accounts;

use std::cell::Cell;
use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Serialize;
use serde_json::{Map, Value};

use super::AuditFailure;
use crate::intent::{AuditRole, AuditedRegions, PairsQuestion};
use crate::location::Location;
use crate::ports::{AccountRegions as _, AwsError, AwsErrorKind, Environment, OrganizationPorts};
use accounts::{FoundAccount, FoundAccounts, accounts};

/// How many accounts are asked for their Regions at a time.
const ACCOUNTS_AT_A_TIME: usize = 8;
/// How often an account is asked again after AWS throttled all attempts of the SDK.
const MOST_PAUSES: u32 = 20;
/// How many items of a list the answer names, since a state of Step Functions carries 256 KB.
const MOST_NAMED: usize = 50;

/// Makes the list and writes it, and says what is in it.
///
/// # Errors
/// See [`AuditFailure`]. An account whose Regions cannot be read is no error: it is in the list with the own Region.
pub async fn audit_pairs<P: OrganizationPorts>(
    environment: Environment<'_, P>,
    question: &PairsQuestion,
) -> Result<Value, AuditFailure> {
    environment.progress("listing the accounts");
    let ports = environment.ports;
    let found = accounts(ports, &question.accounts, &question.exclude).await?;
    environment.progress("listing the Regions of the accounts");
    let mut unread = Vec::new();
    // One account after the other would have IAM, which is one for all Regions of an account, throttle the audit.
    let pairs = pairs_of(environment, &found, &question.regions, question.role.as_ref(), |account, error| {
        match error {
            RegionsUnread { first: Some(error), .. } | RegionsUnread { last: error, .. }
                if error.is_throttled() =>
            {
                return Err(error.into());
            }
            error => unread.push(format!("{}: {error}", account.id)),
        }
        Ok(())
    });
    let pairs = pairs.await?;
    environment.progress("writing the list");
    let list = json_list(&question.call, &pairs);
    ports.put_object(&question.output, "application/json", list).await?;
    Ok(answer(question, &found, &unread, pairs.len()))
}

/// Why the Regions of an account could not be read.
#[derive(Debug)]
pub(super) struct RegionsUnread {
    /// What Account Management said, if another was asked after it.
    first: Option<AwsError>,
    last: AwsError,
}

impl std::fmt::Display for RegionsUnread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.first {
            Some(first) => write!(f, "{first}; and {}", self.last),
            None => write!(f, "{}", self.last),
        }
    }
}

/// The pairs of Region and account, each once, in the order of the Regions. An account whose Regions cannot be read is
/// there with the own Region, unless `unread`, which is told of it, says that the list fails.
pub(super) async fn pairs_of<'a, P: OrganizationPorts>(
    environment: Environment<'_, P>,
    found: &'a FoundAccounts,
    regions: &AuditedRegions,
    role: Option<&AuditRole>,
    mut unread: impl FnMut(&FoundAccount, RegionsUnread) -> Result<(), AuditFailure>,
) -> Result<BTreeSet<(String, &'a FoundAccount)>, AuditFailure> {
    // Whether Account Management has not answered, and is asked no more.
    let is_unreachable = Cell::new(false);
    let regions_of = &async |account: &str| match regions {
        AuditedRegions::Listed(regions) => Ok(regions.clone()),
        AuditedRegions::Enabled => enabled(environment, role, account, &is_unreachable).await,
    };
    // Boxed: each call in flight has a large state.
    let asked = found.audited.iter().map(|account| {
        Box::pin(async move {
            let regions = regions_of(&account.id).await;
            (account, regions)
        })
    });
    let mut asked = stream::iter(asked).buffered(ACCOUNTS_AT_A_TIME);
    let mut pairs = BTreeSet::new();
    while let Some((account, regions)) = asked.next().await {
        let regions = match regions {
            Ok(regions) => regions,
            Err(error) => {
                unread(account, error)?;
                vec![environment.location.region.clone()]
            }
        };
        pairs.extend(regions.into_iter().map(|region| (region, account)));
    }
    Ok(pairs)
}

/// The Regions that are enabled in an account: from Account Management, which answers for the accounts of the
/// organization, else from EC2 with the audit role of the account. `is_unreachable` becomes true if Account Management does
/// not answer.
async fn enabled<P: OrganizationPorts>(
    Environment { ports, location: own, .. }: Environment<'_, P>,
    role: Option<&AuditRole>,
    account: &str,
    is_unreachable: &Cell<bool>,
) -> Result<Vec<String>, RegionsUnread> {
    // AWS takes the own account only if it is not named.
    let named = (account != own.account).then_some(account);
    let mut attempt = 0;
    let first = loop {
        // Not every partition has Account Management. To find that out takes all attempts of the SDK, which thousands of
        // accounts are not to wait for.
        if is_unreachable.get() {
            break None;
        }
        match ports.enabled_regions(named).await {
            Ok(regions) if !regions.is_empty() => return Ok(regions),
            Ok(_) => break None,
            Err(error) if error.is_throttled() && attempt < MOST_PAUSES => {
                attempt += 1;
                ports.pause(attempt).await;
            }
            Err(error) => {
                let has_no_answer = matches!(error.kind, AwsErrorKind::NoAnswer(_));
                is_unreachable.set(is_unreachable.get() || has_no_answer);
                break Some(error);
            }
        }
    };
    let described = async {
        if named.is_none() {
            return ports.described_regions().await;
        }
        let location = Location { account: account.to_owned(), ..own.clone() };
        ports.reach(&location, role).await?.described_regions().await
    };
    described.await.map_err(|last| RegionsUnread { first, last })
}

/// The list as a JSON array with a call on each line.
fn json_list(call: &Map<String, Value>, pairs: &BTreeSet<(String, &FoundAccount)>) -> Vec<u8> {
    let mut list = b"[".to_vec();
    for (region, account) in pairs {
        let FoundAccount { id, name, unit } = account;
        let mut item = Map::new();
        item.insert("action".to_owned(), "audit".into());
        item.insert("account".to_owned(), id.as_str().into());
        item.insert("region".to_owned(), region.as_str().into());
        item.extend(name.iter().map(|name| ("accountName".to_owned(), name.as_str().into())));
        item.extend(unit.iter().map(|unit| ("organizationalUnit".to_owned(), unit.as_str().into())));
        item.extend(call.iter().map(|(name, value)| (name.clone(), value.clone())));
        list.extend_from_slice(if list.len() > 1 { b",\n" } else { b"\n" });
        list.extend_from_slice(Value::Object(item).to_string().as_bytes());
    }
    list.extend_from_slice(b"\n]\n");
    list
}

fn answer(question: &PairsQuestion, found: &FoundAccounts, unread: &[String], pairs: usize) -> Value {
    let answer = PairsAnswer {
        pairs,
        accounts: found.audited.len(),
        bucket: &question.output.bucket,
        key: &question.output.key,
        not_active: SomeOf::of(&found.not_active),
        excluded: SomeOf::of(&found.excluded),
        unknown_exclusions: SomeOf::of(&found.unknown_exclusions),
        regions_unread: SomeOf::of(unread),
    };
    serde_json::to_value(answer).unwrap_or_default()
}

/// What a list of the accounts and Regions of an audit holds, and where it was written.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct PairsAnswer<'a> {
    /// How many pairs of an account and a Region the list has.
    pairs: usize,
    /// How many accounts it has.
    accounts: usize,
    /// The bucket that holds the list.
    bucket: &'a str,
    /// The key of the list in the bucket.
    key: &'a str,
    /// The accounts that are not active, and so are not audited.
    not_active: SomeOf<'a>,
    /// The accounts that were to be left out.
    excluded: SomeOf<'a>,
    /// What was to be left out, and is no account of the audit.
    unknown_exclusions: SomeOf<'a>,
    /// The accounts whose Regions could not be read, with the reason.
    regions_unread: SomeOf<'a>,
}

/// The first of many.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct SomeOf<'a> {
    /// How many there are.
    count: usize,
    /// The first of them.
    first: &'a [String],
}

impl<'a> SomeOf<'a> {
    fn of(items: &'a [String]) -> Self {
        Self { count: items.len(), first: items.get(..MOST_NAMED).unwrap_or(items) }
    }
}
