//! `apply`: encrypts sessions with a key, the same way as the Lambda, once somebody has said yes.

use clap::Args;

use super::change::Wanted;
use super::error::CliError;
use super::plan;
use super::{Connection, Console};
use crate::reconcile::ports::AccessPorts;
use crate::report::{Format, Report};

/// The options.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    #[command(flatten)]
    plan: plan::Options,
    /// Do not ask for confirmation.
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run<P: AccessPorts>(
    options: &Options,
    console: &mut Console<'_>,
    connect: &impl AsyncFn(Option<&str>) -> Result<Connection<P>, CliError>,
) -> Result<Report, CliError> {
    let wanted = options.plan.wanted("apply")?;
    let connection = connect(options.plan.region()).await?;
    carry_out(&wanted, options.yes, "Encrypt sessions with this key?", console, &connection).await
}

/// Shows the plan, asks, and does it. Where findings block, or nothing differs, the plan is the report.
pub(super) async fn carry_out<P: AccessPorts>(
    wanted: &Wanted,
    yes: bool,
    question: &str,
    console: &mut Console<'_>,
    Connection { ports, home }: &Connection<P>,
) -> Result<Report, CliError> {
    let preview = wanted.preview(ports, home, &console.progress()).await?;
    let mut planned = wanted.planned(home, &preview);
    if !preview.blocking.is_empty() {
        planned.notes.push("nothing was changed".to_owned());
        return Ok(planned);
    }
    if preview.plan.is_empty() {
        return Ok(planned);
    }
    if !yes {
        let shown = planned.render(Format::Text { colour: console.colour });
        console.confirm(&shown, question)?;
    }
    let outcome = wanted.establish(ports, home, &console.progress()).await?;
    Ok(wanted.done(planned, outcome))
}
