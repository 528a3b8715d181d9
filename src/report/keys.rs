//! The keys of an account and Region, from which to choose one.

use serde::Serialize;

/// The keys of one Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyList {
    /// The Region.
    pub region: String,
    /// The keys: those that can encrypt sessions first.
    pub keys: Vec<ListedKey>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ListedKey {
    /// The key's ARN.
    pub arn: String,
    /// The key's aliases, with the prefix `alias/`.
    pub aliases: Vec<String>,
    /// Why the key cannot encrypt sessions; empty if it can.
    pub faults: Vec<String>,
    /// What to know about the key even if it can encrypt sessions.
    pub cautions: Vec<String>,
}

impl ListedKey {
    /// Whether the key can encrypt sessions.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.faults.is_empty()
    }

    /// One line about whether the key can encrypt sessions.
    pub(super) fn fitness_line(&self) -> String {
        let all: Vec<_> = self.faults.iter().chain(&self.cautions).map(String::as_str).collect();
        if all.is_empty() { "can encrypt sessions".to_owned() } else { all.join("; ") }
    }
}
