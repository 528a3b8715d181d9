//! The sections of lists: the documents by Region, and the keys to choose from.

use super::{HtmlWriter, badge};
use crate::preflight::Verdict;
use crate::report::escape::{html, html_with_code};
use crate::report::{KeyList, RegionStatus, words};

impl HtmlWriter {
    pub(super) fn status(&mut self, list: &[RegionStatus]) {
        for status in list {
            let (verdict, word) = status.verdict();
            self.line("<section>");
            self.line(&format!("<h2><code>{}</code> {}</h2>", html(&status.region), badge(verdict, word)));
            self.line("<dl class=\"facts\">");
            self.fact("Document", &format!("<code>{}</code>", html(&status.document)));
            self.fact("Key", &key(status.key(), status.is_encrypted()));
            if let Some(text) = &status.default_kms_key_id {
                let text = if text.is_empty() { "not encrypted with a key" } else { text };
                self.fact("Key of the default", &html_with_code(text));
            }
            if let Some(versions) = &status.versions {
                self.fact("Versions", &format!("latest {}, default {}", versions.latest, versions.default));
            }
            self.fact(
                "Owner",
                &html_with_code(status.owner.as_deref().unwrap_or("nobody: there is no record")),
            );
            if let Some(wanted) = &status.wanted {
                let text = if wanted.is_empty() { "no encryption" } else { wanted };
                self.fact("Wanted", &key(text, !wanted.is_empty()));
            }
            self.line("</dl>");
            if status.lines().next().is_some() {
                self.line("<ul class=\"problems\">");
                for (verdict, line) in status.lines() {
                    self.line(&format!("<li>{} {}</li>", words::sign(verdict), html_with_code(line)));
                }
                self.line("</ul>");
            }
            self.line("</section>");
        }
    }

    pub(super) fn keys(&mut self, lists: &[KeyList]) {
        for list in lists {
            self.line(&format!("<section><h2>Keys of <code>{}</code></h2>", html(&list.region)));
            if list.keys.is_empty() {
                self.line("<p>There are none.</p></section>");
                continue;
            }
            self.line("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Keys\"><table>");
            self.line("<thead><tr><th scope=\"col\">Key</th><th scope=\"col\">Can encrypt sessions</th></tr></thead><tbody>");
            for key in &list.keys {
                let (verdict, word) = match (key.is_fit(), key.cautions.is_empty()) {
                    (true, true) => (Verdict::Pass, "yes"),
                    (true, false) => (Verdict::Warning, "yes"),
                    (false, _) => (Verdict::Fail, "no"),
                };
                let aliases: Vec<_> =
                    key.aliases.iter().map(|alias| format!("<code>{}</code>", html(alias))).collect();
                let aliases = if aliases.is_empty() { "no alias".to_owned() } else { aliases.join(", ") };
                self.line(&format!(
                    "<tr><th scope=\"row\">{aliases}<small><code>{}</code></small></th><td>{} {}</td></tr>",
                    html(&key.arn),
                    badge(verdict, word),
                    html_with_code(&key.fitness_line())
                ));
            }
            self.line("</tbody></table></div></section>");
        }
    }

    fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("<dt>{name}</dt><dd>{value}</dd>"));
    }
}

fn key(text: &str, is_key: bool) -> String {
    if is_key { format!("<code>{}</code>", html(text)) } else { html(text) }
}
