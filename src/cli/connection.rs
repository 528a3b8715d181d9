//! What a command asks of a connection to AWS, and what it gets.

use super::error::CliError;
use crate::location::Location;
use crate::ports::{OrganizationPorts, WritePorts};

/// The ports that commands work on: those of one account and Region, and what reaches others.
pub trait CommandPorts: WritePorts + OrganizationPorts {}

impl<T: WritePorts + OrganizationPorts> CommandPorts for T {}

/// Where a command connects to, and with whose credentials.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionRequest<'a> {
    /// The Region; `None` stands for the environment's.
    pub region: Option<&'a str>,
    /// The profile whose credentials and Region count; `None` stands for the environment's credentials.
    pub profile: Option<&'a str>,
    /// The address that takes the calls of all services; `None` stands for the environment's addresses.
    pub endpoint_url: Option<&'a str>,
    /// Whether each call of AWS is to be logged on standard error.
    pub is_verbose: bool,
}

/// A connection to AWS, and whose it is.
#[derive(Debug)]
pub struct Connected<P> {
    /// The connection.
    pub connection: Connection<P>,
    /// The ARN of the caller, a user or a role session.
    pub caller: String,
}

/// The ports to AWS in one Region, and their location.
#[derive(Debug)]
pub struct Connection<P> {
    /// The ports.
    pub ports: P,
    /// The Region, and the account of the credentials.
    pub location: Location,
}

/// The Region that a command connects to, as it was set by an option, the environment or the profile.
///
/// # Errors
/// None is set, or the text can be no Region.
pub fn checked_region(region: Option<&str>) -> Result<String, CliError> {
    match region {
        None => Err(CliError::NoRegion),
        Some(region) if Location::is_region(region) => Ok(region.to_owned()),
        Some(region) => Err(CliError::NotARegion(region.to_owned())),
    }
}
