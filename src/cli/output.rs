//! How a report is written and where to, and with whose credentials and by which address it is made: the options that stand
//! before and after every command that reports.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum, ValueHint};

use super::Console;
use super::error::CliError;
use crate::report::ReportFormat;
use url::Url;

/// The name of standard output.
const STANDARD_OUTPUT: &str = "-";

/// How a report is written, and whose credentials it is made with. They may stand before and after the command.
#[derive(Clone, Debug, Default, Args)]
#[group(skip)]
pub(super) struct OutputOptions {
    /// How the report is written [default: by the ending of the file of --output, or else text].
    #[arg(long, value_enum, ignore_case = true, hide_default_value = true)]
    pub(super) format: Option<FormatOption>,
    /// Write the report to this file, which is replaced once the report is complete; `-` for standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) aws: AwsOptions,
}

/// With whose credentials and by which address AWS is called.
#[derive(Clone, Debug, Default, Args)]
#[group(skip)]
pub(super) struct AwsOptions {
    /// The profile of the AWS CLI whose credentials and Region are used, instead of the environment's.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) profile: Option<String>,
    /// Send the calls of all services to this address, such as that of a local AWS; it counts before AWS_ENDPOINT_URL and
    /// AWS_ENDPOINT_URL_KMS.
    #[arg(long, value_name = "URL", value_parser = endpoint_url, value_hint = ValueHint::Url)]
    pub(super) endpoint_url: Option<String>,
    /// Log each call of AWS with its duration on standard error, and the whole error if there are no credentials.
    #[arg(long, short)]
    pub(super) verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatOption {
    /// For a terminal.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// For the comment on a pull request.
    Markdown,
    /// A page that loads nothing else.
    Html,
    /// The findings in SARIF 2.1.0, which services show at the lines of a pull request.
    Sarif,
}

impl OutputOptions {
    /// These options, with those of `other` where these say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            format: self.format.or(other.format),
            output: self.output.or(other.output),
            aws: self.aws.or(other.aws),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let AwsOptions { profile, endpoint_url, verbose } = &self.aws;
        self.format.is_none()
            && self.output.is_none()
            && profile.is_none()
            && endpoint_url.is_none()
            && !verbose
    }

    /// The format: the one that is asked for, or else that of the file's ending. A file has no colour.
    pub(super) fn format(&self, console: &Console<'_>) -> ReportFormat {
        let of_file = self.file().and_then(FormatOption::of_file);
        match self.format.or(of_file).unwrap_or_default() {
            FormatOption::Text => ReportFormat::Text { colour: console.colour && self.file().is_none() },
            FormatOption::Json => ReportFormat::Json,
            FormatOption::Markdown => ReportFormat::Markdown,
            FormatOption::Html => ReportFormat::Html,
            FormatOption::Sarif => ReportFormat::Sarif,
        }
    }

    /// The file that the report goes to; `None` for standard output.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new(STANDARD_OUTPUT))
    }
}

impl AwsOptions {
    /// These options, with those of `other` where these say nothing.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            profile: self.profile.or(other.profile),
            endpoint_url: self.endpoint_url.or(other.endpoint_url),
            verbose: self.verbose || other.verbose,
        }
    }
}

impl FormatOption {
    /// The format that a file's ending names.
    fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let formats = [
            (".sarif.json", Self::Sarif),
            (".sarif", Self::Sarif),
            (".json", Self::Json),
            (".md", Self::Markdown),
            (".markdown", Self::Markdown),
            (".html", Self::Html),
            (".htm", Self::Html),
            (".txt", Self::Text),
        ];
        formats.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }
}

/// An address that calls can be sent to: the SDK puts the paths of operations behind it.
fn endpoint_url(text: &str) -> Result<String, String> {
    let is_usable = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    // The text is not repeated, because a password may stand in it.
    let wrong = "it has to be http:// or https:// with a host, and a port if need be, and nothing else, such as \
                 http://localhost:4566";
    Url::parse(text).ok().filter(is_usable).ok_or_else(|| wrong.to_owned())?;
    Ok(text.trim_end_matches('/').to_owned())
}

/// The file that a report is written to.
#[derive(Debug)]
pub(super) struct ReportFile {
    /// As it was given.
    shown: String,
    /// The file itself, if a link was given.
    path: PathBuf,
    /// Whether it is a device or a pipe, which nothing may take the place of.
    is_device: bool,
}

impl ReportFile {
    /// Makes sure that the file can be written, before anything is asked of AWS or changed.
    pub(super) fn checked(path: &Path) -> Result<Self, CliError> {
        let shown = path.display().to_string();
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let there = fs::metadata(&path).ok();
        let is_device = there.as_ref().is_some_and(|there| !there.is_file() && !there.is_dir());
        let file = Self { shown, path, is_device };
        if there.is_some_and(|there| there.is_dir()) {
            return Err(file.failed(io::ErrorKind::IsADirectory.into()));
        }
        if !is_device {
            let partial = file.partial();
            File::create_new(&partial).and_then(|_| fs::remove_file(&partial)).map_err(|e| file.failed(e))?;
        }
        Ok(file)
    }

    /// Writes the report beside the file, which it then replaces. So nobody reads half a report.
    pub(super) fn write(&self, text: &str) -> Result<(), CliError> {
        if self.is_device {
            let device = OpenOptions::new().write(true).open(&self.path);
            return device.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| self.failed(e));
        }
        let partial = self.partial();
        let written = self.replace(&partial, text);
        if written.is_err() {
            // What is left of it helps nobody.
            let _ = fs::remove_file(&partial);
        }
        written.map_err(|error| self.failed(error))
    }

    fn replace(&self, partial: &Path, text: &str) -> io::Result<()> {
        let mut file = File::create_new(partial)?;
        file.write_all(text.as_bytes())?;
        if let Ok(there) = fs::metadata(&self.path) {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()?;
        fs::rename(partial, &self.path)
    }

    /// The name of the file, as it was given.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    fn partial(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
    }

    fn failed(&self, error: io::Error) -> CliError {
        CliError::OutputFile { path: self.shown.clone(), error }
    }
}

#[cfg(test)]
#[path = "output/tests.rs"]
mod tests;
