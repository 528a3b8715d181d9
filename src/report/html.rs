//! The report as HTML: one file that loads nothing else. Without its script only the copy buttons are missing.

mod assessment;
#[cfg(feature = "cli")]
mod key_callers;
mod lists;

use super::change::Sign;
use super::escape::{html, html_with_code};
use super::headline::capitalised;
use super::{Change, Report, ReportOrigin, words};
use crate::preflight::Verdict;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/copy.js");
/// The page may use its own style and script, which these digests name, and nothing else.
const STYLE_DIGEST: &str = "sha256-JP0TrUqjS8mbsYWmbwRHXxrgcEjSlSo5j21tNz31dEA=";
const SCRIPT_DIGEST: &str = "sha256-9HdAWj4epChFMU8YnREqPLzzcE3AxZaf5OwggrxjXOo=";

/// The report as a page.
pub(super) fn render(report: &Report) -> String {
    let headline = report.headline();
    let command = html(&report.header.command);
    let mut page = HtmlWriter::default();
    page.line("<!DOCTYPE html>");
    page.line("<html lang=\"en\">");
    page.line("<head>");
    page.line("<meta charset=\"utf-8\">");
    page.line(&format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src '{STYLE_DIGEST}'; script-src '{SCRIPT_DIGEST}'; base-uri 'none'; form-action 'none'\">"
    ));
    page.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.line("<meta name=\"referrer\" content=\"no-referrer\">");
    // A browser asks the server for an icon if the page has none.
    page.line("<link rel=\"icon\" href=\"data:,\">");
    page.line(&format!("<title>session-kms {command}: {}</title>", html(&headline.text)));
    page.line(&format!("<style>{STYLE}</style>"));
    page.line("</head>");
    page.line("<body>");
    page.head(report);
    page.line("<main>");
    if let Some(key_assessment) = &report.key_assessment {
        page.key_assessment(key_assessment);
    }
    if let Some(change) = &report.change {
        page.change(change);
    }
    page.status(&report.status);
    page.keys(&report.keys);
    #[cfg(feature = "cli")]
    if let Some(key_callers) = &report.key_callers {
        page.key_callers(key_callers);
    }
    if !report.notes.is_empty() {
        page.line("<section aria-labelledby=\"notes\"><h2 id=\"notes\">Notes</h2><ul>");
        for note in &report.notes {
            page.line(&format!("<li>{}</li>", html_with_code(note)));
        }
        page.line("</ul></section>");
    }
    page.line("</main>");
    page.line("<footer><p>Written by session-kms. This file loads nothing from anywhere.</p></footer>");
    page.line(&format!("<script>{SCRIPT}</script>"));
    page.line("</body>");
    page.line("</html>");
    page.out
}

#[derive(Default)]
struct HtmlWriter {
    out: String,
}

impl HtmlWriter {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn head(&mut self, report: &Report) {
        let header = &report.header;
        let headline = report.headline();
        self.line("<header>");
        self.line(&format!("<h1><b>session-kms</b> {}</h1>", html(&header.command)));
        self.line(&format!("<div class=\"banner {}\">", class(headline.verdict)));
        self.line(&format!(
            "<p><span class=\"sign\" aria-hidden=\"true\">{}</span><span>{}</span></p>",
            words::sign(headline.verdict),
            html_with_code(&headline.text)
        ));
        self.line("<dl class=\"facts\">");
        let mode = report.key_assessment.as_ref().map(|key_assessment| words::mode(key_assessment.mode));
        let regions = header.regions.join(", ");
        for (name, value) in [
            ("Account", header.account.as_deref()),
            ("Region", Some(regions.as_str()).filter(|regions| !regions.is_empty())),
            ("Document", header.document.as_deref()),
            ("Key", header.key.as_deref()),
        ] {
            if let Some(value) = value {
                self.line(&format!("<dt>{name}</dt><dd><code>{}</code></dd>", html(value)));
            }
        }
        if let Some(mode) = mode {
            self.line(&format!("<dt>Mode</dt><dd>{}</dd>", html(mode)));
        }
        for (name, value) in header.origin.iter().flat_map(ReportOrigin::facts) {
            let value = match name {
                "made" => html(&value),
                _ => format!("<code>{}</code>", html(&value)),
            };
            self.line(&format!("<dt>{}</dt><dd>{value}</dd>", capitalised(name)));
        }
        self.line("</dl>");
        self.line("</div>");
        self.line("</header>");
    }

    fn change(&mut self, change: &Change) {
        let title = if change.done { "Change, done" } else { "Change" };
        self.line(&format!("<section aria-labelledby=\"change\"><h2 id=\"change\">{title}</h2>"));
        if change.is_empty() {
            self.line("<p>Nothing differs; nothing is written.</p></section>");
            return;
        }
        let mut diff = String::new();
        for (sign, line) in change.diff() {
            let class = match sign {
                Sign::Head => "head",
                Sign::Minus => "minus",
                Sign::Plus => "plus",
                Sign::Same => "same",
            };
            diff.push_str(&format!("<span class=\"{class}\">{}</span>", html(&line)));
        }
        self.line(&format!("<pre class=\"diff\">{diff}</pre>"));
        if !change.steps.is_empty() {
            self.line("<ol class=\"steps\">");
            for step in &change.steps {
                self.line(&format!("<li>{}</li>", html_with_code(step)));
            }
            self.line("</ol>");
        }
        self.line("</section>");
    }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warning => "warning",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    }
}

fn badge(verdict: Verdict, text: &str) -> String {
    format!(
        "<span class=\"badge {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
        class(verdict),
        words::sign(verdict),
        html(text)
    )
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn digest(text: &str) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::from("sha256-");
        for three in Sha256::digest(text.as_bytes()).chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - three.len()));
            for at in 0..=3 {
                let sextet = (bits >> (18 - 6 * at) & 63) as usize;
                out.push(if at <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
            }
        }
        out
    }

    #[test]
    fn the_page_may_run_its_own_style_and_script() {
        assert_eq!(digest(STYLE), STYLE_DIGEST);
        assert_eq!(digest(SCRIPT), SCRIPT_DIGEST);
    }
}
