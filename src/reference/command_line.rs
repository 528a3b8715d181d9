//! The commands and their options, from the definition that the command line itself uses.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::markdown::cell;

/// The section on the command line: the options of every command, and a part for each command.
pub(super) fn section() -> String {
    let mut root = crate::cli::command();
    root.build();
    let shared: Vec<&Arg> = shown(&root).collect();
    let mut text = String::new();
    let _ = writeln!(text, "These options stand before or after a command.\n");
    options(&mut text, &shared);
    for command in
        root.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        of_command(&mut text, command, &shared);
    }
    text
}

fn of_command(text: &mut String, command: &Command, shared: &[&Arg]) {
    let name = command.get_name();
    let _ = writeln!(text, "\n### session-kms {name}\n");
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    let _ = writeln!(text, "{}", sentence(&about.unwrap_or_default()));
    let is_shared =
        |arg: &Arg| shared.iter().any(|other| other.get_id() == arg.get_id() && help(other) == help(arg));
    let own: Vec<_> = shown(command).filter(|arg| !is_shared(arg)).collect();
    if !own.is_empty() {
        text.push('\n');
        options(text, &own);
    }
    let examples: Vec<_> = examples(command);
    if !examples.is_empty() {
        let _ = writeln!(
            text,
            "\n<!-- not run: a test reads each command with the options of the command line -->"
        );
        let _ = writeln!(text, "```sh\n{}\n```", examples.join("\n"));
    }
}

/// The lines of the text behind the options that are commands.
fn examples(command: &Command) -> Vec<String> {
    let after = command.get_after_long_help().or_else(|| command.get_after_help()).map(ToString::to_string);
    let after = after.unwrap_or_default();
    let lines = after.lines().map(str::trim);
    lines.filter(|line| line.starts_with("session-kms ")).map(ToOwned::to_owned).collect()
}

/// What a reader of the help sees, without `--help` and `--version`.
fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_of_clap = |arg: &Arg| matches!(arg.get_id().as_str(), "help" | "version");
    command.get_arguments().filter(move |arg| !arg.is_hide_set() && !is_of_clap(arg))
}

fn options(text: &mut String, arguments: &[&Arg]) {
    text.push_str("| option | meaning |\n| --- | --- |\n");
    for arg in arguments {
        let _ = writeln!(text, "| `{}` | {} |", cell(&spelt(arg)), cell(&meaning(arg)));
    }
}

/// The option with its value: `--region REGION …`.
fn spelt(arg: &Arg) -> String {
    let mut parts = Vec::new();
    if let Some(long) = arg.get_long() {
        parts.push(format!("--{long}"));
    }
    if arg.get_action().takes_values() {
        let names = arg.get_value_names().unwrap_or_default();
        let names: Vec<_> = names.iter().map(|name| name.as_str().to_owned()).collect();
        parts.push(if names.is_empty() { arg.get_id().as_str().to_uppercase() } else { names.join(" ") });
    }
    if matches!(arg.get_action(), ArgAction::Append) {
        parts.push("…".to_owned());
    }
    parts.join(" ")
}

fn help(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    help.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn meaning(arg: &Arg) -> String {
    let mut text = sentence(&help(arg));
    let words: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|word| !word.is_hide_set())
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if arg.get_action().takes_values() && !words.is_empty() {
        let _ = write!(text, " One of {}.", words.join(", "));
    }
    let defaults: Vec<_> =
        arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, " Default: {}.", defaults.join(", "));
    }
    if arg.is_required_set() {
        text.push_str(" Required.");
    }
    text
}

/// A text of the help as a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', ':', ')']) { text.to_owned() } else { format!("{text}.") }
}
