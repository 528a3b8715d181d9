//! The command line, run through its console: what it prints and how it ends.

mod answers;
mod audit;
mod changes;
mod connecting;
mod evaluate;
mod fleets;
mod inputs;
mod key_report;
mod lists;
mod offline;
mod operations;
mod options;
mod output;
mod refusals;
mod shell;
mod standard_input;
mod templates;

use std::io::BufRead;
use std::path::Path;

use session_kms::aws::Aws;
use session_kms::cli::{self, CliError, Connected, Connection, ConnectionRequest, Console, Exit};
use session_kms::location::Location;

use crate::fixture::Fixture;
use crate::schemas;
use crate::stub::{ACCOUNT, REGION};

/// Whose credentials the commands have.
const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/Ops/ann";

/// How a command ended and what it printed.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Who sits at the terminal.
enum Terminal<'a> {
    /// Nobody: the command runs in a pipeline.
    None,
    /// Nobody: another program writes this text.
    Pipes(&'a str),
    /// Nobody: another program writes these bytes.
    Sends(&'a [u8]),
    /// Somebody who types this text.
    Types(&'a str),
}

/// Runs a command that must not connect to AWS: it would end with `NoRegion`.
pub async fn offline(arguments: &[&str]) -> Ran {
    run(arguments, &Terminal::None, async |_| Err(CliError::NoRegion)).await
}

/// Runs a command that must not connect to AWS, with this on its standard input.
async fn piped(arguments: &[&str], input: &str) -> Ran {
    run(arguments, &Terminal::Pipes(input), async |_| Err(CliError::NoRegion)).await
}

/// The same with bytes, which may be no text.
async fn sent(arguments: &[&str], input: &[u8]) -> Ran {
    run(arguments, &Terminal::Sends(input), async |_| Err(CliError::NoRegion)).await
}

/// Runs a command on the stub.
async fn on(fixture: &Fixture, arguments: &[&str], terminal: &Terminal<'_>) -> Ran {
    run(arguments, terminal, async |request| {
        let region = request.region.unwrap_or(REGION);
        if region == "no-where-1" {
            return Err(CliError::NoRegion);
        }
        let ports = fixture.function(None).ports;
        let location = Location { partition: "aws".into(), region: region.into(), account: ACCOUNT.into() };
        Ok(Connected { connection: Connection { ports, location }, caller: CALLER.to_owned() })
    })
    .await
}

async fn run(
    arguments: &[&str],
    terminal: &Terminal<'_>,
    connect: impl AsyncFn(ConnectionRequest<'_>) -> Result<Connected<Aws>, CliError>,
) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input: &[u8] = match terminal {
        Terminal::None => b"",
        Terminal::Types(text) | Terminal::Pipes(text) => text.as_bytes(),
        Terminal::Sends(bytes) => bytes,
    };
    let input: &mut (dyn BufRead + Send) = &mut input;
    let mut console = Console {
        input,
        out: &mut out,
        err: &mut err,
        interactive: matches!(terminal, Terminal::Types(_)),
        watched: matches!(terminal, Terminal::Types(_)),
        colour: false,
        // 1 March 2026, noon.
        started: "2026-03-01T12:00:00Z".to_owned(),
    };
    let all = std::iter::once("session-kms").chain(arguments.iter().copied());
    let exit = cli::run(all.map(Into::into), &mut console, connect).await;
    let out = String::from_utf8(out).unwrap();
    schemas::assert_command_valid(arguments, &out);
    Ran { exit, out, err: String::from_utf8(err).unwrap() }
}

/// A file of `tests/data/check`.
pub fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/check").join(name);
    path.to_str().unwrap().to_owned()
}
