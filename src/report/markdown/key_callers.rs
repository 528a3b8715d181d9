//! The sections about whom a key admits and who uses it, as Markdown.

use super::super::escape::{markdown, markdown_code};
use super::super::key_callers::{
    AccountUse, CONSEQUENCES, CallerAdmission, KeyCallers, KeyUse, RULES, USE, WHOM,
};
use super::super::words;
use super::{MOST, emoji, more};

pub(super) fn lines(key_callers: &KeyCallers) -> Vec<String> {
    let [user, node] = words::ACTIONS;
    let mut lines = heading(WHOM);
    lines.extend([format!("| Caller | `{user}` | `{node}` |"), "| --- | --- | --- |".to_owned()]);
    for caller in key_callers.callers.iter().take(MOST) {
        let [user, node] = caller.cells().map(cell);
        lines.push(format!("| {} | {user} | {node} |", markdown_code(&caller.caller)));
    }
    lines.push(String::new());
    lines.extend(more(key_callers.callers.len(), "caller", "callers"));
    if !key_callers.rules.is_empty() {
        lines.extend(heading(RULES));
    }
    for rule in key_callers.rules.iter().take(MOST) {
        let conditions = rule.conditions.as_ref();
        let conditions =
            conditions.map_or_else(String::new, |value| format!("<br>{}", markdown_code(&value.to_string())));
        lines.push(format!("- {}<br>{}{conditions}", markdown(&rule.line()), markdown(&rule.scope())));
    }
    lines.push(String::new());
    lines.extend(more(key_callers.rules.len(), "statement or grant", "statements and grants"));
    lines.extend(key_callers.key_use.iter().flat_map(key_use));
    if !key_callers.consequences.is_empty() {
        lines.extend(heading(CONSEQUENCES));
        lines.extend(key_callers.consequences.iter().map(|line| format!("- {}", markdown(line))));
        lines.push(String::new());
    }
    lines
}

fn cell(cell: &CallerAdmission) -> String {
    let reason = cell.reason();
    let reason = if reason.is_empty() { String::new() } else { format!("<br>{}", markdown(&reason)) };
    format!("{} {}{reason}", emoji(cell.verdict()), cell.words())
}

fn key_use(key_use: &KeyUse) -> Vec<String> {
    let mut lines = heading(USE);
    lines.extend([markdown(&key_use.line()), String::new()]);
    if key_use.accounts.is_empty() {
        return lines;
    }
    lines
        .extend(["| Account | Users | Nodes | Regions |".to_owned(), "| --- | --- | --- | --- |".to_owned()]);
    for account in key_use.accounts.iter().take(MOST) {
        lines.push(format!(
            "| {} {} | {} | {} | {} |",
            emoji(account.verdict()),
            markdown(&account.title()),
            account.users.words(),
            account.nodes.words(),
            markdown(&account.regions.join(", "))
        ));
    }
    lines.push(String::new());
    lines.extend(more(key_use.accounts.len(), "account", "accounts"));
    let refused: Vec<_> = key_use.accounts.iter().flat_map(AccountUse::refusals).collect();
    lines.extend(refused.iter().take(MOST).map(|line| format!("- ❌ {}", markdown(line))));
    lines.push(String::new());
    lines.extend(more(refused.len(), "principal", "principals"));
    lines
}

fn heading(title: &str) -> Vec<String> {
    vec![format!("### {title}"), String::new()]
}
