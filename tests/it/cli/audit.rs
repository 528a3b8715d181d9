//! `audit`: many accounts and Regions from the command line.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use session_kms::cli::Exit;

use super::{Ran, Terminal, offline, on, piped};
use crate::fixture::{Fixture, NAME, settings};
use crate::stub::{ACCOUNT, Document, Fault, Format, Location, REGION, When, World};

const SHOP: &str = "111122223333";
const BANK: &str = "444455556666";
const ROLE: &str = "session-kms-audit";

/// A folder of this test.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("session-kms-audit-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

/// The own account encrypts; the shop has a role to audit and does not encrypt; the bank has no role.
async fn accounts() -> Fixture {
    let fixture = Fixture::empty().await;
    let key = fixture.k1.clone();
    fixture.stub.world(|world| {
        world.put_document(NAME, Document::session(Format::Json, &settings(&key)));
        let role = world.add_role_in(SHOP, ROLE);
        world.role(&role).trusted = vec![ACCOUNT.to_owned()];
        let document = Document::session(Format::Json, &settings(""));
        world.documents.held.insert((Location::new(SHOP, REGION), NAME.to_owned()), document);
    });
    fixture
}

async fn audit(fixture: &Fixture, more: &[&str]) -> Ran {
    on(fixture, &[&["audit"], more].concat(), &Terminal::None).await
}

/// The exit code, and each account and Region with its state.
async fn states(fixture: &Fixture, more: &[&str]) -> (Exit, Vec<(String, String, String)>) {
    let ran = audit(fixture, &[more, &["--format", "json"]].concat()).await;
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
    let lines = report["rows"].as_array().unwrap();
    (
        ran.exit,
        lines.iter().map(|line| (text(line, "account"), text(line, "region"), text(line, "state"))).collect(),
    )
}

fn place(account: &str, region: &str, state: &str) -> (String, String, String) {
    (account.to_owned(), region.to_owned(), state.to_owned())
}

/// The lines of a file of an audit.
fn lines_of(file: &std::path::Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn unreadable(account: &str, reason: &str) -> Value {
    json!({"account": account, "region": REGION, "auditedAt": "2020-03-01T12:00:00Z", "state": "unreadable",
        "unreadable": {"reason": reason, "message": "earlier"}, "document": null, "owner": null, "wanted": null,
        "drifted": false, "keys": [], "lockedOut": [], "network": null, "problems": [], "unknown": [], "findings": []})
}

#[tokio::test]
async fn without_a_list_the_own_account_is_looked_at_with_the_own_credentials() {
    let fixture = accounts().await;
    let (exit, found) = states(&fixture, &[]).await;
    assert_eq!(found, [place(ACCOUNT, REGION, "encrypted")]);
    assert_eq!(exit, Exit::Good);
    assert!(fixture.stub.calls_of("AssumeRole").is_empty());
    fixture.assert_no_violations();
}

#[tokio::test]
async fn every_account_of_a_list_is_a_row_whatever_can_be_read() {
    let fixture = accounts().await;
    let folder = folder("list");
    let list = folder.join("accounts.csv");
    fs::write(&list, format!("account,name\n{ACCOUNT},Own\n{SHOP},Shop\n# later\n{BANK},Bank\n")).unwrap();
    let output = folder.join("audit.jsonl");
    let words = ["--accounts", path(&list), "--output", path(&output)];
    let (exit, found) = states(&fixture, &words).await;
    assert_eq!(
        found,
        [
            place(SHOP, REGION, "unencrypted"),
            place(ACCOUNT, REGION, "encrypted"),
            place(BANK, REGION, "unreadable")
        ]
    );
    assert_eq!(exit, Exit::Fails);
    let lines = lines_of(&output);
    assert_eq!(lines.len(), 3);
    let bank = lines.iter().find(|line| line["account"] == BANK).unwrap();
    assert_eq!(
        (&bank["accountName"], &bank["unreadable"]["reason"]),
        (&"Bank".into(), &"roleNotAssumed".into())
    );
    assert!(fixture.stub.writes().is_empty(), "an audit only reads");
    // The file is not written over.
    let ran = audit(&fixture, &words).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""));
    assert!(ran.err.contains("--resume"), "{}", ran.err);
    assert_eq!(lines_of(&output), lines);
    fixture.assert_no_violations();
}

#[tokio::test]
async fn an_audit_that_was_stopped_goes_on_where_it_stood() {
    let fixture = accounts().await;
    let folder = folder("resume");
    let list = folder.join("accounts.txt");
    fs::write(&list, format!("{ACCOUNT}\n{SHOP}\n{BANK}\n")).unwrap();
    let file = folder.join("audit.jsonl");
    // The bank is done; the shop was throttled; the last line was cut off.
    let begun = format!(
        "{}\n{}\n{{\"account\":\"{ACCOUNT}\",\"regi",
        unreadable(BANK, "roleNotAssumed"),
        unreadable(SHOP, "throttled")
    );
    fs::write(&file, begun).unwrap();
    let words = ["--accounts", path(&list), "--resume", path(&file)];
    let (exit, found) = states(&fixture, &words).await;
    assert_eq!(exit, Exit::Fails);
    assert_eq!(
        found,
        [
            place(SHOP, REGION, "unencrypted"),
            place(ACCOUNT, REGION, "encrypted"),
            place(BANK, REGION, "unreadable")
        ]
    );
    let lines = lines_of(&file);
    assert_eq!(lines.len(), 4, "two lines that were there, and two more");
    assert_eq!(lines[0]["unreadable"]["message"], "earlier");
    // Nothing is left to do.
    let before = fixture.stub.calls_of("AssumeRole").len();
    let (_, again) = states(&fixture, &words).await;
    assert_eq!(again, found);
    assert_eq!((lines_of(&file), fixture.stub.calls_of("AssumeRole").len()), (lines, before));
}

#[tokio::test]
async fn a_line_is_in_the_file_before_the_audit_ends() {
    let fixture = accounts().await;
    // The shop is never answered, as when somebody presses Ctrl-C while it is looked at.
    fixture.stub.fault(When::operation("sts", "AssumeRole"), Fault::Hang);
    let list = list_of("cut", &[ACCOUNT, SHOP]);
    let file = list.with_file_name("audit.jsonl");
    let (list, output) = (path(&list).to_owned(), path(&file).to_owned());
    let words = ["--accounts", list.as_str(), "--output", output.as_str()];
    let written = async {
        while !fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ran = audit(&fixture, &words) => panic!("it ended: {}", ran.err),
        () = written => {}
    }
    let lines = lines_of(&file);
    assert_eq!((lines.len(), &lines[0]["account"]), (1, &ACCOUNT.into()));
}

#[tokio::test]
async fn a_whole_last_line_without_its_line_end_stays() {
    let fixture = accounts().await;
    let file = folder("last").join("audit.jsonl");
    fs::write(&file, unreadable(ACCOUNT, "denied").to_string()).unwrap();
    let (exit, found) =
        states(&fixture, &["--resume", path(&file), "--regions", "eu-west-1,us-east-1"]).await;
    assert_eq!(found, [place(ACCOUNT, REGION, "unreadable"), place(ACCOUNT, "us-east-1", "unencrypted")]);
    assert_eq!((exit, lines_of(&file).len()), (Exit::Fails, 2));
}

#[tokio::test]
async fn what_is_throttled_to_the_end_is_a_row_and_the_rest_goes_on() {
    let fixture = accounts().await;
    fixture.stub.fault(When::operation("sts", "AssumeRole"), Fault::Throttle);
    let (exit, found) =
        states(&fixture, &["--accounts", path(&list_of("throttled", &[ACCOUNT, SHOP]))]).await;
    assert_eq!(found, [place(SHOP, REGION, "unreadable"), place(ACCOUNT, REGION, "encrypted")]);
    assert_eq!(exit, Exit::Aws, "nothing fails, and something could not be looked at");
}

fn list_of(name: &str, accounts: &[&str]) -> PathBuf {
    let list = folder(name).join("accounts.txt");
    fs::write(&list, accounts.join("\n")).unwrap();
    list
}

#[tokio::test]
async fn the_organization_has_names_units_and_enabled_regions() {
    let fixture = accounts().await;
    fixture.stub.world(|world| {
        world.organize();
        world.add_unit("ou-ab12-11111111", "r-1", "Workloads");
        world.add_account(ACCOUNT, "r-1", "Security", "ACTIVE");
        world.add_account(SHOP, "ou-ab12-11111111", "Shop", "ACTIVE");
        world.add_account(BANK, "ou-ab12-11111111", "Bank", "SUSPENDED");
    });
    let output = folder("organization").join("audit.jsonl");
    let (_, found) = states(
        &fixture,
        &["--organization", "--regions", "enabled", "--output", path(&output), "--concurrency", "2"],
    )
    .await;
    assert_eq!(
        found,
        [
            place(SHOP, REGION, "unencrypted"),
            place(SHOP, "us-east-1", "unencrypted"),
            place(ACCOUNT, REGION, "encrypted"),
            place(ACCOUNT, "us-east-1", "unencrypted")
        ]
    );
    let shop = lines_of(&output).into_iter().find(|line| line["account"] == SHOP).unwrap();
    assert_eq!(
        (&shop["accountName"], &shop["organizationalUnit"]),
        (&"Shop".into(), &"Root/Workloads".into())
    );
    let (_, found) = states(&fixture, &["--organization", "--organizational-unit", "Root/Workloads"]).await;
    assert_eq!(found, [place(SHOP, REGION, "unencrypted")]);
    let ran = audit(&fixture, &["--organization", "--exclude", SHOP]).await;
    assert!(ran.out.contains("1 accounts are not active") && ran.out.contains(BANK), "{}", ran.out);
    fixture.stub.world(World::dismiss_administrators);
    let ran = audit(&fixture, &["--organization"]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Aws, ""), "{}", ran.err);
}

/// An execution of Step Functions as the ResultWriter stores it.
fn execution(line: &Value) -> Value {
    json!({"ExecutionArn": "arn:aws:states:eu-west-1:111122223333:execution:audit/Map:1", "Status": "SUCCEEDED",
        "Input": json!({"action": "audit", "account": line["account"], "region": line["region"]}).to_string(),
        "Output": line.to_string(), "StartDate": "2026-03-01T12:00:00.000Z", "StopDate": "2026-03-01T12:00:01.000Z"})
}

#[tokio::test]
async fn what_the_state_machine_wrote_is_read_from_a_folder_and_from_s3() {
    let fixture = accounts().await;
    let folder = folder("from");
    let results =
        json!([execution(&unreadable(SHOP, "denied")), execution(&unreadable(BANK, "denied"))]).to_string();
    let manifest = json!({"DestinationBucket": "audit-results", "MapRunArn": "x", "ResultFiles": {
        "SUCCEEDED": [{"Key": "runs/1/SUCCEEDED_0.json", "Size": results.len()}], "FAILED": [], "PENDING": []}});
    fs::write(folder.join("SUCCEEDED_0.json"), &results).unwrap();
    let expected = [place(SHOP, REGION, "unreadable"), place(BANK, REGION, "unreadable")];
    // Without the manifest, as when a run was copied before it ended.
    assert_eq!(states(&fixture, &["--from", path(&folder)]).await, (Exit::Aws, expected.to_vec()));
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    fs::write(folder.join("SUCCEEDED_9.json"), "[{\"not\": \"named by the manifest\"}]").unwrap();
    fixture.stub.world(|world| {
        world.add_bucket("audit-results", REGION);
        world.put_object("audit-results", "runs/1/manifest.json", &manifest.to_string());
        world.put_object("audit-results", "runs/1/SUCCEEDED_0.json", &results);
        world.put_object("audit-results", "lines.jsonl", &unreadable(SHOP, "denied").to_string());
    });
    for from in [
        path(&folder),
        path(&folder.join("manifest.json")),
        path(&folder.join("SUCCEEDED_0.json")),
        "s3://audit-results/runs/1/",
        "s3://audit-results/runs/1",
        "s3://audit-results/runs/1/manifest.json",
        "s3://audit-results/runs/",
    ] {
        assert_eq!(states(&fixture, &["--from", from]).await, (Exit::Aws, expected.to_vec()), "{from}");
    }
    let (_, found) = states(&fixture, &["--from", "s3://audit-results/lines.jsonl"]).await;
    assert_eq!(found, expected[..1]);
    // A report from a folder needs no credentials.
    let ran = offline(&["audit", "--from", path(&folder), "--format", "csv"]).await;
    assert_eq!((ran.exit, ran.out.lines().count()), (Exit::Aws, 3), "{}{}", ran.out, ran.err);
    fixture
        .stub
        .world(|world| world.put_object("audit-results", "runs/2/manifest.json", &manifest.to_string()));
    for (from, message) in [
        ("s3://audit-results/runs/", "holds several runs"),
        ("s3://audit-results/", "there is no manifest.json"),
        ("s3://audit-results/none.json", "is not there"),
        ("s3://x/", "names no bucket"),
        (path(&folder.join("none")), "cannot read"),
        (path(&folder.join("SUCCEEDED_9.json")), "cannot be read"),
    ] {
        let ran = audit(&fixture, &["--from", from]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{from}: {}", ran.err);
        assert!(ran.err.contains(message), "{from}: {}", ran.err);
    }
}

#[tokio::test]
async fn changes_since_an_earlier_audit_are_named() {
    let folder = folder("since");
    let (before, after) = (folder.join("before.jsonl"), folder.join("after.jsonl"));
    fs::write(&before, unreadable(SHOP, "denied").to_string()).unwrap();
    let mut line = unreadable(SHOP, "denied");
    line["state"] = "unencrypted".into();
    line.as_object_mut().unwrap().remove("unreadable");
    line["auditedAt"] = "2026-03-01T12:00:00Z".into();
    fs::write(&after, line.to_string()).unwrap();
    let ran = offline(&["audit", "--from", path(&after), "--since", path(&before), "--format", "json"]).await;
    assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(report["changes"].to_string().contains(SHOP), "{:#}", report["changes"]);
    // The summary of a report serves as well.
    let summary = json!({"madeAt": "2020-03-01T12:00:00Z", "places": [
        {"account": SHOP, "region": REGION, "state": "unreadable", "reason": "denied"}]});
    fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
    for since in [path(&folder), path(&folder.join("summary.json"))] {
        let again = offline(&["audit", "--from", path(&after), "--since", since, "--format", "json"]).await;
        let again: Value = serde_json::from_str(&again.out).unwrap();
        assert_eq!(again["changes"], report["changes"], "{since}");
    }
}

#[tokio::test]
async fn every_format_is_written() {
    let fixture = accounts().await;
    let list = list_of("formats", &[ACCOUNT, SHOP, BANK]);
    for (format, beginning) in [
        ("text", "session-kms audit\n"),
        ("json", "{"),
        ("csv", "account,"),
        ("html", "<!DOCTYPE html>"),
        ("asff", "{"),
        ("ocsf", "{"),
    ] {
        let ran = audit(&fixture, &["--accounts", path(&list), "--format", format]).await;
        assert_eq!(ran.exit, Exit::Fails, "{format}: {}", ran.err);
        assert!(ran.out.starts_with(beginning), "{format}: {}", ran.out);
        assert_eq!(ran.err, "", "without a terminal there is no progress");
    }
    let ran = on(&fixture, &["--format", "json", "audit"], &Terminal::None).await;
    assert!(ran.out.starts_with('{'), "the format may stand before the command: {}", ran.out);
}

#[tokio::test]
async fn somebody_at_a_terminal_sees_the_progress() {
    let fixture = accounts().await;
    let list = list_of("progress", &[ACCOUNT, SHOP, BANK]);
    let ran = on(&fixture, &["audit", "--accounts", path(&list)], &Terminal::Types("")).await;
    assert!(ran.err.contains(" 0/3") && ran.err.contains(" 3/3 · "), "{:?}", ran.err);
    assert!(ran.err.contains("1 fail · 1 not known") && ran.err.ends_with("\r\u{1b}[K"), "{:?}", ran.err);
}

#[tokio::test]
async fn what_is_wrong_with_the_options_is_said_before_anything_is_asked() {
    let list = list_of("options", &["12345"]);
    let file = folder("no-lines").join("audit.jsonl");
    fs::write(&file, "{\"account\": 1}\n").unwrap();
    for (words, message) in [
        (vec!["--accounts", path(&list)], "line 1 names `12345`, which is no account"),
        (vec!["--accounts", "/nowhere/list"], "cannot read `/nowhere/list`"),
        (vec!["--accounts", path(&list), "--organization"], "cannot be used with"),
        (vec!["--regions", "Ireland"], "is no Region"),
        (vec!["--role", "arn:aws:iam::111122223333:role/x"], "it must be the role's name, `x`"),
        (vec!["--external-id", "a"], "must be an external id"),
        (vec!["--concurrency", "0"], "0 is not in 1..=64"),
        (vec!["--concurrency", "65"], "65 is not in 1..=64"),
        (vec!["--from", "x", "--accounts", path(&list)], "cannot be used with"),
        (vec!["--output", "a", "--resume", "b"], "cannot be used with"),
        (vec!["--resume", "/nowhere/audit"], "cannot read `/nowhere/audit`"),
        (vec!["--resume", path(&file)], "line 1 is no line of an audit"),
        (vec!["--organizational-unit", "ou-1"], "--organization"),
        (vec!["--format", "markdown"], "invalid value 'markdown'"),
        (vec!["--since", "/nowhere/summary"], "cannot read"),
    ] {
        let ran = offline(&[&["audit"], words.as_slice()].concat()).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{words:?}");
        assert!(ran.err.contains(message), "{words:?}: {}", ran.err);
    }
    let ran = offline(&["--format", "markdown", "audit"]).await;
    assert!(ran.err.contains("no report in Markdown"), "{}", ran.err);
    let ran = piped(&["audit", "--accounts", "-"], "nobody\n").await;
    assert!(ran.err.contains("`-`") && ran.err.contains("names `nobody`"), "{}", ran.err);
}
