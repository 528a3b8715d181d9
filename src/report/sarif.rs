//! The report as SARIF 2.1.0, which GitHub and other services show at the lines of a pull request.
//!
//! Each finding that is no pass is a result. If the key policy was read from a file, the result stands at the statement that
//! decided; otherwise it names its subject as a logical location.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::escape::plain;
use super::explanations::{CHECKS, Explanation};
use super::{KeyAssessment, PolicySource, Report, SourcePlace};
use crate::preflight::{Check, Finding, Verdict};

/// How many results a report has at most. GitHub shows 5,000.
const MOST_RESULTS: usize = 5_000;

/// Where the schema of the format stands.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name of the folder to which relative paths belong.
const SOURCE_ROOT: &str = "%SRCROOT%";

/// The report as a value.
pub(super) fn value(report: &Report) -> Value {
    let findings: Vec<(&KeyAssessment, &Finding)> = report
        .key_assessment
        .iter()
        .flat_map(|assessed| assessed.by_weight().into_iter().map(move |finding| (assessed, finding)))
        .filter(|(_, finding)| finding.verdict != Verdict::Pass)
        .collect();
    let source = report.policy_source.as_ref();
    let results: Vec<Value> = findings
        .iter()
        .take(MOST_RESULTS)
        .map(|(assessed, finding)| result(assessed, finding, source))
        .collect();
    let left_out = findings.len() - results.len();
    let mut run = json!({
        "tool": { "driver": {
            "name": "session-kms",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": CHECKS.map(rule),
        }},
        "invocations": [invocation(report, left_out)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if source.is_some()
        && let Some(run) = run.as_object_mut()
    {
        run.insert(
            "originalUriBaseIds".to_owned(),
            json!({ SOURCE_ROOT: { "description": { "text": "The folder in which session-kms was started." } } }),
        );
    }
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] })
}

/// A check as a rule.
fn rule(check: Check) -> Value {
    let explanation = Explanation::of(check);
    let text: Vec<String> =
        explanation.parts().into_iter().map(|(title, text)| format!("{title}: {text}")).collect();
    let markdown: Vec<String> =
        explanation.parts().into_iter().map(|(title, text)| format!("**{title}**: {text}")).collect();
    json!({
        "id": explanation.id,
        "name": explanation.name,
        "shortDescription": { "text": first_sentence(explanation.asks) },
        "fullDescription": { "text": explanation.asks },
        "help": { "text": text.join("\n\n"), "markdown": markdown.join("\n\n") },
    })
}

fn first_sentence(text: &str) -> &str {
    let end = text.match_indices(['.', '?']).find(|(at, _)| text.get(at + 1..=at + 1) == Some(" "));
    end.and_then(|(at, _)| text.get(..=at)).unwrap_or(text)
}

/// How the command ended, and what else the reader should know.
fn invocation(report: &Report, left_out: usize) -> Value {
    let mut notes = report.notes.clone();
    notes.insert(0, report.headline().text);
    if left_out > 0 {
        notes.push(format!("{left_out} further findings are left out; the JSON report has all of them"));
    }
    let notes: Vec<Value> = notes
        .into_iter()
        .map(|text| json!({ "level": "note", "message": { "text": message_text(&text) } }))
        .collect();
    let mut invocation = Map::new();
    if let Some(origin) = &report.header.origin {
        invocation.insert("commandLine".to_owned(), origin.command_line.clone().into());
        invocation.insert("endTimeUtc".to_owned(), origin.generated_at.clone().into());
    }
    invocation.insert("executionSuccessful".to_owned(), true.into());
    invocation.insert("exitCode".to_owned(), u8::from(report.fails()).into());
    invocation.insert("toolExecutionNotifications".to_owned(), notes.into());
    Value::Object(invocation)
}

/// A finding as a result.
fn result(assessed: &KeyAssessment, finding: &Finding, source: Option<&PolicySource>) -> Value {
    let blocks = assessed.mode.blocks(finding);
    let level = match finding.verdict {
        _ if blocks => "error",
        Verdict::Fail | Verdict::Warning => "warning",
        Verdict::Unknown | Verdict::Pass => "note",
    };
    let index = CHECKS.iter().position(|check| *check == finding.check);
    let mut result = json!({
        "ruleId": Explanation::of(finding.check).id,
        "level": level,
        "message": { "text": message(finding) },
        "locations": [location(finding, source)],
        "partialFingerprints": { "finding/v1": fingerprint(finding) },
        "properties": {
            "verdict": finding.verdict,
            "subject": finding.subject,
            "side": finding.side,
            "exempt": finding.exempt,
            "blocks": blocks,
        },
    });
    if let Some(result) = result.as_object_mut() {
        if let Some(index) = index {
            result.insert("ruleIndex".to_owned(), index.into());
        }
        let related = related_locations(finding, source);
        if !related.is_empty() {
            result.insert("relatedLocations".to_owned(), related.into());
        }
    }
    result
}

fn message(finding: &Finding) -> String {
    let behind = super::words::behind_subject(finding);
    let Finding { subject, evidence, .. } = finding;
    let remedy = finding.remedy.iter().map(|remedy| format!(". To do: {remedy}")).collect::<String>();
    message_text(&format!("{subject}{behind}: {evidence}{remedy}"))
}

/// A text in which nothing is a link. In messages of SARIF, words in brackets before parentheses are one.
fn message_text(text: &str) -> String {
    let mut escaped = String::new();
    for letter in plain(text).chars() {
        if matches!(letter, '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// The place of the first statement that decided, else of the whole policy; without a file, the subject.
fn location(finding: &Finding, source: Option<&PolicySource>) -> Value {
    let logical = json!([{ "fullyQualifiedName": finding.subject, "kind": "resource" }]);
    match source {
        Some(source) => {
            let place = statement_places(finding, source).next().map_or(source.policy, |(_, place)| place);
            json!({ "physicalLocation": physical(&source.file, place), "logicalLocations": logical })
        }
        None => json!({ "logicalLocations": logical }),
    }
}

/// The places of the other statements that decided.
fn related_locations(finding: &Finding, source: Option<&PolicySource>) -> Vec<Value> {
    let Some(source) = source else { return Vec::new() };
    let related = statement_places(finding, source).skip(1).zip(1..);
    let related = related.map(|((statement, place), id)| {
        json!({
            "id": id,
            "message": { "text": format!("Statement {statement} decides too.") },
            "physicalLocation": physical(&source.file, place),
        })
    });
    related.collect()
}

fn statement_places<'a>(
    finding: &'a Finding,
    source: &'a PolicySource,
) -> impl Iterator<Item = (usize, SourcePlace)> + 'a {
    let place = |index: &usize| source.statements.get(*index).map(|place| (*index, *place));
    finding.key_policy_statements.iter().filter_map(place)
}

fn physical(file: &str, place: SourcePlace) -> Value {
    let artifact = match file.strip_prefix('/') {
        Some(path) => json!({ "uri": format!("file:///{}", encoded(path)) }),
        None => {
            let path = file.trim_start_matches("./");
            json!({ "uri": encoded(path), "uriBaseId": SOURCE_ROOT })
        }
    };
    // Lines and columns count from 1, and an end stands behind its beginning.
    let (line, column) = (place.line.max(1), place.column.max(1));
    json!({
        "artifactLocation": artifact,
        "region": { "startLine": line, "startColumn": column, "endLine": place.end_line.max(line) },
    })
}

/// A path as a part of a URI.
fn encoded(path: &str) -> String {
    let mut encoded = String::new();
    for byte in path.bytes() {
        match char::from(byte) {
            plain if plain.is_ascii_alphanumeric() || "-._~/".contains(plain) => encoded.push(plain),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// What stays the same of a finding from run to run, so that services show it once.
fn fingerprint(finding: &Finding) -> String {
    let side = finding.side.map(|side| side.to_string()).unwrap_or_default();
    let parts =
        [Explanation::of(finding.check).id, &finding.subject, &side, super::words::verdict(finding.verdict)];
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "sarif/tests.rs"]
mod tests;
