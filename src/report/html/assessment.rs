//! The sections about an assessment: the matrix, the remedies and the findings.

use serde_json::Value;

use super::{HtmlWriter, badge, class};
use crate::access::PrincipalArn;
use crate::preflight::{Finding, ResourceRemedy, Verdict, key_policy_title};
use crate::report::escape::{html, html_with_code, json};
use crate::report::headline::plural;
use crate::report::matrix::{Cell, Row};
use crate::report::{KeyAssessment, Matrix, words};

impl HtmlWriter {
    pub(super) fn key_assessment(&mut self, key_assessment: &KeyAssessment) {
        self.matrix(key_assessment);
        self.remedies(key_assessment);
        self.findings(key_assessment);
    }

    fn matrix(&mut self, key_assessment: &KeyAssessment) {
        let matrix = Matrix::of(key_assessment);
        if matrix.rows.is_empty() {
            return;
        }
        self.line("<section aria-labelledby=\"access\"><h2 id=\"access\">Who can use the key</h2>");
        self.line("<ul class=\"counts\">");
        let admitted = matrix.count_admitted();
        for (verdict, words, count) in [
            (Verdict::Fail, "cannot", matrix.count(Verdict::Fail)),
            (Verdict::Unknown, "not proven", matrix.count(Verdict::Unknown).saturating_sub(admitted)),
            (Verdict::Unknown, "admitted, could still be denied", admitted),
            (Verdict::Pass, "can", matrix.count(Verdict::Pass)),
        ] {
            if count > 0 {
                self.line(&format!("<li class=\"{}\">{count} {words}</li>", class(verdict)));
            }
        }
        self.line("</ul>");
        self.line("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"access\">");
        self.line("<table class=\"matrix\"><thead><tr><th scope=\"col\">Principal</th>");
        for (action, who) in words::ACTIONS.iter().zip(["users", "nodes"]) {
            self.line(&format!("<th scope=\"col\"><code>{action}</code> ({who})</th>"));
        }
        self.line("</tr></thead><tbody>");
        for row in &matrix.rows {
            self.row(row, key_assessment.key_policy.as_ref());
        }
        self.line("</tbody></table></div>");
        self.line("</section>");
    }

    fn row(&mut self, row: &Row, key_policy: Option<&Value>) {
        let (account, name) = words::principal(&row.subject);
        let account = if account.is_empty() {
            String::new()
        } else {
            format!("<small>account {}</small>", html(&account))
        };
        self.line(&format!(
            "<tr><th scope=\"row\" title=\"{}\"><code>{}</code>{account}</th>",
            html(&row.subject),
            html(&name)
        ));
        for (cell, action) in words::cells(row).into_iter().zip(words::ACTIONS) {
            match cell {
                None => self.line(
                    "<td class=\"unneeded\"><span class=\"none\">–<span hidden> not needed</span></span></td>",
                ),
                Some(cell) => self.cell(action, cell, key_policy),
            }
        }
        self.line("</tr>");
    }

    fn cell(&mut self, action: &str, cell: &Cell, key_policy: Option<&Value>) {
        self.line(&format!(
            "<td data-action=\"{action}\"><details><summary>{}</summary><dl>",
            badge(cell.verdict, &words::of_cell(cell))
        ));
        for (name, text) in
            [("Key's side", &cell.key_side), ("Own side", &cell.own_side), ("Known by", &cell.source)]
        {
            if !text.is_empty() {
                self.line(&format!("<dt>{name}</dt><dd>{}</dd>", html_with_code(text)));
            }
        }
        for (index, statement) in cell.statements(key_policy) {
            self.line(&format!("<dt>Statement {index} of the key policy</dt><dd>{}</dd>", pre(statement)));
        }
        self.line("</dl></details></td>");
    }

    fn remedies(&mut self, key_assessment: &KeyAssessment) {
        let remedies = &key_assessment.assessment.remedies;
        if !key_assessment.has_remedies() {
            return;
        }
        let title = words::REMEDIES;
        self.line(&format!("<section aria-labelledby=\"remedies\"><h2 id=\"remedies\">{title}</h2>"));
        for statement in &remedies.key_policy_statements {
            self.copyable(&key_policy_title(statement), &[], &pre(statement));
        }
        for remedy in &remedies.identity_policies {
            let count = plural(remedy.principals.len(), "principal", "principals");
            // What belongs to a permission set is added once, whichever roles it has.
            let title = match remedy.permission_set {
                Some(_) => remedy.title(),
                None => format!("{} {count}", remedy.title()),
            };
            let principals: Vec<_> = remedy.principals.iter().map(PrincipalArn::as_str).collect();
            self.copyable(&title, &principals, &pre(&remedy.policy));
            if let Some(statement) = &remedy.instead {
                self.copyable(words::INSTEAD_REMEDY, &[], &pre(statement));
            }
        }
        for ResourceRemedy { resource, title, command, snippet } in &remedies.resources {
            match command {
                Some(command) => {
                    self.copyable(title, &[resource], &format!("<pre>{}</pre>", html(command)));
                    self.copyable(words::SNIPPET_REMEDY, &[], &pre(snippet));
                }
                None => self.copyable(title, &[resource], &pre(snippet)),
            }
        }
        self.line("</section>");
    }

    /// A block of code with a button that copies it, and what it is for.
    fn copyable(&mut self, title: &str, of: &[&str], code: &str) {
        self.line("<figure class=\"copy\">");
        self.line(&format!("<figcaption><span>{}</span></figcaption>", html(title)));
        if !of.is_empty() {
            self.line("<ul>");
            for one in of {
                self.line(&format!("<li><code>{}</code></li>", html(one)));
            }
            self.line("</ul>");
        }
        self.line(code);
        self.line("</figure>");
    }

    fn findings(&mut self, key_assessment: &KeyAssessment) {
        self.line("<section aria-labelledby=\"findings\"><h2 id=\"findings\">Findings</h2>");
        for finding in key_assessment.by_weight() {
            self.finding(finding, key_assessment.mode.blocks(finding));
        }
        self.line("</section>");
    }

    fn finding(&mut self, finding: &Finding, blocks: bool) {
        let open = if blocks { " open" } else { "" };
        let blocks = if blocks { "<span class=\"blocks\">blocks</span>" } else { "" };
        self.line(&format!(
            "<details class=\"finding\"{open}><summary>{} <b>{}</b> <span class=\"what\"><code>{}</code>{}</span>{blocks}</summary>",
            badge(finding.verdict, words::verdict(finding.verdict)),
            words::check(finding.check),
            html(&finding.subject),
            words::behind_subject(finding),
        ));
        self.line(&format!("<p>{}</p>", html_with_code(&finding.evidence)));
        if let Some(remedy) = &finding.remedy {
            self.line(&format!("<p class=\"remedy\">→ {}</p>", html_with_code(remedy)));
        }
        self.line("</details>");
    }
}

fn pre(value: &Value) -> String {
    // The lines are escaped one by one, since `html` would write a line end as its number.
    let lines: Vec<_> = json(value).lines().map(html).collect();
    format!("<pre>{}</pre>", lines.join("\n"))
}
