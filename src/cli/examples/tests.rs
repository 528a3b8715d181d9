use clap::error::ErrorKind;

use super::super::command;

/// The words of a line as a shell reads them, as far as examples use it: single quotes, and no redirection of output.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in line.split(" > ").next().unwrap().chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    assert!(!is_quoted, "{line}");
    words.push(word);
    words
}

/// The command lines below the options in the help of a command.
fn examples(command: &clap::Command) -> Vec<String> {
    let help = command.get_after_long_help().or(command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().filter(|line| line.starts_with("  "));
    // What stands before a pipe is another program.
    let ours = lines.filter_map(|line| line.rsplit(" | ").next().map(str::trim));
    ours.filter(|line| line.starts_with("session-kms ")).map(str::to_owned).collect()
}

#[test]
fn every_example_is_understood() {
    let program = command();
    for described in program.get_subcommands().chain([&program]) {
        let examples = examples(described);
        assert!(!examples.is_empty(), "{} has no example", described.get_name());
        for line in examples {
            let words = words(&line);
            assert!(described.get_name() == "session-kms" || words[1] == described.get_name(), "{line}");
            let parsed = command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn an_option_or_a_command_with_a_typing_error_has_a_suggestion() {
    for (line, kind, suggestion) in [
        ("session-kms status --regoin eu-west-1", ErrorKind::UnknownArgument, "--region"),
        ("session-kms chekc", ErrorKind::InvalidSubcommand, "check"),
        ("session-kms status --format jsno", ErrorKind::InvalidValue, "json"),
        ("session-kms --explain key-polcy", ErrorKind::InvalidValue, "key-policy"),
        ("session-kms completions basch", ErrorKind::InvalidValue, "bash"),
    ] {
        let error = command().try_get_matches_from(words(line)).unwrap_err();
        assert_eq!(error.kind(), kind, "{line}");
        let text = error.to_string();
        assert!(text.contains("similar") && text.contains(suggestion), "{line}: {text}");
    }
}
