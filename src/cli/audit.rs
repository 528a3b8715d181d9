//! `audit`: which key encrypts sessions in many accounts and Regions, who is locked out, and what has changed.

mod accounts;
mod output;
mod places;
mod progress;
mod source;

use std::collections::BTreeSet;
use std::io::BufWriter;

use clap::{Args, ValueEnum};
use futures_util::StreamExt as _;
use futures_util::stream;

pub(super) use source::read_audit;

use super::connection::CommandPorts;
use super::error::CliError;
use super::options::DocumentOption;
use super::output::{AwsOptions, FormatOption, OutputOptions};
use super::{Connection, Console, Exit};
use crate::access::{PrincipalArn, parse_principal_pattern};
use crate::audit::{
    Audit, AuditFormat, AuditLine, AuditMaker, AuditReport, AuditedPlace, Rating, Unreadable,
    UnreadableReason,
};
use crate::intent::{AuditQuestion, Safeguards};
use crate::location::Location;
use crate::operations;
use crate::ports::Environment;
use output::{AuditFile, is_done};
use places::PlaceOptions;
use progress::ProgressLine;

/// How often an account and Region are looked at again if AWS throttled to the end.
const MOST_PAUSES: u32 = 5;

/// What stands below the options of `audit --help`.
pub(super) const HELP: &str = "\
Without --accounts and --organization, the own account is looked at with the own credentials. Every other account is looked
at by the role of --role, which deploy/audit-role.yaml creates, and of which only read actions are used. An account and
Region that cannot be looked at is a row of its own, and the audit goes on.

With --output, each line is written as soon as it is known: after Ctrl-C, give the same file to --resume.

The list of --accounts has one account id a line, or CSV with id, name and organizational unit, or JSON; a comment begins
with `#`.

Examples:
  session-kms audit --regions enabled
  session-kms audit --organization --regions eu-west-1,us-east-1 --output audit.jsonl
  session-kms audit --from audit.jsonl --format html > audit.html

Exit codes: 0 sessions are encrypted everywhere and nobody is locked out; 1 something fails; 2 bad input; 3 nothing fails,
and something could not be looked at, or AWS refused or did not answer. A Region that is not enabled is no failure.";

/// The command `audit`, with the formats of its report.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct AuditCommand {
    #[command(flatten)]
    places: PlaceOptions,
    #[command(flatten)]
    document: DocumentOption,
    /// A role or user that starts sessions and must be able to use the key of its own account's document; may be repeated.
    #[arg(long = "user", value_name = "ARN", value_parser = PrincipalArn::parse)]
    users: Vec<PrincipalArn>,
    /// A role of nodes that must be able to use the key of its own account's document; may be repeated.
    #[arg(long = "node", value_name = "ARN", value_parser = PrincipalArn::parse)]
    nodes: Vec<PrincipalArn>,
    /// A pattern of ARNs, with * and ?, whose failure is reported and does not count; may be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = parse_principal_pattern)]
    exempt: Vec<String>,
    /// How many accounts and Regions are looked at at a time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Write one line of JSON for each account and Region to this new file, each as soon as it is known.
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Go on with an audit that was stopped: leave out what this file has, try again what AWS throttled or did not answer, and
    /// append to the file.
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    resume: Option<String>,
    /// Look at nothing, and report what is there: a file of lines, the folder that Step Functions wrote, or its address
    /// `s3://BUCKET/FOLDER/`.
    #[arg(long, value_name = "DIR|FILE|s3://…", conflicts_with_all = [
        "accounts", "organization", "regions", "role", "external_id", "output", "resume", "exclude", "unit",
    ])]
    from: Option<String>,
    /// Say what has changed since an earlier audit: the summary.json of its report, its folder, or its file of lines.
    #[arg(long, value_name = "SUMMARY|DIR|FILE")]
    since: Option<String>,
    /// How the report is written [default: text].
    #[arg(long, value_enum, ignore_case = true, hide_default_value = true)]
    format: Option<AuditFormatOption>,
    #[command(flatten)]
    aws: AwsOptions,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum AuditFormatOption {
    /// For a terminal.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// One row for each account and Region.
    Csv,
    /// A page that loads nothing else.
    Html,
    /// Findings for AWS Security Hub, one a line.
    Asff,
    /// Compliance Findings of OCSF, one a line.
    Ocsf,
}

impl AuditCommand {
    /// Takes the options before the command that stand behind it for other commands. The file is the one of the lines, as
    /// behind the command.
    pub(super) fn take(&mut self, before: OutputOptions) -> Result<OutputOptions, &'static str> {
        if let Some(file) = before.output {
            if self.resume.is_some() || self.from.is_some() {
                return Err(
                    "the argument '--output <FILE>' cannot be used with '--resume <FILE>' or '--from <FROM>'",
                );
            }
            self.output.get_or_insert_with(|| file.to_string_lossy().into_owned());
        }
        let aws = std::mem::take(&mut self.aws).or(before.aws);
        Ok(OutputOptions { format: before.format, output: None, aws })
    }

    /// The format: the one behind the command, or else the one before it.
    fn format(&self, before: Option<FormatOption>) -> Result<AuditFormatOption, CliError> {
        Ok(match (self.format, before) {
            (Some(format), _) => format,
            (None, None | Some(FormatOption::Text)) => AuditFormatOption::Text,
            (None, Some(FormatOption::Json)) => AuditFormatOption::Json,
            (None, Some(FormatOption::Html)) => AuditFormatOption::Html,
            (None, Some(FormatOption::Markdown)) => return Err(CliError::NotOfAudits("Markdown")),
            (None, Some(FormatOption::Sarif)) => return Err(CliError::NotOfAudits("SARIF")),
        })
    }

    fn question(&self, place: &AuditedPlace, own: &Location) -> AuditQuestion {
        // A principal needs the key of its own account's document only.
        let of_account = |principals: &[PrincipalArn]| {
            principals.iter().filter(|principal| principal.account() == place.account).cloned().collect()
        };
        let usual = AuditQuestion::new(&place.account, &place.region);
        AuditQuestion {
            account_name: place.account_name.clone(),
            organizational_unit: place.organizational_unit.clone(),
            role: self.places.role_in(&place.account, own),
            document: self.document.document.clone(),
            safeguards: Safeguards {
                users: of_account(&self.users),
                nodes: of_account(&self.nodes),
                exempt: self.exempt.clone(),
                ..usual.safeguards.clone()
            },
            ..usual
        }
    }
}

/// Runs the audit, or reads one, and writes the report.
pub(super) async fn run<P: CommandPorts>(
    command: &AuditCommand,
    format_before: Option<FormatOption>,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Exit, CliError> {
    let format = command.format(format_before)?;
    let previous = match &command.since {
        Some(source) => Some(source::read_summary(source, connect).await?),
        None => None,
    };
    let (audit, maker) = match &command.from {
        Some(source) => {
            let audit = read_audit(source, connect).await?;
            (audit, maker_of_stored(format, connect).await?)
        }
        None => Box::pin(look(command, console, connect)).await?,
    };
    let report = AuditReport::new(audit, previous.as_ref(), console.started.clone(), maker);
    write(&report, format, console)?;
    let has = |rating| report.audit().lines().any(|line| line.rating() == rating);
    Ok(if has(Rating::Fails) {
        Exit::Fails
    } else if has(Rating::Unknown) {
        Exit::Aws
    } else {
        Exit::Good
    })
}

/// Who makes the report of an audit that is read: only findings for other tools say so, and no other format needs
/// credentials.
async fn maker_of_stored<P>(
    format: AuditFormatOption,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<AuditMaker, CliError> {
    if matches!(format, AuditFormatOption::Asff | AuditFormatOption::Ocsf) {
        let Connection { location, .. } = connect(None).await?;
        return Ok(maker(&location));
    }
    Ok(AuditMaker { account: String::new(), region: String::new(), partition: String::new() })
}

fn maker(location: &Location) -> AuditMaker {
    AuditMaker {
        account: location.account.clone(),
        region: location.region.clone(),
        partition: location.partition.clone(),
    }
}

/// Looks at the accounts and Regions.
async fn look<P: CommandPorts>(
    command: &AuditCommand,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<(Audit, AuditMaker), CliError> {
    // What is wrong with files is said before anything is asked of AWS.
    let accounts = command.places.listed_accounts(console)?;
    let (mut file, lines) = match (&command.resume, &command.output) {
        (Some(path), _) => {
            let (file, lines) = AuditFile::resume(path)?;
            (Some(file), lines)
        }
        (None, Some(path)) => (Some(AuditFile::create(path)?), Vec::new()),
        (None, None) => (None, Vec::new()),
    };
    let Connection { ports, location } = command.places.connect(connect).await?;
    let environment = Environment::new(&ports, &location);
    let found = command.places.find(environment, accounts.as_deref()).await?;
    let done = lines.iter().filter(|line| is_done(line)).map(|line| place_of(&line.place));
    let done: BTreeSet<_> = done.map(|(account, region)| (account.to_owned(), region.to_owned())).collect();
    let is_open = |place: &&AuditedPlace| !done.contains(&(place.account.clone(), place.region.clone()));
    let open: Vec<_> = found.places.iter().filter(is_open).collect();
    let mut audit: Audit = lines.into_iter().collect();
    found.notes.into_iter().for_each(|note| audit.note(note));
    let terminal = console.watched.then_some(&mut *console.err);
    let mut progress = ProgressLine::new(terminal, open.len());
    // Boxed: each account and Region in flight has a large state.
    let looked = open.into_iter().map(|place| {
        let question = command.question(place, &location);
        Box::pin(async move { look_at(environment, &question).await })
    });
    let mut looked = stream::iter(looked).buffer_unordered(usize::from(command.concurrency));
    while let Some(line) = looked.next().await {
        if let Some(file) = &mut file {
            file.write(&line)?;
        }
        progress.count(line.rating() == Rating::Fails, line.rating() == Rating::Unknown);
        audit.fold(line);
    }
    progress.end();
    Ok((audit, maker(&location)))
}

fn place_of(place: &AuditedPlace) -> (&str, &str) {
    (&place.account, &place.region)
}

/// The line of an account and Region. If AWS throttles, it is tried again some times.
async fn look_at<P: CommandPorts>(environment: Environment<'_, P>, question: &AuditQuestion) -> AuditLine {
    let ports = environment.ports;
    let mut attempt = 0;
    loop {
        match operations::audit(environment, question).await {
            Ok(line) => return line,
            Err(error) if attempt == MOST_PAUSES => {
                let unreadable =
                    Unreadable { reason: UnreadableReason::Throttled, message: error.to_string() };
                return operations::unreadable_line(question, ports.now(), unreadable);
            }
            Err(_) => {
                attempt += 1;
                ports.pause(attempt).await;
            }
        }
    }
}

fn write(report: &AuditReport, format: AuditFormatOption, console: &mut Console<'_>) -> Result<(), CliError> {
    let format = match format {
        AuditFormatOption::Text => AuditFormat::Text { colour: console.colour },
        AuditFormatOption::Json => AuditFormat::Json,
        AuditFormatOption::Csv => AuditFormat::Csv,
        AuditFormatOption::Html => AuditFormat::Html,
        AuditFormatOption::Asff => AuditFormat::Asff,
        AuditFormatOption::Ocsf => AuditFormat::Ocsf,
    };
    console.write_with(|out| report.write(format, &mut BufWriter::new(out)))
}
