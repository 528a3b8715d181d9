use super::*;

const ACCOUNT: &str = "111122223333";
const SHARED: &str = "arn:aws:ssm:eu-west-1:999999999999:document/Team-Sessions";
const SHARED_PREFERENCES: &str = "arn:aws:ssm:eu-west-1:999999999999:document/SSM-SessionManagerRunShell";

fn session(document: Option<&str>, target: &str) -> PastSession {
    PastSession {
        owner: "owner".to_owned(),
        target: target.to_owned(),
        document: document.map(str::to_owned),
        is_just_in_time: false,
    }
}

#[test]
fn the_regional_preferences_encrypt_shells_and_interactive_commands() {
    use LeftOut::{EcsExec, OtherDocument, Port};
    use SessionKind::{Encrypted, LeftOut as Out, Unread};
    let team = DocumentName::parse("Team-Sessions").unwrap();
    let preferences = DocumentName::default();
    let arn = "arn:aws:ssm:eu-west-1:111122223333:document/Team-Sessions";
    for (document, of_preferences, of_team) in [
        (None, Encrypted, Out(OtherDocument)),
        (Some("SSM-SessionManagerRunShell"), Encrypted, Out(OtherDocument)),
        (Some("AWS-StartInteractiveCommand"), Encrypted, Out(OtherDocument)),
        (Some("AWS-StartNonInteractiveCommand"), Encrypted, Out(OtherDocument)),
        (Some("AWS-PasswordReset"), Encrypted, Out(OtherDocument)),
        (Some("AWS-StartPortForwardingSession"), Out(Port), Out(Port)),
        (Some("AWS-StartPortForwardingSessionToRemoteHost"), Out(Port), Out(Port)),
        (Some("AWS-StartPortForwardingSessionToSocket"), Out(Port), Out(Port)),
        (Some("AWS-StartSSHSession"), Out(Port), Out(Port)),
        (Some("AmazonECS-ExecuteInteractiveCommand"), Out(EcsExec), Out(EcsExec)),
        (Some("Team-Sessions"), Unread("Team-Sessions"), Encrypted),
        (Some(arn), Unread(arn), Encrypted),
        (Some("Other"), Unread("Other"), Unread("Other")),
        // Another account shares them.
        (Some(SHARED), Unread(SHARED), Unread(SHARED)),
        (Some(SHARED_PREFERENCES), Unread(SHARED_PREFERENCES), Unread(SHARED_PREFERENCES)),
        (Some("arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession"), Out(Port), Out(Port)),
    ] {
        let session = session(document, "i-1");
        assert_eq!(kind(&session, ACCOUNT, &preferences), of_preferences, "{document:?}");
        assert_eq!(kind(&session, ACCOUNT, &team), of_team, "{document:?}");
    }
    assert_eq!(kind(&session(None, "ecs:cluster_1_2"), ACCOUNT, &preferences), Out(EcsExec));
}

#[test]
fn a_just_in_time_session_is_the_matter_of_its_role_unless_no_key_encrypts_it() {
    let preferences = DocumentName::default();
    for (document, expected) in [
        (None, LeftOut::JustInTime),
        (Some("Unknown"), LeftOut::JustInTime),
        (Some("AWS-StartSSHSession"), LeftOut::Port),
    ] {
        let session = PastSession { is_just_in_time: true, ..session(document, "i-1") };
        assert_eq!(kind(&session, ACCOUNT, &preferences), SessionKind::LeftOut(expected), "{document:?}");
    }
}

#[test]
fn the_content_of_a_document_says_whether_the_preferences_encrypt_its_sessions() {
    let read = |session_type: &str, names_key| SessionDocument {
        session_type: Some(session_type.to_owned()),
        names_key,
    };
    let (preferences, team) = (DocumentName::default(), DocumentName::parse("Team-Sessions").unwrap());
    let other = SessionKind::LeftOut(LeftOut::OtherDocument);
    for (read, expected) in [
        (read("Port", false), SessionKind::LeftOut(LeftOut::Port)),
        (read("Standard_Stream", false), other),
        (read("Standard_Stream", true), other),
        (read("InteractiveCommands", false), SessionKind::Encrypted),
        (read("NonInteractiveCommands", false), SessionKind::Encrypted),
        (read("InteractiveCommands", true), other),
    ] {
        assert_eq!(kind_by_content(Some(&read), &preferences), Ok(expected), "{read:?}");
    }
    assert_eq!(kind_by_content(Some(&read("InteractiveCommands", false)), &team), Ok(other));
    assert!(kind_by_content(None, &preferences).is_err());
    assert!(kind_by_content(Some(&read("Future", false)), &preferences).is_err());
    let silent = SessionDocument { session_type: None, names_key: false };
    assert!(kind_by_content(Some(&silent), &preferences).is_err());
}
