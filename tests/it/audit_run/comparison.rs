//! What has changed since the audit before.

use serde_json::{Value, json};

use super::{
    BUCKET, OUTPUT, bucket, file, latest, line, pair, put_pairs, put_results, report, succeeded, written,
};
use crate::stub::Stub;

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";

/// The results of an audit on a day of March.
fn put_day(stub: &Stub, day: u32, states: [&str; 2]) -> String {
    let folder = format!("results/day-{day}/");
    let at = format!("2026-03-{day:02}T12:00:00Z");
    let [one, two] = states;
    let lines = [succeeded(&line(ONE, "eu-west-1", &at, one)), succeeded(&line(TWO, "eu-west-1", &at, two))];
    put_results(stub, &folder, &[("SUCCEEDED_0.json", &lines)]);
    folder
}

fn summary_of(day: u32) -> String {
    format!("s3://{BUCKET}/{OUTPUT}202603{day:02}T120000Z/summary.json")
}

async fn days() -> (Stub, [String; 3]) {
    let stub = bucket().await;
    put_pairs(&stub, &[pair(ONE, "eu-west-1"), pair(TWO, "eu-west-1")]);
    let folders = [
        put_day(&stub, 1, ["encrypted", "unencrypted"]),
        put_day(&stub, 2, ["unencrypted", "encrypted"]),
        put_day(&stub, 3, ["encrypted", "encrypted"]),
    ];
    (stub, folders)
}

async fn changes(stub: &Stub, folder: &str, properties: &Value) -> Value {
    report(stub, folder, properties).await.unwrap()["changes"].clone()
}

#[tokio::test]
async fn an_audit_is_compared_with_the_one_before() {
    let (stub, [first, second, third]) = days().await;
    assert_eq!(changes(&stub, &first, &json!({})).await, Value::Null);
    let changed = changes(&stub, &second, &json!({})).await;
    assert_eq!((&changed["newlyUnencrypted"], &changed["recovered"]), (&json!(1), &json!(1)));
    assert_eq!(latest(&stub), json!({"summary": summary_of(2), "previous": summary_of(1)}));
    let changed = changes(&stub, &third, &json!({})).await;
    assert_eq!((&changed["newlyUnencrypted"], &changed["recovered"]), (&json!(0), &json!(1)));
    assert_eq!(latest(&stub), json!({"summary": summary_of(3), "previous": summary_of(2)}));
}

#[tokio::test]
async fn a_report_that_is_made_again_is_compared_with_the_same_one() {
    let (stub, [first, second, third]) = days().await;
    for folder in [&first, &second, &third] {
        report(&stub, folder, &json!({})).await.unwrap();
    }
    let before = written(&stub);
    // In any order, as Step Functions may start an execution again.
    for folder in [&second, &third, &first, &second] {
        report(&stub, folder, &json!({})).await.unwrap();
        assert_eq!(written(&stub), before);
    }
}

#[tokio::test]
async fn another_audit_to_compare_with_may_be_named() {
    let (stub, [first, second, third]) = days().await;
    report(&stub, &first, &json!({})).await.unwrap();
    report(&stub, &second, &json!({})).await.unwrap();
    let changed = changes(&stub, &third, &json!({"compareWith": summary_of(1)})).await;
    assert_eq!(changed["recovered"], 1);
    assert_eq!(latest(&stub)["previous"], summary_of(1));
    let page: Value = serde_json::from_str(&file(&stub, "20260303T120000Z/", "report.json")).unwrap();
    assert!(page.to_string().contains("2026-03-01T12:00:00Z"), "the report says since when");
    let gone = json!({"compareWith": format!("s3://{BUCKET}/gone.json")});
    let error = report(&stub, &third, &gone).await.unwrap_err();
    assert!(error.to_string().contains("the summary to compare with is not there"), "{error}");
}

#[tokio::test]
async fn a_report_that_was_cut_off_before_its_summary_is_passed_over() {
    let (stub, [first, second, _]) = days().await;
    report(&stub, &first, &json!({})).await.unwrap();
    stub.world(|world| {
        world.put_object(BUCKET, "reports/20260301T180000Z/report.txt", "the rest was not written");
        world.put_object(BUCKET, "reports/notes/summary.json", "of somebody else");
        world.page_size = Some(1);
    });
    report(&stub, &second, &json!({})).await.unwrap();
    assert_eq!(latest(&stub)["previous"], summary_of(1));
}

#[tokio::test]
async fn a_summary_that_is_none_is_named() {
    let (stub, [_, second, _]) = days().await;
    stub.world(|world| world.put_object(BUCKET, "reports/20260301T120000Z/summary.json", "{"));
    let error = report(&stub, &second, &json!({})).await.unwrap_err();
    assert!(error.to_string().contains("it is no summary of an audit"), "{error}");
    stub.world(|world| world.put_object(BUCKET, "reports/latest.json", "{"));
    stub.world(|world| {
        world.put_object(BUCKET, "reports/20260301T120000Z/summary.json", r#"{"madeAt":"","places":[]}"#)
    });
    report(&stub, &second, &json!({})).await.unwrap();
    assert_eq!(latest(&stub)["summary"], summary_of(2), "a broken name of the newest report is replaced");
}
