//! What the resources of this function share: where they are, and how they fail.

use std::borrow::Cow;

use serde_json::Value;

use crate::location::Location;
use crate::reconcile::ReconcileError;
use cloudformation_custom_resource::{Failure, Request};

/// Where the function is.
#[derive(Clone, Debug)]
pub(super) struct Home<'a> {
    location: Option<Location>,
    region: &'a str,
}

impl<'a> Home<'a> {
    pub(super) fn new(function_arn: &str, region: &'a str) -> Self {
        Self { location: Location::of_arn(function_arn, region), region }
    }

    /// The function's own place; where it cannot be told, local runtimes give no ARN, the account is the
    /// stack's.
    pub(super) fn of(&self, request: &Request) -> Result<Cow<'_, Location>, Failure> {
        if let Some(location) = &self.location {
            return Ok(Cow::Borrowed(location));
        }
        let location = Location::of_arn(&request.ids.stack_id, self.region);
        location.map(Cow::Owned).ok_or_else(|| Failure {
            reason: "neither the function's ARN nor the stack's id names an account".to_owned(),
        })
    }
}

/// How long a reason may become by what is to paste, in bytes of JSON: with the ids it still fits the answer, which
/// would be cut at its end otherwise.
const LONGEST: usize = 3000;

/// A failure in the answer; where there is a report, with where to find it, and with as much of the remedies as
/// can be told whole.
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
