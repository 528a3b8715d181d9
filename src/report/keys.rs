//! The keys of an account and Region, to choose from.

use serde::Serialize;

/// The keys of one Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyList {
    /// The Region.
    pub region: String,
    /// The keys: those that can encrypt sessions first.
    pub keys: Vec<ListedKey>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedKey {
    /// Its ARN.
    pub arn: String,
    /// Its aliases, with the prefix `alias/`.
    pub aliases: Vec<String>,
    /// Why it cannot encrypt sessions; empty for a key that can.
    pub faults: Vec<String>,
    /// What to know of it all the same.
    pub cautions: Vec<String>,
}

impl ListedKey {
    /// Whether it can encrypt sessions.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.faults.is_empty()
    }

    /// The one line said of it.
    pub(super) fn why(&self) -> String {
        let all: Vec<_> = self.faults.iter().chain(&self.cautions).map(String::as_str).collect();
        if all.is_empty() { "can encrypt sessions".to_owned() } else { all.join("; ") }
    }
}
