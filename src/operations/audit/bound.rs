//! The bound of a line: Step Functions and Lambda take no answer that is longer than 256 KB. Pure.

use serde::Serialize;

use crate::audit::AuditLine;

/// The longest line, in bytes of JSON.
pub(super) const LONGEST_LINE: usize = 200_000;

/// The longest text in a line, in bytes.
const LONGEST_TEXT: usize = 2_000;

/// The most bytes of JSON that each list may have beside the findings, which share the rest.
const LONGEST_LIST: usize = 20_000;
/// The same for those who are locked out.
const LONGEST_LOCKED_OUT: usize = 50_000;

/// The line with texts of one line and of limited length, and without so many findings, from the lightest on, that it is
/// longer than it may be.
pub(super) fn bounded(mut line: AuditLine) -> AuditLine {
    texts(&mut line);
    let more = shorten(&mut line.locked_out, LONGEST_LOCKED_OUT);
    let problems = shorten(&mut line.problems, LONGEST_LIST);
    let unknown = shorten(&mut line.unknown, LONGEST_LIST);
    if problems > 0 {
        line.problems.push(format!("and {problems} more problems"));
    }
    if more > 0 {
        line.problems.push(format!("{more} more are locked out than are listed"));
    }
    if unknown > 0 {
        line.unknown.push(format!("and {unknown} more things are not known"));
    }
    let findings = std::mem::take(&mut line.findings);
    let count = findings.len();
    // As long as it may become: the number has at most twenty digits.
    line.findings_left_out = usize::MAX;
    let room = LONGEST_LINE.saturating_sub(length(&line));
    line.findings = findings;
    shorten(&mut line.findings, room);
    line.findings_left_out = count - line.findings.len();
    line
}

/// Every text that comes from outside, on one line and not too long.
fn texts(line: &mut AuditLine) {
    let place = [&mut line.place.account, &mut line.place.region].into_iter();
    let place = place.chain(&mut line.place.account_name).chain(&mut line.place.organizational_unit);
    let document = line.document.iter_mut().flat_map(|document| {
        [&mut document.name, &mut document.kms_key_id].into_iter().chain(&mut document.default_kms_key_id)
    });
    let keys = line.keys.iter_mut().flat_map(|key| {
        std::iter::once(&mut key.kms_key_id)
            .chain(&mut key.arn)
            .chain(&mut key.account)
            .chain(&mut key.problem)
    });
    let findings = line.findings.iter_mut().flat_map(|finding| {
        [&mut finding.subject, &mut finding.evidence].into_iter().chain(&mut finding.remedy)
    });
    place
        .chain(line.unreadable.iter_mut().map(|unreadable| &mut unreadable.message))
        .chain(document)
        .chain(&mut line.owner)
        .chain(&mut line.wanted)
        .chain(keys)
        .chain(line.locked_out.iter_mut().map(|locked_out| &mut locked_out.principal))
        .chain(&mut line.problems)
        .chain(&mut line.unknown)
        .chain(findings)
        .for_each(shorten_text);
}

/// A text on one line, without characters that are not shown, and not longer than [`LONGEST_TEXT`].
fn shorten_text(text: &mut String) {
    if text.len() <= LONGEST_TEXT && !text.contains(char::is_control) {
        return;
    }
    let on_one_line = text.replace(char::is_control, " ");
    let shown = on_one_line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    *text = shown;
    if text.len() > LONGEST_TEXT {
        let end = text.floor_char_boundary(LONGEST_TEXT - '…'.len_utf8());
        text.truncate(end);
        text.push('…');
    }
}

/// Keeps as many items from the beginning as fit into so many bytes of JSON, and returns how many were dropped.
fn shorten<T: Serialize>(items: &mut Vec<T>, longest: usize) -> usize {
    let mut left = longest;
    let fits = |item: &T| {
        // A comma follows each.
        let taken = length(item) + 1;
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    let kept = items.iter().map(fits).take_while(|fits| *fits).count();
    let dropped = items.len() - kept;
    items.truncate(kept);
    dropped
}

/// The length of a value as JSON, in bytes.
fn length(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
#[path = "bound/tests.rs"]
mod tests;
