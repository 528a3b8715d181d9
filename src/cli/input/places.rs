//! Where the statements of a key policy stand in its file.

use super::json;
use super::node::{SourceNode, SourceValue};
use crate::report::{PolicySource, SourcePlace};

/// The places of a key policy that stands in a file by itself, or in what the AWS CLI prints around it. `None` if the text is
/// no JSON.
pub(in crate::cli) fn places(file: &str, text: &str) -> Option<PolicySource> {
    let root = json::read(text).ok()?;
    let policy = match root.get("Policy") {
        Some(policy) if root.get("Statement").is_none() => policy,
        _ => &root,
    };
    let statements = match policy.get("Statement") {
        Some(statements) => places_of(statements),
        // The policy is a text in the file: its lines are not lines of the file.
        None => Vec::new(),
    };
    Some(PolicySource { file: file.to_owned(), policy: policy.place, statements })
}

fn places_of(statements: &SourceNode) -> Vec<SourcePlace> {
    match &statements.value {
        SourceValue::List(items) => items.iter().map(|item| item.place).collect(),
        _ => vec![statements.place],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_its_lines() {
        let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\"Effect\": \"Allow\"},\n    {\n      \
                    \"Effect\": \"Deny\"\n    }\n  ]\n}\n";
        let found = places("p.json", text).unwrap();
        let place = |line, column, end_line| SourcePlace { line, column, end_line };
        assert_eq!(found.policy, place(1, 1, 9));
        assert_eq!(found.statements, [place(4, 5, 4), place(5, 5, 7)]);
        let single = places("p.json", "{\"Statement\":\n {}}").unwrap();
        assert_eq!(single.statements, [place(2, 2, 2)]);
    }

    #[test]
    fn a_policy_that_is_a_text_has_one_place() {
        let found = places("p.json", "{\n \"Policy\": \"{}\"\n}").unwrap();
        assert_eq!(found.policy, SourcePlace { line: 2, column: 12, end_line: 2 });
        assert!(found.statements.is_empty());
        assert_eq!(places("p.json", "\"{}\"").unwrap().policy.line, 1);
        assert!(places("p.json", "no JSON").is_none());
    }
}
