//! The command line. This file only connects the streams, the environment and AWS to `session_kms::cli`.

use std::env;
use std::io::{self, BufReader, IsTerminal};
use std::process::ExitCode;

use session_kms::aws::{Aws, CallerError, utc_now};
use session_kms::cli::{self, CliError, Connected, Connection, ConnectionRequest, Console};
use session_kms::log;

/// How many bytes of the input are read at once: `evaluate` reads much input.
const INPUT_BUFFER: usize = 1 << 18;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (stdin, mut out, mut err) = (io::stdin(), io::stdout(), io::stderr());
    // Any value of NO_COLOR that is not empty turns colour off (no-color.org). A dumb terminal shows escape sequences as
    // they are.
    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    let mut console = Console {
        interactive: stdin.is_terminal() && err.is_terminal(),
        watched: err.is_terminal(),
        colour: out.is_terminal() && !no_colour,
        input: &mut BufReader::with_capacity(INPUT_BUFFER, stdin),
        out: &mut out,
        err: &mut err,
        started: utc_now(),
    };
    let exit = cli::run(env::args_os(), &mut console, connect).await;
    ExitCode::from(exit.code())
}

async fn connect(request: ConnectionRequest<'_>) -> Result<Connected<Aws>, CliError> {
    if request.is_verbose {
        log::start_on_terminal();
    }
    let ports = Aws::from_environment(request.region, request.profile, request.endpoint_url).await;
    let region = cli::checked_region(ports.region())?;
    let caller = ports.caller_of_profile(request.profile).await.map_err(|error| match error {
        CallerError::Credentials(problem) => CliError::Credentials(problem.to_string()),
        CallerError::Call(error) => CliError::Aws(error),
    })?;
    let location = cli::location_of_caller(&caller, &region)?;
    Ok(Connected { connection: Connection { ports, location }, caller })
}
