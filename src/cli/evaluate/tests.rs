//! The stream: the order of the answers, bad lines, line ends, and when an answer is written.

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
fn a_bad_line_is_reported_and_the_others_are_answered() {
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
fn bytes_that_are_no_utf_8_are_a_bad_line() {
    let mut input = b"{\xff}\n".to_vec();
    input.extend(format!("{{{CASE}}}\n").bytes());
    let (output, summary) = answers(&input);
    assert!(output.starts_with(r#"{"id":null,"error":"the line is not UTF-8"#), "{output}");
    assert_eq!(summary, Summary { answered: 1, failed: 1 });
}

/// The error of each line, which has no id.
fn errors(input: &[u8]) -> Vec<String> {
    let (output, summary) = answers(input);
    assert_eq!(summary.answered, 0, "{output}");
    let start = r#"{"id":null,"error":"the line is no case: "#;
    output
        .lines()
        .map(|line| line.strip_prefix(start).unwrap().strip_suffix("\"}").unwrap().to_owned())
        .collect()
}

#[test]
fn a_case_is_an_object() {
    let table = [
        ("[]", "an array"),
        (r#"["id","arn:aws:kms:eu-west-1:111111111111:key/k",{},"p","a"]"#, "an array"),
        (r#" [{"id":1}]"#, "an array"),
        ("null", "null"),
        ("true", "true or false"),
        ("false", "true or false"),
        ("-1.5e3", "a number"),
        (r#""{}""#, "a string"),
    ];
    for (line, what) in table {
        assert_eq!(errors(line.as_bytes()), [format!("it must be an object, and this is {what}")], "{line}");
    }
    for line in ["[", "[1,]", "nul", "01", "\"", "[] []", "{} {}", "{\"id\":1,}", "nonsense"] {
        let found = errors(line.as_bytes());
        assert!(found.len() == 1 && found[0].contains(" at line 1 column "), "{line}: {found:?}");
    }
}

#[test]
fn other_context_is_the_text_unknown_or_absent() {
    let with = |value: &str| format!("{{\"otherContext\":{value},{CASE}}}\n");
    for value in ["\"unknown\"", "\"absent\""] {
        assert_eq!(answers(with(value).as_bytes()).1.answered, 1, "{value}");
    }
    for value in ["{\"absent\":null}", "[\"absent\"]", "null", "0", "\"Absent\""] {
        let found = errors(with(value).as_bytes());
        assert!(found[0].contains("`unknown`") && found[0].contains("`absent`"), "{value}: {found:?}");
    }
}

#[test]
fn a_byte_order_mark_at_the_start_is_skipped() {
    let case = format!("{{\"id\":1,{CASE}}}");
    for rest in [case.clone(), format!("{case}\r\n"), format!("\n{case}"), format!("\r\n  {case}\n")] {
        let input = format!("\u{feff}{rest}");
        // A small buffer cuts the mark.
        for size in [1, 2, 3, 1 << 16] {
            let mut output = Vec::new();
            let summary = run(BufReader::with_capacity(size, input.as_bytes()), &mut output, 2).unwrap();
            assert_eq!(summary, Summary { answered: 1, failed: 0 }, "{rest:?} by {size}");
        }
    }
    assert_eq!(answers("\u{feff}".as_bytes()), (String::new(), Summary::default()));
    assert_eq!(answers("\u{feff}\r\n\n".as_bytes()), (String::new(), Summary::default()));
}

#[test]
fn a_byte_order_mark_elsewhere_is_no_json() {
    for input in [
        format!("\n\u{feff}{{{CASE}}}"),
        format!("\u{feff}\u{feff}{{{CASE}}}"),
        format!(" \u{feff}{{{CASE}}}"),
    ] {
        assert_eq!(answers(input.as_bytes()).1, Summary { answered: 0, failed: 1 }, "{input}");
    }
    // A part of the mark is not the mark.
    assert_eq!(answers(b"\xef\xbb").1, Summary { answered: 0, failed: 1 });
}

#[test]
fn utf_16_is_read_like_utf_8() {
    let lines = format!("{{\"id\":\"鍵 𝄞\",{CASE}}}\r\n{{}}\r\n{{\"id\":2,{CASE}}}");
    let (expected, summary) = answers(lines.as_bytes());
    let little: Vec<u8> = format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    for input in [little, big] {
        assert_eq!(answers(&input), (expected.clone(), summary));
    }
    assert_eq!(summary, Summary { answered: 2, failed: 1 });
}

#[test]
fn the_longest_line_is_read_and_no_longer_one() {
    let case = format!("{{{CASE}}}");
    // The line end counts too.
    let fits = " ".repeat(MOST_BYTES - case.len() - 1) + &case + "\n";
    for size in [1000, 1 << 16, 8 << 20] {
        for (input, summary) in [
            (fits.clone() + &fits, Summary { answered: 2, failed: 0 }),
            (format!("{case}\n {fits}{fits}\n {fits}{case}"), Summary { answered: 3, failed: 2 }),
            (format!(" {fits}"), Summary { answered: 0, failed: 1 }),
            (fits.trim_end().to_owned() + " ", Summary { answered: 1, failed: 0 }),
            (fits.trim_end().to_owned() + "  ", Summary { answered: 0, failed: 1 }),
        ] {
            let mut output = Vec::new();
            let found = run(BufReader::with_capacity(size, input.as_bytes()), &mut output, 2).unwrap();
            assert_eq!(found, summary, "by {size}: {}", input.len());
        }
    }
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
fn an_empty_input_has_no_answers() {
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
fn the_run_ends_when_the_output_fails() {
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
