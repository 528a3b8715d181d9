//! What the report says of the results.

use serde_json::{Value, json};

use super::{
    BUCKET, FILES, OUTPUT, PAIRS, RUN, bucket, file, latest, line, pair, put_pairs, put_results, report,
    states, succeeded, unsuccessful, written,
};
use crate::fixture::Logs;
use crate::stub::{Fault, Stub, When};

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const THREE: &str = "333333333333";
const FOUR: &str = "444444444444";
const AT: &str = "2026-03-01T12:00:00Z";
const FOLDER: &str = "20260301T120000Z/";

/// A run with a result of each kind, and a pair without one.
async fn run() -> Stub {
    let stub = bucket().await;
    put_results(
        &stub,
        RUN,
        &[
            (
                "SUCCEEDED_0.json",
                &[
                    succeeded(&line(ONE, "eu-west-1", AT, "encrypted")),
                    succeeded(&line(ONE, "us-east-1", "2026-03-01T11:59:00Z", "unencrypted")),
                ],
            ),
            ("SUCCEEDED_1.json", &[succeeded(&line(TWO, "eu-west-1", "2026-03-01T11:58:00Z", "lockedOut"))]),
            (
                "FAILED_0.json",
                &[unsuccessful(
                    TWO,
                    "us-east-1",
                    "FAILED",
                    Some(("Throttled", "{\"errorMessage\":\"too many\"}")),
                )],
            ),
            ("PENDING_0.json", &[unsuccessful(THREE, "eu-west-1", "PENDING", None)]),
        ],
    );
    let pairs = [
        (ONE, "eu-west-1"),
        (ONE, "us-east-1"),
        (TWO, "eu-west-1"),
        (TWO, "us-east-1"),
        (THREE, "eu-west-1"),
        (FOUR, "eu-west-1"),
    ];
    put_pairs(&stub, &pairs.map(|(account, region)| pair(account, region)));
    stub
}

const STATES: [&str; 6] = [
    "111111111111 eu-west-1 encrypted",
    "111111111111 us-east-1 unencrypted",
    "222222222222 eu-west-1 lockedOut",
    "222222222222 us-east-1 unreadable",
    "333333333333 eu-west-1 unreadable",
    "444444444444 eu-west-1 unreadable",
];

#[tokio::test]
async fn every_pair_is_there_once_whatever_became_of_it() {
    let stub = run().await;
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    assert_eq!(states(&stub, FOLDER), STATES);
    assert_eq!(answer["fails"], true);
    let summary = &answer["summary"];
    assert_eq!((&summary["places"], &summary["accounts"]), (&json!(6), &json!(4)));
    assert_eq!(summary["states"]["lockedOut"], 1);
    assert_eq!(summary["unreadable"], json!({"throttled": 1, "failed": 2}));
    assert_eq!(answer["report"], format!("s3://{BUCKET}/{OUTPUT}{FOLDER}report.html"));
    assert_eq!(answer["changes"], Value::Null);
    let lines: Value = serde_json::from_str(&file(&stub, FOLDER, "report.json")).unwrap();
    let text = lines.to_string();
    assert!(text.contains("too many") && text.contains("there is no result of it"), "{text}");
    assert!(text.contains("name of 444444444444"), "a pair without a result keeps its account's name");
    assert!(!text.contains("audit-4711"), "the external id is in no report");
}

#[tokio::test]
async fn the_files_of_a_report_are_all_below_its_output() {
    let stub = run().await;
    let before = stub.world(|world| world.keys_of(BUCKET));
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    let batches = usize::try_from(answer["asffBatches"].as_u64().unwrap()).unwrap();
    let files = FILES.iter().map(|name| format!("{OUTPUT}{FOLDER}{name}"));
    let batches = (1..=batches).map(|number| format!("{OUTPUT}{FOLDER}asff/{number:05}.json"));
    let mut expected: Vec<_> = files.chain(batches).chain([format!("{OUTPUT}latest.json")]).collect();
    expected.sort();
    assert_eq!(written(&stub).into_keys().collect::<Vec<_>>(), expected);
    let mut all = [before, expected].concat();
    all.sort();
    assert_eq!(stub.world(|world| world.keys_of(BUCKET)), all, "nothing else is written");
    let types = stub.world(|world| world.buckets.held[BUCKET].types.clone());
    assert_eq!(types[&format!("{OUTPUT}{FOLDER}report.html")], "text/html; charset=utf-8");
    let summary = format!("s3://{BUCKET}/{OUTPUT}{FOLDER}summary.json");
    assert_eq!(latest(&stub), json!({"summary": summary, "previous": null}));
    // The newest report is named when all of its files are there.
    let last: Vec<_> = stub.writes().into_iter().rev().take(2).map(|call| call.body["Key"].clone()).collect();
    assert_eq!(last, [format!("{OUTPUT}latest.json"), format!("{OUTPUT}{FOLDER}summary.json")]);
}

#[tokio::test]
async fn a_report_that_is_made_again_writes_the_same_files() {
    let stub = run().await;
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    let first = written(&stub);
    assert_eq!(report(&stub, RUN, &json!({})).await.unwrap(), answer);
    assert_eq!(written(&stub), first);
}

#[tokio::test]
async fn a_report_that_is_cut_off_is_complete_when_it_is_made_again() {
    let whole = run().await;
    report(&whole, RUN, &json!({})).await.unwrap();
    let writes = whole.writes().len();
    for n in 1..=writes {
        let stub = run().await;
        stub.fault(
            When::operation("s3", "PutObject").nth_on(n),
            Fault::AccessDenied { action: "s3:PutObject" },
        );
        report(&stub, RUN, &json!({})).await.unwrap_err();
        assert!(
            !written(&stub).contains_key(&format!("{OUTPUT}latest.json")),
            "it names complete reports alone"
        );
        stub.clear_faults();
        report(&stub, RUN, &json!({})).await.unwrap();
        assert_eq!(written(&stub), written(&whole), "cut off at write {n}");
    }
}

#[tokio::test]
async fn a_pair_that_failed_and_later_succeeded_has_its_result() {
    let stub = run().await;
    report(&stub, RUN, &json!({})).await.unwrap();
    put_results(
        &stub,
        RUN,
        &[
            (
                "SUCCEEDED_0.json",
                &[
                    succeeded(&line(ONE, "eu-west-1", AT, "encrypted")),
                    succeeded(&line(TWO, "us-east-1", "2026-03-01T12:30:00Z", "encrypted")),
                ],
            ),
            ("FAILED_0.json", &[unsuccessful(TWO, "us-east-1", "FAILED", Some(("Throttled", "too many")))]),
        ],
    );
    put_pairs(&stub, &[pair(ONE, "eu-west-1"), pair(TWO, "us-east-1")]);
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    assert_eq!(answer["fails"], false);
    let states = states(&stub, "20260301T123000Z/");
    assert_eq!(states, ["111111111111 eu-west-1 encrypted", "222222222222 us-east-1 encrypted"]);
}

#[tokio::test]
async fn a_run_without_any_result_is_a_report_too() {
    let stub = bucket().await;
    put_results(&stub, RUN, &[]);
    put_pairs(&stub, &[pair(ONE, "eu-west-1")]);
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    assert_eq!((&answer["summary"]["places"], &answer["fails"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn a_large_file_of_results_is_read_in_parts() {
    let stub = bucket().await;
    // The inputs are long, and no part of the report.
    let of_account = |number: u64| {
        let line = line(&format!("{:012}", 100_000_000_000 + number), "eu-west-1", AT, "encrypted");
        let mut execution = succeeded(&line);
        execution["Name"] = "x".repeat(3 << 20).into();
        execution
    };
    let lines: Vec<_> = (0..3).map(of_account).collect();
    put_results(&stub, RUN, &[("SUCCEEDED_0.json", &lines)]);
    put_pairs(&stub, &[]);
    let answer = report(&stub, RUN, &json!({})).await.unwrap();
    assert_eq!(answer["summary"]["places"], 3);
    let parts: Vec<_> = stub
        .calls_of("GetObject")
        .into_iter()
        .filter(|call| call.body["Key"].as_str().unwrap().ends_with("SUCCEEDED_0.json"))
        .collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1].body["Range"], "bytes=8388608-16777215");
    assert!(parts[1].body["IfMatch"].is_string(), "both parts are of the same object");
}

#[tokio::test]
async fn what_is_missing_or_none_is_named() {
    for (remove, put, words) in [
        (
            Some("manifest.json"),
            None,
            vec!["the manifest of the results is not there", "run-1/manifest.json"],
        ),
        (Some("SUCCEEDED_1.json"), None, vec!["a file of results is not there", "SUCCEEDED_1.json"]),
        (
            None,
            Some(("results/run-1/manifest.json", "[]")),
            vec!["manifest.json cannot be read", "no manifest"],
        ),
        (
            None,
            Some((PAIRS, "{}")),
            vec!["runs/1/pairs.json cannot be read", "no list of accounts and Regions"],
        ),
        (
            None,
            Some(("results/run-1/manifest.json", r#"{"DestinationBucket":"other-bucket","ResultFiles":{}}"#)),
            vec!["another bucket than its own"],
        ),
    ] {
        let stub = run().await;
        stub.world(|world| {
            let objects = &mut world.buckets.held.get_mut(BUCKET).unwrap().objects;
            if let Some(name) = remove {
                objects.remove(&format!("{RUN}{name}")).unwrap();
            }
            if let Some((key, content)) = put {
                objects.insert(key.to_owned(), content.to_owned());
            }
        });
        let error = report(&stub, RUN, &json!({})).await.unwrap_err();
        for word in words {
            assert!(error.to_string().contains(word), "{error} does not hold {word}");
        }
        assert_eq!(error.kind(), "Refused");
        assert!(written(&stub).is_empty());
    }
}

#[tokio::test]
async fn an_error_of_s3_is_the_error_of_the_call() {
    for (operation, action) in
        [("GetObject", "s3:GetObject"), ("ListObjectsV2", "s3:ListBucket"), ("PutObject", "s3:PutObject")]
    {
        let stub = run().await;
        stub.fault(When::operation("s3", operation), Fault::AccessDenied { action });
        let error = report(&stub, RUN, &json!({})).await.unwrap_err();
        assert!(error.to_string().contains(&format!("allow {action}")), "{error}");
        assert_eq!(error.kind(), "Aws");
        stub.clear_faults();
        stub.fault(When::operation("s3", operation), Fault::Throttle);
        assert_eq!(report(&stub, RUN, &json!({})).await.unwrap_err().kind(), "Throttled");
        stub.clear_faults();
        stub.fault(When::operation("s3", operation).nth(1), Fault::HalfAnswer);
        report(&stub, RUN, &json!({})).await.unwrap();
        assert_eq!(states(&stub, FOLDER), STATES, "half an answer to {operation} is no shorter list");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_log_holds_the_external_id() {
    let stub = run().await;
    let logs = Logs::captured();
    report(&stub, RUN, &json!({})).await.unwrap();
    let text = logs.text();
    assert!(text.contains("s3:GetObject") && text.contains("report.html"), "{text}");
    assert!(!text.contains("audit-4711"), "{text}");
}
