//! The STS of the stub: AssumeRole and GetCallerIdentity. A caller with the credentials that it issues is the role, in the role's account.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::json;

use super::call::{Call, Caller, Outcome, Refusal};
use super::iam::Role;
use super::query::number;
use super::services::Operation;
use super::world::World;

pub const OPERATIONS: &[&[Operation]] = &[&[
    Operation::read("AssumeRole", assume_role),
    Operation::read("GetCallerIdentity", get_caller_identity),
]];

/// Who calls. Nobody needs a permission for it.
fn get_caller_identity(_: &mut World, call: &Call) -> Outcome {
    call.only(&[]).map_err(invalid)?;
    Ok(
        json!({"Account": call.caller.account, "Arn": call.caller.arn, "UserId": "AROAEXAMPLEEXAMPLEEXA:session"}),
    )
}

/// A role that does not exist is refused like one that does not trust the caller.
fn assume_role(world: &mut World, call: &Call) -> Outcome {
    call.only(&["RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds", "Policy"]).map_err(invalid)?;
    let arn = call.required("RoleArn").map_err(invalid)?;
    let session = call.required("RoleSessionName").map_err(invalid)?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=64).contains(&session.len()) || !session.bytes().all(known) {
        return Err(invalid(Refusal::validation(format!("Value '{session}' at 'roleSessionName'"))));
    }
    let seconds = number(call, "DurationSeconds")?.unwrap_or(3600);
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid(Refusal::validation(format!("Value '{seconds}' at 'durationSeconds'"))));
    }
    let external_id = call.text("ExternalId")?;
    let role = world.iam.roles.iter().find(|role| role.arn == arn);
    let Some(role) = role.filter(|role| trusts(role, &call.caller, external_id)) else {
        let because = "no resource-based policy allows the sts:AssumeRole action";
        return Err(Refusal::access_denied(&call.caller.arn, "sts:AssumeRole", arn, because)
            .coded(403, "AccessDenied"));
    };
    let caller = Caller {
        account: role.account.clone(),
        arn: format!("arn:{}:sts::{}:assumed-role/{}/{session}", world.partition, role.account, role.name),
    };
    let serial = world.iam.issued.len();
    let (access_key, token) = (format!("ASIA{serial:016}"), format!("session-token-{serial}"));
    let seconds =
        u64::try_from(seconds).unwrap_or_default().min(world.iam.longest_session.unwrap_or(u64::MAX));
    let expires = DateTime::from(SystemTime::now() + Duration::from_secs(seconds));
    let answer = json!({
        "Credentials": {
            "AccessKeyId": access_key,
            "SecretAccessKey": "secret",
            "SessionToken": token,
            "Expiration": DateTime::from_secs(expires.secs()).fmt(Format::DateTime).expect("a date"),
        },
        "AssumedRoleUser": {"AssumedRoleId": format!("AROAEXAMPLEEXAMPLEEXA:{session}"), "Arn": caller.arn},
    });
    world.iam.issued.insert(access_key.clone(), token);
    world.callers.insert(access_key, caller);
    Ok(answer)
}

/// Whether the trust policy names the caller's account, the caller, or the role of the caller's session.
fn trusts(role: &Role, caller: &Caller, external_id: Option<&str>) -> bool {
    let of_session = caller.arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    let is_trusted = |trusted: &String| {
        *trusted == caller.account
            || *trusted == caller.arn
            || of_session.is_some_and(|name| {
                trusted.contains(&format!("::{}:role/", caller.account))
                    && trusted.rsplit('/').next() == Some(name)
            })
    };
    let external = role.external_id.is_none() || role.external_id.as_deref() == external_id;
    external && role.trusted.iter().any(is_trusted)
}

fn invalid(refusal: Refusal) -> Refusal {
    refusal.coded(400, "ValidationError")
}
