//! What the custom resources of this function share: their location, and how they fail.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::check_command::CheckCommand;
use crate::event::question::QuestionRequest;
use crate::location::Location;
use crate::ports::{Clock, DenialRetries};
use crate::preflight::{IdentityRemedy, KeyFault, Remedies, ResourceRemedy, key_policy_title, listed};
use crate::reconcile::ReconcileError;
use cloudformation_custom_resource::{Deadline, Failure, PhysicalResourceId};

/// The function's account and Region, as far as they are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct FunctionLocation<'a> {
    /// `None` if nobody could say whose account it is.
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

/// How often a request is made again that was denied something. With the pauses between, that takes some 34 seconds:
/// IAM takes seconds until a role that the same stack has made or changed is effective everywhere, and the AWS CDK waits
/// 31 seconds in the same case.
const RETRIES_OF_FRESH_ROLE: u32 = 17;

/// If less time is left, a denial counts, so that the answer gives it as the reason.
const LEAST_TIME: Duration = Duration::from_secs(5);

/// Makes a request, and makes it again if the function's role is denied something.
///
/// # Errors
/// The error of the last attempt.
pub(super) async fn despite_fresh_role<T>(
    ports: &impl Clock,
    denials: &DenialRetries,
    request: impl AsyncFn() -> Result<T, ReconcileError>,
) -> Result<T, ReconcileError> {
    let mut half = None;
    loop {
        let error = match request().await {
            Err(error) => error,
            done => return done,
        };
        if let ReconcileError::HalfChanged { half: of_attempt, .. } = &error {
            half = Some(*of_attempt);
        }
        let is_tried_again = match error.cause() {
            ReconcileError::Aws(denial) => denial.is_denied() && denials.pause(ports, denial).await,
            _ => false,
        };
        if !is_tried_again {
            // An attempt may have been denied before it could read what an earlier one had left.
            return Err(error.after(half));
        }
    }
}

/// The retries of a request whose role may be seconds old. Writes make them at the write, and everything else from the
/// beginning of the request.
pub(super) fn retries_of_fresh_role(ports: &impl Clock, deadline: &Deadline) -> DenialRetries {
    retries_within(ports, deadline.left_to_work(ports.now()))
}

/// The same, if there is so much time to work.
pub(super) fn retries_within(ports: &impl Clock, time: Duration) -> DenialRetries {
    DenialRetries::new(RETRIES_OF_FRESH_ROLE, ports.now() + time.saturating_sub(LEAST_TIME))
}

pub(super) fn valid_physical_id(id: &str) -> Result<PhysicalResourceId, Failure> {
    PhysicalResourceId::new(id).map_err(|error| plain_failure(&error))
}

/// The id of a resource that changes nothing: one for each such resource of a kind in the stack.
pub(super) fn id_of_question<Q>(
    location: &FunctionLocation<'_>,
    request: &QuestionRequest<Q>,
    kind: &str,
) -> Result<PhysicalResourceId, Failure> {
    let location = location.or_of_stack(&request.stack_id)?;
    let (account, region) = (&location.account, &location.region);
    valid_physical_id(&format!("session-kms:{account}:{region}:{kind}:{}", request.logical_resource_id))
}

/// A failure with the text of an error as its reason.
pub(super) fn plain_failure(error: &impl ToString) -> Failure {
    Failure { reason: error.to_string() }
}

/// How long a reason may become, in bytes of JSON. With the ids, such a reason still fits into the response, which would
/// be cut off otherwise.
const LONGEST: usize = 3000;

/// Where the whole report of a refusal is, and what shows it again.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeReport<'a> {
    /// The id of the Lambda request.
    pub(super) request_id: &'a str,
    /// The name of the log group, if it is known.
    pub(super) log_group: Option<&'a str>,
    /// What the resource asks, as the options of a command.
    pub(super) command: &'a CheckCommand,
}

/// The failure of a request. If there is a report, the reason says where it is, holds as many remedies as fit whole, and
/// ends in the command that shows the report.
pub(super) fn failure(error: &ReconcileError, report: WholeReport<'_>) -> Failure {
    let reason = error.to_string();
    let ReconcileError::Key(
        KeyFault::Blocked { key, remedies, .. } | KeyFault::NotAdmitted { key, remedies, .. },
    ) = error.cause()
    else {
        return Failure { reason };
    };
    let log = report.log_group.map_or_else(|| "log".to_owned(), |name| format!("log group {name}"));
    let whole = format!("; the whole report is in the function's {log}, request {}", report.request_id);
    let command = report.command.ask_again(key.as_str());
    let room = LONGEST.saturating_sub(json_length(&whole) + json_length(&command));
    let mut reason = cut(reason, room) + &whole;
    for remedy in remedies_in_words(remedies) {
        if json_length(&reason) + json_length(&remedy) + json_length(&command) <= LONGEST {
            reason.push_str(&remedy);
        }
    }
    Failure { reason: reason + &command }
}

/// How long a text is in JSON, in bytes.
fn json_length(text: &str) -> usize {
    Value::from(text).to_string().len()
}

/// The beginning of a text, if the text takes more room in JSON than there is.
pub(super) fn cut(mut text: String, room: usize) -> String {
    if json_length(&text) <= room {
        return text;
    }
    while json_length(&text) + '…'.len_utf8() > room && text.pop().is_some() {}
    text + "…"
}

/// The remedies, each with what to do with it and for whom: statements and policies first, then what resources need.
fn remedies_in_words(remedies: &Remedies) -> Vec<String> {
    let Remedies { key_policy_statements, identity_policies, resources } = remedies;
    let statements =
        key_policy_statements.iter().map(|one| format!("; {}: {one}", in_sentence(&key_policy_title(one))));
    let policies = identity_policies.iter().flat_map(|remedy| {
        let IdentityRemedy { policy, permission_set, instead, principals } = remedy;
        let whom = match permission_set {
            Some(_) => String::new(),
            None => format!(" {}", listed(principals.iter().map(ToString::to_string).collect())),
        };
        let policy = format!("; {}{whom}: {policy}", in_sentence(&remedy.title()));
        let instead = instead.as_ref().map(|statement| {
            let name = permission_set.as_deref().unwrap_or_default();
            format!("; in place of that for permission set {name}, add to the key policy: {statement}")
        });
        std::iter::once(policy).chain(instead)
    });
    let resources = resources.iter().map(|ResourceRemedy { title, command, snippet, .. }| match command {
        Some(command) => format!("; {title}: {command}"),
        None => format!("; {title}: {snippet}"),
    });
    statements.chain(policies).chain(resources).collect()
}

/// A title within a sentence.
fn in_sentence(title: &str) -> String {
    let (first, rest) = title.split_at_checked(1).unwrap_or_default();
    first.to_ascii_lowercase() + rest
}

#[cfg(test)]
mod tests;
