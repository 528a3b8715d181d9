//! The operation audit: one line for an account and Region, in which a role of the account may read.
//!
//! INVARIANT: an account and Region always get a line. Whatever cannot be read is named in it, and is never taken for
//! good.

mod bound;
mod key;
mod line;

use std::time::SystemTime;

use crate::audit::{AuditLine, AuditedPlace, Unreadable, UnreadableReason};
use crate::intent::AuditQuestion;
use crate::location::Location;
use crate::ports::{AwsError, Clock, Environment, FleetMemory, ReachAccounts, ReadPorts};
use crate::reconcile::{ReconcileError, read_record};
use crate::report::escape::plain;
use crate::session::Target;

use super::status::{ReadVersions, of_document, of_owner, of_record, read_versions};
use super::utc_time::utc_time;
use bound::bounded;
use key::examine_keys;
use line::{Examined, line_of};

/// Looks at an account and Region. `environment` is that of the caller, with its own account and Region.
///
/// # Errors
/// If AWS throttled a call to its last attempt: whoever asks of many accounts and Regions asks again later, or makes a line
/// of it by [`unreadable_line`]. Everything else is in the line.
pub async fn audit<P: ReachAccounts + Clock>(
    environment: Environment<'_, P>,
    question: &AuditQuestion,
) -> Result<AuditLine, AwsError> {
    // Boxed: many calls in flight make for a large state.
    let line = match Box::pin(look(environment, question)).await {
        Ok(line) => line,
        Err(NotSeen::Aws(error)) if error.is_throttled() => return Err(error),
        Err(why) => {
            let unreadable = why.unreadable(environment.location, question);
            return Ok(unreadable_line(question, environment.ports.now(), unreadable));
        }
    };
    Ok(bounded(line))
}

/// The line of an account and Region that could not be looked at for this reason.
#[must_use]
pub fn unreadable_line(question: &AuditQuestion, at: SystemTime, unreadable: Unreadable) -> AuditLine {
    bounded(AuditLine::unreadable(place(question), utc_time(at), unreadable))
}

/// Why the document could not be seen.
enum NotSeen {
    /// AWS refused a call, or did not answer.
    Aws(AwsError),
    /// Credentials that are certainly valid are not known in the Region.
    UnknownCredentials(AwsError),
    /// The document kept changing while it was read.
    KeptChanging(ReconcileError),
    /// It is another account, and no role is named.
    NoRole,
}

impl From<AwsError> for NotSeen {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<ReconcileError> for NotSeen {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Aws(error) => Self::Aws(error),
            error => Self::KeptChanging(error),
        }
    }
}

async fn look<P: ReachAccounts + Clock>(
    environment: Environment<'_, P>,
    question: &AuditQuestion,
) -> Result<AuditLine, NotSeen> {
    let Environment { ports, location: own, .. } = environment;
    let location = Location {
        partition: own.partition.clone(),
        region: question.region.clone(),
        account: question.account.clone(),
    };
    let Some(role) = &question.role else {
        if question.account != own.account {
            return Err(NotSeen::NoRole);
        }
        let ports = ports.reach(&location, None).await?;
        let read = read(environment, &ports, &location, question).await;
        // In the own Region the own credentials are valid, or nothing could have been asked.
        let is_elsewhere = question.region != own.region;
        return if is_elsewhere { read.map_err(NotSeen::of_valid_credentials) } else { read };
    };
    environment.progress("assuming the audit role");
    let reached = ports.reach(&location, Some(role)).await?;
    match read(environment, &reached, &location, question).await {
        Err(NotSeen::Aws(error))
            if error.is_of_unknown_credentials() || error.is_of_expired_credentials() =>
        {
            environment.progress("assuming the audit role once more");
            let reached = ports.reach_anew(&location, role).await?;
            read(environment, &reached, &location, question).await.map_err(NotSeen::of_valid_credentials)
        }
        read => read,
    }
}

/// Reads everything of an account and Region. Only a document that cannot be read is an error.
async fn read<P: Clock, R: ReadPorts>(
    caller: Environment<'_, P>,
    ports: &R,
    location: &Location,
    question: &AuditQuestion,
) -> Result<AuditLine, NotSeen> {
    let memory = FleetMemory::with_keys();
    let environment = Environment::new(ports, location).with_memory(&memory).with_listed_policies(true);
    caller.progress("reading the document and its record");
    let document = async {
        let found = read_versions(ports, &question.document).await?;
        let carried = found.as_ref().map(carried).unwrap_or_default();
        let keys = carried.iter().flatten().filter_map(|carried| match carried {
            Target::Key(key) => Some(key.clone()),
            Target::Off => None,
        });
        let keys: Vec<_> = keys.collect();
        if !keys.is_empty() {
            caller.progress("finding out who needs the key and whether they may use it");
        }
        let keys = Box::pin(examine_keys(environment, question, keys)).await?;
        Ok::<_, NotSeen>((found, carried, keys))
    };
    // Boxed: many calls in flight make for a large state.
    let (document, record) =
        tokio::join!(Box::pin(document), Box::pin(read_record(ports, &question.document)));
    let (found, carried, keys) = document?;
    let not_known = "who owns the document, and which key they want, is not known";
    let (record, problem, unknown) = match record {
        Ok(record) => (record, None, None),
        Err(ReconcileError::Aws(error)) if error.is_throttled() => return Err(error.into()),
        Err(ReconcileError::Record(error)) => (None, Some(error.to_string()), Some(not_known.to_owned())),
        Err(error) => (None, None, Some(format!("{not_known}: {error}"))),
    };
    let mut status = of_owner(location, &question.document, record.as_ref());
    status.problems.extend(problem);
    status.unknown.extend(unknown);
    if let Some(found) = &found {
        of_document(&mut status, found);
    }
    if let Some(record) = &record {
        of_record(&mut status, record, ports.now());
    }
    let unread = carried.iter().filter_map(|carried| carried.as_ref().err());
    status.unknown.extend(unread.map(|version| format!("which key version {version} has is not known")));
    let has = |target: &Target| carried.iter().flatten().any(|carried| carried == target);
    let is_unencrypted = found.is_none() || has(&Target::Off);
    let is_drifted = record.is_some_and(|record| match &found {
        Some(_) => carried.iter().flatten().any(|carried| *carried != record.wanted),
        None => record.wanted != Target::Off,
    });
    let examined = Examined { status, keys, is_drifted, is_unencrypted };
    Ok(line_of(place(question), utc_time(ports.now()), examined))
}

/// What the latest version carries, and the default version if that is another one with another key. For a version whose
/// content cannot be read, its number.
fn carried(ReadVersions { latest, default }: &ReadVersions) -> Vec<Result<Target, u64>> {
    let mut carried: Vec<_> = [latest, default]
        .into_iter()
        .map(|(number, version)| version.content.kms_key_id().map(Target::from).map_err(|_| *number))
        .collect();
    carried.dedup();
    carried
}

fn place(question: &AuditQuestion) -> AuditedPlace {
    AuditedPlace {
        account: question.account.clone(),
        region: question.region.clone(),
        account_name: question.account_name.as_deref().map(plain),
        organizational_unit: question.organizational_unit.as_deref().map(plain),
    }
}

impl NotSeen {
    /// The same after credentials were used that are certainly valid.
    fn of_valid_credentials(self) -> Self {
        match self {
            Self::Aws(error) if error.is_of_unknown_credentials() => Self::UnknownCredentials(error),
            other => other,
        }
    }

    fn unreadable(&self, own: &Location, question: &AuditQuestion) -> Unreadable {
        let AuditQuestion { account, region, .. } = question;
        let (reason, message) = match self {
            Self::NoRole => (
                UnreadableReason::RoleNotAssumed,
                format!("account {account} is not the own account {}; name a role of it", own.account),
            ),
            Self::UnknownCredentials(error) => (
                UnreadableReason::RegionNotEnabled,
                format!(
                    "{error}; the credentials are valid, so Region {region} is not enabled in account {account}; leave it out, \
                     or enable it"
                ),
            ),
            Self::KeptChanging(error) => (UnreadableReason::Failed, error.to_string()),
            Self::Aws(error) => (reason(error, own, question), remedied(error)),
        };
        Unreadable { reason, message }
    }
}

fn reason(error: &AwsError, own: &Location, question: &AuditQuestion) -> UnreadableReason {
    let assumes = error.operation == ASSUME_ROLE;
    match error {
        _ if error.is_throttled() => UnreadableReason::Throttled,
        // The role is assumed at the endpoint of the own Region.
        _ if assumes && error.code() == "RegionDisabledException" && own.region == question.region => {
            UnreadableReason::RegionNotEnabled
        }
        _ if assumes && error.is_denied() => UnreadableReason::RoleNotAssumed,
        _ if error.is_denied() => UnreadableReason::Denied,
        _ => UnreadableReason::Failed,
    }
}

const ASSUME_ROLE: &str = "sts:AssumeRole";

/// The error, and what to do about it if it does not say so itself.
fn remedied(error: &AwsError) -> String {
    match error.operation {
        ASSUME_ROLE if error.is_denied() => format!(
            "{error}, deploy the role to the account, and let its trust policy name the caller and the external id of the audit"
        ),
        _ => error.to_string(),
    }
}
