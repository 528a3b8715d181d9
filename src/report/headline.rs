//! The headline: one line that says what a report means.

use std::collections::BTreeSet;

use super::{KeyAssessment, Matrix, Report};
use crate::intent::PreflightMode;
use crate::preflight::Verdict;

/// The headline and its verdict, which is its colour too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The verdict of the whole report.
    pub verdict: Verdict,
    /// The line.
    pub text: String,
}

impl Report {
    /// The headline of the report.
    #[must_use]
    pub fn headline(&self) -> Headline {
        let key_assessment = self.key_assessment.as_ref().map(Headline::of_key_assessment);
        // A change that is blocked is not made, so the headline does not speak of it.
        let change = self.change.as_ref().filter(|_| self.blocking().next().is_none()).map(|change| {
            let key = change.after.as_ref().map_or("", |after| after.kms_key_id.as_str());
            let what = if key.is_empty() {
                "sessions are not encrypted with a key"
            } else {
                "sessions are encrypted with the key"
            };
            let text = match (change.is_empty(), change.done) {
                (true, _) => format!("nothing to change, {what} already"),
                (false, true) => format!("done and read back, {what}"),
                (false, false) => format!("after the change, {what}"),
            };
            Headline { verdict: Verdict::Pass, text }
        });
        let status = (!self.status.is_empty()).then(|| {
            let off = self.status.iter().filter(|status| status.fails()).count();
            let encrypted = self.status.iter().filter(|status| status.is_encrypted()).count();
            let regions = plural(self.status.len(), "Region", "Regions");
            let failing = self.status.iter().filter(|status| status.sessions_fail).count();
            let unknown = self.status.iter().filter(|status| !status.unknown.is_empty()).count();
            let mut rest = String::new();
            for (count, what) in [
                (failing, "where sessions fail, since the key cannot be used"),
                (off - failing, "not as wanted"),
                (unknown, "where it is not known whether the key can be used"),
            ] {
                if count > 0 {
                    rest.push_str(&format!("; {count} {what}"));
                }
            }
            let verdict =
                self.status.iter().map(|status| status.verdict().0).fold(Verdict::Pass, Verdict::and);
            Headline {
                verdict,
                text: format!("sessions are encrypted with a key in {encrypted} of {regions}{rest}"),
            }
        });
        let keys = (!self.keys.is_empty()).then(|| {
            let all = self.keys.iter().flat_map(|list| &list.keys);
            let fit = all.clone().filter(|key| key.is_fit()).count();
            let text = format!("{fit} of {} can encrypt sessions", plural(all.count(), "key", "keys"));
            Headline { verdict: Verdict::Pass, text }
        });
        #[cfg(feature = "cli")]
        let key_callers = self.key_callers.as_ref().map(super::KeyCallers::headline);
        #[cfg(not(feature = "cli"))]
        let key_callers = None;
        // If the change is done or empty, it comes first; otherwise the findings do.
        let settled = self.change.as_ref().is_some_and(|change| change.done || change.is_empty());
        let [first, second] = if settled { [change, key_assessment] } else { [key_assessment, change] };
        let parts: Vec<Headline> = [first, second, status, keys, key_callers].into_iter().flatten().collect();
        let verdict = parts.iter().fold(Verdict::Pass, |heaviest, part| heaviest.and(part.verdict));
        let text = parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("; ");
        Headline { verdict, text: capitalised(&text) }
    }
}

impl Headline {
    fn of_key_assessment(key_assessment: &KeyAssessment) -> Self {
        let matrix = Matrix::of(key_assessment);
        let all = matrix.rows.len();
        let blocking = key_assessment.blocking().count();
        let failed = matrix.count(Verdict::Fail);
        let admitted = matrix.count_admitted();
        let unknown = matrix.count(Verdict::Unknown).saturating_sub(admitted);
        let verdict = key_assessment.assessment.findings.iter().fold(Verdict::Pass, |heaviest, finding| {
            // A finding about an exempt principal is reported and does not count.
            if finding.exempt { heaviest } else { heaviest.and(finding.verdict) }
        });
        let mut text = match (blocking, key_assessment.mode) {
            (0, PreflightMode::Off) => "the access checks are off".to_owned(),
            (0, _) => "nothing blocks".to_owned(),
            (n, mode) => format!("blocked by {} in mode {mode:?}", plural(n, "finding", "findings")),
        };
        // The words do not say "principals", since a row may be an account.
        if failed > 0 {
            text.push_str(&format!("; {failed} of {all} cannot use the key"));
        }
        if unknown > 0 {
            text.push_str(&format!("; {unknown} of {all} not proven"));
        }
        if admitted > 0 {
            let (are, denied) = if admitted == 1 { ("is", "it") } else { ("are", "them") };
            text.push_str(&format!(
                "; {admitted} of {all} {are} admitted by the key alone, and what is not known could still deny {denied}: \
                 own policies, a boundary, the organization"
            ));
        }
        if failed + unknown + admitted == 0 && all > 0 {
            text.push_str(&match all {
                1 => "; the one asked about can use the key".to_owned(),
                all => format!("; all {all} asked about can use the key"),
            });
        }
        let unseen = key_assessment.assessment.unread.iter().filter(|unread| unread.hides_principals);
        let unseen: BTreeSet<_> = unseen.map(|unread| unread.what.as_str()).collect();
        if !unseen.is_empty() {
            let unseen: Vec<_> = unseen.into_iter().collect();
            text.push_str(&format!(
                "; there may be others, who were not looked at: {} could not be read, or not wholly",
                unseen.join(" and ")
            ));
        }
        Self { verdict: if blocking > 0 { Verdict::Fail } else { verdict }, text }
    }
}

/// A text that begins with a capital letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// A count and its noun.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
