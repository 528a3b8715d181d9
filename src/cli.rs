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
mod examples;
mod explain;
mod files;
mod input;
mod key_report;
mod keys;
mod options;
mod origin;
mod output;
mod plan;
mod release;
mod shell;
mod status;
mod suggestions;
mod utf8_input;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use connection::{CommandPorts, Connected, Connection, ConnectionRequest, checked_region};
pub use console::Console;
pub use error::CliError;
pub use input::{InputError, SyntaxProblem};

use crate::location::Location;
use crate::preflight::Check;
use crate::report::{Report, ReportFormat};
use explain::CheckArguments;
use output::{AwsOptions, OutputOptions, ReportFile};
use suggestions::Doubtful;

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
    arg_required_else_help = true,
    override_usage = "session-kms [OPTIONS] <COMMAND>\n       session-kms --explain <CHECK>",
    after_help = examples::PROGRAM
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Explain a check, without a command and any other option: what it asks, and what its answers mean.
    #[arg(long, value_name = "CHECK", value_enum, ignore_case = true, exclusive = true)]
    explain: Option<Check>,
    #[command(flatten)]
    output: OutputOptions,
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
    #[command(after_help = examples::STATUS)]
    Status(Reporting<status::StatusOptions>),
    /// List the keys of the account and Region, each fit for session encryption or why not.
    #[command(after_help = examples::KEYS)]
    Keys(Reporting<keys::KeysOptions>),
    /// Show what would change and who would be locked out; write nothing.
    #[command(after_help = examples::PLAN)]
    Plan(Reporting<plan::PlanOptions>),
    /// Encrypt sessions with a key, once the checks show that nobody is locked out.
    #[command(after_help = examples::APPLY)]
    Apply(Reporting<apply::ApplyOptions>),
    /// Turn the encryption of sessions with a key off.
    #[command(after_help = examples::CLEAR)]
    Clear(Reporting<clear::ClearOptions>),
    /// Give a document back that the command line owns.
    #[command(after_help = examples::RELEASE)]
    Release(Reporting<release::ReleaseOptions>),
    /// Check who can use a key; with --policy, --template or --plan without network and credentials.
    #[command(after_help = examples::CHECK)]
    Check(CheckArguments),
    /// Show which key encrypts sessions in many accounts and Regions, and who is locked out.
    #[command(after_long_help = audit::HELP, after_help = audit::HELP)]
    Audit(Box<audit::AuditCommand>),
    /// Show whom a key admits for sessions, and which accounts of an audit use it.
    #[command(after_long_help = key_report::HELP, after_help = key_report::HELP)]
    KeyReport(Reporting<key_report::KeyReportOptions>),
    /// Decide cases given as JSON lines, one answer a line, in the order of the input.
    #[command(long_about = evaluate::ABOUT, after_long_help = evaluate::HELP, after_help = evaluate::HELP)]
    Evaluate,
    /// Write the completions of a shell to standard output.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(shell::CompletionsOptions),
    /// Write the manual pages.
    #[command(after_help = examples::MAN)]
    Man(shell::ManOptions),
}

impl Command {
    /// The options that stand behind the command; `None` if it does not report, or has formats of its own.
    fn output(&self) -> Option<&OutputOptions> {
        match self {
            Self::Status(command) => Some(&command.output),
            Self::Keys(command) => Some(&command.output),
            Self::Plan(command) => Some(&command.output),
            Self::Apply(command) => Some(&command.output),
            Self::Clear(command) => Some(&command.output),
            Self::Release(command) => Some(&command.output),
            Self::Check(CheckArguments::Report(command)) => Some(&command.output),
            Self::KeyReport(command) => Some(&command.output),
            Self::Check(CheckArguments::Explain(_))
            | Self::Audit(_)
            | Self::Evaluate
            | Self::Completions(_)
            | Self::Man(_) => None,
        }
    }

    /// Runs a command that makes no report and asks nothing of AWS; `None` if it is another.
    fn run_alone(&self, before: &OutputOptions, console: &mut Console<'_>) -> Option<Exit> {
        let name = match self {
            Self::Evaluate => "evaluate",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Check(CheckArguments::Explain(_)) => "check --explain",
            _ => return None,
        };
        if !before.is_empty() {
            return Some(end(&CliError::NoReport(name), console));
        }
        let result = match self {
            Self::Completions(options) => shell::completions(options, console),
            Self::Man(options) => shell::man(options, console),
            Self::Check(CheckArguments::Explain(check)) => console.write(&explain::text(*check)),
            _ => return Some(evaluate_cases(console)),
        };
        Some(result.map_or_else(|error| end(&error, console), |()| Exit::Good))
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
    let (arguments, doubtful) = match parsed(&words) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, console),
    };
    let Arguments { command, explain, output: before } = arguments;
    let mut command = match (command, explain) {
        (Some(command), None) => command,
        (None, Some(check)) => Command::Check(CheckArguments::Explain(check)),
        (Some(_), Some(_)) => {
            let text = "--explain is given without a command, or as `session-kms check --explain`";
            return usage(&self::command().error(ErrorKind::ArgumentConflict, text), console);
        }
        (None, None) => {
            let text = "a command is needed; `session-kms --help` lists them";
            return usage(&self::command().error(ErrorKind::MissingSubcommand, text), console);
        }
    };
    if let Some(exit) = command.run_alone(&before, console) {
        return exit;
    }
    let output = match (&mut command, before) {
        (Command::Audit(command), before) => match command.take(before) {
            Ok(output) => output,
            Err(conflict) => {
                return usage(&self::command().error(ErrorKind::ArgumentConflict, conflict), console);
            }
        },
        (command, before) => command.output().cloned().unwrap_or_default().or(before),
    };
    let caller = RefCell::new(None);
    let connect = async |region: Option<&str>| {
        let AwsOptions { profile, endpoint_url, verbose } = &output.aws;
        let request = ConnectionRequest {
            region,
            profile: profile.as_deref(),
            endpoint_url: endpoint_url.as_deref(),
            is_verbose: *verbose,
        };
        let connected = connect(request).await?;
        caller.replace(Some(connected.caller));
        Ok(connected.connection)
    };
    let file = match output.file().map(ReportFile::checked).transpose() {
        Ok(file) => file,
        Err(error) => return end(&error, console),
    };
    // Boxed: the states of all commands in one future are nested too deeply for the compiler.
    let result = match command {
        Command::Status(command) => Box::pin(status::run(&command.options, &connect)).await,
        Command::Keys(command) => Box::pin(keys::run(&command.options, &connect)).await,
        Command::Plan(command) => Box::pin(plan::run(&command.options, console, &connect)).await,
        Command::Apply(command) => Box::pin(apply::run(&command.options, console, &connect)).await,
        Command::Clear(command) => Box::pin(clear::run(&command.options, console, &connect)).await,
        Command::Release(command) => Box::pin(release::run(&command.options, console, &connect)).await,
        Command::Check(CheckArguments::Report(command)) => {
            Box::pin(check::run(&command.options, console, &connect)).await
        }
        Command::KeyReport(command) => Box::pin(key_report::run(&command.options, &connect)).await,
        Command::Audit(command) => {
            let exit = Box::pin(audit::run(&command, output.format, console, &connect)).await;
            return exit.unwrap_or_else(|error| end_doubtfully(&error, &doubtful, console));
        }
        Command::Evaluate
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Check(CheckArguments::Explain(_)) => return Exit::Good,
    };
    let result = result.map(|mut report| {
        report.header.origin = Some(origin::origin(&words, &console.started, caller.take()));
        report.notes.extend(doubtful.of_condition_keys());
        report
    });
    let format = output.format(console);
    let result = result.and_then(|report| answer(&report, format, file.as_ref(), console));
    result.unwrap_or_else(|error| end_doubtfully(&error, &doubtful, console))
}

/// The arguments, and what of them may be misspelt.
fn parsed(words: &[OsString]) -> Result<(Arguments, Doubtful), clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let arguments = Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))?;
    Ok((arguments, Doubtful::of(&matches)))
}

/// Says why a command ends without a report. If AWS did not answer, a Region may be misspelt.
fn end_doubtfully(error: &CliError, doubtful: &Doubtful, console: &mut Console<'_>) -> Exit {
    let exit = end(error, console);
    if exit == Exit::Aws {
        for line in doubtful.of_regions() {
            let _ = writeln!(console.err, "session-kms: {line}");
        }
    }
    exit
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

/// Writes the report to the file, or else to the output.
fn answer(
    report: &Report,
    format: ReportFormat,
    file: Option<&ReportFile>,
    console: &mut Console<'_>,
) -> Result<Exit, CliError> {
    let text = report.render(format);
    match file {
        None => console.write(&text)?,
        Some(file) => {
            if let Err(error) = file.write(&text) {
                // A change may have been made, so its report must not be lost.
                console.write(&text)?;
                return Err(error);
            }
            // The report is there, whether or not somebody reads where.
            let _ = writeln!(console.err, "session-kms: the report is in `{}`", file.shown());
        }
    }
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
