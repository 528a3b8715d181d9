//! Where a report comes from: when it was made, by which version, for which caller and by which command.

use std::ffi::OsString;

use crate::quote::shell_word;
use crate::report::ReportOrigin;

/// Options whose values are secrets, which no report repeats.
const SECRET: [&str; 2] = ["--reader-external-id", "--external-id"];

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// Where the report of a command comes from. The first of the arguments is the program.
pub(super) fn origin(arguments: &[OsString], started: &str, caller: Option<String>) -> ReportOrigin {
    ReportOrigin {
        generated_at: started.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        caller,
        command_line: command_line(arguments),
    }
}

/// The command line as it can be pasted into a shell.
fn command_line(arguments: &[OsString]) -> String {
    let mut words = vec!["session-kms".to_owned()];
    let mut is_secret = false;
    for argument in arguments.iter().skip(1).map(|argument| argument.to_string_lossy()) {
        let with_value = SECRET
            .iter()
            .find(|name| argument.strip_prefix(**name).is_some_and(|rest| rest.starts_with('=')));
        words.push(match with_value {
            _ if is_secret => HIDDEN.to_owned(),
            Some(name) => format!("{name}={HIDDEN}"),
            None => shell_word(&argument),
        });
        is_secret = !is_secret && SECRET.contains(&argument.as_ref());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_and_holds_no_secret() {
        let line = |words: &[&str]| command_line(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            line(&["/opt/session-kms", "check", "--exempt", "*x y", "--key", "alias/it's", ""]),
            r"session-kms check --exempt '*x y' --key 'alias/it'\''s' ''"
        );
        for given in [
            &["s", "--reader-external-id", "s3cret", "--yes"][..],
            &["s", "--reader-external-id=s3cret", "--yes"],
        ] {
            let line = line(given);
            assert!(line.ends_with("*** --yes") && !line.contains("s3cret"), "{line}");
        }
        assert_eq!(
            line(&["s", "--reader-external-id", "--reader-external-id", "x"]),
            "session-kms --reader-external-id *** x"
        );
    }
}
