//! The stream: order, bad lines, ends of lines, answers in time.

use std::io::{BufRead, BufReader, PipeReader, Read, Write};

use super::line::MOST_BYTES;
use super::*;

const CASE: &str = r#""keyArn":"arn:aws:kms:eu-west-1:111111111111:key/k","keyPolicy":{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},"principal":"arn:aws:iam::111111111111:role/App","action":"kms:Decrypt","identityPolicies":[]"#;

fn answers(input: &[u8]) -> (String, Summary) {
    let mut output = Vec::new();
    let summary = run(input, &mut output, 3).unwrap();
    (String::from_utf8(output).unwrap(), summary)
}

#[test]
fn answers_keep_the_order_of_the_cases() {
    let input: String = (0..5000)
        .map(|n| if n % 7 == 0 { format!("{{\"id\":{n}}}\n") } else { format!("{{\"id\":{n},{CASE}}}\n") })
        .collect();
    let mut output = Vec::new();
    // A small buffer makes many chunks.
    let summary = run(BufReader::with_capacity(700, input.as_bytes()), &mut output, 4).unwrap();
    let output = String::from_utf8(output).unwrap();
    for (n, line) in output.lines().enumerate() {
        assert!(line.starts_with(&format!("{{\"id\":{n},")), "{line}");
        assert_eq!(line.contains("\"error\""), n % 7 == 0, "{line}");
    }
    assert_eq!(summary, Summary { answered: 4285, failed: 715 });
    assert_eq!(output.lines().count(), 5000);
}

#[test]
fn a_bad_line_is_reported_and_passed_over() {
    let input = format!(
        "nonsense\n{{\"id\":\"a\",\"foo\":1}}\n\n  \n{{\"id\":[1],{CASE}}}\r\n{{\"id\":\"last\",{CASE}}}"
    );
    let (output, summary) = answers(input.as_bytes());
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with(r#"{"id":null,"error":"the line is no case: "#), "{}", lines[0]);
    assert!(
        lines[1].starts_with(r#"{"id":"a","error":"the line is no case: unknown field `foo`"#),
        "{}",
        lines[1]
    );
    assert_eq!(
        lines[2],
        r#"{"id":[1],"decision":"allowed","explicit":false,"statements":[{"policy":"key","index":0,"sid":null}],"dependsOn":[],"warnings":[]}"#
    );
    assert!(lines[3].starts_with(r#"{"id":"last","decision":"allowed""#), "{}", lines[3]);
    assert_eq!((lines.len(), summary), (4, Summary { answered: 2, failed: 2 }));
}

#[test]
fn bytes_that_are_no_text_are_a_bad_line() {
    let mut input = b"\xff\xfe\n".to_vec();
    input.extend(format!("{{{CASE}}}\n").bytes());
    let (output, summary) = answers(&input);
    assert!(output.starts_with(r#"{"id":null,"error":"the line is not UTF-8"#), "{output}");
    assert_eq!(summary, Summary { answered: 1, failed: 1 });
}

#[test]
fn a_line_without_end_costs_no_memory() {
    let endless = std::io::repeat(b'x').take(3 * MOST_BYTES as u64);
    let input = endless.chain(&b"\n"[..]).chain(CASE.as_bytes()).chain(&b"\n"[..]);
    let mut output = Vec::new();
    let summary = run(BufReader::new(input), &mut output, 1).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert!(output.starts_with(r#"{"id":null,"error":"the line has more than 4194304 bytes"}"#), "{output}");
    assert_eq!(summary, Summary { answered: 0, failed: 2 });
}

#[test]
fn nothing_in_nothing_out() {
    assert_eq!(answers(b""), (String::new(), Summary::default()));
    assert_eq!(answers(b"\n\n"), (String::new(), Summary::default()));
}

#[test]
fn a_case_is_answered_before_the_next_one_is_written() {
    let (cases, mut ask) = std::io::pipe().unwrap();
    let (replies, output) = std::io::pipe().unwrap();
    let worker = std::thread::spawn(move || run(BufReader::new(cases), output, 2).unwrap());
    let mut replies: BufReader<PipeReader> = BufReader::new(replies);
    for n in 0..5 {
        writeln!(ask, "{{\"id\":{n},{CASE}}}").unwrap();
        let mut reply = String::new();
        replies.read_line(&mut reply).unwrap();
        assert!(reply.starts_with(&format!("{{\"id\":{n},\"decision\":\"allowed\"")), "{reply}");
    }
    drop(ask);
    assert_eq!(worker.join().unwrap(), Summary { answered: 5, failed: 0 });
}

#[test]
fn the_run_ends_when_nobody_takes_the_answers() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let input = format!("{{{CASE}}}\n").repeat(2000);
    let error = run(BufReader::with_capacity(600, input.as_bytes()), Full, 2).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
}
