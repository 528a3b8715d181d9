//! The command line. This file only connects the streams, the environment and AWS to `session_kms::cli`.

use std::env;
use std::io::{self, BufReader, IsTerminal};
use std::process::ExitCode;

use session_kms::aws::Aws;
use session_kms::cli::{self, CliError, Connection, Console};

/// How many bytes of the input are read at once: `evaluate` reads much input.
const INPUT_BUFFER: usize = 1 << 18;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (stdin, mut out, mut err) = (io::stdin(), io::stdout(), io::stderr());
    // Any value of NO_COLOR that is not empty turns colour off (no-color.org).
    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut console = Console {
        interactive: stdin.is_terminal() && err.is_terminal(),
        colour: out.is_terminal() && !no_colour,
        input: &mut BufReader::with_capacity(INPUT_BUFFER, stdin),
        out: &mut out,
        err: &mut err,
    };
    let exit = cli::run(env::args_os(), &mut console, connect).await;
    ExitCode::from(exit.code())
}

async fn connect(region: Option<&str>) -> Result<Connection<Aws>, CliError> {
    let ports = Aws::from_environment(region.map(str::to_owned)).await;
    let Some(region) = ports.region().map(str::to_owned) else { return Err(CliError::NoRegion) };
    let arn = ports.caller_arn().await?;
    let location = cli::location_of_caller(&arn, &region)?;
    Ok(Connection { ports, location })
}
