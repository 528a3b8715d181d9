//! Reading stored results: files of the ResultWriter, lines of the command line, and what is neither.

use serde_json::{Value, json};
use session_kms::audit::{
    Audit, AuditLine, AuditState, ResultManifest, ResultProblem, ResultReader, StoredResult,
    UnreadableReason, read_results,
};

use super::audit_lines::stored;
use super::samples::{encrypted, lines, place};

const AT: &str = "2026-03-02T12:00:00Z";

fn found(results: Vec<StoredResult>) -> Vec<AuditLine> {
    results.into_iter().map(|result| result.unwrap()).collect()
}

fn failed(error: &Value, cause: &Value, status: &str) -> Value {
    json!({
        "ExecutionArn": "arn:aws:states:eu-west-1:111122223333:execution:audit/Map:1",
        "Input": json!({"action": "audit", "account": "111122223333", "region": "eu-west-1", "externalId": "EXTERNAL",
            "accountName": "Payments", "roleName": "session-kms-audit"}).to_string(),
        "InputDetails": {"Included": true},
        "Error": error,
        "Cause": cause,
        "Status": status,
        "StartDate": "2026-03-01T12:00:00.000Z",
        "StopDate": "2026-03-01T12:00:01.000Z",
    })
}

#[test]
fn results_of_step_functions_and_lines_are_read_alike() {
    let lines = lines();
    let array: Vec<_> = lines.iter().enumerate().map(|(number, line)| stored(line, number)).collect();
    assert_eq!(found(read_results(&format!("[{}]", array.join(",")))), lines);
    assert_eq!(found(read_results(&array.join("\n"))), lines, "one execution a line");
    let texts: Vec<_> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(found(read_results(&texts.join("\n"))), lines, "one line of an audit a line");
    assert_eq!(found(read_results(&texts.join("\r\n"))), lines, "with line ends of Windows");
    assert_eq!(found(read_results(&format!("\u{feff}[{}]\n", texts.join(", ")))), lines, "outputs only");
    let pretty = serde_json::to_string_pretty(&lines).unwrap();
    assert_eq!(found(read_results(&pretty)), lines, "over several lines");
    assert_eq!(read_results(""), []);
    assert_eq!(read_results("[]\n"), []);
}

#[test]
fn a_failed_execution_is_a_row_that_could_not_be_read() {
    let cases = [
        (
            failed(
                &json!("Throttled"),
                &json!("{\"errorMessage\":\"STS throttled\\nto the end\",\"trace\":[]}"),
                "FAILED",
            ),
            UnreadableReason::Throttled,
            "The audit of this account and Region ended with an error, Throttled: STS throttled to the end",
        ),
        (
            failed(&json!("Lambda.TooManyRequestsException"), &json!("Rate exceeded"), "FAILED"),
            UnreadableReason::Throttled,
            "The audit of this account and Region ended with an error, Lambda.TooManyRequestsException: Rate exceeded",
        ),
        (
            failed(&json!("States.Timeout"), &Value::Null, "TIMED_OUT"),
            UnreadableReason::Failed,
            "The audit of this account and Region ended with an error, States.Timeout",
        ),
        (
            failed(&Value::Null, &Value::Null, "ABORTED"),
            UnreadableReason::Failed,
            "The audit of this account and Region has no answer: its execution is ABORTED.",
        ),
        (
            failed(&Value::Null, &Value::Null, "PENDING"),
            UnreadableReason::Failed,
            "The audit of this account and Region did not run, because the run ended before. Run the audit again.",
        ),
    ];
    for (execution, reason, message) in cases {
        let text = json!([execution]).to_string();
        let [line] = found(read_results(&text)).try_into().unwrap();
        assert_eq!(line.state, AuditState::Unreadable);
        assert_eq!(line.place.account_name.as_deref(), Some("Payments"));
        let unreadable = line.unreadable.as_ref().unwrap();
        assert_eq!((unreadable.reason, unreadable.message.as_str()), (reason, message));
        assert_eq!(line.audited_at, "2026-03-01T12:00:01.000Z");
        assert!(!serde_json::to_string(&line).unwrap().contains("EXTERNAL"), "the external id is not kept");
    }
}

#[test]
fn an_answer_that_is_no_line_is_a_row_that_could_not_be_read() {
    let mut execution = failed(&Value::Null, &Value::Null, "SUCCEEDED");
    execution["Output"] = json!("{\"account\":1}");
    let [line] = found(read_results(&execution.to_string())).try_into().unwrap();
    assert_eq!((line.place.account.as_str(), line.state), ("111122223333", AuditState::Unreadable));
    assert!(line.unreadable.unwrap().message.contains("cannot be read"));
}

#[test]
fn what_is_no_result_is_told_and_the_next_one_is_read() {
    let line = serde_json::to_string(&encrypted(place("111122223333", "eu-west-1"), AT)).unwrap();
    let beginning = |length| line.get(..length).unwrap();
    let without_end = beginning(line.len() - 1);
    let nowhere = json!({"Status": "FAILED", "Error": "x"}).to_string();
    for (text, problems) in [
        (format!("nonsense\n{line}\n"), 1),
        (format!("{nowhere}\n{line}\n"), 1),
        (format!("{{}}\n{line}\n"), 1),
        // A line that was cut off, in a text and between two values, when the writer was killed.
        (format!("{}\n{line}\n", beginning(20)), 1),
        (format!("{without_end}\n{line}\n"), 1),
        (format!("{without_end}\n{line}"), 1),
        (format!("{line}\n{}", beginning(30)), 1),
        (format!("\"{line}"), 1),
    ] {
        let results = read_results(&text);
        let (lines, told): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(told.len(), problems, "{text}");
        let wanted = usize::from(!text.starts_with('"'));
        assert_eq!(lines.len(), wanted, "{text}");
    }
    let cut_off = read_results(beginning(30));
    assert!(matches!(cut_off[..], [Err(ResultProblem::CutOff { .. })]), "{cut_off:?}");
}

#[test]
fn a_file_may_be_cut_into_pieces_anywhere() {
    let lines = lines();
    let texts: Vec<_> = lines.iter().enumerate().map(|(number, line)| stored(line, number)).collect();
    let text = format!("[{}]", texts.join(",\n"));
    for length in [1, 7, 64, 1000] {
        let mut reader = ResultReader::default();
        let mut results = Vec::new();
        for piece in text.as_bytes().chunks(length) {
            results.extend(reader.push(piece));
        }
        results.extend(reader.finish());
        assert_eq!(found(results), lines, "pieces of {length} bytes");
    }
}

#[test]
fn the_manifest_names_all_files() {
    let manifest = json!({
        "DestinationBucket": "results",
        "MapRunArn": "arn:aws:states:eu-west-1:111122223333:mapRun:audit/Map:1",
        "ResultFiles": {
            "FAILED": [{"Key": "run/FAILED_0.json", "Size": 3}],
            "PENDING": [],
            "SUCCEEDED": [{"Key": "run/SUCCEEDED_0.json", "Size": 10}, {"Key": "run/SUCCEEDED_1.json", "Size": 20}],
        },
    });
    let manifest = ResultManifest::parse(manifest.to_string().as_bytes()).unwrap();
    assert_eq!(manifest.bucket, "results");
    let keys: Vec<_> = manifest.files.iter().map(|file| (file.key.as_str(), file.size)).collect();
    assert_eq!(keys, [("run/SUCCEEDED_0.json", 10), ("run/SUCCEEDED_1.json", 20), ("run/FAILED_0.json", 3)]);
    assert!(ResultManifest::parse(b"{}").is_err());
}

#[test]
fn a_place_without_a_result_is_a_row_that_could_not_be_read() {
    let mut audit = Audit::default();
    audit.fold(encrypted(place("111122223333", "eu-west-1"), AT));
    let mut named = place("111122223333", "eu-west-1");
    named.account_name = Some("Payments".to_owned());
    audit.expect(named);
    audit.expect(place("222233334444", "eu-west-1"));
    assert_eq!(audit.len(), 2);
    let line = audit.line("111122223333", "eu-west-1").unwrap();
    assert_eq!((line.state, line.place.account_name.as_deref()), (AuditState::Encrypted, Some("Payments")));
    assert_eq!(audit.line("222233334444", "eu-west-1").unwrap().state, AuditState::Unreadable);
    assert!(audit.fails());
    // A result that comes later takes the place of what was missing.
    audit.fold(encrypted(place("222233334444", "eu-west-1"), AT));
    assert!(!audit.fails());
}
