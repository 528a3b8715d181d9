//! The users: the owners of the sessions of the last weeks that the document's key encrypts, and the role of
//! just-in-time node access.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::stream;

use super::session_kind::{SessionKind, kind, kind_by_content};
use super::{FoundPrincipal, FoundPrincipals, parse_role_arn};
use crate::access::{JUST_IN_TIME_ROLE, SessionOwner};
use crate::arn::Arn;
use crate::ports::{AwsError, Environment, PastSession, PreflightPorts};
use crate::preflight::READS_AT_A_TIME;
use crate::preflight::observation::{LeftOut, Need, OtherOwner, Read, Sessions, UnknownDocument};
use crate::session::DocumentName;

/// The owners of past sessions that the key of `document` encrypts, roles by their ARN, and the role of just-in-time
/// node access.
pub(in crate::preflight) async fn found_users<P: PreflightPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
    since: SystemTime,
) -> (Vec<FoundPrincipal>, Read<Sessions>) {
    let (sessions, just_in_time) =
        tokio::join!(environment.sessions(since), environment.role_arn(JUST_IN_TIME_ROLE));
    let mut found = FoundPrincipals::default();
    let summary = match sessions {
        Err(error) => {
            just_in_time_role(just_in_time, document, &mut Sessions::default(), &mut found);
            Read::Unknown(error.to_string())
        }
        Ok(sessions) => {
            let mut summary = Sessions { count: sessions.len(), ..Sessions::default() };
            let owners = Box::pin(owners(environment, document, &sessions, &mut summary)).await;
            Box::pin(owners_by_arn(environment, owners, &mut summary, &mut found)).await;
            just_in_time_role(just_in_time, document, &mut summary, &mut found);
            Read::Known(summary)
        }
    };
    (found.into_list(), summary)
}

/// The owners of the sessions that the key encrypts or may encrypt, with how certain that is. Documents whose names do
/// not decide are read.
async fn owners<'s, P: PreflightPorts>(
    environment: Environment<'_, P>,
    document: &DocumentName,
    sessions: &'s [PastSession],
    summary: &mut Sessions,
) -> BTreeMap<&'s str, Need> {
    let account = environment.location.account.as_str();
    let kinds: Vec<_> = sessions.iter().map(|session| (session, kind(session, account, document))).collect();
    let unread: BTreeSet<&str> = kinds
        .iter()
        .filter_map(|(_, kind)| match kind {
            SessionKind::Unread(name) => Some(*name),
            SessionKind::Encrypted | SessionKind::LeftOut(_) => None,
        })
        .collect();
    let read: BTreeMap<&str, _> = stream::iter(unread)
        .map(|name| async move {
            let content = environment.session_document(name).await.map_err(|error| error.to_string());
            (name, content.and_then(|content| kind_by_content(content.as_ref(), document)))
        })
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    let mut owners: BTreeMap<&str, Need> = BTreeMap::new();
    let mut unknown: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (session, kind) in kinds {
        let kind = match kind {
            SessionKind::Unread(name) => match read.get(name) {
                Some(Ok(kind)) => *kind,
                Some(Err(why)) => {
                    unknown.entry(name).or_insert((0, why)).0 += 1;
                    kind
                }
                None => kind,
            },
            SessionKind::Encrypted | SessionKind::LeftOut(_) => kind,
        };
        let need = match kind {
            SessionKind::Encrypted => Need::Certain,
            SessionKind::Unread(name) => {
                Need::Possible(format!("whether the key encrypts sessions of document {name} is not known"))
            }
            SessionKind::LeftOut(why) => {
                *summary.left_out.entry(why).or_default() += 1;
                continue;
            }
        };
        let known = owners.entry(&session.owner).or_insert_with(|| need.clone());
        *known = need.max(known.clone());
    }
    summary.unknown_documents = unknown
        .into_iter()
        .map(|(name, (sessions, why))| UnknownDocument {
            name: name.to_owned(),
            sessions,
            why: why.to_owned(),
        })
        .collect();
    owners
}

/// Adds the owners, each role by its ARN.
async fn owners_by_arn<P: PreflightPorts>(
    environment: Environment<'_, P>,
    owners: BTreeMap<&str, Need>,
    summary: &mut Sessions,
    found: &mut FoundPrincipals,
) {
    let account = environment.location.account.as_str();
    let mut roles: BTreeMap<String, (Need, &str)> = BTreeMap::new();
    for (owner, need) in owners {
        match SessionOwner::parse(owner) {
            SessionOwner::User(principal) => found.add(principal, need, "session history".to_owned()),
            SessionOwner::Role { account: of, name } if of == account => {
                let known = roles.entry(name).or_insert_with(|| (need.clone(), owner));
                if need > known.0 {
                    *known = (need, owner);
                }
            }
            SessionOwner::Role { .. } | SessionOwner::Other(_) => {
                let why = "its policies cannot be asked about".to_owned();
                summary.others.push(OtherOwner { arn: owner.to_owned(), why });
            }
        }
    }
    let looked_up: Vec<_> = stream::iter(roles)
        .map(|(name, example)| async move { (environment.role_arn(&name).await, name, example) })
        .buffered(READS_AT_A_TIME)
        .collect()
        .await;
    for (arn, name, (need, example)) in looked_up {
        let why = match parse_role_arn(arn) {
            Ok(Some(principal)) => {
                found.add(principal, need, format!("session history, such as {example}"));
                continue;
            }
            Ok(None) => "that role no longer exists".to_owned(),
            Err(error) => format!("that role could not be looked up: {error}"),
        };
        let partition = Arn::parse(example).map_or("aws", |arn| arn.partition);
        summary.others.push(OtherOwner { arn: format!("arn:{partition}:iam::{account}:role/{name}"), why });
    }
}

/// Adds the role of just-in-time node access, if the account has it.
fn just_in_time_role(
    role: Result<Option<String>, AwsError>,
    document: &DocumentName,
    summary: &mut Sessions,
    found: &mut FoundPrincipals,
) {
    let sessions = summary.left_out.get(&LeftOut::JustInTime).copied().unwrap_or_default();
    match parse_role_arn(role) {
        Ok(Some(principal)) => {
            let source = match sessions {
                0 => "just-in-time node access".to_owned(),
                1 => "just-in-time node access, 1 session".to_owned(),
                sessions => format!("just-in-time node access, {sessions} sessions"),
            };
            // Approved sessions are of the regional preferences unless somebody chooses another document.
            let need = match sessions > 0 || document.is_preferences() {
                true => Need::Certain,
                false => Need::Possible(format!("whether approved sessions are of document {document} is not known")),
            };
            found.add(principal, need, source);
        }
        Ok(None) if sessions == 0 => {}
        Ok(None) => summary.gaps.push(format!(
            "sessions were approved just in time ({sessions}), and there is no role {JUST_IN_TIME_ROLE}, which starts \
             such sessions"
        )),
        Err(error) => summary.gaps.push(format!(
            "whether there is a role {JUST_IN_TIME_ROLE}, of just-in-time node access, could not be read: {error}"
        )),
    }
}
