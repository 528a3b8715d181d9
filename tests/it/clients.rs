//! The line about clients that cannot encrypt: it comes once, when a key is switched on for the first time.

use serde_json::{Value, json};

use crate::change_events::{UPDATED, handled};
use crate::fixture::{Fixture, Logs, NAME, PATIENCE, and, enabled, handle, rival_key, settings};

/// What the line names and no other note does.
const NAMED: [&str; 3] =
    ["session-manager-plugin 1.1.17.0", "mmmorris1975/ssm-session-client", "gravitational/teleport"];

/// How often a text has the line.
fn count(text: &str) -> usize {
    let [plugin, client, teleport] = NAMED.map(|name| text.matches(name).count());
    assert_eq!((client, teleport), (plugin, plugin), "{text}");
    plugin
}

/// How often the log of outcomes has the line. The log of answers repeats it.
fn logged(logs: &Logs) -> usize {
    logs.text().lines().filter(|line| line.contains("\"read back\"")).map(count).sum()
}

async fn document_without_a_key() -> Fixture {
    Fixture::with(&settings("")).await
}

/// The notes of a direct plan.
async fn plan(fixture: &Fixture, key: &str) -> Value {
    let call = json!({"action": "plan", "kmsKeyId": key, "preflight": "Off", "onConflict": "TakeOver"});
    handle(&fixture.function(None), &call, PATIENCE).await.unwrap()["notes"].clone()
}

#[tokio::test]
async fn the_answer_and_the_log_have_the_line_when_a_key_is_switched_on_and_never_after() {
    for fixture in [Fixture::empty().await, document_without_a_key().await] {
        let logs = Logs::captured();
        let run = async |payload| fixture.run(payload).await;
        let mut stack = fixture.stack("demo");
        let created = stack.create(&enabled(&fixture.k1), &run).await;
        let answer = created.last_answer().unwrap();
        assert!(answer.success, "{}", answer.reason);
        assert_eq!((count(&answer.reason), logged(&logs)), (1, 1), "{}", answer.reason);
        // Nothing changes, then the key changes, then somebody clears the key and it is repaired.
        for properties in [and(enabled(&fixture.k1), "Revision", "2"), enabled(&fixture.k2)] {
            let updated = stack.update(&properties, &run).await;
            let answer = updated.last_answer().unwrap();
            assert_eq!((answer.success, count(&answer.reason)), (true, 0), "{properties}: {}", answer.reason);
        }
        fixture.stub.world(rival_key(""));
        let report = handled(&fixture, UPDATED).await.unwrap();
        assert_eq!((&report["documents"][0]["result"], count(&report.to_string())), (&"repaired".into(), 0));
        assert_eq!(logged(&logs), 1);
        fixture.assert_no_violations();
    }
}

#[tokio::test]
async fn a_key_in_place_of_another_has_no_line() {
    let fixture = Fixture::with_settings().await;
    assert_eq!(plan(&fixture, &fixture.k1).await, Value::Null);
    let run = async |payload| fixture.run(payload).await;
    let created = fixture.stack("demo").create(&enabled(&fixture.k1), &run).await;
    let answer = created.last_answer().unwrap();
    assert_eq!((answer.success, answer.reason.as_str()), (true, ""));
}

#[tokio::test]
async fn a_plan_has_the_line_until_the_key_is_on() {
    for fixture in [Fixture::empty().await, document_without_a_key().await] {
        assert_eq!(count(&plan(&fixture, &fixture.k1).await.to_string()), 1);
        fixture.deployed("demo", &enabled(&fixture.k1)).await;
        for key in [&fixture.k1, &fixture.k2] {
            assert_eq!(plan(&fixture, key).await, Value::Null, "{key}");
        }
        let off = json!({"action": "plan", "encryption": "Disabled", "onConflict": "TakeOver"});
        let report = handle(&fixture.function(None), &off, PATIENCE).await.unwrap();
        assert_eq!(count(&report.to_string()), 0, "{report}");
    }
}

/// A version that nobody uses yet may carry the key: sessions may use the other one.
#[tokio::test]
async fn a_key_that_only_one_version_carries_is_not_yet_on() {
    let fixture = document_without_a_key().await;
    fixture.stub.world(|world| {
        let content = settings(&fixture.k1);
        let body = json!({"Name": NAME, "DocumentVersion": "$LATEST", "Content": content});
        world.ask("ssm", "UpdateDocument", body).unwrap()
    });
    assert_eq!(count(&plan(&fixture, &fixture.k1).await.to_string()), 1);
}
