//! The accounts of an audit: those of the organization, or of a list.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use crate::intent::{AuditedAccounts, ObjectAddress};
use crate::location::Location;
use crate::operations::AuditFailure;
use crate::operations::stored_objects::required_object;
use crate::ports::{AwsError, OrganizationAccount, OrganizationAccounts, OrganizationalUnit, ReadObjects};
use crate::quote::quoted;
use crate::text_encoding::decode;

/// How many organizational units are asked about at a time.
const UNITS_AT_A_TIME: usize = 4;

/// An account that is audited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::operations) struct FoundAccount {
    /// Twelve digits.
    pub(in crate::operations) id: String,
    /// Its name, if it is known.
    pub(in crate::operations) name: Option<String>,
    /// The path of its organizational unit, if it is known.
    pub(in crate::operations) unit: Option<String>,
}

/// The accounts, and those that are left out.
#[derive(Debug, Default)]
pub(in crate::operations) struct FoundAccounts {
    /// Each account once, in the order of their ids.
    pub(in crate::operations) audited: Vec<FoundAccount>,
    /// Those that are not active, each with its state.
    pub(in crate::operations) not_active: Vec<String>,
    /// Those that are excluded by their id.
    pub(in crate::operations) excluded: Vec<String>,
    /// What was to be excluded, and is not there.
    pub(in crate::operations) unknown_exclusions: Vec<String>,
}

/// Finds the accounts.
pub(in crate::operations) async fn accounts<P: OrganizationAccounts + ReadObjects>(
    ports: &P,
    asked: &AuditedAccounts,
    exclude: &[String],
) -> Result<FoundAccounts, AuditFailure> {
    let mut exclusions = Selectors::new(exclude);
    let mut found = match asked {
        AuditedAccounts::Organization { units } => {
            Box::pin(of_organization(ports, units, &mut exclusions)).await?
        }
        AuditedAccounts::Listed(ids) => listed(ids.iter().map(|id| account(id, None)).collect()),
        AuditedAccounts::Stored(object) => listed(stored(ports, object).await?),
    };
    found.audited.retain(|account| {
        let is_excluded = exclusions.select(&account.id, &account.id);
        if is_excluded {
            found.excluded.push(account.id.clone());
        }
        !is_excluded
    });
    found.audited.sort();
    found.audited.dedup_by(|a, b| a.id == b.id);
    found.unknown_exclusions = exclusions.unused();
    if found.audited.is_empty() {
        let left_out = found.not_active.len() + found.excluded.len();
        return Err(AuditFailure::NoAccount(format!(
            "{left_out} are excluded or not active, and there is no other"
        )));
    }
    Ok(found)
}

fn account(id: &str, name: Option<&str>) -> FoundAccount {
    FoundAccount { id: id.to_owned(), name: name.map(str::to_owned), unit: None }
}

fn listed(audited: Vec<FoundAccount>) -> FoundAccounts {
    FoundAccounts { audited, ..FoundAccounts::default() }
}

/// Ids and paths that select something, and those that have.
struct Selectors<'a> {
    texts: &'a [String],
    used: BTreeSet<usize>,
}

impl<'a> Selectors<'a> {
    fn new(texts: &'a [String]) -> Self {
        Self { texts, used: BTreeSet::new() }
    }

    /// Whether one of them is this id or this path.
    fn select(&mut self, id: &str, path: &str) -> bool {
        let selects = |text: &String| text == id || text.trim_end_matches('/') == path;
        let found: Vec<_> =
            (0..).zip(self.texts).filter(|(_, text)| selects(text)).map(|(at, _)| at).collect();
        self.used.extend(&found);
        !found.is_empty()
    }

    fn unused(&self) -> Vec<String> {
        let unused = (0..).zip(self.texts).filter(|(at, _)| !self.used.contains(at));
        unused.map(|(_, text)| text.clone()).collect()
    }
}

/// A root or a unit on the way through the tree.
struct Branch {
    unit: OrganizationalUnit,
    path: String,
    /// Whether its accounts are audited.
    is_audited: bool,
}

/// Walks through the tree, level by level: two calls for each unit, and more for further pages. The parents of each
/// account would be a call for each account.
async fn of_organization<P: OrganizationAccounts>(
    ports: &P,
    units: &[String],
    exclusions: &mut Selectors<'_>,
) -> Result<FoundAccounts, AuditFailure> {
    let mut selectors = Selectors::new(units);
    let mut found = FoundAccounts::default();
    let mut branch = |unit: OrganizationalUnit, above: Option<&Branch>| {
        let path = above.map_or_else(|| unit.name.clone(), |above| format!("{}/{}", above.path, unit.name));
        if exclusions.select(&unit.id, &path) {
            return None;
        }
        let is_selected = selectors.select(&unit.id, &path) || units.is_empty();
        Some(Branch { is_audited: is_selected || above.is_some_and(|above| above.is_audited), unit, path })
    };
    let roots = ports.roots().await.map_err(of_list)?;
    let mut level: Vec<_> = roots.into_iter().filter_map(|root| branch(root, None)).collect();
    while !level.is_empty() {
        let read = stream::iter(level).map(|branch| Box::pin(inside(ports, branch)));
        let read: Vec<_> = read.buffered(UNITS_AT_A_TIME).collect().await;
        let mut below = Vec::new();
        for inside in read {
            let (above, units, accounts) = inside.map_err(of_list)?;
            below.extend(units.into_iter().filter_map(|unit| branch(unit, Some(&above))));
            for OrganizationAccount { id, name, state } in accounts {
                if state == "ACTIVE" {
                    let unit = Some(above.path.clone());
                    found.audited.push(FoundAccount { id, name: Some(name), unit });
                } else {
                    found.not_active.push(format!("{id} ({state})"));
                }
            }
        }
        level = below;
    }
    match selectors.unused().first() {
        // A misspelt unit must not make an audit small.
        Some(unknown) => Err(AuditFailure::NoUnit(format!("`{}`", quoted(unknown)))),
        None => Ok(found),
    }
}

type Inside = (Branch, Vec<OrganizationalUnit>, Vec<OrganizationAccount>);

async fn inside<P: OrganizationAccounts>(ports: &P, branch: Branch) -> Result<Inside, AwsError> {
    let accounts =
        async { if branch.is_audited { ports.accounts_of(&branch.unit.id).await } else { Ok(Vec::new()) } };
    let (units, accounts) = tokio::join!(ports.units_of(&branch.unit.id), accounts);
    Ok((branch, units?, accounts?))
}

/// The error of a list of the organization.
fn of_list(error: AwsError) -> AuditFailure {
    match error.code() {
        "AWSOrganizationsNotInUseException" => AuditFailure::NoOrganization,
        _ if error.is_denied() => AuditFailure::NoAdministrator(error),
        _ => AuditFailure::Aws(error),
    }
}

/// The accounts that an object lists.
async fn stored<P: ReadObjects>(
    ports: &P,
    object: &ObjectAddress,
) -> Result<Vec<FoundAccount>, AuditFailure> {
    let text = required_object(ports, object, "the list of the accounts").await?;
    let not_readable = |why| AuditFailure::NotReadable { object: object.clone(), why };
    let text = decode(text).map_err(|error| not_readable(format!("it cannot be read as text: {error}")))?;
    accounts_in(&text).map_err(not_readable)
}

/// Reads a list of accounts: a JSON array of ids, or an id on each line with a comma and a name behind it if one is wanted.
/// Empty lines, and lines that begin with `#`, are left out.
fn accounts_in(text: &str) -> Result<Vec<FoundAccount>, String> {
    let text = text.trim();
    let found = if text.starts_with('[') {
        let items: Vec<Value> =
            serde_json::from_str(text).map_err(|error| format!("it is no JSON array: {error}"))?;
        items.iter().map(|item| account(item.as_str().unwrap_or(&item.to_string()), None)).collect()
    } else {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let of_line = |line: &str| match line.split_once(',') {
            Some((id, name)) => account(id.trim(), Some(name.trim()).filter(|name| !name.is_empty())),
            None => account(line, None),
        };
        lines.map(of_line).collect::<Vec<_>>()
    };
    match found.iter().find(|account| !Location::is_account(&account.id)) {
        Some(wrong) => {
            Err(format!("`{}` in it is no account id, which has twelve digits", quoted(&wrong.id)))
        }
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_an_id_a_line_or_is_a_json_array() {
        let plain = [account("111122223333", None), account("444455556666", None)];
        assert_eq!(accounts_in("111122223333\n444455556666\n").unwrap(), plain);
        assert_eq!(accounts_in("# ours\r\n\r\n 111122223333 \r\n444455556666").unwrap(), plain);
        assert_eq!(accounts_in(r#"["111122223333", 444455556666]"#).unwrap(), plain);
        let named = [account("111122223333", Some("payments, old")), account("444455556666", None)];
        assert_eq!(accounts_in("111122223333, payments, old\n444455556666,").unwrap(), named);
        assert_eq!(accounts_in(""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_account_is_named() {
        for (text, why) in [
            ("1111", "`1111` in it is no account id"),
            ("[\"111122223333\"", "no JSON array"),
            ("[{\"Id\": \"111122223333\"}]", "is no account id"),
            ("<html>", "`<html>` in it"),
        ] {
            let error = accounts_in(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
