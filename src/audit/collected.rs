//! All lines of an audit, with each account and Region once.

use std::collections::BTreeMap;

use super::{
    AuditLine, AuditSummary, AuditedPlace, Rating, StoredResult, Totals, Unreadable, UnreadableReason,
};

/// How many bytes of findings an audit keeps, about. The function has to hold all lines of 100,000 places in its memory.
const MOST_FINDINGS: usize = 96 << 20;
/// How many findings a line keeps when the audit has no room for more.
const FEW_FINDINGS: usize = 2;
/// The longest text of a finding that is kept then.
const SHORT_TEXT: usize = 300;
/// How many notes an audit keeps.
const MOST_NOTES: usize = 100;

/// All lines of an audit, with each account and Region once, in the order of accounts and Regions.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// By account and Region. The lines stay apart from the map's nodes, which are larger than they are full.
    lines: BTreeMap<(Box<str>, Box<str>), Box<AuditLine>>,
    notes: Vec<String>,
    notes_left_out: usize,
    /// The bytes of the findings that are kept, about.
    findings: usize,
}

impl Audit {
    /// Takes up a line. Of two lines of one account and Region the later one stays, and of two with the same time the
    /// one that could be read, or else the one that was taken up last.
    ///
    /// If the findings of all lines are too many to be held, a line keeps its heaviest ones only and counts the others.
    pub fn fold(&mut self, mut line: AuditLine) {
        let place = (line.place.account.as_str().into(), line.place.region.as_str().into());
        if let Some(earlier) = self.lines.get(&place) {
            if is_later(earlier, &line) {
                return;
            }
            self.findings = self.findings.saturating_sub(size(earlier));
            // What was known of the account stays known.
            let AuditedPlace { account_name, organizational_unit, .. } = &earlier.place;
            line.place.account_name = line.place.account_name.or_else(|| account_name.clone());
            line.place.organizational_unit =
                line.place.organizational_unit.or_else(|| organizational_unit.clone());
        }
        if self.findings + size(&line) > MOST_FINDINGS {
            shorten(&mut line);
        }
        // A list that was read has room for more; of 100,000 lines that is much.
        line.keys.shrink_to_fit();
        line.locked_out.shrink_to_fit();
        line.problems.shrink_to_fit();
        line.unknown.shrink_to_fit();
        line.findings.shrink_to_fit();
        self.findings += size(&line);
        self.lines.insert(place, Box::new(line));
    }

    /// Takes up what was read of a file of results. A problem becomes a note.
    pub fn fold_result(&mut self, result: StoredResult) {
        match result {
            Ok(line) => self.fold(line),
            Err(problem) => self.note(problem.to_string()),
        }
    }

    /// Says that the audit was asked about an account and Region: if nothing has been taken up for it, it becomes a
    /// line that could not be looked at. Call it after all results.
    pub fn expect(&mut self, place: AuditedPlace) {
        let key = (place.account.as_str().into(), place.region.as_str().into());
        if let Some(line) = self.lines.get_mut(&key) {
            let AuditedPlace { account_name, organizational_unit, .. } = place;
            line.place.account_name = line.place.account_name.take().or(account_name);
            line.place.organizational_unit = line.place.organizational_unit.take().or(organizational_unit);
            return;
        }
        let message = "The audit was asked about this account and Region, and there is no result of it. Run the audit \
                       again.";
        let unreadable = Unreadable { reason: UnreadableReason::Failed, message: message.to_owned() };
        self.fold(AuditLine::unreadable(place, String::new(), unreadable));
    }

    /// Adds a line that the reader of the report should know, such as an account that was left out.
    pub fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        } else {
            self.notes_left_out += 1;
        }
    }

    /// The lines, in the order of accounts and Regions.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &AuditLine> {
        self.lines.values().map(|line| &**line)
    }

    /// The line of an account and Region.
    #[must_use]
    pub fn line(&self, account: &str, region: &str) -> Option<&AuditLine> {
        self.lines.get(&(account.into(), region.into())).map(|line| &**line)
    }

    /// How many accounts and Regions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What else the reader should know, one line each.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let more =
            (self.notes_left_out > 0).then(|| format!("{} notes more were left out.", self.notes_left_out));
        self.notes.iter().cloned().chain(more)
    }

    /// The counts.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals::of(self.lines())
    }

    /// What the next audit is compared with. What is in the state in which the previous audit found it is so since then.
    #[must_use]
    pub fn summary(&self, made_at: &str, previous: Option<&AuditSummary>) -> AuditSummary {
        AuditSummary::of(self.lines(), made_at, previous)
    }

    /// Whether an account and Region fails or is not known.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.lines().any(|line| matches!(line.rating(), Rating::Fails | Rating::Unknown))
    }
}

impl FromIterator<AuditLine> for Audit {
    fn from_iter<I: IntoIterator<Item = AuditLine>>(lines: I) -> Self {
        let mut audit = Self::default();
        for line in lines {
            audit.fold(line);
        }
        audit
    }
}

/// Whether an earlier line of a place is to stay instead of another one.
fn is_later(earlier: &AuditLine, line: &AuditLine) -> bool {
    let order = |line: &AuditLine| line.unreadable.is_none();
    let times = earlier.audited_at.cmp(&line.audited_at);
    times.then(order(earlier).cmp(&order(line))).is_gt()
}

/// The bytes of a line's findings, about.
fn size(line: &AuditLine) -> usize {
    let findings = line.findings.iter().map(|finding| {
        let remedy = finding.remedy.as_ref().map_or(0, String::len);
        150 + finding.subject.len() + finding.evidence.len() + remedy
    });
    findings.sum()
}

/// Leaves a line its heaviest findings, with short texts.
fn shorten(line: &mut AuditLine) {
    line.findings_left_out += line.findings.len().saturating_sub(FEW_FINDINGS);
    line.findings.truncate(FEW_FINDINGS);
    for finding in &mut line.findings {
        let remedy = finding.remedy.iter_mut();
        for text in remedy.chain([&mut finding.subject, &mut finding.evidence]) {
            if text.len() > SHORT_TEXT {
                text.truncate(text.floor_char_boundary(SHORT_TEXT));
                text.push('…');
                text.shrink_to_fit();
            }
        }
    }
}
