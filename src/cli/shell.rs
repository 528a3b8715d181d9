//! `completions` and `man`: what makes the program comfortable in a shell, from the same description as its help.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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
    console.write_with(|out| out.write_all(&script))
}

/// Writes the manual pages.
pub(super) fn man(options: &ManOptions, console: &mut Console<'_>) -> Result<(), CliError> {
    let Some(folder) = &options.directory else {
        return console.write_with(|out| Man::new(command()).render(out));
    };
    let pages = pages(folder);
    pages.map_err(|error| CliError::OutputFile { path: folder.display().to_string(), error })?;
    console.write(&format!("wrote the manual pages to {}\n", folder.display()))
}

fn pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command(), folder)
}
