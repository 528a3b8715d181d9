//! The report over an audit as HTML: one file that loads nothing else.
//!
//! What all rows show is one array of numbers, most of them numbers of texts, because 50,000 rows have few different
//! texts. What only an opened row shows is read when it is opened.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::Serialize;

use super::wording::headline;
use crate::audit::{AuditLine, AuditReport, AuditState, Rating};
use crate::report::escape::html;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/page.js");
/// The page may use its own style and script, which these digests name, and nothing else.
const STYLE_DIGEST: &str = "sha256-kfTZS2sky57PdubWceA8vFXjCl0I2HH2ARSn7JsW840=";
const SCRIPT_DIGEST: &str = "sha256-Hrb10FLxaoSEOmr6QkYmOtjFtePPGgbHQmxp1L8Re0M=";

/// How many rows have their details together.
const CHUNK: usize = 128;
/// How many bytes of details the page has, about: of all rows, and of rows that are good.
const MOST_DETAILS: usize = 96 << 20;
const MOST_GOOD_DETAILS: usize = 32 << 20;
/// How many places that are gone the page lists.
const MOST_GONE: usize = 1000;

/// What all rows show.
#[derive(Serialize)]
struct PageData<'a> {
    strings: &'a [&'a str],
    /// The fields of all rows, ten each, as `page.js` names them.
    rows: Vec<u32>,
    /// The states' names, words and tones, in the order in which they are sorted.
    states: [(&'a str, String, &'a str); 8],
    /// The changes' words and tones, in the order of the bits of a row.
    changes: [(&'a str, &'a str); 7],
    since: Option<&'a str>,
    gone: Vec<String>,
    notes: Vec<String>,
    chunk: usize,
}

/// The texts of the rows, each with its number.
#[derive(Default)]
struct Strings<'a> {
    all: Vec<&'a str>,
    numbers: HashMap<&'a str, u32>,
}

impl<'a> Strings<'a> {
    fn number(&mut self, text: &'a str) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.all.push(text);
            number(self.all.len() - 1)
        })
    }
}

/// Writes the report.
pub(in crate::audit) fn write(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    let (tone, title) = headline(report);
    for part in PAGE.split("{{") {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        match name {
            "STYLE_DIGEST" => out.write_all(STYLE_DIGEST.as_bytes())?,
            "SCRIPT_DIGEST" => out.write_all(SCRIPT_DIGEST.as_bytes())?,
            "STYLE" => out.write_all(STYLE.as_bytes())?,
            "SCRIPT" => out.write_all(SCRIPT.as_bytes())?,
            "TITLE" => out.write_all(html(&title).as_bytes())?,
            "TONE" => out.write_all(tone.as_bytes())?,
            "FACTS" => facts(report, out)?,
            "DATA" => {
                data(report, out)?;
                details(report, out)?;
            }
            _ => {}
        }
        out.write_all(rest.as_bytes())?;
    }
    Ok(())
}

fn facts(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    let totals = report.totals();
    let made = report.made_at().replace('T', " ").replace('Z', " UTC");
    for (name, value) in [
        ("Made", made),
        ("Document", report.document().to_owned()),
        ("Accounts", totals.accounts.to_string()),
        ("Regions", totals.regions.to_string()),
        ("Pairs of both", totals.places.to_string()),
        ("Keys", totals.keys.to_string()),
        ("Principals locked out", totals.locked_out.to_string()),
    ] {
        write!(out, "<dt>{name}</dt><dd>{}</dd>", html(&value))?;
    }
    Ok(())
}

/// Writes what all rows show.
fn data(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    let mut strings = Strings::default();
    strings.number("");
    let changes = flags(report);
    let mut rows = Vec::with_capacity(report.audit().len() * 10);
    for (at, (line, kept)) in report.rows().enumerate() {
        let place = &line.place;
        let state = if line.rating() == Rating::NotEnabled {
            AuditState::ALL.len()
        } else {
            AuditState::ALL.iter().position(|state| *state == line.state).unwrap_or_default()
        };
        let since = kept.since.get(..10).unwrap_or_default();
        rows.extend([
            strings.number(&place.account),
            strings.number(place.account_name.as_deref().unwrap_or_default()),
            strings.number(place.organizational_unit.as_deref().unwrap_or_default()),
            strings.number(&place.region),
            number(state),
            strings.number(line.key().unwrap_or_default()),
            number(line.locked_out.len()),
            number(line.findings.len() + line.findings_left_out),
            strings.number(since),
            changes.get(&at).copied().unwrap_or_default(),
        ]);
    }
    let gone = report.changes().map(|changes| changes.gone.as_slice()).unwrap_or_default();
    let data = PageData {
        strings: &strings.all,
        rows,
        states: [0, 1, 2, 3, 4, 5, 6, 7].map(|at| match AuditState::ALL.get(at) {
            Some(state) => (state.name(), state.to_string(), tone(*state)),
            None => ("regionNotEnabled", "Region not enabled".to_owned(), "none"),
        }),
        changes: [
            ("newly unencrypted", "warning"),
            ("newly locked out", "fail"),
            ("newly failing", "fail"),
            ("recovered", "pass"),
            ("newly unreadable", "unknown"),
            ("another key", "warning"),
            ("new in the audit", "none"),
        ],
        since: report.changes().map(|changes| changes.since.as_str()),
        gone: gone.iter().take(MOST_GONE).map(|gone| format!("{}, {}", gone.account, gone.region)).collect(),
        notes: report.audit().notes().collect(),
        chunk: CHUNK,
    };
    block(out, "data", &serde_json::to_vec(&data)?)
}

/// The changes of each row that has one, by the row's number. The bits are those of [`PageData::changes`].
fn flags(report: &AuditReport) -> BTreeMap<usize, u32> {
    let mut flags = BTreeMap::new();
    let Some(changes) = report.changes() else { return flags };
    let lists = [
        &changes.newly_unencrypted,
        &changes.newly_locked_out,
        &changes.newly_failing,
        &changes.recovered,
        &changes.newly_unreadable,
        &changes.other_key,
        &changes.new,
    ];
    for (bit, list) in lists.into_iter().enumerate() {
        for change in list {
            if let Some(row) = report.summary().position(&change.account, &change.region) {
                *flags.entry(row).or_default() |= 1 << bit;
            }
        }
    }
    flags
}

/// What opened rows show, some rows in each block. If all of it is too much, good rows go without it first.
fn details(report: &AuditReport, out: &mut dyn Write) -> io::Result<()> {
    let (mut written, mut good) = (0, 0);
    let mut chunk: Vec<u8> = Vec::new();
    let lines: Vec<&AuditLine> = report.audit().lines().collect();
    for (at, lines) in lines.chunks(CHUNK).enumerate() {
        chunk.clear();
        for line in lines {
            chunk.push(if chunk.is_empty() { b'[' } else { b',' });
            let detail = serde_json::to_vec(line)?;
            let is_good = line.rating() == Rating::Passes || line.rating() == Rating::NotEnabled;
            if written + detail.len() > MOST_DETAILS || is_good && good + detail.len() > MOST_GOOD_DETAILS {
                chunk.extend(b"null");
                continue;
            }
            written += detail.len();
            good += if is_good { detail.len() } else { 0 };
            chunk.extend(detail);
        }
        chunk.push(b']');
        block(out, &format!("details-{at}"), &chunk)?;
    }
    Ok(())
}

/// A block of JSON that a browser does not run.
fn block(out: &mut dyn Write, id: &str, json: &[u8]) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" id=\"{id}\">")?;
    // Nothing in a text can end the block: JSON has this sign in texts only, where its number means the same.
    for (number, part) in json.split(|byte| *byte == b'<').enumerate() {
        if number > 0 {
            out.write_all(b"\\u003c")?;
        }
        out.write_all(part)?;
    }
    out.write_all(b"</script>\n")
}

fn tone(state: AuditState) -> &'static str {
    match state {
        AuditState::Encrypted => "pass",
        AuditState::Unknown | AuditState::Unreadable => "unknown",
        AuditState::Unencrypted | AuditState::Drifted => "warning",
        AuditState::LockedOut | AuditState::SessionsFail => "fail",
    }
}

/// A count as a number of the page.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
