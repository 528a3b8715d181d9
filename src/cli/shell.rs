//! `completions` and `man`: what makes the program comfortable in a shell, from the same description as its help.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::error::CliError;
use super::{Console, command};

/// The options of `completions`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct CompletionsOptions {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: ShellOption,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellOption {
    Bash,
    Zsh,
    Fish,
}

/// The options of `man`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct ManOptions {
    /// The folder that the pages are written to, one for the program and one for each command. It is made if it does not
    /// exist. Without it, the page of the program goes to standard output.
    #[arg(value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

/// Writes the completions of a shell.
pub(super) fn completions(options: &CompletionsOptions, console: &mut Console<'_>) -> Result<(), CliError> {
    let shell = match options.shell {
        ShellOption::Bash => Shell::Bash,
        ShellOption::Zsh => Shell::Zsh,
        ShellOption::Fish => Shell::Fish,
    };
    // The generator ends the process if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "session-kms", &mut script);
    // The generator for bash writes the hyphen in the program's name in two ways, so that no command would be found.
    let script = String::from_utf8_lossy(&script).replace("session__subcmd__kms", "session__kms");
    console.write(&script)
}

/// Writes the manual pages.
pub(super) fn man(options: &ManOptions, console: &mut Console<'_>) -> Result<(), CliError> {
    let program = described();
    let Some(folder) = &options.directory else {
        let (_, page) = page(&program).map_err(CliError::Output)?;
        return console.write_with(|out| out.write_all(&page));
    };
    let written = fs::create_dir_all(folder).and_then(|()| {
        program.get_subcommands().chain([&program]).try_for_each(|command| {
            let (name, page) = page(command)?;
            fs::write(folder.join(name), page)
        })
    });
    written.map_err(|error| CliError::OutputFile { path: folder.display().to_string(), error })?;
    console.write(&format!("the manual pages are in `{}`\n", folder.display()))
}

/// The command line with the full name of each command.
fn described() -> clap::Command {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    program
}

/// The manual page of a command, with the name of its file.
fn page(command: &clap::Command) -> io::Result<(String, Vec<u8>)> {
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.get_after_long_help().or(command.get_after_help());
    let notes = help.map(ToString::to_string).unwrap_or_default();
    let without = command.clone().after_help(None::<&str>).after_long_help(None::<&str>);
    let man = Man::new(without).title(title);
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(notes_section(&notes).as_bytes());
    Ok((man.get_filename(), page))
}

/// What stands below the options of the help, as a section of a manual page. An indented line, such as an example, stays a
/// line of its own.
fn notes_section(notes: &str) -> String {
    let (mut section, mut is_kept) = (".SH NOTES\n".to_owned(), false);
    for line in notes.lines() {
        let is_indented = line.starts_with("  ");
        if is_indented != is_kept {
            section.push_str(if is_indented { ".nf\n" } else { ".fi\n" });
            is_kept = is_indented;
        }
        if line.is_empty() {
            section.push_str(".PP\n");
            continue;
        }
        // A period or an apostrophe at the beginning would be a request.
        section.push_str("\\&");
        section.push_str(&line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq"));
        section.push('\n');
    }
    if is_kept {
        section.push_str(".fi\n");
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_keep_their_lines_and_hold_no_request() {
        assert_eq!(
            notes_section("Examples:\n  a --b 'c\\d'\n\n.Exit\nand more"),
            ".SH NOTES\n\\&Examples:\n.nf\n\\&  a \\-\\-b \\(aqc\\ed\\(aq\n.fi\n.PP\n\\&.Exit\n\\&and more\n"
        );
    }
}
