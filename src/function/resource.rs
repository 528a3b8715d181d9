//! What the custom resources of this function share: their location, and how they fail.

use std::borrow::Cow;

use serde_json::Value;

use crate::location::Location;
use crate::reconcile::ReconcileError;
use cloudformation_custom_resource::{Failure, PhysicalResourceId};

/// The function's account and Region, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct FunctionLocation<'a> {
    /// `None` if the function's ARN names no account: local runtimes give no ARN.
    pub(super) location: Option<&'a Location>,
    /// The Region of the environment.
    pub(super) region: &'a str,
}

impl<'a> FunctionLocation<'a> {
    /// The function's own location. If its account is unknown, it is that of the stack.
    pub(super) fn or_of_stack(&self, stack_id: &str) -> Result<Cow<'a, Location>, Failure> {
        if let Some(location) = self.location {
            return Ok(Cow::Borrowed(location));
        }
        let location = Location::of_arn(stack_id, self.region);
        location.map(Cow::Owned).ok_or_else(|| Failure {
            reason: "neither the function's ARN nor the stack's id names an account".to_owned(),
        })
    }
}

pub(super) fn valid_physical_id(id: &str) -> Result<PhysicalResourceId, Failure> {
    PhysicalResourceId::new(id).map_err(|error| plain_failure(&error))
}

/// A failure with the text of an error as its reason.
pub(super) fn plain_failure(error: &impl ToString) -> Failure {
    Failure { reason: error.to_string() }
}

/// How long a reason may become when remedies are appended, in bytes of JSON. With the ids, such a reason still
/// fits into the response, which would be cut off otherwise.
const LONGEST: usize = 3000;

/// The failure of a request. If there is a report, the reason says how to find it and holds as many remedies as fit
/// whole.
pub(super) fn failure(error: &ReconcileError, request_id: &str) -> Failure {
    let mut reason = error.to_string();
    let ReconcileError::Key(fault) = error else { return Failure { reason } };
    let Some(remedies) = fault.remedies() else { return Failure { reason } };
    reason.push_str(&format!("; the whole report is in the function's log, request {request_id}"));
    let statements =
        remedies.key_policy_statements.iter().map(|statement| ("add to the key policy", statement));
    let policies =
        remedies.identity_policies.iter().map(|remedy| ("attach to whom it fails", &remedy.policy));
    for (what, json) in statements.chain(policies) {
        let remedy = format!("; {what}: {json}");
        if Value::from(reason.as_str()).to_string().len() + Value::from(remedy.as_str()).to_string().len()
            <= LONGEST
        {
            reason.push_str(&remedy);
        }
    }
    Failure { reason }
}
