//! The account in which a history plays: its documents, its keys, what others change in it, and what can be seen of it.
//! One stub serves all histories, and each begins with a new world.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::fixture::{but_for_key, key_in, settings};
use crate::stub::{ACCOUNT, Document, DuplicateReading, Format, REGION, Stub, World};

/// The documents that stacks ask for.
pub const DOCUMENTS: [&str; 2] = ["SSM-SessionManagerRunShell", "Team-Preferences"];
/// The ids of the keys that stacks ask for.
pub const KEYS: [&str; 3] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
];
/// The aliases that stacks ask for. Others move them from key to key.
pub const ALIASES: [&str; 2] = ["alias/main", "alias/spare"];
/// The key that documents carry before any stack comes, by an alias that nobody moves.
const OLD: &str = "00000000-0000-4000-8000-000000000000";
const OLD_ALIAS: &str = "alias/old";

pub fn arn(key: usize) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{}", KEYS[key])
}

/// The account when a history begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    pub duplicates: DuplicateReading,
    /// How often a new version is shown as not yet Active.
    pub pending: u32,
    pub most_versions: usize,
    pub documents: [Start; 2],
}

/// A document when a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Missing,
    WithoutKey,
    WithOldKey,
    /// With a key that stacks ask for too.
    WithKeyZero,
    /// The latest version carries the old key, and the default version another.
    TwoVersions,
}

pub fn beginnings() -> impl Strategy<Value = Beginning> {
    let readings = [
        DuplicateReading::LatestOnly,
        DuplicateReading::LatestOnly,
        DuplicateReading::AnyVersionBytes,
        DuplicateReading::AnyVersionNormalised,
    ];
    let start = || {
        prop_oneof![
            2 => Just(Start::Missing),
            2 => Just(Start::WithoutKey),
            4 => Just(Start::WithOldKey),
            1 => Just(Start::WithKeyZero),
            1 => Just(Start::TwoVersions),
        ]
    };
    (select(readings.to_vec()), 0..2_u32, select(&[1000, 1000, 5][..]), [start(), start()]).prop_map(
        |(duplicates, pending, most_versions, documents)| Beginning {
            duplicates,
            pending,
            most_versions,
            documents,
        },
    )
}

/// What others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody sets a key on a document, as the console does it: a new version, which becomes the default.
    SetKey {
        document: usize,
        key: Option<usize>,
    },
    /// The same, and the new version does not become the default.
    SetKeyUnpromoted {
        document: usize,
        key: Option<usize>,
    },
    /// Somebody changes another setting of a document.
    SetAnother {
        document: usize,
    },
    /// Somebody makes the oldest version the default.
    DefaultToOldest {
        document: usize,
    },
    DeleteDocument {
        document: usize,
    },
    DeleteRecord {
        document: usize,
    },
    DisableKey(usize),
    /// The key `alias/old`.
    DisableOldKey,
    ScheduleDeletion(usize),
    /// All keys can be used again.
    EnableKeys,
    MoveAlias {
        alias: usize,
        key: usize,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

pub fn changes() -> impl Strategy<Value = Change> {
    let document = || prop_oneof![4 => Just(0_usize), 1 => Just(1)];
    let key = || proptest::option::weighted(0.7, 0..KEYS.len());
    prop_oneof![
        3 => (document(), key()).prop_map(|(document, key)| Change::SetKey { document, key }),
        1 => (document(), key()).prop_map(|(document, key)| Change::SetKeyUnpromoted { document, key }),
        2 => document().prop_map(|document| Change::SetAnother { document }),
        1 => document().prop_map(|document| Change::DefaultToOldest { document }),
        1 => document().prop_map(|document| Change::DeleteDocument { document }),
        1 => document().prop_map(|document| Change::DeleteRecord { document }),
        3 => (0..KEYS.len()).prop_map(Change::DisableKey),
        1 => Just(Change::DisableOldKey),
        1 => (0..KEYS.len()).prop_map(Change::ScheduleDeletion),
        2 => Just(Change::EnableKeys),
        2 => (0..ALIASES.len(), 0..KEYS.len()).prop_map(|(alias, key)| Change::MoveAlias { alias, key }),
    ]
}

/// The changes that may come in the middle of a request.
pub fn changes_in_between() -> impl Strategy<Value = Change> {
    let document = || prop_oneof![4 => Just(0_usize), 1 => Just(1)];
    let key = || proptest::option::weighted(0.7, 0..KEYS.len());
    prop_oneof![
        3 => (document(), key()).prop_map(|(document, key)| Change::SetKey { document, key }),
        2 => document().prop_map(|document| Change::SetAnother { document }),
        1 => (0..KEYS.len()).prop_map(Change::DisableKey),
    ]
}

/// The settings besides the key that each document is to have in its latest version; `None` if there is no document. They
/// are shared with the changes that come in the middle of a request.
pub type Others = Arc<Mutex<[Option<String>; 2]>>;

impl Change {
    /// Makes the change.
    pub fn apply(self, world: &mut World, others: &Others) {
        match self {
            Self::SetKey { document, key } => write_version(world, document, true, |content| {
                content["inputs"]["kmsKeyId"] = key.map_or_else(String::new, arn).into();
            }),
            Self::SetKeyUnpromoted { document, key } => write_version(world, document, false, |content| {
                content["inputs"]["kmsKeyId"] = key.map_or_else(String::new, arn).into();
            }),
            Self::SetAnother { document } => write_version(world, document, true, |content| {
                let prefix = content["inputs"]["s3KeyPrefix"].as_str().unwrap_or_default();
                content["inputs"]["s3KeyPrefix"] = format!("{prefix}x").into();
            }),
            Self::DefaultToOldest { document } => {
                if let Some(held) = world.document(DOCUMENTS[document]) {
                    let oldest = held.versions[0].number.to_string();
                    let body = json!({"Name": DOCUMENTS[document], "DocumentVersion": oldest});
                    let _ = world.ask("ssm", "UpdateDocumentDefaultVersion", body);
                }
            }
            Self::DeleteDocument { document } => {
                let _ = world.ask("ssm", "DeleteDocument", json!({"Name": DOCUMENTS[document]}));
            }
            Self::DeleteRecord { document } => {
                let _ = world.ask("ssm", "DeleteParameter", json!({"Name": record_of(document)}));
            }
            Self::DisableKey(key) => world.key(&arn(key)).state = "Disabled",
            Self::DisableOldKey => world.key(&old_arn()).state = "Disabled",
            Self::ScheduleDeletion(key) => world.key(&arn(key)).state = "PendingDeletion",
            Self::EnableKeys => {
                for key in (0..KEYS.len()).map(arn).chain([old_arn()]) {
                    world.key(&key).state = "Enabled";
                }
            }
            Self::MoveAlias { alias, key } => world.add_alias(ALIASES[alias], &arn(key)),
        }
        let settings = [0, 1].map(|document| latest_settings(world, document));
        *others.lock().unwrap() = settings;
    }
}

/// Writes a version that is based on the latest one. Its text is made unique, since AWS may refuse duplicates.
fn write_version(world: &mut World, document: usize, promotes: bool, edit: impl Fn(&mut Value)) {
    let name = DOCUMENTS[document];
    let Some(held) = world.document(name) else { return };
    let mut content: Value = serde_json::from_str(held.latest_content().trim_end()).unwrap();
    edit(&mut content);
    content["inputs"]["s3BucketName"] = format!("logs-{}", held.next).into();
    let number = held.next.to_string();
    let body = json!({"Name": name, "DocumentVersion": "$LATEST", "Content": content.to_string()});
    if world.ask("ssm", "UpdateDocument", body).is_ok() && promotes {
        // Whoever promotes waits until the version is Active.
        while world.ask("ssm", "DescribeDocument", json!({"Name": name, "DocumentVersion": number})).unwrap()
            ["Document"]["Status"]
            != "Active"
        {}
        let _ = world.ask(
            "ssm",
            "UpdateDocumentDefaultVersion",
            json!({"Name": name, "DocumentVersion": number}),
        );
    }
}

/// The settings besides the key of the latest version, as text. What makes a version unique does not count.
pub fn latest_settings(world: &World, document: usize) -> Option<String> {
    world.document(DOCUMENTS[document]).map(|held| settings_of(held.latest_content()))
}

pub fn settings_of(content: &str) -> String {
    let text = but_for_key(content);
    match text.split_once(" [session-kms version ") {
        Some((before, rest)) => format!("{before}{}", rest.split_once(']').map_or("", |(_, after)| after)),
        None => text,
    }
}

fn old_arn() -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{OLD}")
}

fn record_of(document: usize) -> String {
    format!("/session-kms/{}", DOCUMENTS[document])
}

/// A new world in the stub.
pub fn begin(stub: &Stub, beginning: Beginning) {
    stub.clear_faults();
    stub.resume();
    stub.forget_calls();
    stub.world(|world| {
        *world = World::default();
        for key in KEYS.into_iter().chain([OLD]) {
            world.add_key(key);
        }
        for (alias, key) in ALIASES.into_iter().zip(0..) {
            world.add_alias(alias, &arn(key));
        }
        world.add_alias(OLD_ALIAS, &old_arn());
        world.documents.duplicates = beginning.duplicates;
        world.documents.settle_after = beginning.pending;
        world.documents.version_limit = beginning.most_versions;
        for (name, start) in DOCUMENTS.into_iter().zip(beginning.documents) {
            let session = |key: &str| Document::session(Format::Json, &settings(key));
            let document = match start {
                Start::Missing => continue,
                Start::WithoutKey => session(""),
                Start::WithOldKey => session(OLD_ALIAS),
                Start::WithKeyZero => session(&arn(0)),
                Start::TwoVersions => session(&arn(2)).with_version(Format::Json, &settings(OLD_ALIAS)),
            };
            world.put_document(name, document);
        }
    });
}

/// What can be seen of a document and its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The keys in the latest and the default version.
    pub carried: Option<[String; 2]>,
    /// The stack's ARN and the name of the resource in it.
    pub owner: Option<(String, String)>,
    pub latest: u64,
    pub default: u64,
}

pub fn seen(world: &mut World, document: usize) -> Seen {
    let owner = owner_of(world, document);
    let held = world.document(DOCUMENTS[document]);
    Seen {
        carried: held.map(|held| [key_in(held.latest_content()), key_in(held.default_content())]),
        owner,
        latest: held.map_or(0, |held| held.latest().number),
        default: held.map_or(0, |held| held.default),
    }
}

/// The owner in the record. If two runs wrote over the same version of the parameter, the later of them has not become
/// the version that it says, and does not count.
fn owner_of(world: &mut World, document: usize) -> Option<(String, String)> {
    let mut get = |name: &str| world.ask("ssm", "GetParameter", json!({"Name": name})).ok();
    let name = record_of(document);
    let newest = get(&name)?["Parameter"]["Version"].as_u64().unwrap();
    (1..=newest).rev().find_map(|version| {
        let text = get(&format!("{name}:{version}"))?["Parameter"]["Value"].as_str().unwrap().to_owned();
        let record: Value = serde_json::from_str(&text).unwrap();
        let member = |name: &str| record["owner"][name].as_str().unwrap().to_owned();
        (record["written"]["version"] == version).then(|| (member("stackId"), member("logicalResourceId")))
    })
}

/// The keys as they are: each name that a key has, the ARN of the key, and whether it can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, (String, bool)>);

impl Keys {
    pub fn now(world: &mut World) -> Self {
        let arns = (0..KEYS.len()).map(arn).chain([old_arn()]);
        let ids = KEYS.into_iter().map(str::to_owned);
        let aliases = ALIASES
            .into_iter()
            .chain([OLD_ALIAS])
            .flat_map(|alias| [alias.to_owned(), format!("arn:aws:kms:{REGION}:{ACCOUNT}:{alias}")]);
        let names: Vec<String> = arns.chain(ids).chain(aliases).collect();
        let mut of = |name: String| {
            let found = world.ask("kms", "DescribeKey", json!({"KeyId": name})).unwrap();
            let text = |member: &str| found["KeyMetadata"][member].as_str().unwrap().to_owned();
            (name, (text("Arn"), text("KeyState") == "Enabled"))
        };
        Self(names.into_iter().map(&mut of).collect())
    }

    /// The ARN of the key with this name.
    pub fn arn(&self, name: &str) -> String {
        self.0[name].0.clone()
    }

    /// Whether the key with this name can be used. No key can always be used.
    pub fn is_usable(&self, name: &str) -> bool {
        name.is_empty() || self.0.get(name).is_some_and(|(_, usable)| *usable)
    }
}

/// A text in which the ARNs of keys and stacks are short.
pub fn with_short_names(text: &str) -> String {
    let mut short = text.to_owned();
    for (index, _) in KEYS.iter().enumerate() {
        short = short.replace(&format!("\"{}\"", arn(index)), &format!("key {index}"));
    }
    short
        .replace(&format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:"), "")
        .replace("5b1d7c3e-1f2a-4b6c-8d9e-", "")
}
