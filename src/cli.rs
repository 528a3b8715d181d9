//! The command line, with one file a command. A command parses its options, runs the same operation as the Lambda, and
//! prints the report.
//!
//! A command reads and writes a [`Console`] and reaches AWS through the ports that `connect` returns, so a test can run
//! it without a process.

mod apply;
mod audit;
mod change;
mod check;
mod clear;
mod connection;
mod console;
mod error;
pub mod evaluate;
mod files;
mod key_report;
mod keys;
mod options;
mod origin;
mod plan;
mod release;
mod status;
mod utf8_input;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub use connection::{CommandPorts, Connected, Connection, ConnectionRequest, checked_region};
pub use console::Console;
pub use error::CliError;

use crate::location::Location;
use crate::report::{Report, ReportFormat};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing is wrong, or the change was made.
    Good,
    /// A finding fails, or a document is not as wanted or has another owner, or somebody declined a question.
    Fails,
    /// An option or a file is wrong, or there is nobody to ask for a confirmation.
    BadInput,
    /// There are no credentials, or AWS refused or did not answer.
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

/// Which KMS key encrypts Session Manager sessions: shows it, checks a new one, and changes it.
#[derive(Debug, Parser)]
#[command(
    name = "session-kms",
    bin_name = "session-kms",
    version,
    after_help = "Exit codes: 0 good; 1 a finding fails, or you declined a question and nothing was changed; 2 bad input; \
                  3 no credentials, or AWS refused or did not answer.\n\
                  Credentials and the Region come from where the AWS CLI takes them."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: OutputOptions,
}

/// How a report is written, and whose credentials it is made with. They may stand before and after the command.
#[derive(Clone, Debug, Default, Args)]
#[group(skip)]
struct OutputOptions {
    /// How the report is written [default: text].
    #[arg(long, value_enum, ignore_case = true, hide_default_value = true)]
    format: Option<FormatOption>,
    /// The profile of the AWS CLI whose credentials and Region are used, instead of the environment's.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    profile: Option<String>,
    /// Log each call of AWS with its duration on standard error, and the whole error if there are no credentials.
    #[arg(long, short)]
    verbose: bool,
}

impl OutputOptions {
    /// These options, with those of `other` where these say nothing.
    fn or(self, other: Self) -> Self {
        Self {
            format: self.format.or(other.format),
            profile: self.profile.or(other.profile),
            verbose: self.verbose || other.verbose,
        }
    }

    fn is_empty(&self) -> bool {
        self.format.is_none() && self.profile.is_none() && !self.verbose
    }

    fn format(&self, console: &Console<'_>) -> ReportFormat {
        match self.format.unwrap_or_default() {
            FormatOption::Text => ReportFormat::Text { colour: console.colour },
            FormatOption::Json => ReportFormat::Json,
            FormatOption::Markdown => ReportFormat::Markdown,
            FormatOption::Html => ReportFormat::Html,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FormatOption {
    #[default]
    Text,
    Json,
    Markdown,
    Html,
}

/// The options of a command that reports.
#[derive(Debug, Args)]
#[group(skip)]
struct Reporting<T: Args> {
    #[command(flatten)]
    options: T,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show which key encrypts sessions, in each Region.
    Status(Reporting<status::StatusOptions>),
    /// List the keys of the account and Region, each fit for session encryption or why not.
    Keys(Reporting<keys::KeysOptions>),
    /// Show what would change and who would be locked out; write nothing.
    Plan(Reporting<plan::PlanOptions>),
    /// Encrypt sessions with a key, once the checks show that nobody is locked out.
    Apply(Reporting<apply::ApplyOptions>),
    /// Turn the encryption of sessions with a key off.
    Clear(Reporting<clear::ClearOptions>),
    /// Give a document back that the command line owns.
    Release(Reporting<release::ReleaseOptions>),
    /// Check who can use a key; with --policy without network and credentials.
    Check(Reporting<check::CheckOptions>),
    /// Show which key encrypts sessions in many accounts and Regions, and who is locked out.
    #[command(after_long_help = audit::HELP, after_help = audit::HELP)]
    Audit(Box<audit::AuditCommand>),
    /// Show whom a key admits for sessions, and which accounts of an audit use it.
    #[command(after_long_help = key_report::HELP, after_help = key_report::HELP)]
    KeyReport(Reporting<key_report::KeyReportOptions>),
    /// Decide cases given as JSON lines, one answer a line, in the order of the input.
    #[command(long_about = evaluate::ABOUT, after_long_help = evaluate::HELP, after_help = evaluate::HELP)]
    Evaluate,
}

impl Command {
    /// The options that stand behind the command; `None` if it does not report.
    fn output(&self) -> Option<&OutputOptions> {
        match self {
            Self::Status(command) => Some(&command.output),
            Self::Keys(command) => Some(&command.output),
            Self::Plan(command) => Some(&command.output),
            Self::Apply(command) => Some(&command.output),
            Self::Clear(command) => Some(&command.output),
            Self::Release(command) => Some(&command.output),
            Self::Check(command) => Some(&command.output),
            Self::KeyReport(command) => Some(&command.output),
            Self::Audit(_) | Self::Evaluate => None,
        }
    }
}

/// The whole command line as clap describes it: for completions, the man page and the reference.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs one command. `connect` returns the ports to AWS.
pub async fn run<P, C>(
    arguments: impl IntoIterator<Item = OsString>,
    console: &mut Console<'_>,
    connect: C,
) -> Exit
where
    P: CommandPorts,
    C: AsyncFn(ConnectionRequest<'_>) -> Result<Connected<P>, CliError>,
{
    let words: Vec<OsString> = arguments.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, console),
    };
    let output = match (&arguments.command, arguments.command.output()) {
        (Command::Audit(command), _) => {
            let behind =
                OutputOptions { format: None, profile: command.profile.clone(), verbose: command.verbose };
            behind.or(arguments.output)
        }
        (_, Some(behind)) => behind.clone().or(arguments.output),
        (_, None) if arguments.output.is_empty() => return evaluate_cases(console),
        (_, None) => return end(&CliError::NoReport, console),
    };
    let caller = RefCell::new(None);
    let connect = async |region: Option<&str>| {
        let profile = output.profile.as_deref();
        let request = ConnectionRequest { region, profile, is_verbose: output.verbose };
        let connected = connect(request).await?;
        caller.replace(Some(connected.caller));
        Ok(connected.connection)
    };
    // Boxed: the states of all commands in one future are nested too deeply for the compiler.
    let result = match arguments.command {
        Command::Status(command) => Box::pin(status::run(&command.options, &connect)).await,
        Command::Keys(command) => Box::pin(keys::run(&command.options, &connect)).await,
        Command::Plan(command) => Box::pin(plan::run(&command.options, console, &connect)).await,
        Command::Apply(command) => Box::pin(apply::run(&command.options, console, &connect)).await,
        Command::Clear(command) => Box::pin(clear::run(&command.options, console, &connect)).await,
        Command::Release(command) => Box::pin(release::run(&command.options, console, &connect)).await,
        Command::Check(command) => Box::pin(check::run(&command.options, console, &connect)).await,
        Command::KeyReport(command) => Box::pin(key_report::run(&command.options, &connect)).await,
        Command::Audit(command) => {
            let exit = Box::pin(audit::run(&command, output.format, console, &connect)).await;
            return exit.unwrap_or_else(|error| end(&error, console));
        }
        Command::Evaluate => return evaluate_cases(console),
    };
    let result = result.map(|mut report| {
        report.header.origin = Some(origin::origin(&words, &console.started, caller.take()));
        report
    });
    let format = output.format(console);
    let result = result.and_then(|report| answer(&report, format, console));
    result.unwrap_or_else(|error| end(&error, console))
}

/// Says why a command ends without a report.
fn end(error: &CliError, console: &mut Console<'_>) -> Exit {
    // An error that cannot be written has no other reader.
    let _ = writeln!(console.err, "session-kms: {error}");
    error.exit()
}

/// Answers cases until the input ends. The answer to a line that cannot be read says so, and so does the exit code.
fn evaluate_cases(console: &mut Console<'_>) -> Exit {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    match evaluate::run(&mut *console.input, &mut *console.out, workers) {
        Ok(evaluate::Summary { failed: 0, .. }) => Exit::Good,
        Ok(evaluate::Summary { answered, failed }) => {
            end(&CliError::Cases { failed, all: answered + failed }, console)
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
    use super::*;

    #[test]
    fn no_two_options_contradict_each_other() {
        command().debug_assert();
    }

    #[test]
    fn the_location_of_a_caller_is_the_account_of_its_arn() {
        let location =
            location_of_caller("arn:aws-cn:sts::111122223333:assumed-role/Ops/ann", "cn-north-1").unwrap();
        assert_eq!((location.partition, location.account), ("aws-cn".to_owned(), "111122223333".to_owned()));
        assert!(location_of_caller("nobody", "eu-west-1").is_err());
    }
}
