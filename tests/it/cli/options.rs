//! Where options may stand, words in any case, what a report says of its origin, and how a declined question ends.

use serde_json::Value;
use session_kms::cli::Exit;

use super::{Terminal, data, offline, on};
use crate::fixture::Fixture;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const STRANGER: &str = "arn:aws:iam::222222222222:role/Stranger";

#[tokio::test]
async fn the_format_may_stand_before_and_after_a_command_that_reports() {
    let policy = data("key-policy.json");
    let check = ["check", "--key", KEY, "--policy", &policy];
    for all in [[&["--format", "json"][..], &check].concat(), [&check[..], &["--format", "JSON"]].concat()] {
        let ran = offline(&all).await;
        assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
        assert!(serde_json::from_str::<Value>(&ran.out).is_ok(), "{}", ran.out);
    }
    // The one behind the command wins.
    let ran = offline(&[&["--format", "html"][..], &check, &["--format", "json"]].concat()).await;
    assert!(ran.out.starts_with('{'), "{}", ran.out);
}

#[tokio::test]
async fn evaluate_has_no_options_of_reports() {
    for arguments in [&["evaluate", "--format", "json"][..], &["evaluate", "--profile", "corp"]] {
        let ran = offline(arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{arguments:?}");
        assert!(ran.err.contains("unexpected argument"), "{}", ran.err);
    }
    for arguments in
        [&["--format", "json", "evaluate"][..], &["--profile", "corp", "evaluate"], &["-v", "evaluate"]]
    {
        let ran = offline(arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::BadInput, ""), "{arguments:?}");
        assert!(ran.err.contains("evaluate makes no report"), "{}", ran.err);
    }
    assert!(!offline(&["evaluate", "--help"]).await.out.contains("--format"));
}

#[tokio::test]
async fn words_of_options_are_taken_in_any_case() {
    let policy = data("key-policy.json");
    for mode in ["strict", "Strict", "STRICT"] {
        let check = ["check", "--key", KEY, "--policy", &policy, "--user", STRANGER, "--preflight", mode];
        let ran = offline(&[&check[..], &["--format", "Json"]].concat()).await;
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        assert_eq!(report["mode"], "Strict");
    }
}

#[tokio::test]
async fn a_report_says_when_by_whom_and_how_it_was_made() {
    let fixture = Fixture::with_settings().await;
    let role = "arn:aws:iam::111122223333:role/Reader";
    let base =
        ["check", "--key", fixture.k1.as_str(), "--reader-role", role, "--reader-external-id", "s3cret-id"];
    for (format, made) in [
        ("json", "2026-03-01T12:00:00Z"),
        ("markdown", "2026-03-01 12:00:00 UTC"),
        ("html", "2026-03-01 12:00:00 UTC"),
    ] {
        let ran =
            on(&fixture, &[&base[..], &["--exempt", "*a b", "--format", format]].concat(), &Terminal::None)
                .await;
        let line = format!("--reader-external-id *** --exempt '*a b' --format {format}");
        // HTML and Markdown write some characters as numbers.
        let out = ran.out.replace("&#39;", "'").replace("&#42;", "*");
        for word in [made, env!("CARGO_PKG_VERSION"), super::CALLER, &line, "111122223333"] {
            assert!(out.contains(word), "{format} {word}: {out}");
        }
        assert!(!ran.out.contains("s3cret-id"), "{}", ran.out);
    }
    let ran = on(&fixture, &base, &Terminal::None).await;
    assert!(ran.out.contains(&format!("caller    {}", super::CALLER)), "{}", ran.out);
}

#[tokio::test]
async fn what_is_asked_of_nobody_has_no_caller() {
    let ran =
        offline(&["check", "--key", KEY, "--policy", &data("key-policy.json"), "--format", "json"]).await;
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["generatedAt"], report.get("caller")), (&"2026-03-01T12:00:00Z".into(), None));
}

#[tokio::test]
async fn a_declined_question_is_no_bad_input() {
    let fixture = Fixture::with_settings().await;
    let clear = ["clear", "--document", crate::fixture::NAME];
    let ran = on(&fixture, &clear, &Terminal::Types("n\n")).await;
    assert_eq!(ran.exit, Exit::Fails, "{}", ran.err);
    assert!(ran.err.ends_with("session-kms: not confirmed; nothing was changed\n"), "{}", ran.err);
    let ran = on(&fixture, &clear, &Terminal::None).await;
    assert_eq!(ran.exit, Exit::BadInput, "nobody was there to ask: {}", ran.err);
    assert!(offline(&["--help"]).await.out.contains("declined a question"));
}

#[tokio::test]
async fn no_line_counts_what_is_not_there() {
    let ran = offline(&["check", "--key", KEY, "--policy", &data("key-policy.json")]).await;
    assert_eq!(ran.exit, Exit::Good, "{}", ran.err);
    assert!(!ran.out.contains("0 findings"), "{}", ran.out);
}
