//! Who the users and the nodes are: the roles that the agents of managed nodes work by, and the owners of the sessions
//! that the document's key encrypts, each once.

mod agent_role;
mod node_roles;
mod nodes;
mod session_kind;
mod users;

use std::collections::BTreeMap;

pub(super) use nodes::{FoundInstances, FoundNodes, found_nodes};
pub(super) use users::found_users;

use super::observation::Need;
use crate::access::PrincipalArn;
use crate::ports::AwsError;

/// How many of its sources the description of a principal names.
const NAMED: usize = 3;

/// A principal that was found, and how.
#[derive(Debug)]
pub(super) struct FoundPrincipal {
    pub(super) principal: PrincipalArn,
    pub(super) source: String,
    pub(super) need: Need,
}

/// The ARN of a role; `None` if there is no such role.
fn parse_role_arn(arn: Result<Option<String>, AwsError>) -> Result<Option<PrincipalArn>, AwsError> {
    arn.map(|arn| arn.and_then(|arn| PrincipalArn::parse(&arn).ok()))
}

/// The principals that were found, each with its need and its sources.
#[derive(Debug, Default)]
struct FoundPrincipals(BTreeMap<PrincipalArn, (Need, Vec<String>)>);

impl FoundPrincipals {
    /// Adds a source of a principal. Of several needs the most certain one counts.
    fn add(&mut self, principal: PrincipalArn, need: Need, source: String) {
        let (known, sources) = self.0.entry(principal).or_insert_with(|| (need.clone(), Vec::new()));
        if need > *known {
            *known = need;
            sources.insert(0, source);
        } else {
            sources.push(source);
        }
    }

    fn into_list(self) -> Vec<FoundPrincipal> {
        let found = self.0.into_iter().map(|(principal, (need, sources))| {
            let more = match sources.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let source = sources.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
            FoundPrincipal { principal, source: format!("{source}{more}"), need }
        });
        found.collect()
    }
}
