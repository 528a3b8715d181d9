//! What each property means, in words. The readers say which properties there are and what they take; tests hold this
//! table to them in both directions.

/// A property in words.
#[derive(Clone, Copy, Debug)]
pub(super) struct PropertyText {
    /// The name, as CloudFormation spells it.
    pub(super) name: &'static str,
    /// When it is required, if the reader alone does not know it.
    pub(super) need: Requirement,
    /// What is taken if it is left out; empty for nothing.
    pub(super) default: &'static str,
    /// What it means, in one or two sentences without the kind and the words.
    pub(super) meaning: &'static str,
}

/// When a property is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    /// As the reader says it.
    Reader,
    /// Always.
    Always,
    /// Under a condition: `with Enabled`.
    If(&'static str),
}

/// The groups of texts. A reader has a group of its own, if it means something else by a name; all others of its names are
/// in [`COMMON`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextGroup {
    /// `Custom::SessionEncryption`, and the direct calls with its properties.
    Encryption,
    /// `Custom::SessionKey`.
    Key,
    /// `Custom::SessionKeyAccess`.
    Access,
    /// `audit`, `auditPairs` and `auditReport`.
    Audit,
}

impl TextGroup {
    pub(super) const fn own(self) -> &'static [PropertyText] {
        match self {
            Self::Encryption => &[],
            Self::Key => KEY,
            Self::Access => ACCESS,
            Self::Audit => AUDIT,
        }
    }

    /// The text of a property. `name` begins with a capital letter.
    pub(super) fn text(self, name: &str) -> Option<&'static PropertyText> {
        self.own().iter().chain(COMMON).find(|text| text.name == name)
    }
}

const fn text(name: &'static str, default: &'static str, meaning: &'static str) -> PropertyText {
    PropertyText { name, need: Requirement::Reader, default, meaning }
}

/// What most readers share.
pub(super) const COMMON: &[PropertyText] = &[
    text(
        "Encryption",
        "`Enabled`",
        "Whether sessions are encrypted with a key. With `Disabled`, the document has no key.",
    ),
    PropertyText {
        name: "KmsKeyId",
        need: Requirement::If("with `Enabled`; refused with `Disabled`"),
        default: "",
        meaning: "The key: its ARN, its id, the name of an alias or the ARN of an alias. A key of another account is named by \
                  its key ARN. The document always gets the key ARN.",
    },
    text(
        "OnKeyTrouble",
        "`Alert`",
        "What happens if the key can no longer be used: `Alert` raises an alert, `Standby` lets `StandbyKmsKeyId` stand in, \
         `Clear` turns encryption off. The last two return to the key when it can be used again.",
    ),
    PropertyText {
        name: "StandbyKmsKeyId",
        need: Requirement::If("with `Standby`; refused otherwise"),
        default: "",
        meaning: "The standby key. It is checked like the first key, by the request and by the schedule.",
    },
    text("DocumentName", "`SSM-SessionManagerRunShell`", "The Session document."),
    text(
        "OnDelete",
        "`Restore`",
        "What a deletion leaves: `Restore` sets the key from before the first owner again, `Clear` turns encryption off, \
         `Retain` leaves the key.",
    ),
    text(
        "OnConflict",
        "`Fail`",
        "What happens if somebody else owns the document, such as another stack or the command line: `Fail` names the owner \
         and how the document becomes free, `TakeOver` makes the request the owner.",
    ),
    text(
        "CreateDocument",
        "`false`",
        "Whether a document that does not exist is created. Otherwise such a name is refused as a typing error, because no \
         session uses the document unless its start names it. `SSM-SessionManagerRunShell` is created in any case.",
    ),
    text("Revision", "", "Any text. A change makes CloudFormation send another request."),
    text(
        "Requires",
        "empty",
        "Anything: a reference in it makes CloudFormation create what it names before the request. It changes nothing, also \
         not whether a request is the same as before.",
    ),
    text(
        "Preflight",
        "`Enforce`",
        "Which findings block: with `Strict` those that fail or are unknown, with `Enforce` those that fail, with `Warn` \
         none. With `Off` nobody's access is checked. An unfit key blocks in each.",
    ),
    text("Users", "empty", "The ARNs of roles or users that start sessions and must be able to use the key."),
    text(
        "Nodes",
        "empty",
        "The ARNs of roles or users by which nodes work and that must be able to use the key.",
    ),
    text(
        "Exempt",
        "empty",
        "The ARNs, with `*` and `?`, of principals whose failure is reported and does not block.",
    ),
    text(
        "DiscoverUsers",
        "`true`",
        "Whether further users are looked for, in the session history of 30 days and in just-in-time node access.",
    ),
    text(
        "DiscoverNodes",
        "`true`",
        "Whether the roles of managed nodes and of stopped instances are looked for, and it is checked that EC2 nodes can \
         reach KMS.",
    ),
    text(
        "Context",
        "empty",
        "What is known of the condition keys of every call: a value, a list of values, or `null` for a condition key that no \
         call has. As an object, or its text in JSON.",
    ),
    text(
        "KeyPolicyReaderRoleArn",
        "",
        "The ARN of a role in the key's account that may read the key's policy, grants, tags and aliases.",
    ),
    text(
        "KeyPolicyReaderExternalId",
        "",
        "The external id that this role asks for. It is refused without the role.",
    ),
    text(
        "KeyPolicy",
        "",
        "The key's policy, as an object or its text, if nothing may read it. The key's grants, tags and aliases are unknown \
         then. The record does not hold it, so for later repairs and checks the policy is unknown too.",
    ),
];

/// What only `Custom::SessionKey` has.
const KEY: &[PropertyText] = &[text(
    "GrantKeyArns",
    "empty",
    "The ARNs of the keys that the stack's policies for users and nodes name. Without a key and a present key, the first of \
     them is `PresentKeyArn`.",
)];

/// What `Custom::SessionKeyAccess` has, or means in another way.
const ACCESS: &[PropertyText] = &[
    text("KmsKeyId", "", "The key, of the function's own account: its ARN, its id, or an alias."),
    PropertyText {
        name: "ConsumerAccounts",
        need: Requirement::If("without `Users` and `Nodes`"),
        default: "empty",
        meaning: "The ids of the accounts that the key's policy or grants must admit.",
    },
    text("Users", "empty", "The ARNs of roles or users that start sessions and that the key must admit."),
    text("Nodes", "empty", "The ARNs of roles or users by which nodes work and that the key must admit."),
    text(
        "Context",
        "empty",
        "What is known of the condition keys of every call, as for `Custom::SessionEncryption`. The function cannot read the \
         organization of another account's principals, so a key policy that asks for it needs \
         `{\"aws:PrincipalOrgID\": \"o-…\"}`.",
    ),
    text("Require", "`Allowed`", "`NotDenied` also accepts what depends on something that is not known."),
];

/// What the direct calls of an audit have.
const AUDIT: &[PropertyText] = &[
    text("Account", "", "The id of the account to look at."),
    text("Region", "", "The Region to look at."),
    text("AccountName", "", "The account's name, which the line repeats."),
    text(
        "OrganizationalUnit",
        "",
        "The names from the root to the account's organizational unit, such as `Root/Workloads`, which the line repeats.",
    ),
    PropertyText {
        name: "RoleName",
        need: Requirement::If("in `auditPairs`"),
        default: "the own credentials",
        meaning: "The name of the role that every account has, by which it is read.",
    },
    text("ExternalId", "", "The external id that this role asks for. It is refused without the role."),
    PropertyText {
        name: "Accounts",
        need: Requirement::Always,
        default: "",
        meaning: "`organization`, or the ids of accounts, or the address of a list of them, `s3://BUCKET/KEY`.",
    },
    text(
        "OrganizationalUnits",
        "all",
        "The organizational units to look at, with `accounts` `organization` only: their ids or the names from the root.",
    ),
    text(
        "Exclude",
        "empty",
        "The accounts and organizational units to leave out: their ids, or the names of units from the root.",
    ),
    text(
        "Regions",
        "`enabled`",
        "`enabled`, for the Regions that are enabled in each account, or the names of Regions.",
    ),
    text(
        "Output",
        "",
        "Where to write: for `auditPairs` the list, `s3://BUCKET/KEY`; for `auditReport` the folder of the reports, \
         `s3://BUCKET/FOLDER/`.",
    ),
    text(
        "Results",
        "",
        "The results of the state machine: its folder, or its `manifest.json`, `s3://BUCKET/…/manifest.json`.",
    ),
    text("Pairs", "", "The list of `auditPairs`, so that a place without a result is missed."),
    text(
        "CompareWith",
        "the report before",
        "The `summary.json` of an earlier report, to say what has changed since.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::reference::inputs::{Reader, pascal};

    #[test]
    fn every_property_that_a_reader_reads_has_a_text() {
        for reader in Reader::all() {
            for property in &reader.properties {
                let name = pascal(&property.name);
                assert!(
                    ["Action", "Tf"].contains(&name.as_str()) || reader.group.text(&name).is_some(),
                    "`{}` of {} has no text",
                    property.name,
                    reader.title
                );
            }
        }
    }

    #[test]
    fn every_text_is_about_a_property_that_a_reader_reads() {
        let readers = Reader::all();
        let used = |group: TextGroup| {
            let of_group = readers.iter().filter(move |reader| reader.group == group);
            of_group.flat_map(|reader| &reader.properties).map(|property| pascal(&property.name))
        };
        for group in [TextGroup::Key, TextGroup::Access, TextGroup::Audit] {
            let names: BTreeSet<_> = used(group).collect();
            for text in group.own() {
                assert!(names.contains(text.name), "no reader of {group:?} reads `{}`", text.name);
            }
        }
        let names: BTreeSet<_> = used(TextGroup::Encryption).collect();
        for text in COMMON {
            assert!(names.contains(text.name), "no reader reads `{}`", text.name);
        }
    }

    #[test]
    fn a_text_is_whole_sentences() {
        for text in [TextGroup::Key, TextGroup::Access, TextGroup::Audit]
            .into_iter()
            .flat_map(TextGroup::own)
            .chain(COMMON)
        {
            assert!(text.meaning.ends_with(['.', '`']), "{}: {}", text.name, text.meaning);
        }
    }
}
