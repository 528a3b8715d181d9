//! The report over an audit of 100,000 accounts and Regions: reading the stored results, counting, comparing with the audit
//! before, and writing every format. It prints the time of each part and the peak memory of the process.
//!
//! `audit --json` prints the figures as JSON, and `--places COUNT` takes another number of them; `audit --page FILE COUNT` only writes the page of that many lines, for
//! `local/bench/audit.py`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark stops at what it does not expect, and its figures are on standard output"
)]

#[path = "support/audit_lines.rs"]
mod audit_lines;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::time::Instant;

use audit_lines::{line, stored};
use serde_json::json;
use session_kms::audit::{Audit, AuditFormat, AuditMaker, AuditReport, AuditSummary, ResultReader};

/// The accounts and Regions.
const PLACES: usize = 100_000;
/// The bytes of a file that are read at a time.
const PIECE: usize = 1 << 20;

/// Counts bytes and drops them.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the results of an audit as they are stored, piece by piece. Returns their bytes too.
fn read(places: usize, round: usize) -> (Audit, usize) {
    let mut audit = Audit::default();
    let mut reader = ResultReader::default();
    let mut piece = b"[".to_vec();
    let mut bytes = 0;
    for number in 0..places {
        piece.extend(stored(&line(number, round), number).bytes());
        piece.push(b',');
        if piece.len() >= PIECE || number + 1 == places {
            bytes += piece.len();
            for result in reader.push(&piece) {
                audit.fold(result.unwrap());
            }
            piece.clear();
        }
    }
    assert_eq!(reader.finish(), [], "the last result has an end");
    assert_eq!(audit.len(), places);
    (audit, bytes)
}

/// The summary of the audit before, some lines at a time: only the summary is there when two audits are compared.
fn summary(places: usize) -> AuditSummary {
    let mut summary = AuditSummary::default();
    let numbers: Vec<_> = (0..places).collect();
    for numbers in numbers.chunks(1_000) {
        let audit: Audit = numbers.iter().map(|number| line(*number, 0)).collect();
        let part = audit.summary("2026-03-01T12:00:00Z", None);
        summary.places.extend(part.places);
        summary.made_at = part.made_at;
    }
    let text = serde_json::to_vec(&summary).unwrap();
    drop(summary);
    AuditSummary::parse(&text).unwrap()
}

fn report(audit: Audit, previous: &AuditSummary) -> AuditReport {
    let made_by = AuditMaker {
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
    };
    AuditReport::new(audit, Some(previous), "2026-03-02T12:00:00Z".to_owned(), made_by)
}

/// The most memory that this process has had, in MB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--page") {
        let count = arguments[at + 2].parse().unwrap();
        let file = File::create(&arguments[at + 1]).unwrap();
        let mut file = BufWriter::new(file);
        report(read(count, 1).0, &summary(count)).write(AuditFormat::Html, &mut file).unwrap();
        file.flush().unwrap();
        return;
    }
    let places = arguments.iter().position(|argument| argument == "--places");
    let places = places.map_or(PLACES, |at| arguments[at + 1].parse().unwrap());
    let started = Instant::now();
    let mut steps: Vec<(&str, f64, u64, f64)> = Vec::new();
    let mut step =
        |name, since: Instant, bytes| steps.push((name, since.elapsed().as_secs_f64(), bytes, peak()));
    let (audit, bytes) = read(places, 1);
    step("making and reading the results", started, bytes as u64);
    let since = Instant::now();
    let previous = summary(places);
    step("making and reading the summary of the audit before", since, 0);
    let since = Instant::now();
    let report = report(audit, &previous);
    drop(previous);
    step("counting and comparing", since, 0);
    for (name, format) in [
        ("text", AuditFormat::Text { colour: false }),
        ("JSON", AuditFormat::Json),
        ("CSV", AuditFormat::Csv),
        ("HTML", AuditFormat::Html),
        ("ASFF", AuditFormat::Asff),
        ("OCSF", AuditFormat::Ocsf),
    ] {
        let since = Instant::now();
        let mut counter = Counter(0);
        report.write(format, &mut counter).unwrap();
        step(name, since, counter.0);
    }
    let since = Instant::now();
    let bytes = report.asff_batches().map(|batch| batch.len() as u64).sum();
    step("ASFF in batches", since, bytes);
    let since = Instant::now();
    let kept = serde_json::to_vec(report.summary()).unwrap().len();
    step("summary", since, kept as u64);
    let seconds = started.elapsed().as_secs_f64();
    if arguments.iter().any(|argument| argument == "--json") {
        let steps: Vec<_> =
            steps.iter().map(|(name, seconds, bytes, peak)| json!([name, seconds, bytes, peak])).collect();
        println!("{}", json!({"places": places, "seconds": seconds, "memory": peak(), "steps": steps}));
        return;
    }
    for (name, seconds, bytes, peak) in steps {
        let bytes = bytes as f64 / 1e6;
        println!("audit, {name:<52} {seconds:>6.2} s {bytes:>8.1} MB, peak memory {peak:>4.0} MB");
    }
    println!("audit, all of {places} accounts and Regions {seconds:>6.2} s, peak memory {:.0} MB", peak());
}
