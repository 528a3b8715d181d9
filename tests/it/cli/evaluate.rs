//! `evaluate`: how it ends, and what it prints for lines that it cannot read.

use std::io::{self, Write};

use session_kms::aws::Aws;
use session_kms::cli::{self, CliError, Connected, ConnectionRequest, Console, Exit};

use super::{Ran, Terminal, offline, run};

const CASE: &str = r#""keyArn":"arn:aws:kms:eu-west-1:111111111111:key/k","keyPolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},"principal":"arn:aws:iam::111111111111:role/App","action":"kms:Decrypt","identityPolicies":[]"#;

async fn evaluate(input: &str) -> Ran {
    run(&["evaluate"], &Terminal::Types(input), async |_| Err(CliError::NoRegion)).await
}

#[tokio::test]
async fn an_input_whose_lines_can_all_be_read_ends_with_0() {
    for input in [String::new(), "\n\r\n".to_owned(), format!("\u{feff}{{\"id\":1,{CASE}}}\r\n")] {
        let ran = evaluate(&input).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""), "{input:?}");
        assert_eq!(ran.out.lines().count(), usize::from(input.contains("keyArn")), "{input:?}");
    }
}

#[tokio::test]
async fn lines_that_cannot_be_read_end_with_2_and_the_others_are_answered() {
    let input = format!("{{\"id\":1,{CASE}}}\n[]\n\n{{\"id\":3}}\n{{\"id\":4,{CASE}}}\n");
    let ran = evaluate(&input).await;
    assert_eq!(ran.exit, Exit::BadInput);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with(r#"{"id":1,"decision":"allowed""#), "{}", lines[0]);
    assert!(lines[1].starts_with(r#"{"id":null,"error":"#), "{}", lines[1]);
    assert!(lines[2].starts_with(r#"{"id":3,"error":"#), "{}", lines[2]);
    assert!(lines[3].starts_with(r#"{"id":4,"decision":"allowed""#), "{}", lines[3]);
    assert_eq!(ran.err, "session-kms: 2 of 4 cases could not be read; the `error` of each answer says why\n");
}

/// An output that fails, as a pipe does after its reader has closed it.
struct FailingOutput(io::ErrorKind);

impl Write for FailingOutput {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[tokio::test]
async fn a_closed_pipe_ends_it_quietly_and_another_failure_of_the_output_does_not() {
    for (kind, expected) in [
        (io::ErrorKind::BrokenPipe, (Exit::Good, String::new())),
        (
            io::ErrorKind::StorageFull,
            (
                Exit::BadInput,
                format!(
                    "session-kms: the cases could not be read or answered: {}\n",
                    io::Error::from(io::ErrorKind::StorageFull)
                ),
            ),
        ),
    ] {
        // One line cannot be read: nobody is left who asks for it.
        let input = format!("[]\n{{{CASE}}}\n").repeat(1000);
        let mut err = Vec::new();
        let mut console = Console {
            input: &mut input.as_bytes(),
            out: &mut FailingOutput(kind),
            err: &mut err,
            watched: false,
            interactive: false,
            colour: false,
            started: String::new(),
        };
        let connect = async |_: ConnectionRequest<'_>| Err::<Connected<Aws>, _>(CliError::NoRegion);
        let exit = cli::run(["session-kms", "evaluate"].map(Into::into), &mut console, connect).await;
        assert_eq!((exit, String::from_utf8(err).unwrap()), expected);
    }
}

#[tokio::test]
async fn the_help_says_how_it_ends() {
    let ran = offline(&["evaluate", "--help"]).await;
    assert_eq!(ran.exit, Exit::Good);
    assert!(ran.out.contains("2 a line could not be read"), "{}", ran.out);
}

#[tokio::test]
async fn the_help_names_every_field_and_its_sample_can_be_piped() {
    for help in ["--help", "-h"] {
        let ran = offline(&["evaluate", help]).await;
        for field in [
            "id",
            "keyArn",
            "keyPolicy",
            "principal",
            "action",
            "context",
            "absent",
            "otherContext",
            "identityPolicies",
            "permissionsBoundary",
            "sessionPolicies",
            "serviceControlPolicies",
            "resourceControlPolicies",
            "grants",
            "decision",
            "explicit",
            "statements",
            "dependsOn",
            "allowedIf",
            "warnings",
            "error",
        ] {
            assert!(
                ran.out.lines().any(|line| line.trim_start().split(' ').next() == Some(field)),
                "{field}: {}",
                ran.out
            );
        }
        let sample = ran.out.lines().find_map(|line| line.trim().strip_prefix("echo '")).unwrap();
        let (case, command) = sample.split_once("' | ").unwrap();
        assert_eq!(command, "session-kms evaluate");
        let ran = super::piped(&["evaluate"], &format!("{case}\n")).await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Good, ""));
        let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(answer["decision"], "allowed", "{answer}");
    }
}

#[tokio::test]
async fn a_single_line_that_cannot_be_read_ends_with_2() {
    let ran = super::piped(&["evaluate"], "{\n").await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.out.contains("\"error\""), "{}", ran.out);
    assert!(ran.err.contains("1 of 1 case could not be read"), "{}", ran.err);
}
