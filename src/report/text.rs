//! The report as text, for a terminal.

#[cfg(feature = "cli")]
mod key_callers;

use serde_json::Value;

use super::change::Sign;
use super::escape::{json, plain};
use super::headline::plural;
use super::{Change, KeyAssessment, KeyList, Matrix, RegionStatus, Report, words};
use crate::preflight::{Check, Finding, ResourceRemedy, Verdict, key_policy_title};

/// The report as text. It has escape sequences for colour only if `colour` says so.
pub(super) fn render(report: &Report, colour: bool) -> String {
    let mut text = TextWriter { out: String::new(), colour };
    text.head(report);
    if let Some(key_assessment) = &report.key_assessment {
        text.matrix(&Matrix::of(key_assessment));
        text.findings(key_assessment);
        text.remedies(key_assessment);
    }
    if let Some(change) = &report.change {
        text.change(change);
    }
    text.status(&report.status);
    text.keys(&report.keys);
    #[cfg(feature = "cli")]
    if let Some(key_callers) = &report.key_callers {
        text.key_callers(key_callers);
    }
    if !report.notes.is_empty() {
        text.title("Notes");
        for note in &report.notes {
            text.line(&plain(note));
        }
    }
    text.out
}

struct TextWriter {
    out: String,
    colour: bool,
}

/// The parameter of a colour or style in ECMA-48 (SGR).
#[derive(Clone, Copy)]
struct Colour(&'static str);

const BOLD: Colour = Colour("1");
const DIM: Colour = Colour("2");
const RED: Colour = Colour("31");
const GREEN: Colour = Colour("32");
const YELLOW: Colour = Colour("33");
const MAGENTA: Colour = Colour("35");
const CYAN: Colour = Colour("36");

impl Colour {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => GREEN,
            Verdict::Warning => YELLOW,
            Verdict::Fail => RED,
            Verdict::Unknown => MAGENTA,
        }
    }
}

impl TextWriter {
    fn head(&mut self, report: &Report) {
        let header = &report.header;
        let title = self.painted(BOLD, &format!("session-kms {}", header.command));
        self.line(&title);
        let regions = header.regions.join(", ");
        let mode =
            report.key_assessment.as_ref().map(|key_assessment| words::mode(key_assessment.mode).to_owned());
        for (name, value) in [
            ("account", header.account.clone()),
            // Whoever reads this at a terminal knows the time and the command, but perhaps not whose credentials count.
            ("caller", header.origin.as_ref().and_then(|origin| origin.caller.clone())),
            ("Region", Some(regions).filter(|regions| !regions.is_empty())),
            ("document", header.document.clone()),
            ("key", header.key.clone()),
            ("mode", mode),
        ] {
            if let Some(value) = value {
                let name = self.painted(DIM, &format!("{name:<9}"));
                self.line(&format!("  {name} {}", plain(&value)));
            }
        }
        let headline = report.headline();
        if !headline.text.is_empty() {
            let sign = words::sign(headline.verdict);
            let line = format!("{sign} {}", plain(&headline.text));
            let line = self.painted(Colour::of(headline.verdict), &line);
            self.line("");
            self.line(&line);
        }
    }

    fn matrix(&mut self, matrix: &Matrix) {
        if matrix.rows.is_empty() {
            return;
        }
        self.line("");
        let [user, node] = words::ACTIONS;
        let head = ["ACCOUNT", "PRINCIPAL", user, node].map(str::to_owned);
        let mut rows = vec![head.map(|cell| (Some(BOLD), cell))];
        for row in &matrix.rows {
            let (account, name) = words::principal(&row.subject);
            let [user, node] = words::cells(row)
                .map(|cell| (Some(cell.map_or(DIM, |cell| Colour::of(cell.verdict))), words::cell(cell)));
            rows.push([(None, account), (None, plain(&name)), user, node]);
        }
        self.table(&rows);
    }

    fn findings(&mut self, key_assessment: &KeyAssessment) {
        let findings = key_assessment.by_weight();
        let (passed, others): (Vec<&Finding>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.verdict == Verdict::Pass);
        self.title("Findings");
        for finding in others {
            let sign = self.painted(Colour::of(finding.verdict), words::sign(finding.verdict));
            let blocks = if key_assessment.mode.blocks(finding) {
                self.painted(RED, " · blocks")
            } else {
                String::new()
            };
            let (check, subject) = (words::check(finding.check), plain(&finding.subject));
            let behind = words::behind_subject(finding);
            self.line(&format!("{sign} {check} · {subject}{behind}{blocks}"));
            self.line(&format!("    {}", plain(&finding.evidence)));
            if let Some(remedy) = &finding.remedy {
                let remedy = self.painted(CYAN, &format!("→ {}", plain(remedy)));
                self.line(&format!("    {remedy}"));
            }
        }
        // These say how much was looked at, and what does not count.
        let counts =
            |finding: &&Finding| matches!(finding.check, Check::Nodes | Check::Users | Check::Network);
        for finding in passed.iter().copied().filter(|finding| counts(finding)) {
            let sign = self.painted(Colour::of(Verdict::Pass), words::sign(Verdict::Pass));
            let line = format!("{sign} {} · {}", words::check(finding.check), plain(&finding.subject));
            self.line(&line);
            self.line(&format!("    {}", plain(&finding.evidence)));
        }
        if passed.is_empty() {
            return;
        }
        let count = plural(passed.len(), "finding passes", "findings pass");
        let line = self.painted(GREEN, &format!("{} {count}", words::sign(Verdict::Pass)));
        self.line(&line);
    }

    fn remedies(&mut self, key_assessment: &KeyAssessment) {
        let remedies = &key_assessment.assessment.remedies;
        if !key_assessment.has_remedies() {
            return;
        }
        self.title(words::REMEDIES);
        for statement in &remedies.key_policy_statements {
            self.step(&key_policy_title(statement));
            self.json(statement);
        }
        for remedy in &remedies.identity_policies {
            self.step(&remedy.title());
            for principal in &remedy.principals {
                self.line(&format!("  {}", plain(principal.as_str())));
            }
            self.json(&remedy.policy);
            if let Some(statement) = &remedy.instead {
                self.step(words::INSTEAD_REMEDY);
                self.json(statement);
            }
        }
        for ResourceRemedy { resource, title, command, snippet } in &remedies.resources {
            self.step(title);
            self.line(&format!("  {}", plain(resource)));
            if let Some(command) = command {
                self.line(&plain(command));
                self.step(words::SNIPPET_REMEDY);
            }
            self.json(snippet);
        }
    }

    fn change(&mut self, change: &Change) {
        self.title(if change.done { "Change, done" } else { "Change" });
        if change.is_empty() {
            self.line("nothing differs; nothing is written");
            return;
        }
        for (sign, line) in change.diff() {
            let line = plain(&line);
            let line = match sign {
                Sign::Head => self.painted(BOLD, &line),
                Sign::Minus => self.painted(RED, &line),
                Sign::Plus => self.painted(GREEN, &line),
                Sign::Same => line,
            };
            self.line(&line);
        }
        for (at, step) in change.steps.iter().enumerate() {
            self.line(&format!("{}. {}", at + 1, plain(step)));
        }
    }

    fn status(&mut self, list: &[RegionStatus]) {
        for status in list {
            self.heading(&format!("{} · {}", status.region, status.document));
            let (verdict, _) = status.verdict();
            let key = self.painted(Colour::of(verdict), &plain(status.key()));
            self.field("key", &key);
            if let Some(key) = &status.default_kms_key_id {
                self.field(
                    "default's",
                    &plain(if key.is_empty() { "not encrypted with a key" } else { key }),
                );
            }
            if let Some(versions) = &status.versions {
                let (latest, default) = (versions.latest, versions.default);
                self.field("versions", &format!("latest {latest}, default {default}"));
            }
            self.field("owner", &plain(status.owner.as_deref().unwrap_or("nobody: there is no record")));
            if let Some(wanted) = &status.wanted {
                self.field("wanted", &plain(if wanted.is_empty() { "no encryption" } else { wanted }));
            }
            for (verdict, line) in status.lines() {
                let line = format!("{} {}", words::sign(verdict), plain(line));
                let line = self.painted(Colour::of(verdict), &line);
                self.line(&line);
            }
        }
    }

    fn keys(&mut self, lists: &[KeyList]) {
        for list in lists {
            self.heading(&list.region);
            if list.keys.is_empty() {
                self.line("no keys");
            }
            let mut rows = Vec::new();
            for key in &list.keys {
                let verdict = if key.is_fit() { Verdict::Pass } else { Verdict::Fail };
                let colour = Some(Colour::of(verdict));
                let aliases =
                    if key.aliases.is_empty() { "(no alias)".to_owned() } else { key.aliases.join(", ") };
                rows.push([
                    (colour, words::sign(verdict).to_owned()),
                    (Some(BOLD), plain(&aliases)),
                    (None, plain(&key.arn)),
                    (colour, plain(&key.fitness_line())),
                ]);
            }
            self.table(&rows);
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let name = self.painted(DIM, &format!("{name:<9}"));
        self.line(&format!("  {name} {value}"));
    }

    fn table<const COLUMNS: usize>(&mut self, rows: &[[(Option<Colour>, String); COLUMNS]]) {
        let mut widths = [0; COLUMNS];
        for row in rows {
            for (width, (_, cell)) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in rows {
            let mut line = String::new();
            for ((colour, cell), width) in row.iter().zip(widths) {
                let padding = " ".repeat(width - cell.chars().count() + 2);
                let cell = colour.map_or_else(|| cell.clone(), |colour| self.painted(colour, cell));
                line.push_str(&cell);
                line.push_str(&padding);
            }
            self.line(line.trim_end());
        }
    }

    fn json(&mut self, value: &Value) {
        self.line(&json(value));
    }

    fn title(&mut self, title: &str) {
        self.heading(&title.to_uppercase());
    }

    fn heading(&mut self, heading: &str) {
        let heading = self.painted(BOLD, &plain(heading));
        self.line("");
        self.line(&heading);
    }

    fn step(&mut self, step: &str) {
        let step = self.painted(CYAN, &format!("→ {}:", plain(step)));
        self.line(&step);
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn painted(&self, Colour(colour): Colour, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
