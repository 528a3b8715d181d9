//! The lines of the log, as CloudWatch Logs Insights reads them: JSON in which a report is an object.

use serde_json::{Value, json};
use session_kms::log;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::change_events::UPDATED;
use crate::fixture::{Fixture, Lines, PATIENCE, handle, rival_key};
use crate::stub::World;

/// Runs something with the log of the Lambda, and returns the lines with a report.
async fn logged(run: impl Future<Output = ()>) -> Vec<Value> {
    let lines = Lines::default();
    let writer = lines.clone();
    let targets = Targets::new().with_target("session_kms", tracing::Level::INFO);
    // If there is only one subscriber, tracing remembers for all threads whether the first thread listens.
    let second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::registry().with(log::lines(move || writer.clone())).with(targets);
    let guard = tracing::subscriber::set_default(subscriber);
    run.await;
    drop((guard, second));
    let text = lines.text();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line.get("report").is_some()).collect()
}

#[tokio::test]
async fn the_report_on_a_change_event_is_an_object_that_can_be_queried() {
    let fixture = Fixture::with_settings().await;
    fixture.deployed("demo", &json!({"KmsKeyId": fixture.k1, "Preflight": "Off"})).await;
    fixture.stub.world(rival_key("alias/theirs"));
    let lines = logged(async {
        let event = serde_json::from_str(UPDATED).unwrap();
        handle(&fixture.function(None), &event, PATIENCE).await.unwrap();
    })
    .await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["message"], &line["alert"]), (&json!("remediated"), &json!(false)), "{line}");
    assert_eq!(line["summary"], line["report"]["summary"]);
    assert!(line["summary"].as_str().unwrap().contains("was repaired"), "{line}");
    assert_eq!(line["report"]["documents"][0]["result"], "repaired");
    // Insights finds the first 200 fields of a line, and a report may have more.
    assert_eq!(line.as_object().unwrap().keys().next_back().map(String::as_str), Some("report"));
}

#[tokio::test]
async fn the_report_on_a_refusal_is_an_object_with_the_failures_first() {
    let fixture = Fixture::with_settings().await;
    let role = fixture.stub.world(|world: &mut World| world.add_role("App"));
    let properties = json!({
        "KmsKeyId": fixture.k1, "Users": [role], "DiscoverUsers": false, "DiscoverNodes": false,
    });
    let mut stack = fixture.stack("demo");
    let lines = logged(async {
        stack.create(&properties, &async |payload| fixture.run(payload).await).await;
    })
    .await;
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["message"], "report", "{line}");
    assert_eq!(line["summary"], "2 passed, 1 failed");
    let first = &line["report"]["findings"][0];
    assert_eq!((&first["subject"], &first["verdict"]), (&json!(role), &json!("fail")), "{line}");
    assert_eq!(line["report"]["remedies"]["identityPolicies"][0]["principals"], json!([role]));
}
