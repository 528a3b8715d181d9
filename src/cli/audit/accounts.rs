//! Reads a list of accounts: one id a line, lines of CSV with the name behind the id, or JSON.

use serde_json::Value;

use crate::audit::AuditedPlace;
use kms_key_policy::AccountId;

/// An account of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedAccount {
    /// Twelve digits.
    pub(super) id: String,
    /// Its name, if the list has it.
    pub(super) name: Option<String>,
    /// The path of its organizational unit, if the list has it.
    pub(super) unit: Option<String>,
}

/// The names of members that hold the id, the name and the path of the organizational unit.
const IDS: [&str; 4] = ["account", "accountId", "Id", "id"];
const NAMES: [&str; 3] = ["accountName", "Name", "name"];
const UNITS: [&str; 2] = ["organizationalUnit", "ou"];

/// Reads a list of accounts, each of which stays once. JSON may be one object a line, an array, or what
/// `aws organizations list-accounts` prints; and it may be the text of a JSON string.
pub(super) fn read(text: &str) -> Result<Vec<ListedAccount>, String> {
    let mut accounts: Vec<ListedAccount> = Vec::new();
    let in_string = serde_json::from_str::<String>(text).ok();
    let text = in_string.as_deref().unwrap_or(text);
    let whole =
        serde_json::from_str::<Value>(text).ok().filter(|value| value.is_array() || value.is_object());
    let found = match whole {
        Some(value) => of_json(&value)?,
        None => of_lines(text)?,
    };
    for account in found {
        if !accounts.iter().any(|known| known.id == account.id) {
            accounts.push(account);
        }
    }
    if accounts.is_empty() { Err("it lists no account".to_owned()) } else { Ok(accounts) }
}

fn of_json(value: &Value) -> Result<Vec<ListedAccount>, String> {
    let listed = value.get("Accounts").unwrap_or(value);
    let items = match listed {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    (1..)
        .zip(items)
        .map(|(number, item)| of_item(item).map_err(|why| format!("item {number} {why}")))
        .collect()
}

fn of_item(item: &Value) -> Result<ListedAccount, String> {
    let text = |names: &[&str]| names.iter().find_map(|name| item.get(name).and_then(Value::as_str));
    let id = item.as_str().or_else(|| text(&IDS)).ok_or("has no `account`, the id of an account")?;
    account(id, text(&NAMES), text(&UNITS))
}

fn of_lines(text: &str) -> Result<Vec<ListedAccount>, String> {
    let mut accounts = Vec::new();
    let mut is_first = true;
    for (number, line) in (1..).zip(text.lines()) {
        let line = without_comment(line);
        if line.is_empty() {
            continue;
        }
        let is_head = std::mem::take(&mut is_first) && is_head(line);
        if is_head {
            continue;
        }
        let of_line = if line.starts_with('{') {
            let value: Value =
                serde_json::from_str(line).map_err(|error| format!("line {number} is no JSON: {error}"))?;
            of_item(&value)
        } else {
            let cells = cells(line);
            // `--output text` of the AWS CLI prints a list of ids on one line.
            if cells.len() > 1 && cells.iter().all(|cell| AccountId::parse(cell).is_some()) {
                accounts.extend(cells.iter().filter_map(|id| account(id, None, None).ok()));
                continue;
            }
            let mut cells = cells.into_iter();
            let id = cells.next().unwrap_or_default();
            account(&id, cells.next().as_deref(), cells.next().as_deref())
        };
        accounts.push(of_line.map_err(|why| format!("line {number} {why}"))?);
    }
    Ok(accounts)
}

/// A comment begins with `#` at the beginning of a line or behind a space.
fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('{') {
        return line;
    }
    let begins = line.match_indices('#').map(|(at, _)| at);
    let mut begins = begins.filter(|at| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    begins.next().and_then(|at| line.get(..at)).unwrap_or(line).trim_end()
}

/// Whether a line names the columns of CSV.
fn is_head(line: &str) -> bool {
    let first = cells(line).into_iter().next().unwrap_or_default();
    IDS.iter().any(|name| name.eq_ignore_ascii_case(&first)) || first.eq_ignore_ascii_case("account id")
}

/// The cells of a line of CSV. A cell in double quotes may hold commas, and two double quotes for one.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' | ';' | '\t' if !is_quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

fn account(id: &str, name: Option<&str>, unit: Option<&str>) -> Result<ListedAccount, String> {
    if AccountId::parse(id).is_none() {
        let shown: String = id.chars().take(40).collect();
        return Err(format!("names `{shown}`, which is no account; it has twelve digits"));
    }
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(ListedAccount { id: id.to_owned(), name: text(name), unit: text(unit) })
}

/// Gives the places the names that the list has.
pub(super) fn name_places(places: &mut [AuditedPlace], accounts: &[ListedAccount]) {
    for place in places {
        if let Some(account) = accounts.iter().find(|account| account.id == place.account) {
            place.account_name = place.account_name.take().or_else(|| account.name.clone());
            place.organizational_unit = place.organizational_unit.take().or_else(|| account.unit.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<(String, Option<String>, Option<String>)> {
        read(text).unwrap().into_iter().map(|account| (account.id, account.name, account.unit)).collect()
    }

    #[test]
    fn a_list_has_ids_names_and_comments() {
        let one = |name: Option<&str>, unit: Option<&str>| {
            vec![("111122223333".to_owned(), name.map(str::to_owned), unit.map(str::to_owned))]
        };
        for text in [
            "111122223333",
            "# all\n\n  111122223333   # production\r\n111122223333\n",
            "[\"111122223333\"]",
            "{\"account\": \"111122223333\"}",
            "\"111122223333\"\n",
            "\"[\\\"111122223333\\\"]\"",
        ] {
            assert_eq!(listed(text), one(None, None), "{text}");
        }
        for text in [
            "account,name\n111122223333,\"Shop, #1 \"\"live\"\"\"\n",
            "111122223333;\"Shop, #1 \"\"live\"\"\"",
            "{\"accountId\": \"111122223333\", \"name\": \"Shop, #1 \\\"live\\\"\"}\n",
            "{\"Accounts\": [{\"Id\": \"111122223333\", \"Name\": \"Shop, #1 \\\"live\\\"\", \"Status\": \"ACTIVE\"}]}",
        ] {
            // In a cell, a `#` begins no comment unless a space stands before it.
            let text = text.replace(", #1", ",#1");
            assert_eq!(listed(&text), one(Some("Shop,#1 \"live\""), None), "{text}");
        }
        assert_eq!(listed("111122223333,Shop,Root/Live"), one(Some("Shop"), Some("Root/Live")));
        assert_eq!(listed("111122223333\t444455556666\n777788889999").len(), 3);
        assert_eq!(listed("111122223333\n{\"account\":\"444455556666\"}").len(), 2);
    }

    #[test]
    fn what_is_no_account_is_named_with_its_line() {
        for (text, message) in [
            ("111122223333\n11112222333\n", "line 2 names `11112222333`, which is no account"),
            ("name\n", "line 1 names `name`"),
            ("[{\"x\": 1}]", "item 1 has no `account`"),
            ("{\"account\": \"111122223333\"}\n{\"account\"", "line 2 is no JSON"),
            ("# nobody\n", "lists no account"),
            ("", "lists no account"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
