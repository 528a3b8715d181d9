//! The direct calls around an audit of many accounts: `{"action": "auditPairs", …}`, which lists the accounts and Regions,
//! and `{"action": "auditReport", …}`, which makes the report over the results.

use serde_json::{Map, Value};

use super::audit_call::audit_role;
use super::safeguards::who_needs_key;
use super::session_encryption::document_name;
use crate::intent::{
    AuditedAccounts, AuditedRegions, ObjectAddress, ObjectAddressError, PairsQuestion, ReportQuestion,
};
use crate::location::Location;
use crate::quote::quoted;
use cloudformation_custom_resource::Properties;

/// What is asked around an audit of many accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrganizationCall {
    /// List the accounts and Regions.
    Pairs(PairsQuestion),
    /// Make the report.
    Report(ReportQuestion),
}

/// The properties that the calls of the list do not have.
const OF_LIST: [&str; 6] = ["action", "accounts", "organizationalUnits", "exclude", "regions", "output"];
/// The file that the ResultWriter of Step Functions writes beside the results.
const MANIFEST: &str = "manifest.json";

/// Reads a call for the list of accounts and Regions. `fields` are what the reader reads. Use the question only if the
/// reader then finishes without a problem.
pub(super) fn pairs(reader: &mut Properties<'_>, fields: &Map<String, Value>) -> PairsQuestion {
    let accounts = accounts(reader);
    let exclude = reader.texts("Exclude").unwrap_or_default();
    let regions = regions(reader);
    let output = required_address(reader, "Output", ObjectAddress::parse);
    // The rest is what each call of the list has. It is read as such a call is, so that a mistake is found here and not
    // 100,000 times.
    let role = audit_role(reader);
    // An empty text counts as absent.
    if fields.get("roleName").is_none_or(|name| name.is_null() || name == "") {
        reader.reject("RoleName", "is required: it names the role by which each account is read");
    }
    let _ = (document_name(reader), who_needs_key(reader));
    let call = fields.iter().filter(|(name, value)| !OF_LIST.contains(&name.as_str()) && !value.is_null());
    let call = call.map(|(name, value)| (name.clone(), value.clone())).collect();
    PairsQuestion { accounts, exclude, regions, role, call, output }
}

/// Reads a call for the report. Use the question only if the reader then finishes without a problem.
pub(super) fn report(reader: &mut Properties<'_>) -> ReportQuestion {
    let folder_or_manifest = |text: &str| {
        let name = text.rsplit('/').next();
        if name.is_some_and(|name| name.ends_with(".json")) {
            ObjectAddress::parse(text)
        } else {
            ObjectAddress::parse_folder(text).map(|folder| folder.below(MANIFEST))
        }
    };
    ReportQuestion {
        manifest: required_address(reader, "Results", folder_or_manifest),
        pairs: address(reader, "Pairs", ObjectAddress::parse),
        output: required_address(reader, "Output", ObjectAddress::parse_folder),
        compare_with: address(reader, "CompareWith", ObjectAddress::parse),
    }
}

fn accounts(reader: &mut Properties<'_>) -> AuditedAccounts {
    let given = reader.texts("Accounts");
    let units = reader.texts("OrganizationalUnits").unwrap_or_default();
    let given = given.unwrap_or_default();
    let accounts = match given.as_slice() {
        [] => {
            reader.reject(
                "Accounts",
                "is required: `organization`, a list of account ids, or the address of such a list, \
                 `s3://BUCKET/KEY`",
            );
            AuditedAccounts::Listed(Vec::new())
        }
        [word] if word.eq_ignore_ascii_case("organization") => {
            return AuditedAccounts::Organization { units };
        }
        [object] if object.starts_with("s3://") => match ObjectAddress::parse(object) {
            Ok(object) => AuditedAccounts::Stored(object),
            Err(error) => {
                reader.reject("Accounts", error.to_string());
                AuditedAccounts::Listed(Vec::new())
            }
        },
        ids => {
            if let Some(wrong) = ids.iter().find(|id| !Location::is_account(id)) {
                let problem = format!(
                    "holds `{}`; it must be `organization`, a list of account ids of twelve digits each, or the address \
                     of such a list, `s3://BUCKET/KEY`",
                    quoted(wrong)
                );
                reader.reject("Accounts", problem);
            }
            AuditedAccounts::Listed(ids.to_vec())
        }
    };
    if !units.is_empty() {
        let accounts = reader.spelt("Accounts");
        reader.reject("OrganizationalUnits", format!("is taken only with {accounts} `organization`"));
    }
    accounts
}

/// Without Regions, those that are enabled in each account.
fn regions(reader: &mut Properties<'_>) -> AuditedRegions {
    let Some(given) = reader.texts("Regions").filter(|given| !given.is_empty()) else {
        return AuditedRegions::Enabled;
    };
    if let [word] = given.as_slice()
        && word.eq_ignore_ascii_case("enabled")
    {
        return AuditedRegions::Enabled;
    }
    if let Some(wrong) = given.iter().find(|region| !Location::is_region(region)) {
        let problem = format!(
            "holds `{}`; it must be `enabled`, or a list of names of Regions, such as `eu-west-1`",
            quoted(wrong)
        );
        reader.reject("Regions", problem);
    }
    AuditedRegions::Listed(given)
}

fn address(
    reader: &mut Properties<'_>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<ObjectAddress, ObjectAddressError>,
) -> Option<ObjectAddress> {
    parse(&reader.text(name)?).map_err(|error| reader.reject(name, error.to_string())).ok()
}

/// The address is empty if that is a problem.
fn required_address(
    reader: &mut Properties<'_>,
    name: &'static str,
    parse: impl Fn(&str) -> Result<ObjectAddress, ObjectAddressError>,
) -> ObjectAddress {
    let text = reader.required_text(name);
    if text.is_empty() {
        return ObjectAddress::default();
    }
    parse(&text).unwrap_or_else(|error| {
        reader.reject(name, error.to_string());
        ObjectAddress::default()
    })
}

#[cfg(test)]
mod tests;
