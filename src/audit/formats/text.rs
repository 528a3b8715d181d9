//! The report over an audit as text, for a terminal: the counts, what has changed, what fails, what could not be read.

use std::io::{self, Write};

use super::wording::{details, headline, place};
use crate::audit::{AuditLine, AuditReport, AuditState, Changes, Rating, UnreadableReason};
use crate::report::escape::plain;

/// How many rows a list has at most. All rows are in the other formats.
const MOST_ROWS: usize = 200;
/// How many details a row has at most.
const MOST_DETAILS: usize = 4;

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const MAGENTA: &str = "35";
const DIM: &str = "2";

/// Writes the report. It has escape sequences for colour only if `colour` says so.
pub(in crate::audit) fn write(report: &AuditReport, colour: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut text = AuditTextWriter { out, colour };
    text.head(report)?;
    text.totals(report)?;
    if let Some(changes) = report.changes() {
        text.changes(changes)?;
    }
    text.failing(report)?;
    text.unreadable(report)?;
    text.unknown(report)?;
    let notes: Vec<_> = report.audit().notes().collect();
    if !notes.is_empty() {
        text.title("Notes")?;
        for note in notes {
            writeln!(text.out, "  {}", plain(&note))?;
        }
    }
    Ok(())
}

struct AuditTextWriter<'a> {
    out: &'a mut dyn Write,
    colour: bool,
}

impl AuditTextWriter<'_> {
    fn head(&mut self, report: &AuditReport) -> io::Result<()> {
        let totals = report.totals();
        let title = self.painted(BOLD, "session-kms audit");
        writeln!(self.out, "{title}")?;
        let (tone, headline) = headline(report);
        let colour = match tone {
            "pass" => GREEN,
            "fail" => RED,
            _ => MAGENTA,
        };
        let headline = self.painted(colour, &headline);
        let made = report.made_at().replace('T', " ").replace('Z', " UTC");
        writeln!(self.out, "  made      {}", plain(&made))?;
        writeln!(self.out, "  document  {}", plain(report.document()))?;
        writeln!(
            self.out,
            "  audited   accounts: {}, Regions: {}, pairs of both: {}",
            totals.accounts, totals.regions, totals.places
        )?;
        writeln!(self.out, "\n{headline}")
    }

    fn totals(&mut self, report: &AuditReport) -> io::Result<()> {
        let totals = report.totals();
        self.title("Totals")?;
        let not_enabled = totals.rated(Rating::NotEnabled);
        for state in AuditState::ALL {
            let mut count = totals.in_state(state);
            if state == AuditState::Unreadable {
                count -= not_enabled.min(count);
            }
            let cell = self.painted(if count == 0 { DIM } else { colour(state) }, &format!("{state:<24}"));
            writeln!(self.out, "  {cell} {count:>7}")?;
        }
        writeln!(self.out, "  {:<24} {not_enabled:>7}", "Region not enabled")?;
        writeln!(self.out, "  {:<24} {:>7}", "all", totals.places)?;
        writeln!(self.out, "  {:<24} {:>7}", "keys", totals.keys)?;
        writeln!(self.out, "  {:<24} {:>7}", "principals locked out", totals.locked_out)
    }

    fn changes(&mut self, changes: &Changes) -> io::Result<()> {
        let since = changes.since.replace('T', " ").replace('Z', " UTC");
        self.title(&format!("Changes since {}", plain(&since)))?;
        if changes.is_empty() {
            return writeln!(self.out, "  Nothing has changed.");
        }
        for (name, list) in changes.lists() {
            if list.is_empty() {
                continue;
            }
            let head = self.painted(BOLD, &format!("{}: {}", heading(name), list.len()));
            writeln!(self.out, "  {head}")?;
            for change in list.iter().take(MOST_ROWS) {
                let (account, region) = change.place();
                let state = |state: Option<AuditState>| {
                    state.map_or_else(|| "not there".to_owned(), |state| state.to_string())
                };
                let (before, after) = (state(change.before), state(change.after));
                writeln!(self.out, "    {}, {}: {before} -> {after}", plain(account), plain(region))?;
                for principal in change.principals.iter().take(MOST_DETAILS) {
                    writeln!(self.out, "      {} as a {}", plain(&principal.principal), principal.side)?;
                }
                self.more(change.principals.len(), MOST_DETAILS, "      ")?;
            }
            self.more(list.len(), MOST_ROWS, "    ")?;
        }
        Ok(())
    }

    fn failing(&mut self, report: &AuditReport) -> io::Result<()> {
        for state in AuditState::ALL {
            if Rating::of(state, None) != Rating::Fails {
                continue;
            }
            let count = report.totals().in_state(state);
            if count == 0 {
                continue;
            }
            let title = self.painted(colour(state), &format!("Failing: {state} ({count})"));
            writeln!(self.out, "\n{title}")?;
            let rows = report.rows().filter(|(line, _)| line.state == state);
            for (line, of_summary) in rows.take(MOST_ROWS) {
                self.row(line, Some(&of_summary.since))?;
            }
            self.more(count, MOST_ROWS, "  ")?;
        }
        Ok(())
    }

    fn unreadable(&mut self, report: &AuditReport) -> io::Result<()> {
        for (reason, count) in &report.totals().unreadable {
            // A Region that is not enabled needs nobody: it is only counted.
            if *reason == UnreadableReason::RegionNotEnabled {
                continue;
            }
            let title = self.painted(MAGENTA, &format!("Could not be read: {reason} ({count})"));
            writeln!(self.out, "\n{title}")?;
            let lines = report.audit().lines().filter(|line| line.reason() == Some(*reason));
            for line in lines.take(MOST_ROWS) {
                self.row(line, None)?;
            }
            self.more(*count, MOST_ROWS, "  ")?;
        }
        Ok(())
    }

    fn unknown(&mut self, report: &AuditReport) -> io::Result<()> {
        let count = report.totals().in_state(AuditState::Unknown);
        if count == 0 {
            return Ok(());
        }
        let title = self.painted(MAGENTA, &format!("Not all known ({count})"));
        writeln!(self.out, "\n{title}")?;
        let lines = report.audit().lines().filter(|line| line.state == AuditState::Unknown);
        for line in lines.take(MOST_ROWS) {
            self.row(line, None)?;
        }
        self.more(count, MOST_ROWS, "  ")
    }

    fn row(&mut self, line: &AuditLine, since: Option<&str>) -> io::Result<()> {
        write!(self.out, "  {}", plain(&place(line)))?;
        if let Some(unit) = &line.place.organizational_unit {
            write!(self.out, "  {}", plain(unit))?;
        }
        if let Some(key) = line.key() {
            write!(self.out, "  {}", plain(key))?;
        }
        if let Some(day) = since.and_then(|since| since.get(..10)) {
            write!(self.out, "  since {}", plain(day))?;
        }
        writeln!(self.out)?;
        let details = details(line);
        for detail in details.iter().take(MOST_DETAILS) {
            writeln!(self.out, "      {}", plain(detail))?;
        }
        self.more(details.len(), MOST_DETAILS, "      ")
    }

    fn more(&mut self, count: usize, shown: usize, indent: &str) -> io::Result<()> {
        match count.checked_sub(shown) {
            None | Some(0) => Ok(()),
            Some(more) => {
                writeln!(self.out, "{indent}and {more} more, which are in the other formats of the report")
            }
        }
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        let title = self.painted(BOLD, title);
        writeln!(self.out, "\n{title}")
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn colour(state: AuditState) -> &'static str {
    match state {
        AuditState::Encrypted => GREEN,
        AuditState::Unknown | AuditState::Unreadable => MAGENTA,
        AuditState::Unencrypted | AuditState::Drifted => YELLOW,
        AuditState::LockedOut | AuditState::SessionsFail => RED,
    }
}

fn heading(name: &str) -> &str {
    match name {
        "newlyUnencrypted" => "newly unencrypted",
        "newlyLockedOut" => "newly locked out",
        "newlyFailing" => "newly failing",
        "newlyUnreadable" => "newly unreadable",
        "otherKey" => "another key",
        "new" => "new in the audit",
        "gone" => "no longer in the audit",
        name => name,
    }
}
