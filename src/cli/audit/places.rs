//! The options that say which accounts and Regions an audit looks at, and by which role.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::accounts::{self, ListedAccount, name_places};
use crate::cli::connection::CommandPorts;
use crate::cli::files::Files;
use crate::cli::{CliError, Connection, Console, options};
use crate::intent::{AuditRole, AuditedAccounts, AuditedRegions, ExternalId, RoleName};
use crate::location::Location;
use crate::operations::{self, AuditPlaces, PlacesQuestion};
use crate::ports::Environment;

/// The role that deploy/audit-role.yaml creates.
const USUAL_ROLE: &str = "session-kms-audit";
/// The word for the Regions that are enabled in each account.
const ENABLED: &str = "enabled";

/// Which accounts and Regions an audit looks at, and by which role.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct PlaceOptions {
    /// A file that lists the accounts, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    accounts: Option<String>,
    /// All active accounts of the organization, which its management account and delegated administrators may list.
    #[arg(long, conflicts_with = "accounts")]
    organization: bool,
    /// Only the accounts of this organizational unit and of those below it, by its id or path; may be repeated.
    #[arg(long = "organizational-unit", id = "unit", value_name = "ID|PATH", requires = "organization")]
    units: Vec<String>,
    /// An account or, with --organization, an organizational unit that is left out; may be repeated.
    #[arg(long, value_name = "ID|PATH", value_parser = NonEmptyStringValueParser::new())]
    exclude: Vec<String>,
    /// The Regions of each account with commas between them, or `enabled` for those that are enabled in it; the
    /// environment's Region without it.
    #[arg(long, value_name = "REGION,…|enabled", value_delimiter = ',', value_parser = region_or_enabled)]
    regions: Vec<String>,
    /// The name of the role by which each account is looked at, the own one too. Without it, the own account is looked at
    /// with the own credentials, and every other account by the role session-kms-audit.
    #[arg(long, value_name = "NAME", value_parser = role_name)]
    role: Option<RoleName>,
    /// The external id that the role asks for.
    #[arg(long, value_name = "ID", value_parser = ExternalId::parse)]
    external_id: Option<ExternalId>,
}

impl PlaceOptions {
    /// The accounts of the file that is named; `None` if none is.
    pub(super) fn listed_accounts(
        &self,
        console: &mut Console<'_>,
    ) -> Result<Option<Vec<ListedAccount>>, CliError> {
        let Some(path) = &self.accounts else { return Ok(None) };
        let text = Files::new(console.input).text(path)?;
        let read = accounts::read(&text);
        read.map(Some).map_err(|why| CliError::Accounts { path: path.clone(), why })
    }

    /// Connects to the environment's Region, or else to the first one that is named.
    pub(super) async fn connect<P>(
        &self,
        connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
    ) -> Result<Connection<P>, CliError> {
        let first = self.regions.iter().find(|region| *region != ENABLED);
        match (connect(None).await, first) {
            (Err(CliError::NoRegion), Some(region)) => connect(Some(region)).await,
            (connected, _) => connected,
        }
    }

    /// Finds the accounts and Regions.
    pub(super) async fn find<P: CommandPorts>(
        &self,
        environment: Environment<'_, P>,
        listed: Option<&[ListedAccount]>,
    ) -> Result<AuditPlaces, CliError> {
        let own = environment.location;
        let accounts = match listed {
            Some(accounts) => {
                AuditedAccounts::Listed(accounts.iter().map(|account| account.id.clone()).collect())
            }
            None if self.organization => AuditedAccounts::Organization { units: self.units.clone() },
            None => AuditedAccounts::Listed(vec![own.account.clone()]),
        };
        let regions = match self.regions.as_slice() {
            [] => AuditedRegions::Listed(vec![own.region.clone()]),
            regions if regions.iter().any(|region| region == ENABLED) => AuditedRegions::Enabled,
            regions => AuditedRegions::Listed(regions.to_vec()),
        };
        let role = self.audit_role();
        let question = PlacesQuestion {
            accounts: &accounts,
            exclude: &self.exclude,
            regions: &regions,
            role: role.as_ref(),
        };
        let mut found = Box::pin(operations::audit_places(environment, question)).await?;
        name_places(&mut found.places, listed.unwrap_or_default());
        Ok(found)
    }

    /// The role by which an account is looked at; `None` for the own credentials.
    pub(super) fn role_in(&self, account: &str, own: &Location) -> Option<AuditRole> {
        if self.role.is_none() && account == own.account { None } else { self.audit_role() }
    }

    fn audit_role(&self) -> Option<AuditRole> {
        let name = self.role.clone().or_else(|| RoleName::parse(USUAL_ROLE).ok())?;
        Some(AuditRole { name, external_id: self.external_id.clone() })
    }
}

fn region_or_enabled(text: &str) -> Result<String, String> {
    if text == ENABLED { Ok(text.to_owned()) } else { options::region(text) }
}

fn role_name(text: &str) -> Result<RoleName, String> {
    RoleName::parse(text).map_err(|error| format!("the role {error}"))
}
