//! `--explain`: what a check asks and what its answers mean. It needs no other option and asks nothing of AWS.

use clap::builder::PossibleValue;
use clap::{Arg, ArgMatches, Args, FromArgMatches, ValueEnum, value_parser};

use super::Reporting;
use super::check::CheckOptions;
use crate::preflight::Check;
use crate::report::{CHECKS, Explanation};

/// How wide a line of an explanation is, in characters.
const WIDTH: usize = 80;

/// The command `check`: it reports, or explains one of its checks.
#[derive(Debug)]
pub(super) enum CheckArguments {
    Explain(Check),
    Report(Box<Reporting<CheckOptions>>),
}

impl Args for CheckArguments {
    fn augment_args(command: clap::Command) -> clap::Command {
        let explain = Arg::new("explain")
            .long("explain")
            .value_name("CHECK")
            .value_parser(value_parser!(Check))
            .ignore_case(true)
            .exclusive(true)
            .hide_possible_values(true)
            .help("Explain a check, without any other option: what it asks, and what its answers mean");
        Reporting::<CheckOptions>::augment_args(command).arg(explain)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CheckArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(match matches.get_one::<Check>("explain") {
            Some(check) => Self::Explain(*check),
            None => Self::Report(Box::new(Reporting::from_arg_matches(matches)?)),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The names of the checks, as `--explain` takes them.
impl ValueEnum for Check {
    fn value_variants<'a>() -> &'a [Self] {
        &CHECKS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let Explanation { id, name, .. } = Explanation::of(*self);
        let value = PossibleValue::new(id).alias(name);
        Some(match self {
            // The name in the JSON report.
            Self::Identities => value.alias("identities"),
            Self::KeyFitness => value.alias("keyFitness"),
            Self::KeyPolicy => value.alias("keyPolicy"),
            Self::DryRun => value.alias("dryRun"),
            Self::Nodes | Self::Users | Self::Network | Self::Document => value,
        })
    }
}

/// The explanation of a check, for a terminal.
pub(super) fn text(check: Check) -> String {
    let explanation = Explanation::of(check);
    let mut text = format!("The check \"{}\"\n", explanation.name);
    for (title, part) in explanation.parts() {
        text.push_str(&format!("\n{title}\n"));
        for line in wrapped(part) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

/// A text in lines of limited width.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
