//! The report as Markdown, for the comment on a pull request.

#[cfg(feature = "cli")]
mod key_callers;

use super::escape::{json, markdown, markdown_code, plain};
use super::headline::plural;
use super::{Change, KeyAssessment, KeyList, Matrix, RegionStatus, Report, ReportOrigin, words};
use crate::preflight::{Finding, ResourceRemedy, Verdict, key_policy_title};

/// The most rows of a table and items of a list: a comment on GitHub holds 65,536 characters.
const MOST: usize = 100;

/// The report as Markdown.
pub(super) fn render(report: &Report) -> String {
    let mut lines = head(report);
    if let Some(key_assessment) = &report.key_assessment {
        lines.extend(matrix(&Matrix::of(key_assessment)));
        lines.extend(findings(key_assessment));
        lines.extend(remedies(key_assessment));
    }
    lines.extend(report.change.iter().flat_map(change));
    lines.extend(status(&report.status));
    lines.extend(report.keys.iter().flat_map(keys));
    #[cfg(feature = "cli")]
    lines.extend(report.key_callers.iter().flat_map(key_callers::lines));
    if !report.notes.is_empty() {
        lines.extend(["### Notes".to_owned(), String::new()]);
        lines.extend(report.notes.iter().map(|note| format!("- {}", markdown(note))));
    }
    lines.join("\n")
}

fn head(report: &Report) -> Vec<String> {
    let header = &report.header;
    let headline = report.headline();
    let mut lines = vec![format!("## session-kms {}", markdown(&header.command)), String::new()];
    if !headline.text.is_empty() {
        lines.push(format!("{} **{}**", emoji(headline.verdict), markdown(&headline.text)));
        lines.push(String::new());
    }
    let regions = header.regions.join(", ");
    let facts = [
        ("account", header.account.as_deref()),
        ("Region", Some(regions.as_str()).filter(|regions| !regions.is_empty())),
        ("document", header.document.as_deref()),
        ("key", header.key.as_deref()),
    ];
    for (name, value) in facts {
        lines.extend(value.map(|value| format!("- {name} {}", markdown_code(value))));
    }
    lines.extend(
        report
            .key_assessment
            .as_ref()
            .map(|key_assessment| format!("- mode {}", markdown(words::mode(key_assessment.mode)))),
    );
    let origin = header.origin.iter().flat_map(ReportOrigin::facts);
    lines.extend(origin.map(|(name, value)| match name {
        "made" => format!("- {name} {}", markdown(&value)),
        _ => format!("- {name} {}", markdown_code(&value)),
    }));
    lines.push(String::new());
    lines
}

fn matrix(matrix: &Matrix) -> Vec<String> {
    if matrix.rows.is_empty() {
        return Vec::new();
    }
    let [user, node] = words::ACTIONS;
    let mut lines = vec![format!("| Principal | `{user}` | `{node}` |"), "| --- | --- | --- |".to_owned()];
    for row in matrix.rows.iter().take(MOST) {
        let [user, node] = words::cells(row).map(|cell| match cell {
            None => "–".to_owned(),
            Some(cell) => format!("{} {}", emoji(cell.verdict), words::of_cell(cell)),
        });
        lines.push(format!("| {} | {user} | {node} |", markdown_code(&row.subject)));
    }
    lines.push(String::new());
    lines.extend(more(matrix.rows.len(), "principal", "principals"));
    lines
}

fn findings(key_assessment: &KeyAssessment) -> Vec<String> {
    let (passed, others): (Vec<&Finding>, Vec<_>) =
        key_assessment.by_weight().into_iter().partition(|finding| finding.verdict == Verdict::Pass);
    let line = |finding: &&Finding| {
        let blocks = if key_assessment.mode.blocks(finding) { " **blocks**" } else { "" };
        let remedy =
            finding.remedy.as_ref().map_or_else(String::new, |remedy| format!("<br>→ {}", markdown(remedy)));
        format!(
            "- {} {} · {}{}{blocks}<br>{}{remedy}",
            emoji(finding.verdict),
            words::check(finding.check),
            markdown_code(&finding.subject),
            words::behind_subject(finding),
            markdown(&finding.evidence),
        )
    };
    let mut lines = vec!["### Findings".to_owned(), String::new()];
    lines.extend(others.iter().take(MOST).map(line));
    lines.push(String::new());
    lines.extend(more(others.len(), "finding", "findings"));
    if !passed.is_empty() {
        let title = plural(passed.len(), "finding passes", "findings pass");
        lines.extend([format!("<details><summary>{title}</summary>"), String::new()]);
        lines.extend(passed.iter().take(MOST).map(line));
        lines.push(String::new());
        lines.extend(more(passed.len(), "finding", "findings"));
        lines.extend(["</details>".to_owned(), String::new()]);
    }
    lines
}

fn remedies(key_assessment: &KeyAssessment) -> Vec<String> {
    let remedies = &key_assessment.assessment.remedies;
    if !key_assessment.has_remedies() {
        return Vec::new();
    }
    let mut lines = vec![format!("### {}", words::REMEDIES), String::new()];
    for statement in &remedies.key_policy_statements {
        lines.extend([format!("{}:", markdown(&key_policy_title(statement))), String::new()]);
        lines.extend(fenced("json", &json(statement)));
    }
    for remedy in &remedies.identity_policies {
        lines.extend([format!("{}:", markdown(&remedy.title())), String::new()]);
        let shown = remedy.principals.iter().take(MOST);
        lines.extend(shown.map(|principal| format!("- {}", markdown_code(principal.as_str()))));
        lines.push(String::new());
        lines.extend(more(remedy.principals.len(), "principal", "principals"));
        lines.extend(fenced("json", &json(&remedy.policy)));
        if let Some(statement) = &remedy.instead {
            lines.extend([format!("{}:", words::INSTEAD_REMEDY), String::new()]);
            lines.extend(fenced("json", &json(statement)));
        }
    }
    for ResourceRemedy { resource, title, command, snippet } in remedies.resources.iter().take(MOST) {
        lines.extend([format!("{}: {}", markdown(title), markdown_code(resource)), String::new()]);
        if let Some(command) = command {
            lines.extend(fenced("sh", &plain(command)));
            lines.extend([format!("{}:", words::SNIPPET_REMEDY), String::new()]);
        }
        lines.extend(fenced("json", &json(snippet)));
    }
    lines.extend(more(remedies.resources.len(), "remedy", "remedies"));
    lines
}

fn change(change: &Change) -> Vec<String> {
    let title = if change.done { "### Change, done" } else { "### Change" };
    let mut lines = vec![title.to_owned(), String::new()];
    if change.is_empty() {
        lines.extend(["Nothing differs; nothing is written.".to_owned(), String::new()]);
        return lines;
    }
    let diff: Vec<_> = change.diff().into_iter().map(|(_, line)| line).collect();
    lines.extend(fenced("diff", &diff.join("\n")));
    lines.extend(change.steps.iter().map(|step| format!("1. {}", markdown(step))));
    lines.push(String::new());
    lines
}

fn status(list: &[RegionStatus]) -> Vec<String> {
    if list.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        "| Region | Document | Key | Latest, default | Owner |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for status in list {
        let mark = emoji(status.verdict().0);
        let versions = status
            .versions
            .as_ref()
            .map_or_else(|| "–".to_owned(), |versions| format!("{}, {}", versions.latest, versions.default));
        let key = if status.is_encrypted() { markdown_code(status.key()) } else { markdown(status.key()) };
        lines.push(format!(
            "| {mark} {} | {} | {key} | {versions} | {} |",
            markdown_code(&status.region),
            markdown_code(&status.document),
            markdown(status.owner.as_deref().unwrap_or("nobody")),
        ));
    }
    lines.push(String::new());
    for status in list {
        for (verdict, line) in status.lines() {
            lines.push(format!("- {} {}", emoji(verdict), markdown(&format!("{}: {line}", status.region))));
        }
    }
    lines.push(String::new());
    lines
}

fn keys(list: &KeyList) -> Vec<String> {
    let mut lines = vec![
        format!("### {}", markdown(&list.region)),
        String::new(),
        "| Aliases | Key | |".to_owned(),
        "| --- | --- | --- |".to_owned(),
    ];
    for key in &list.keys {
        let mark = emoji(if key.is_fit() { Verdict::Pass } else { Verdict::Fail });
        let aliases: Vec<_> = key.aliases.iter().map(|alias| markdown_code(alias)).collect();
        let (aliases, arn) = (aliases.join(", "), markdown_code(&key.arn));
        lines.push(format!("| {aliases} | {arn} | {mark} {} |", markdown(&key.fitness_line())));
    }
    lines.push(String::new());
    lines
}

/// A block of code. Its fence has more backticks than the text has in a row.
fn fenced(language: &str, text: &str) -> Vec<String> {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    vec![format!("{fence}{language}"), text.to_owned(), fence, String::new()]
}

fn more(all: usize, one: &str, many: &str) -> Vec<String> {
    match all.saturating_sub(MOST) {
        0 => Vec::new(),
        rest => vec![
            format!("… and {} more; the JSON and the HTML report hold all.", plural(rest, one, many)),
            String::new(),
        ],
    }
}

fn emoji(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Warning => "⚠️",
        Verdict::Fail => "❌",
        Verdict::Unknown => "❔",
    }
}
