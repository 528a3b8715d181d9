//! What somebody may have meant by a value that looks misspelt. Options, commands and their words are suggested by clap;
//! here are the values of which no list can be complete.

use std::collections::BTreeSet;

use clap::ArgMatches;
use cloudformation_custom_resource::nearest;

/// The Regions of AWS. New ones come, so the list serves for suggestions only and refuses nothing.
const REGIONS: [&str; 45] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-isoe-west-1",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Condition keys that a policy for a key may ask for. A name that ends with `:` or `/` stands for all that begin with it.
const CONDITION_KEYS: [&str; 68] = [
    "aws:AssumedRoot",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:ChatbotSourceArn",
    "aws:CurrentTime",
    "aws:Ec2InstanceSourceVpc",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:EpochTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalTag/",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestTag/",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    "aws:ResourceTag/",
    "aws:SecureTransport",
    "aws:SignInSessionArn",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:userid",
    "aws:username",
    "kms:CallerAccount",
    "kms:CustomerMasterKeySpec",
    "kms:CustomerMasterKeyUsage",
    "kms:EncryptionAlgorithm",
    "kms:EncryptionContext:",
    "kms:EncryptionContextKeys",
    "kms:GrantConstraintType",
    "kms:GrantIsForAWSResource",
    "kms:GrantOperations",
    "kms:GranteePrincipal",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:MultiRegion",
    "kms:MultiRegionKeyType",
    "kms:RecipientAttestation:",
    "kms:RequestAlias",
    "kms:ResourceAliases",
    "kms:ViaService",
];

/// The Region that a text may stand for, if it names none that is known.
pub(super) fn region(text: &str) -> Option<&'static str> {
    if REGIONS.contains(&text) { None } else { nearest(text, REGIONS) }
}

/// The condition key that a name may stand for, if it is none that is known. Condition keys of services other than KMS are
/// not listed, so nothing is said of them.
pub(super) fn condition_key(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let is_known = CONDITION_KEYS.iter().any(|known| {
        let known_lower = known.to_ascii_lowercase();
        if known.ends_with([':', '/']) { lower.starts_with(&known_lower) } else { lower == known_lower }
    });
    let with_prefix = match lower.split_once(':') {
        None => format!("aws:{name}"),
        // The prefix itself may be misspelt, as in `asw:SourceVpce`.
        Some((prefix, _)) if nearest(prefix, ["aws", "kms"]).is_some() => name.to_owned(),
        Some(_) => return None,
    };
    if is_known {
        return None;
    }
    // A tag's name stands behind the part that can be misspelt.
    let (head, tag) =
        with_prefix.split_once('/').map_or((with_prefix.as_str(), None), |(head, tag)| (head, Some(tag)));
    let candidates = CONDITION_KEYS.iter().filter(|known| known.ends_with('/') == tag.is_some());
    let near = nearest(head, candidates.map(|known| known.trim_end_matches('/')))?;
    Some(tag.map_or_else(|| near.to_owned(), |tag| format!("{near}/{tag}")))
}

/// What of a command's options may be misspelt, although it was accepted.
#[derive(Debug, Default)]
pub(super) struct Doubtful {
    regions: BTreeSet<String>,
    condition_keys: BTreeSet<String>,
}

impl Doubtful {
    /// Looks at the options of the command.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let Some((_, options)) = matches.subcommand() else { return Self::default() };
        let mut doubtful = Self::default();
        for id in ["region", "regions"] {
            let regions = options.try_get_many::<String>(id).ok().flatten().into_iter().flatten();
            doubtful.regions.extend(regions.filter(|text| region(text).is_some()).cloned());
        }
        let context = options.try_get_many::<(String, String)>("context").ok().flatten();
        let names = context.into_iter().flatten().map(|(name, _)| name);
        doubtful.condition_keys.extend(names.filter(|name| condition_key(name).is_some()).cloned());
        doubtful
    }

    /// A line for each condition key that may be misspelt. A report has it, because the command goes on without failure.
    pub(super) fn of_condition_keys(&self) -> Vec<String> {
        let line = |name: &String| {
            let near = condition_key(name)?;
            Some(format!(
                "--context: `{name}` is no condition key that this version knows; did you mean `{near}`?"
            ))
        };
        self.condition_keys.iter().filter_map(line).collect()
    }

    /// A line for each Region that may be misspelt: why AWS may not have answered.
    pub(super) fn of_regions(&self) -> Vec<String> {
        let line = |text: &String| {
            let near = region(text)?;
            Some(format!("`{text}` is no Region that this version knows; did you mean `{near}`?"))
        };
        self.regions.iter().filter_map(line).collect()
    }
}

#[cfg(test)]
#[path = "suggestions/tests.rs"]
mod tests;
