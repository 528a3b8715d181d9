//! The properties that the stacks of a history have, in a form that is short to read.

use std::fmt;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::account::{ALIASES, DOCUMENTS, KEYS, arn};
use crate::stub::{ACCOUNT, REGION};

/// How a property names a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    Arn(usize),
    Id(usize),
    Alias(usize),
    AliasArn(usize),
}

/// What happens if the key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyTrouble {
    Alert,
    Clear,
    Standby(Reference),
}

/// What a Delete does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnDelete {
    Restore,
    Clear,
    Retain,
}

/// What is wrong with the properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    UnknownProperty,
    NoKey,
    ImpossibleDocumentName,
    StandbyWithoutWord,
}

/// The properties of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Properties {
    /// The index of the document.
    pub document: usize,
    /// `None` turns encryption off.
    pub key: Option<Reference>,
    /// `None` leaves the property out.
    pub on_delete: Option<OnDelete>,
    pub takes_over: bool,
    pub on_key_trouble: KeyTrouble,
    pub flaw: Option<Flaw>,
    pub revision: u8,
}

impl Reference {
    pub fn text(self) -> String {
        match self {
            Self::Arn(key) => arn(key),
            Self::Id(key) => KEYS[key].to_owned(),
            Self::Alias(alias) => ALIASES[alias].to_owned(),
            Self::AliasArn(alias) => format!("arn:aws:kms:{REGION}:{ACCOUNT}:{}", ALIASES[alias]),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(key) => write!(f, "key {key}"),
            Self::Id(key) => write!(f, "key {key} by its id"),
            Self::Alias(alias) => f.write_str(ALIASES[*alias]),
            Self::AliasArn(alias) => write!(f, "the ARN of {}", ALIASES[*alias]),
        }
    }
}

impl Properties {
    /// What the owner gets if it does not say.
    pub fn on_delete(&self) -> OnDelete {
        self.on_delete.unwrap_or(OnDelete::Restore)
    }

    /// As the template has them.
    pub fn to_json(&self) -> Value {
        let mut properties = json!({"Preflight": "Off", "Revision": self.revision});
        let mut set = |name: &str, value: &str| properties[name] = value.into();
        if self.document > 0 {
            set("DocumentName", DOCUMENTS[self.document]);
            set("CreateDocument", "true");
        }
        match self.key {
            Some(key) => {
                set("KmsKeyId", &key.text());
                match self.on_key_trouble {
                    KeyTrouble::Alert => {}
                    KeyTrouble::Clear => set("OnKeyTrouble", "Clear"),
                    KeyTrouble::Standby(standby) => {
                        set("OnKeyTrouble", "Standby");
                        set("StandbyKmsKeyId", &standby.text());
                    }
                }
            }
            None => set("Encryption", "Disabled"),
        }
        match self.on_delete {
            None => {}
            Some(OnDelete::Restore) => set("OnDelete", "Restore"),
            Some(OnDelete::Clear) => set("OnDelete", "Clear"),
            Some(OnDelete::Retain) => set("OnDelete", "Retain"),
        }
        if self.takes_over {
            set("OnConflict", "TakeOver");
        }
        match self.flaw {
            None => {}
            Some(Flaw::UnknownProperty) => set("KmsKeyArn", "x"),
            Some(Flaw::NoKey) => {
                set("Encryption", "Enabled");
                set("KmsKeyId", "");
            }
            Some(Flaw::ImpossibleDocumentName) => set("DocumentName", "no/name"),
            Some(Flaw::StandbyWithoutWord) => {
                set("OnKeyTrouble", "Clear");
                set("StandbyKmsKeyId", "alias/main");
            }
        }
        properties
    }
}

impl fmt::Display for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "{key} on document {}", self.document)?,
            None => write!(f, "no key on document {}", self.document)?,
        }
        if let Some(on_delete) = self.on_delete {
            write!(f, ", OnDelete {on_delete:?}")?;
        }
        if self.takes_over {
            f.write_str(", TakeOver")?;
        }
        match self.on_key_trouble {
            KeyTrouble::Alert => {}
            KeyTrouble::Clear => f.write_str(", OnKeyTrouble Clear")?,
            KeyTrouble::Standby(standby) => write!(f, ", standby {standby}")?,
        }
        if let Some(flaw) = self.flaw {
            write!(f, ", flaw {flaw:?}")?;
        }
        if self.revision > 0 {
            write!(f, ", revision {}", self.revision)?;
        }
        Ok(())
    }
}

fn references() -> impl Strategy<Value = Reference> {
    prop_oneof![
        4 => (0..KEYS.len()).prop_map(Reference::Arn),
        2 => (0..KEYS.len()).prop_map(Reference::Id),
        2 => (0..ALIASES.len()).prop_map(Reference::Alias),
        1 => (0..ALIASES.len()).prop_map(Reference::AliasArn),
    ]
}

pub fn properties() -> impl Strategy<Value = Properties> {
    let on_delete = option::weighted(
        0.7,
        select(&[OnDelete::Restore, OnDelete::Restore, OnDelete::Clear, OnDelete::Retain][..]),
    );
    let flaw = option::weighted(
        0.06,
        select(
            &[Flaw::UnknownProperty, Flaw::NoKey, Flaw::ImpossibleDocumentName, Flaw::StandbyWithoutWord][..],
        ),
    );
    let trouble = prop_oneof![
        3 => Just(KeyTrouble::Alert),
        1 => Just(KeyTrouble::Clear),
        2 => references().prop_map(KeyTrouble::Standby),
    ];
    (
        prop_oneof![5 => Just(0), 1 => Just(1)],
        option::weighted(0.85, references()),
        on_delete,
        proptest::bool::weighted(0.4),
        trouble,
        flaw,
        0..2_u8,
    )
        .prop_map(|(document, key, on_delete, takes_over, on_key_trouble, flaw, revision)| Properties {
            document,
            key,
            on_delete,
            takes_over,
            on_key_trouble,
            flaw,
            revision,
        })
}
