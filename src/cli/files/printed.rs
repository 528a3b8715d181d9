//! The document inside of what a command of the AWS CLI prints around it: a JSON string, or an object with one member for
//! the document.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members in which commands print a key policy.
pub(super) const KEY_POLICY: &[&str] = &["Policy"];
/// The members in which commands print a policy of a role or a user.
pub(super) const IDENTITY_POLICY: &[&str] = &["PolicyDocument", "PolicyVersion", "Document"];
/// The members in which commands print grants. The list of grants itself is read with the object around it.
pub(super) const GRANTS: &[&str] = &[];

/// Objects and strings around a document beyond this number are none that a command prints.
const MOST_AROUND: usize = 4;

/// A document, and whether it was the text of a JSON string.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DocumentText {
    /// The document.
    pub(super) text: String,
    /// Whether it was inside of a JSON string, where a place has another number than in the file.
    pub(super) is_inside: bool,
}

impl DocumentText {
    /// The document in a text. `members` are those that may hold it.
    pub(super) fn inside(text: String, members: &[&str]) -> Self {
        let mut document = Self { text, is_inside: false };
        for _ in 0..MOST_AROUND {
            let Some(inner) = document.inner(members) else { break };
            document = inner;
        }
        document
    }

    fn inner(&self, members: &[&str]) -> Option<Self> {
        let text = self.text.trim_start();
        if text.starts_with('"') {
            return Some(Self { text: serde_json::from_str(text).ok()?, is_inside: true });
        }
        if members.is_empty() || !text.starts_with('{') {
            return None;
        }
        // A member that comes twice is an error of the document, so nothing is taken out of such an object.
        let object: BTreeMap<&str, &RawValue> = serde_json::from_str(text).ok()?;
        let inner =
            members.iter().find_map(|name| object.get(name)).filter(|_| !object.contains_key("Statement"))?;
        Some(Self { text: inner.get().to_owned(), is_inside: self.is_inside })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POLICY: &str = "{\"Statement\": []}";

    fn inside(text: impl Into<String>, members: &[&str]) -> (String, bool) {
        let document = DocumentText::inside(text.into(), members);
        (document.text, document.is_inside)
    }

    #[test]
    fn a_document_is_found_in_what_commands_print() {
        let string = json!(POLICY).to_string();
        for (text, is_inside) in [
            (POLICY.to_owned(), false),
            (string.clone(), true),
            (format!("\n{string}\r\n"), true),
            (json!(string).to_string(), true),
            (json!({"Policy": POLICY, "PolicyName": "default"}).to_string(), true),
            (format!("{{\"Policy\": {POLICY}}}"), false),
            (json!(json!({"Policy": POLICY}).to_string()).to_string(), true),
        ] {
            assert_eq!(inside(text.clone(), KEY_POLICY), (POLICY.to_owned(), is_inside), "{text}");
        }
        for text in [
            format!("{{\"RoleName\": \"App\", \"PolicyDocument\": {POLICY}}}"),
            format!("{{\"PolicyVersion\": {{\"Document\": {POLICY}, \"VersionId\": \"v1\"}}}}"),
        ] {
            assert_eq!(inside(text, IDENTITY_POLICY), (POLICY.to_owned(), false));
        }
        assert_eq!(inside(json!("[]").to_string(), GRANTS), ("[]".to_owned(), true));
    }

    #[test]
    fn what_is_no_such_print_stays_as_it_is() {
        for text in [
            "",
            "{",
            "\"",
            "[\"a\"]",
            "{\"Policy\": {\"a\": 1}, \"Statement\": []}",
            "{\"policy\": \"x\"}",
            "{\"Policy\": \"x\"} x",
        ] {
            assert_eq!(inside(text, KEY_POLICY), (text.to_owned(), false));
        }
        let mut deep = POLICY.to_owned();
        for _ in 0..MOST_AROUND + 1 {
            deep = json!(deep).to_string();
        }
        assert_eq!(inside(deep, KEY_POLICY).0, json!(POLICY).to_string());
    }
}
