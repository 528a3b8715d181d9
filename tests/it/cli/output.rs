//! Reports that go to a file, the address that calls go to, and values that look misspelt.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use session_kms::aws::Aws;
use session_kms::cli::{CliError, Connected, Exit};

use super::{Ran, Terminal, data, offline, on, run};
use crate::fixture::{Fixture, NAME};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const STRANGER: &str = "arn:aws:iam::222222222222:role/Stranger";

/// A folder of one test, which is removed when the value is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("output-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The names of the files in the folder.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn check(more: &[&str]) -> Ran {
    let policy = data("key-policy.json");
    offline(&[&["check", "--key", KEY, "--policy", &policy, "--user", STRANGER][..], more].concat()).await
}

#[tokio::test]
async fn a_report_goes_to_a_file_in_the_format_of_its_ending() {
    let folder = Folder::new("formats");
    for (name, begins) in [
        ("r.html", "<!DOCTYPE html>"),
        ("r.md", "##"),
        ("r.json", "{"),
        ("r.sarif", "{\n  \"$schema\""),
        ("r.txt", "session-kms check\n"),
        ("r", "session-kms check\n"),
    ] {
        let file = folder.file(name);
        let ran = check(&["--output", &file]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Fails, ""), "{}", ran.err);
        assert_eq!(ran.err, format!("session-kms: the report is in `{file}`\n"));
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(begins) && text.ends_with('\n'), "{name}: {text}");
    }
    assert_eq!(folder.names(), ["r", "r.html", "r.json", "r.md", "r.sarif", "r.txt"], "nothing else is left");
    // The format that is asked for counts, and the option may stand before the command.
    let file = folder.file("r.json");
    let before = ["--output", &file, "status", "--format", "markdown"];
    let fixture = Fixture::with_settings().await;
    let ran = on(&fixture, &before, &Terminal::None).await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Good, ""), "{}", ran.err);
    assert!(fs::read_to_string(&file).unwrap().starts_with('#'));
    let ran = check(&["--output", "-"]).await;
    assert!(ran.out.starts_with("session-kms check\n") && ran.err.is_empty(), "{}", ran.err);
}

#[tokio::test]
async fn a_file_is_replaced_as_a_whole_and_keeps_its_permissions() {
    let folder = Folder::new("replaced");
    let (file, link) = (folder.file("r.txt"), folder.file("link.txt"));
    fs::write(&file, "x".repeat(1_000_000)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let ran = check(&["--output", &link]).await;
    assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("session-kms check") && !text.contains("xxx"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    // A device cannot be replaced.
    let ran = check(&["--output", "/dev/null"]).await;
    assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
    assert!(fs::metadata("/dev/null").is_ok_and(|there| !there.is_file()));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_refused_before_anything_is_changed() {
    let folder = Folder::new("refused");
    let fixture = Fixture::with_settings().await;
    let (document, key) = (NAME, fixture.k1.clone());
    let before = fixture.state();
    for file in [folder.file(""), folder.file("missing/r.txt")] {
        let apply = ["apply", "--document", document, "--key", &key, "--yes", "--output", &file];
        let ran = on(&fixture, &apply, &Terminal::None).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{}", ran.err);
        assert!(ran.err.contains(&format!("cannot write `{file}`")), "{}", ran.err);
    }
    assert_eq!(fixture.state(), before);
    assert!(fixture.stub.calls_of("PutParameter").is_empty());
    // A command that fails leaves the file that is there.
    let file = folder.file("r.txt");
    fs::write(&file, "earlier").unwrap();
    let ran = offline(&["status", "--output", &file]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert_eq!(
        (fs::read_to_string(&file).unwrap().as_str(), folder.names()),
        ("earlier", vec!["r.txt".to_owned()])
    );
}

#[tokio::test]
async fn the_file_of_an_audit_is_that_of_its_lines_wherever_it_is_given() {
    let folder = Folder::new("audit");
    let fixture = Fixture::with_settings().await;
    for (file, arguments) in [
        (folder.file("before.jsonl"), ["--output", "FILE", "audit"]),
        (folder.file("behind.jsonl"), ["audit", "--output", "FILE"]),
    ] {
        let arguments = arguments.map(|word| if word == "FILE" { file.as_str() } else { word });
        let ran = on(&fixture, &arguments, &Terminal::None).await;
        assert!(ran.out.contains("session-kms audit"), "the report: {} {}", ran.out, ran.err);
        let line: Value = serde_json::from_str(fs::read_to_string(&file).unwrap().trim()).unwrap();
        assert_eq!(line["region"], "eu-west-1");
    }
    let ran = offline(&["--output", "a.jsonl", "audit", "--resume", "b.jsonl"]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.err.contains("cannot be used with"), "{}", ran.err);
    let ran = offline(&["--format", "sarif", "audit"]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.err.contains("an audit has no report in SARIF"), "{}", ran.err);
}

#[tokio::test]
async fn sarif_has_the_findings_of_a_check_and_no_results_for_other_reports() {
    let ran = check(&["--format", "sarif"]).await;
    assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"key-policy".into(), &"error".into()));
    assert!(result["message"]["text"].as_str().unwrap().contains(STRANGER), "{result:#}");
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["exitCode"], &invocation["executionSuccessful"]), (&1.into(), &true.into()));
    assert!(invocation["commandLine"].as_str().unwrap().starts_with("session-kms check "));

    let fixture = Fixture::with_settings().await;
    let plan = ["plan", "--document", NAME, "--key", &fixture.k1, "--user", STRANGER, "--format", "sarif"];
    for (arguments, has_results) in [(&plan[..], true), (&["status", "--format", "sarif"], false)] {
        let ran = on(&fixture, arguments, &Terminal::None).await;
        let log: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(!results.is_empty(), has_results, "{arguments:?}: {results:#?}");
    }
}

#[tokio::test]
async fn an_address_for_all_calls_reaches_the_connection_from_both_places() {
    for arguments in [
        &["--endpoint-url", "http://localhost:4566", "status"][..],
        &["status", "--endpoint-url", "http://localhost:4566/"],
        &["audit", "--endpoint-url", "http://localhost:4566"],
        &["--endpoint-url", "http://localhost:4566", "audit"],
    ] {
        let asked = std::sync::Mutex::new(Vec::new());
        let ran = run(arguments, &Terminal::None, async |request| {
            asked.lock().unwrap().push(request.endpoint_url.map(str::to_owned));
            Err::<Connected<Aws>, _>(CliError::NoRegion)
        })
        .await;
        assert_eq!(ran.exit, Exit::BadInput, "{}", ran.err);
        assert_eq!(asked.into_inner().unwrap(), [Some("http://localhost:4566".to_owned())], "{arguments:?}");
    }
    let ran = offline(&["status", "--endpoint-url", "http://ann:s3cret@localhost"]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.err.contains("http://localhost:4566"), "{}", ran.err);
}

#[tokio::test]
async fn a_value_that_looks_misspelt_has_a_suggestion() {
    // A text that can be no Region is refused.
    let ran = offline(&["status", "--region", "eu_west_1"]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.err.contains("did you mean `eu-west-1`?"), "{}", ran.err);
    // A Region may be new, so the suggestion comes if AWS does not answer.
    for arguments in [&["status", "--region", "eu-wset-1"][..], &["audit", "--regions", "eu-wset-1"]] {
        let ran = run(arguments, &Terminal::None, async |_| {
            Err::<Connected<Aws>, _>(CliError::Credentials("no host answers".to_owned()))
        })
        .await;
        assert_eq!(ran.exit, Exit::Aws);
        assert!(ran.err.ends_with("did you mean `eu-west-1`?\n"), "{}", ran.err);
    }
    // So may a condition key, and the report says what it does not know.
    let ran = check(&["--context", "aws:SourceVcpe=vpce-1"]).await;
    assert!(ran.out.contains("did you mean `aws:SourceVpce`?"), "{}", ran.out);
    let ran = check(&["--context", "aws:SourceVpce=vpce-1"]).await;
    assert!(!ran.out.contains("did you mean"), "{}", ran.out);
    let ran = check(&["--context", "SourceVpce=vpce-1"]).await;
    assert_eq!(ran.exit, Exit::BadInput);
    assert!(ran.err.contains("did you mean `aws:SourceVpce`?"), "{}", ran.err);
}
