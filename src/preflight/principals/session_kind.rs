//! Which sessions a document's key encrypts. Pure.
//!
//! The regional preferences encrypt sessions without a document and those of AWS's documents for interactive commands.
//! Another Standard_Stream document has a key setting of its own, and sessions of type Port are never encrypted with a
//! key (amazon-ssm-agent source, `sessionplugin.go`). ECS Exec has its own setting.

use crate::arn::{Arn, base_name};
use crate::ports::{PastSession, SessionDocument};
use crate::preflight::observation::LeftOut;
use crate::session::DocumentName;

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionKind<'a> {
    /// The document in question encrypts it.
    Encrypted,
    /// It does not.
    LeftOut(LeftOut),
    /// Its document, by name or ARN, has to be read.
    Unread(&'a str),
}

/// AWS's documents that open ports.
const PORT: [&str; 4] = [
    "AWS-StartPortForwardingSession",
    "AWS-StartPortForwardingSessionToRemoteHost",
    "AWS-StartPortForwardingSessionToSocket",
    "AWS-StartSSHSession",
];
/// AWS's documents whose sessions the regional preferences encrypt. The console's password reset works only with
/// session encryption.
const BY_PREFERENCES: [&str; 3] =
    ["AWS-StartInteractiveCommand", "AWS-StartNonInteractiveCommand", "AWS-PasswordReset"];
const ECS_EXEC: &str = "AmazonECS-ExecuteInteractiveCommand";

/// What the names of a session's document and target say. `document` is the document in question, of this account.
pub(super) fn kind<'a>(session: &'a PastSession, account: &str, document: &DocumentName) -> SessionKind<'a> {
    let named = session.document.as_deref().unwrap_or(DocumentName::PREFERENCES);
    let name = base_name(named);
    if session.target.starts_with("ecs:") || name == ECS_EXEC {
        return SessionKind::LeftOut(LeftOut::EcsExec);
    }
    if PORT.contains(&name) {
        return SessionKind::LeftOut(LeftOut::Port);
    }
    // A document that another account shares is named by its ARN. AWS's own documents have no account.
    let is_foreign = Arn::parse(named).is_some_and(|arn| !["", account].contains(&arn.account));
    let is_encrypted = if is_foreign {
        return unread(session, named);
    } else if BY_PREFERENCES.contains(&name) {
        document.is_preferences()
    } else if name == document.as_str() {
        true
    } else if name == DocumentName::PREFERENCES {
        false
    } else {
        return unread(session, named);
    };
    match (is_encrypted, session.is_just_in_time) {
        (false, _) => SessionKind::LeftOut(LeftOut::OtherDocument),
        (true, true) => SessionKind::LeftOut(LeftOut::JustInTime),
        (true, false) => SessionKind::Encrypted,
    }
}

/// A session of a document whose name does not decide.
fn unread<'a>(session: &PastSession, document: &'a str) -> SessionKind<'a> {
    match session.is_just_in_time {
        // Whoever starts it, the role of just-in-time node access is checked.
        true => SessionKind::LeftOut(LeftOut::JustInTime),
        false => SessionKind::Unread(document),
    }
}

/// What the content of its document says of a session, other than the document in question. The error is what is
/// not known.
pub(super) fn kind_by_content(
    read: Option<&SessionDocument>,
    document: &DocumentName,
) -> Result<SessionKind<'static>, String> {
    let Some(SessionDocument { session_type, names_key }) = read else {
        return Err("that document no longer exists".to_owned());
    };
    match session_type.as_deref() {
        Some("Port") => Ok(SessionKind::LeftOut(LeftOut::Port)),
        Some("Standard_Stream") => Ok(SessionKind::LeftOut(LeftOut::OtherDocument)),
        // Like AWS's documents for interactive commands, unless it has a key of its own.
        Some("InteractiveCommands" | "NonInteractiveCommands") => {
            Ok(match !names_key && document.is_preferences() {
                true => SessionKind::Encrypted,
                false => SessionKind::LeftOut(LeftOut::OtherDocument),
            })
        }
        Some(other) => Err(format!("its sessionType `{other}` is not known")),
        None => Err("it does not say of which type its sessions are".to_owned()),
    }
}

#[cfg(test)]
#[path = "session_kind/tests.rs"]
mod tests;
