use super::*;
use crate::access::CallerKind;
use crate::intent::PreflightMode;
use crate::preflight::Assessment;
use crate::report::ReportFormat;

const USER: &str = "arn:aws:iam::111122223333:role/App";

fn finding(check: Check, verdict: Verdict, statements: &[usize]) -> Finding {
    Finding {
        remedy: Some("do this".to_owned()),
        side: Some(CallerKind::User),
        key_policy_statements: statements.to_vec(),
        ..Finding::new(check, verdict, USER, "seen")
    }
}

fn report(mode: PreflightMode, findings: Vec<Finding>, file: Option<&str>) -> Report {
    let place = |line| SourcePlace { line, column: 5, end_line: line + 3 };
    Report {
        key_assessment: Some(KeyAssessment {
            mode,
            assessment: Assessment { findings, ..Assessment::default() },
            key_policy: None,
        }),
        policy_source: file.map(|file| PolicySource {
            file: file.to_owned(),
            policy: SourcePlace { line: 1, column: 1, end_line: 40 },
            statements: vec![place(4), place(10), place(20)],
        }),
        ..Report::default()
    }
}

/// The results of a report.
fn results(report: &Report) -> Vec<Value> {
    let value: Value = serde_json::from_str(&report.render(ReportFormat::Sarif)).unwrap();
    value["runs"][0]["results"].as_array().unwrap().clone()
}

#[test]
fn a_result_stands_at_the_statement_that_decided() {
    for (statements, line, end, related) in [
        (&[1][..], 10, 13, &[][..]),
        (&[2, 0], 20, 23, &[4][..]),
        // What no statement decided stands at the whole policy, and so does a statement without a place.
        (&[], 1, 40, &[]),
        (&[7], 1, 40, &[]),
    ] {
        let one = finding(Check::KeyPolicy, Verdict::Fail, statements);
        let result = &results(&report(PreflightMode::Enforce, vec![one], Some("./a b/key.json")))[0];
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            physical["artifactLocation"],
            json!({ "uri": "a%20b/key.json", "uriBaseId": "%SRCROOT%" })
        );
        assert_eq!(
            (&physical["region"]["startLine"], &physical["region"]["endLine"]),
            (&line.into(), &end.into())
        );
        let lines: Vec<i64> = result["relatedLocations"].as_array().map_or_else(Vec::new, |all| {
            all.iter().map(|one| one["physicalLocation"]["region"]["startLine"].as_i64().unwrap()).collect()
        });
        assert_eq!(lines, related);
    }
}

#[test]
fn without_a_file_a_result_names_its_subject() {
    let report = report(PreflightMode::Enforce, vec![finding(Check::Users, Verdict::Unknown, &[0])], None);
    let result = &results(&report)[0];
    assert_eq!(
        result["locations"],
        json!([{ "logicalLocations": [{ "fullyQualifiedName": USER, "kind": "resource" }] }])
    );
    assert_eq!(result["message"]["text"], format!("{USER} as user: seen. To do: do this"));
}

#[test]
fn an_absolute_path_belongs_to_no_folder() {
    let one = finding(Check::KeyPolicy, Verdict::Fail, &[0]);
    let result = &results(&report(PreflightMode::Enforce, vec![one], Some("/tmp/ä.json")))[0];
    let artifact = &result["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*artifact, json!({ "uri": "file:///tmp/%C3%A4.json" }));
}

#[test]
fn the_level_says_whether_a_finding_blocks() {
    let exempt = Finding { exempt: true, ..finding(Check::KeyPolicy, Verdict::Fail, &[]) };
    for (mode, one, level) in [
        (PreflightMode::Enforce, finding(Check::KeyPolicy, Verdict::Fail, &[]), Some("error")),
        (PreflightMode::Warn, finding(Check::KeyPolicy, Verdict::Fail, &[]), Some("warning")),
        (PreflightMode::Enforce, exempt, Some("warning")),
        (PreflightMode::Enforce, finding(Check::KeyPolicy, Verdict::Unknown, &[]), Some("note")),
        (PreflightMode::Strict, finding(Check::KeyPolicy, Verdict::Unknown, &[]), Some("error")),
        (PreflightMode::Enforce, finding(Check::KeyFitness, Verdict::Warning, &[]), Some("warning")),
        (PreflightMode::Strict, finding(Check::KeyPolicy, Verdict::Pass, &[]), None),
    ] {
        let results = results(&report(mode, vec![one.clone()], None));
        assert_eq!(results.first().and_then(|result| result["level"].as_str()), level, "{mode:?} {one:?}");
    }
}

#[test]
fn every_result_has_its_rule_and_a_fingerprint_of_its_own() {
    let findings: Vec<Finding> =
        CHECKS.into_iter().map(|check| finding(check, Verdict::Unknown, &[])).collect();
    let report = report(PreflightMode::Enforce, findings, None);
    let value = value(&report);
    let rules = value["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().clone();
    let mut prints = std::collections::BTreeSet::new();
    for result in results(&report) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let print = result["partialFingerprints"]["finding/v1"].as_str().unwrap().to_owned();
        assert_eq!(print.len(), 64);
        assert!(prints.insert(print));
    }
    assert_eq!(prints.len(), CHECKS.len());
    for rule in rules {
        let short = rule["shortDescription"]["text"].as_str().unwrap();
        assert!(short.ends_with(['?', '.']) && short.len() < 150, "{short}");
    }
}

#[test]
fn the_heaviest_findings_are_kept_if_there_are_too_many() {
    let mut findings = vec![finding(Check::Users, Verdict::Unknown, &[]); MOST_RESULTS + 2];
    findings.push(finding(Check::KeyPolicy, Verdict::Fail, &[]));
    let report = report(PreflightMode::Enforce, findings, None);
    let results = results(&report);
    assert_eq!((results.len(), &results[0]["level"]), (MOST_RESULTS, &"error".into()));
    let notes = value(&report)["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notes.contains("3 further findings are left out"), "{notes}");
}

#[test]
fn a_report_without_findings_is_a_run_without_results() {
    let value = value(&Report::default());
    assert_eq!((&value["version"], &value["runs"][0]["results"]), (&"2.1.0".into(), &json!([])));
    assert_eq!(value["runs"][0]["invocations"][0]["exitCode"], 0);
}
