//! The change of a document: its one field and the numbers of its versions.

use serde::Serialize;

use super::escape;

/// A change, planned or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The document.
    pub document: String,
    /// Whether the change was made; otherwise it is planned.
    pub done: bool,
    /// The versions before the change; `None` if there was no document.
    pub before: Option<VersionSummary>,
    /// The versions after the change: equal to `before` if nothing differs, `None` if there is no document.
    pub after: Option<VersionSummary>,
    /// The steps, in order, one line each.
    pub steps: Vec<String>,
}

/// What a report says about the versions of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VersionSummary {
    /// The number of the latest version.
    pub latest: u64,
    /// The number of the default version.
    pub default: u64,
    /// `inputs.kmsKeyId` of the latest version; empty if there is none.
    pub kms_key_id: String,
}

/// The kind of a line of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// The head of a file or of a hunk.
    Head,
    /// The line is removed.
    Minus,
    /// The line is added.
    Plus,
    /// The line is unchanged.
    Same,
}

impl Change {
    /// Whether nothing differs, so that nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.before == self.after
    }

    /// Whether it creates the document.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.before.is_none() && self.after.is_some()
    }

    /// The change as a unified diff of the one field.
    pub(super) fn diff(&self) -> Vec<(Sign, String)> {
        let head = |sign: &str, version: Option<&VersionSummary>| {
            let text = match version {
                None => "/dev/null".to_owned(),
                Some(VersionSummary { latest, default, .. }) if latest == default => {
                    format!("{} version {latest} (latest, default)", self.document)
                }
                Some(VersionSummary { latest, default, .. }) => {
                    format!("{} version {latest} (latest; default is {default})", self.document)
                }
            };
            (Sign::Head, format!("{sign} {text}"))
        };
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        let mut lines =
            vec![head("---", before), head("+++", after), (Sign::Head, "@@ inputs @@".to_owned())];
        let key = |version: Option<&VersionSummary>| version.map(|version| line(&version.kms_key_id));
        match (key(before), key(after)) {
            (before, after) if before == after => {
                lines.extend(before.map(|line| (Sign::Same, format!(" {line}"))))
            }
            (before, after) => {
                lines.extend(before.map(|line| (Sign::Minus, format!("-{line}"))));
                lines.extend(after.map(|line| (Sign::Plus, format!("+{line}"))));
            }
        }
        lines
    }
}

fn line(key: &str) -> String {
    format!("    \"kmsKeyId\": {}", escape::json(&key.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(latest: u64, default: u64, key: &str) -> Option<VersionSummary> {
        Some(VersionSummary { latest, default, kms_key_id: key.into() })
    }

    fn diff(before: Option<VersionSummary>, after: Option<VersionSummary>) -> Vec<String> {
        let change = Change { document: "Doc".into(), done: false, before, after, steps: Vec::new() };
        change.diff().into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn the_diff_shows_the_one_field_and_the_versions() {
        assert_eq!(
            diff(version(3, 2, "alias/\"old\""), version(4, 4, "new")),
            [
                "--- Doc version 3 (latest; default is 2)",
                "+++ Doc version 4 (latest, default)",
                "@@ inputs @@",
                "-    \"kmsKeyId\": \"alias/\\\"old\\\"\"",
                "+    \"kmsKeyId\": \"new\"",
            ]
        );
    }

    #[test]
    fn a_new_document_has_nothing_before_it_and_a_promotion_no_other_key() {
        assert_eq!(diff(None, version(1, 1, "new"))[0], "--- /dev/null");
        assert_eq!(diff(version(4, 3, "k"), version(4, 4, "k"))[3], "     \"kmsKeyId\": \"k\"");
    }
}
