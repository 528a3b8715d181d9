//! The sections about whom a key admits and who uses it, as HTML.

use super::{HtmlWriter, badge};
use crate::preflight::Verdict;
use crate::report::escape::{html, html_with_code, json};
use crate::report::key_callers::{
    AccountUse, CONSEQUENCES, CallerAdmission, KeyCallers, KeyUse, ListedRule, RULES, USE, WHOM,
};
use crate::report::words;

impl HtmlWriter {
    pub(super) fn key_callers(&mut self, key_callers: &KeyCallers) {
        self.section("whom", WHOM);
        let [user, node] = words::ACTIONS;
        let users = format!("<code>{user}</code> (users)");
        let nodes = format!("<code>{node}</code> (nodes)");
        self.open_table("whom", &["Caller", &users, &nodes]);
        for caller in &key_callers.callers {
            self.line(&format!("<tr><th scope=\"row\"><code>{}</code></th>", html(&caller.caller)));
            for (cell, action) in caller.cells().into_iter().zip(words::ACTIONS) {
                self.admission(action, cell);
            }
            self.line("</tr>");
        }
        self.line("</tbody></table></div></section>");
        if !key_callers.rules.is_empty() {
            self.section("rules", RULES);
            for rule in &key_callers.rules {
                self.rule(rule);
            }
            self.line("</section>");
        }
        if let Some(key_use) = &key_callers.key_use {
            self.key_use(key_use);
        }
        if !key_callers.consequences.is_empty() {
            self.section("consequences", CONSEQUENCES);
            self.line("<ul>");
            for line in &key_callers.consequences {
                self.line(&format!("<li>{}</li>", html_with_code(line)));
            }
            self.line("</ul></section>");
        }
    }

    fn section(&mut self, id: &str, title: &str) {
        self.line(&format!("<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>"));
    }

    /// Begins a table. Its heads are HTML.
    fn open_table(&mut self, label: &str, heads: &[&str]) {
        self.line(&format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{label}\">"
        ));
        let heads: Vec<_> = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
        self.line(&format!("<table><thead><tr>{}</tr></thead><tbody>", heads.concat()));
    }

    fn admission(&mut self, action: &str, cell: &CallerAdmission) {
        let badge = badge(cell.verdict(), cell.words());
        let reason = cell.reason();
        if reason.is_empty() {
            self.line(&format!("<td data-action=\"{action}\">{badge}</td>"));
        } else {
            let reason = html_with_code(&reason);
            self.line(&format!("<td data-action=\"{action}\">{badge}<p>{reason}</p></td>"));
        }
    }

    fn rule(&mut self, rule: &ListedRule) {
        self.line(&format!(
            "<details class=\"finding\"><summary>{}</summary><p>{}</p>",
            html_with_code(&rule.line()),
            html_with_code(&rule.scope())
        ));
        if let Some(conditions) = &rule.conditions {
            let lines: Vec<_> = json(conditions).lines().map(html).collect();
            self.line(&format!("<pre>{}</pre>", lines.join("\n")));
        }
        self.line("</details>");
    }

    fn key_use(&mut self, key_use: &KeyUse) {
        self.section("use", USE);
        self.line(&format!("<p>{}</p>", html_with_code(&key_use.line())));
        if !key_use.accounts.is_empty() {
            self.open_table("use", &["Account", "Users", "Nodes", "Regions"]);
            for account in &key_use.accounts {
                self.line(&format!(
                    "<tr><th scope=\"row\">{} {}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                    words::sign(account.verdict()),
                    html(&account.title()),
                    account.users.words(),
                    account.nodes.words(),
                    html(&account.regions.join(", "))
                ));
            }
            self.line("</tbody></table></div>");
        }
        if key_use.accounts.iter().any(|account| account.refusals().next().is_some()) {
            self.line("<ul class=\"problems\">");
            for refused in key_use.accounts.iter().flat_map(AccountUse::refusals) {
                self.line(&format!("<li>{} {}</li>", words::sign(Verdict::Fail), html_with_code(&refused)));
            }
            self.line("</ul>");
        }
        self.line("</section>");
    }
}
