//! The sections about whom a key admits and who uses it, as text.

use super::super::escape::plain;
use super::super::key_callers::{
    AccountUse, CONSEQUENCES, CallerAdmission, KeyCallers, KeyUse, ListedCaller, ListedRule, RULES, USE, WHOM,
};
use super::super::words;
use super::{BOLD, CYAN, Colour, DIM, TextWriter};
use crate::preflight::Verdict;

impl TextWriter {
    pub(super) fn key_callers(&mut self, key_callers: &KeyCallers) {
        self.title(WHOM);
        if key_callers.callers.is_empty() {
            self.line("nobody");
        }
        for caller in &key_callers.callers {
            self.caller(caller);
        }
        if !key_callers.rules.is_empty() {
            self.title(RULES);
        }
        for rule in &key_callers.rules {
            self.rule(rule);
        }
        if let Some(key_use) = &key_callers.key_use {
            self.key_use(key_use);
        }
        if !key_callers.consequences.is_empty() {
            self.title(CONSEQUENCES);
            for line in &key_callers.consequences {
                self.line(&plain(line));
            }
        }
    }

    fn caller(&mut self, caller: &ListedCaller) {
        let name = self.painted(BOLD, &plain(&caller.caller));
        self.line(&name);
        let [user, node] = caller.cells();
        if user == node {
            self.cell("both calls", user);
        } else {
            for (action, cell) in words::ACTIONS.into_iter().zip([user, node]) {
                self.cell(action, cell);
            }
        }
    }

    fn cell(&mut self, action: &str, cell: &CallerAdmission) {
        let verdict = cell.verdict();
        let what = self.painted(Colour::of(verdict), &format!("{} {}", words::sign(verdict), cell.words()));
        let reason = cell.reason();
        let reason = if reason.is_empty() { String::new() } else { format!(" · {}", plain(&reason)) };
        self.line(&format!("    {action:<19} {what}{reason}"));
    }

    fn rule(&mut self, rule: &ListedRule) {
        self.line(&plain(&rule.line()));
        let scope = self.painted(DIM, &plain(&rule.scope()));
        self.line(&format!("    {scope}"));
        if let Some(conditions) = &rule.conditions {
            let conditions = self.painted(CYAN, &plain(&conditions.to_string()));
            self.line(&format!("    {conditions}"));
        }
    }

    fn key_use(&mut self, key_use: &KeyUse) {
        self.title(USE);
        if key_use.accounts.is_empty() {
            self.line("no account of the audit");
        } else {
            let head = ["", "ACCOUNT", "USERS", "NODES", "REGIONS"].map(str::to_owned);
            let mut rows = vec![head.map(|cell| (Some(BOLD), cell))];
            for account in &key_use.accounts {
                let colour = Some(Colour::of(account.verdict()));
                rows.push([
                    (colour, words::sign(account.verdict()).to_owned()),
                    (None, plain(&account.title())),
                    (colour, account.users.words().to_owned()),
                    (colour, account.nodes.words().to_owned()),
                    (None, plain(&account.regions.join(", "))),
                ]);
            }
            self.table(&rows);
        }
        for refused in key_use.accounts.iter().flat_map(AccountUse::refusals) {
            let sign = self.painted(Colour::of(Verdict::Fail), words::sign(Verdict::Fail));
            self.line(&format!("{sign} {}", plain(&refused)));
        }
        let read = self.painted(DIM, &plain(&key_use.line()));
        self.line(&read);
    }
}
