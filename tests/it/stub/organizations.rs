//! The AWS Organizations of the stub, at its only endpoint: DescribeOrganization, and the lists of the tree of accounts.

use serde_json::{Value, json};

use super::call::{Call, Outcome, Refusal};
use super::paging::{Asked, page};
use super::services::Operation;
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[
    Operation::read("DescribeOrganization", describe),
    Operation::read("ListRoots", list_roots),
    Operation::read("ListOrganizationalUnitsForParent", list_units),
    Operation::read("ListAccountsForParent", list_accounts),
]];

/// The tree of accounts, whose root is `r-1`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Id, parent and name.
    units: Vec<(String, String, String)>,
    /// Id, parent, name and state.
    accounts: Vec<(String, String, String, &'static str)>,
    /// The accounts whose callers may list the tree.
    administrators: Vec<String>,
    /// Whether Account Management answers for the accounts of the organization.
    pub trusts_account_management: bool,
}

impl Tree {
    /// Whether the account is one of the organization.
    pub fn holds(&self, account: &str) -> bool {
        self.accounts.iter().any(|(id, ..)| id == account)
    }
}

const ROOT: &str = "r-1";

/// The Region that answers in the partition of the tests.
pub const HOME: &str = "us-east-1";

/// Every account of an organization may call it. Other Regions have no endpoint.
fn describe(world: &mut World, call: &Call) -> Outcome {
    call.only(&[])?;
    if call.region != HOME {
        return Err(Refusal::client(
            "InvalidSignatureException",
            format!("Credential should be scoped to a valid region, not {}.", call.region),
        ));
    }
    let Some(id) = world.organization.clone() else {
        return Err(Refusal::client(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    };
    Ok(json!({"Organization": {
        "Arn": format!("arn:{}:organizations::999999999999:organization/{id}", world.partition),
        "FeatureSet": "ALL",
        "Id": id,
        "MasterAccountArn": format!("arn:{}:organizations::999999999999:account/{id}/999999999999", world.partition),
        "MasterAccountEmail": "owner@example.com",
        "MasterAccountId": "999999999999",
    }}))
}

/// Fails unless the caller may list the organization, which is at its home.
fn check(world: &World, call: &Call, action: &str) -> Result<(), Refusal> {
    if call.region != HOME {
        return Err(Refusal::client(
            "InvalidSignatureException",
            "Credential should be scoped to a valid region",
        ));
    }
    if world.organization.is_none() {
        return Err(Refusal::client(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    if world.tree.administrators.contains(&call.caller.account) {
        return Ok(());
    }
    let message = format!("You don't have permissions to access this resource ({action}).");
    Err(Refusal::client("AccessDeniedException", message))
}

/// One page under this member.
fn paged(world: &World, call: &Call, member: &str, items: Vec<Value>) -> Outcome {
    let asked = Asked {
        limit: call.number("MaxResults")?,
        token: call.text("NextToken")?,
        least: 1,
        most: 20,
        bad_token: "InvalidInputException",
        cap: world.page_size,
    };
    let (items, next) = page(items, &asked)?;
    let mut answer = json!({ member: items });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

/// The parent that a call names, which must be there.
fn parent<'a>(world: &World, call: &'a Call) -> Result<&'a str, Refusal> {
    call.only(&["ParentId", "MaxResults", "NextToken"])?;
    let parent = call.required("ParentId")?;
    if parent == ROOT || world.tree.units.iter().any(|(id, ..)| id == parent) {
        return Ok(parent);
    }
    Err(Refusal::client("ParentNotFoundException", "You specified parent that doesn't exist."))
}

fn list_roots(world: &mut World, call: &Call) -> Outcome {
    call.only(&["MaxResults", "NextToken"])?;
    check(world, call, "organizations:ListRoots")?;
    paged(world, call, "Roots", vec![json!({"Id": ROOT, "Name": "Root", "PolicyTypes": []})])
}

fn list_units(world: &mut World, call: &Call) -> Outcome {
    check(world, call, "organizations:ListOrganizationalUnitsForParent")?;
    let parent = parent(world, call)?;
    let below = world.tree.units.iter().filter(|(_, of, _)| of == parent);
    let units = below.map(|(id, _, name)| json!({"Id": id, "Name": name})).collect();
    paged(world, call, "OrganizationalUnits", units)
}

fn list_accounts(world: &mut World, call: &Call) -> Outcome {
    check(world, call, "organizations:ListAccountsForParent")?;
    let parent = parent(world, call)?;
    let below = world.tree.accounts.iter().filter(|(_, of, ..)| of == parent);
    let accounts = below.map(|(id, _, name, state)| {
        // The older member knows fewer states.
        let status = if *state == "CLOSED" { "SUSPENDED" } else { state };
        json!({"Id": id, "Name": name, "Email": "owner@example.com", "State": state, "Status": status})
    });
    paged(world, call, "Accounts", accounts.collect())
}

impl World {
    /// Makes an organization of which the default account is an administrator, and which trusts Account Management.
    pub fn organize(&mut self) {
        self.organization = Some("o-1".to_owned());
        self.tree.administrators.push(self.location.account.clone());
        self.tree.trusts_account_management = true;
    }

    /// Takes the default account its right to list the organization.
    pub fn dismiss_administrators(&mut self) {
        self.tree.administrators.clear();
    }

    /// Adds an organizational unit below another one, or below the root `r-1`.
    pub fn add_unit(&mut self, id: &str, parent: &str, name: &str) {
        self.tree.units.push((id.to_owned(), parent.to_owned(), name.to_owned()));
    }

    /// Adds an account to an organizational unit or the root.
    pub fn add_account(&mut self, id: &str, parent: &str, name: &str, state: &'static str) {
        self.tree.accounts.push((id.to_owned(), parent.to_owned(), name.to_owned(), state));
    }
}
