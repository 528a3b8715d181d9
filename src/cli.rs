//! The command line, one file a command. It parses, asks the same rooms as the Lambda, and prints a report.
//!
//! Everything goes through a [`Console`], and AWS is reached through what `connect` gives, so that a test
//! runs a command without a process.

mod apply;
mod change;
mod check;
mod clear;
mod console;
mod error;
pub mod evaluate;
mod files;
mod keys;
mod options;
mod plan;
mod status;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

pub use console::Console;
pub use error::CliError;

use crate::location::Location;
use crate::ports::AccessPorts;
use crate::report::{Format, Report};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well, or was done.
    Good,
    /// A finding fails: the key is not to be switched on, a document is not as wanted or not ours.
    Fails,
    /// The input is bad: an option, a file, a missing confirmation.
    BadInput,
    /// AWS refused or did not answer.
    Aws,
}

impl Exit {
    /// The code that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Fails => 1,
            Self::BadInput => 2,
            Self::Aws => 3,
        }
    }
}

/// AWS in one Region, and where that is.
#[derive(Debug)]
pub struct Connection<P> {
    /// The calls.
    pub ports: P,
    /// The Region, and the account of the credentials.
    pub location: Location,
}

/// Which KMS key encrypts Session Manager sessions: shows it, proves a new one, changes it.
#[derive(Debug, Parser)]
#[command(
    name = "session-kms",
    bin_name = "session-kms",
    version,
    after_help = "Exit codes: 0 good; 1 a finding fails; 2 bad input; 3 AWS refused or did not answer.\n\
                  Credentials and the Region come from where the AWS CLI takes them."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How the report is written.
    #[arg(long, global = true, value_enum, default_value_t)]
    format: FormatOption,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FormatOption {
    #[default]
    Text,
    Json,
    Markdown,
    Html,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show which key encrypts sessions, in each Region.
    Status(status::Options),
    /// List the keys of the account and Region, each fit for session encryption or why not.
    Keys(keys::Options),
    /// Show what would change and who would be locked out; write nothing.
    Plan(plan::Options),
    /// Encrypt sessions with a key, once it is proven that nobody is locked out.
    Apply(apply::Options),
    /// Turn the encryption of sessions with a key off.
    Clear(clear::Options),
    /// Check who can use a key; with --policy without network and credentials.
    Check(check::Options),
    /// Decide cases given as JSON lines, one answer a line, in the order of the input.
    #[command(
        after_help = "Exit codes: 0 every line was answered; 2 a line could not be read, which its answer says in \
                            `error`, and all others were answered, or the input or output failed."
    )]
    Evaluate,
}

/// Runs one command. `connect` reaches AWS in a Region, in that of the environment where none is named.
pub async fn run<P, C>(
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
    connect: C,
) -> Exit
where
    P: AccessPorts,
    C: AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, console),
    };
    let format = match arguments.format {
        FormatOption::Text => Format::Text { colour: console.colour },
        FormatOption::Json => Format::Json,
        FormatOption::Markdown => Format::Markdown,
        FormatOption::Html => Format::Html,
    };
    // Boxed: the state of the whole way, inlined into one future, is too deep for the compiler.
    let result = match arguments.command {
        Command::Status(options) => Box::pin(status::run(&options, &connect)).await,
        Command::Keys(options) => Box::pin(keys::run(&options, &connect)).await,
        Command::Plan(options) => Box::pin(plan::run(&options, console, &connect)).await,
        Command::Apply(options) => Box::pin(apply::run(&options, console, &connect)).await,
        Command::Clear(options) => Box::pin(clear::run(&options, console, &connect)).await,
        Command::Check(options) => Box::pin(check::run(&options, &connect)).await,
        Command::Evaluate => return evaluated(console),
    };
    let result = result.and_then(|report| answer(&report, format, console));
    result.unwrap_or_else(|error| {
        // Nobody is left to tell where this cannot be written.
        let _ = writeln!(console.err, "session-kms: {error}");
        error.exit()
    })
}

/// Answers cases until the input ends; a line that cannot be read is told in its answer, and by how the command ends.
fn evaluated(console: &mut Console<'_>) -> Exit {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    match evaluate::run(&mut *console.input, &mut *console.out, workers) {
        Ok(evaluate::Summary { failed: 0, .. }) => Exit::Good,
        Ok(evaluate::Summary { answered, failed }) => {
            let error = CliError::Cases { failed, all: answered + failed };
            let _ = writeln!(console.err, "session-kms: {error}");
            error.exit()
        }
        Err(error) => {
            let _ = writeln!(console.err, "session-kms: the cases could not be read or answered: {error}");
            Exit::BadInput
        }
    }
}

fn answer(report: &Report, format: Format, console: &mut Console<'_>) -> Result<Exit, CliError> {
    console.write(&report.render(format))?;
    Ok(if report.fails() { Exit::Fails } else { Exit::Good })
}

/// Where a caller is at home: the account of its ARN, in a Region.
///
/// # Errors
/// Where the ARN names no account.
pub fn location_of_caller(caller_arn: &str, region: &str) -> Result<Location, CliError> {
    Location::of_arn(caller_arn, region).ok_or_else(|| CliError::NoAccount(caller_arn.to_owned()))
}

/// What clap has to say: the help and the version, which were asked for, or what is wrong with the options.
fn usage(error: &clap::Error, console: &mut Console<'_>) -> Exit {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = error.render();
    let text = if console.colour { text.ansi().to_string() } else { text.to_string() };
    if asked_for {
        return console.write(&text).map_or_else(|error| error.exit(), |()| Exit::Good);
    }
    let _ = write!(console.err, "{text}");
    Exit::BadInput
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_contradict_each_other_nowhere() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_caller_is_at_home_in_the_account_of_its_arn() {
        let location =
            location_of_caller("arn:aws-cn:sts::111122223333:assumed-role/Ops/ann", "cn-north-1").unwrap();
        assert_eq!((location.partition, location.account), ("aws-cn".to_owned(), "111122223333".to_owned()));
        assert!(location_of_caller("nobody", "eu-west-1").is_err());
    }
}
