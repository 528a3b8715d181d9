//! The key whose policy is checked before the key exists: its ARN is given, or what is not known of it is assumed.

use std::collections::BTreeSet;

use super::bounds::BoundRules;
use super::error::InputError;
use super::outcomes::KeyTraits;
use super::resolver::StackFacts;
use crate::access::PrincipalArn;
use crate::key::{KeyArn, KeyDescription, MultiRegion};
use crate::location::Location;
use kms_key_policy::AccountId;

/// The most accounts that an unknown account of the key is tried with.
const MOST_ACCOUNTS: usize = 16;
/// The id of a key that does not exist yet.
const ASSUMED_ID: &str = "00000000-0000-0000-0000-000000000000";

/// What the options say of the key, and who is asked about.
#[derive(Clone, Debug)]
pub(in crate::cli) struct PolicyKeyQuestion<'a> {
    pub(in crate::cli) key: Option<&'a KeyArn>,
    pub(in crate::cli) account: Option<AccountId>,
    pub(in crate::cli) region: Option<&'a str>,
    pub(in crate::cli) principals: Vec<&'a PrincipalArn>,
    /// The accounts that are asked about as such.
    pub(in crate::cli) accounts: &'a [AccountId],
}

/// A key as it is known or assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct AssumedKey {
    pub(in crate::cli) arn: KeyArn,
    /// Whether the whole ARN was given.
    pub(in crate::cli) is_given: bool,
    /// Whether the account is known. If not, the one in the ARN stands for itself or, with `is_other_account`, for every
    /// account that nobody who is asked about is of.
    pub(in crate::cli) is_account_given: bool,
    pub(in crate::cli) is_other_account: bool,
    pub(in crate::cli) is_region_given: bool,
    /// Whether the partition follows from what is known.
    is_partition_known: bool,
}

impl PolicyKeyQuestion<'_> {
    /// The keys that the policy may be of. There are several only if the account is not known: then one for each account
    /// of somebody who is asked about, and one for all other accounts.
    pub(super) fn keys(&self) -> Result<Vec<AssumedKey>, InputError> {
        if let Some(key) = self.key {
            return self.given(key).map(|key| vec![key]);
        }
        let partition = self.partition()?;
        let region = self.region.unwrap_or(match partition {
            Some("aws-cn") => "cn-north-1",
            Some("aws-us-gov") => "us-gov-west-1",
            _ => "us-east-1",
        });
        let mut accounts: BTreeSet<String> =
            self.principals.iter().map(|principal| principal.account().to_owned()).collect();
        accounts.extend(self.accounts.iter().map(ToString::to_string));
        let key = |account: &str, is_other_account: bool| {
            let text = format!("arn:{}:kms:{region}:{account}:key/{ASSUMED_ID}", partition.unwrap_or("aws"));
            let arn = KeyArn::parse(&text).map_err(|error| InputError::Options(error.to_string()))?;
            Ok(AssumedKey {
                arn,
                is_given: false,
                is_account_given: self.account.is_some(),
                is_other_account,
                is_region_given: self.region.is_some(),
                is_partition_known: partition.is_some(),
            })
        };
        if let Some(account) = self.account {
            return Ok(vec![key(&account.to_string(), false)?]);
        }
        if accounts.len() > MOST_ACCOUNTS {
            return Err(InputError::Options(
                "the roles and users are of many accounts: say by --account-id, or by --key, which is the key's"
                    .to_owned(),
            ));
        }
        let mut keys: Vec<AssumedKey> =
            accounts.iter().map(|account| key(account, false)).collect::<Result<_, InputError>>()?;
        let mut others = (0..=999_999_999_999_u64).rev().map(|number| format!("{number:012}"));
        let other = others.find(|account| !accounts.contains(account)).unwrap_or_default();
        keys.push(key(&other, true)?);
        Ok(keys)
    }

    /// The key that was given, if the other options agree with it.
    fn given(&self, key: &KeyArn) -> Result<AssumedKey, InputError> {
        let location = key.location();
        let differs = |option: &str, given: &str, own: &str| {
            InputError::Options(format!(
                "{option} {given} differs from --key, which says {own}; leave one out"
            ))
        };
        if let Some(region) = self.region.filter(|region| **region != *location.region) {
            return Err(differs("--region", region, &location.region));
        }
        match self.account.map(|account| account.to_string()) {
            Some(account) if account != location.account => {
                Err(differs("--account-id", &account, &location.account))
            }
            _ => Ok(AssumedKey {
                arn: key.clone(),
                is_given: true,
                is_account_given: true,
                is_other_account: false,
                is_region_given: true,
                is_partition_known: true,
            }),
        }
    }

    /// The partition: that of the Region, or that of everybody who is asked about. Nobody has access across partitions.
    fn partition(&self) -> Result<Option<&str>, InputError> {
        if let Some(region) = self.region {
            return Ok(Some(Location::partition_of_region(region)));
        }
        let partitions: BTreeSet<&str> = self.principals.iter().map(|arn| arn.partition()).collect();
        let mut partitions = partitions.into_iter();
        match (partitions.next(), partitions.next()) {
            (Some(_), Some(_)) => Err(InputError::Options(
                "the roles and users are of several partitions; say by --region, or by --key, which is the key's"
                    .to_owned(),
            )),
            (None, _) if !self.accounts.is_empty() => Err(InputError::Options(
                "--account needs the key's Region, or the key: give --region or --key".to_owned(),
            )),
            (first, _) => Ok(first),
        }
    }

    /// How the bounds of a policy of this key are found.
    pub(in crate::cli) fn rules(&self, key: &AssumedKey, traits: &KeyTraits) -> BoundRules {
        let mut principals = vec!["*".to_owned()];
        let mut add = |principal: String| {
            if !principals.contains(&principal) {
                principals.push(principal);
            }
        };
        for principal in &self.principals {
            add(principal.to_string());
            add(principal.account().to_owned());
            add(format!("arn:{}:iam::{}:root", principal.partition(), principal.account()));
        }
        for account in self.accounts {
            add(account.to_string());
            add(format!("arn:{}:iam::{account}:root", key.arn.location().partition));
        }
        let mut hidden = Vec::new();
        if key.is_other_account {
            hidden.push("aws:resourceaccount");
        }
        if !key.is_region_given {
            hidden.push("aws:requestedregion");
        }
        if !key.is_given && traits.is_multi_region.is_none() {
            hidden.extend(["kms:multiregion", "kms:multiregionkeytype"]);
        }
        BoundRules { principals, key: key.arn.clone(), is_key_given: key.is_given, hidden }
    }
}

impl AssumedKey {
    /// What a template's pseudo parameters say for this key.
    pub(super) fn stack_facts(&self) -> StackFacts {
        let location = self.arn.location();
        let known = |is_known: bool, text: &str| is_known.then(|| text.to_owned());
        StackFacts {
            partition: known(self.is_partition_known, &location.partition),
            region: known(self.is_region_given, &location.region),
            account: known(!self.is_other_account, &location.account),
            key: self.arn.clone(),
        }
    }

    /// The key as its file describes it. What is not known is assumed to be fit.
    pub(in crate::cli) fn description(&self, traits: &KeyTraits) -> KeyDescription {
        let assumed = KeyDescription::assumed(self.arn.clone());
        let multi_region = match (traits.is_replica, traits.is_multi_region) {
            (true, _) => MultiRegion::Replica,
            (false, Some(true)) => MultiRegion::Primary,
            (false, Some(false)) if !self.is_given => MultiRegion::SingleRegion,
            (false, _) => assumed.multi_region,
        };
        let state = if traits.is_enabled == Some(false) { "Disabled".to_owned() } else { assumed.state };
        KeyDescription {
            state,
            spec: traits.spec.clone().unwrap_or(assumed.spec),
            usage: traits.usage.clone().unwrap_or(assumed.usage),
            multi_region,
            ..assumed
        }
    }
}

#[cfg(test)]
#[path = "assumed_key/tests.rs"]
mod tests;
