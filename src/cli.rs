//! The command line, with one file a command. A command parses its options, runs the same operation as the Lambda, and
//! prints the report.
//!
//! A command reads and writes a [`Console`] and reaches AWS through the ports that `connect` returns, so a test can run
//! it without a process.

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
use std::io;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand, ValueEnum};

pub use console::Console;
pub use error::CliError;

use crate::location::Location;
use crate::ports::WritePorts;
use crate::report::{Report, ReportFormat};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong, or the change was made.
    Good,
    /// A finding fails, or a document is not as wanted or has another owner.
    Fails,
    /// An option or a file is wrong, or a confirmation is missing.
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

/// The ports to AWS in one Region, and their location.
#[derive(Debug)]
pub struct Connection<P> {
    /// The ports.
    pub ports: P,
    /// The Region, and the account of the credentials.
    pub location: Location,
}

/// Which KMS key encrypts Session Manager sessions: shows it, checks a new one, and changes it.
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
    Status(status::StatusOptions),
    /// List the keys of the account and Region, each fit for session encryption or why not.
    Keys(keys::KeysOptions),
    /// Show what would change and who would be locked out; write nothing.
    Plan(plan::PlanOptions),
    /// Encrypt sessions with a key, once the checks show that nobody is locked out.
    Apply(apply::ApplyOptions),
    /// Turn the encryption of sessions with a key off.
    Clear(clear::ClearOptions),
    /// Check who can use a key; with --policy without network and credentials.
    Check(check::CheckOptions),
    /// Decide cases given as JSON lines, one answer a line, in the order of the input.
    #[command(
        after_help = "Exit codes: 0 every line was answered; 2 a line could not be read, which its answer says in \
                            `error`, and all others were answered, or the input or output failed."
    )]
    Evaluate,
}

/// Runs one command. `connect` returns the ports to AWS in a Region; `None` stands for the environment's Region.
pub async fn run<P, C>(
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
    connect: C,
) -> Exit
where
    P: WritePorts,
    C: AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, console),
    };
    let format = match arguments.format {
        FormatOption::Text => ReportFormat::Text { colour: console.colour },
        FormatOption::Json => ReportFormat::Json,
        FormatOption::Markdown => ReportFormat::Markdown,
        FormatOption::Html => ReportFormat::Html,
    };
    // Boxed: the states of all commands in one future are nested too deeply for the compiler.
    let result = match arguments.command {
        Command::Status(options) => Box::pin(status::run(&options, &connect)).await,
        Command::Keys(options) => Box::pin(keys::run(&options, &connect)).await,
        Command::Plan(options) => Box::pin(plan::run(&options, console, &connect)).await,
        Command::Apply(options) => Box::pin(apply::run(&options, console, &connect)).await,
        Command::Clear(options) => Box::pin(clear::run(&options, console, &connect)).await,
        Command::Check(options) => Box::pin(check::run(&options, &connect)).await,
        Command::Evaluate => return evaluate_cases(console),
    };
    let result = result.and_then(|report| answer(&report, format, console));
    result.unwrap_or_else(|error| {
        // An error that cannot be written has no other reader.
        let _ = writeln!(console.err, "session-kms: {error}");
        error.exit()
    })
}

/// Answers cases until the input ends. The answer to a line that cannot be read says so, and so does the exit code.
fn evaluate_cases(console: &mut Console<'_>) -> Exit {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    match evaluate::run(&mut *console.input, &mut *console.out, workers) {
        Ok(evaluate::Summary { failed: 0, .. }) => Exit::Good,
        Ok(evaluate::Summary { answered, failed }) => {
            let error = CliError::Cases { failed, all: answered + failed };
            let _ = writeln!(console.err, "session-kms: {error}");
            error.exit()
        }
        // The reader of a pipe that closes it, as `head` does, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Good,
        Err(error) => {
            let _ = writeln!(console.err, "session-kms: the cases could not be read or answered: {error}");
            Exit::BadInput
        }
    }
}

fn answer(report: &Report, format: ReportFormat, console: &mut Console<'_>) -> Result<Exit, CliError> {
    console.write(&report.render(format))?;
    Ok(if report.fails() { Exit::Fails } else { Exit::Good })
}

/// The location of a caller: the account and partition of its ARN, and the Region.
///
/// # Errors
/// If the ARN names no account.
pub fn location_of_caller(caller_arn: &str, region: &str) -> Result<Location, CliError> {
    Location::of_arn(caller_arn, region).ok_or_else(|| CliError::NoAccount(caller_arn.to_owned()))
}

/// Writes what clap has to say: the help or the version, if they were asked for, or what is wrong with the options.
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
    fn no_two_options_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_location_of_a_caller_is_the_account_of_its_arn() {
        let location =
            location_of_caller("arn:aws-cn:sts::111122223333:assumed-role/Ops/ann", "cn-north-1").unwrap();
        assert_eq!((location.partition, location.account), ("aws-cn".to_owned(), "111122223333".to_owned()));
        assert!(location_of_caller("nobody", "eu-west-1").is_err());
    }
}
