//! What others do to the document and to the keys, and the notices that tell of it.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use session_kms::change_event::{Actor, ChangeDetail, ChangeEvent, ChangeSource, Scope};
use session_kms::key::KeyArn;
use session_kms::session::{Content, DocumentFormat, DocumentName};

use super::line::DELETION;
use super::world::{KEYS, KeyState, NAME, World, closed_policy, grant, open_policy, others};

/// What others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Write the key, of the world's or one of their own, and make the new version the default or not.
    Key {
        key: usize,
        promotes: bool,
    },
    /// Turn encryption off, in one of the ways there are.
    Off {
        promotes: bool,
    },
    /// Change another setting.
    Setting {
        promotes: bool,
    },
    /// Write a whole document of their own.
    Overwrite {
        promotes: bool,
    },
    /// Let whoever starts a session choose the key.
    Template,
    MoveDefault(usize),
    Delete,
    Create,
    KeyState {
        key: usize,
        state: KeyState,
    },
    LockOut {
        key: usize,
    },
    LetIn {
        key: usize,
    },
    /// Give the nodes a grant.
    Grant {
        key: usize,
    },
    Revoke {
        key: usize,
    },
}

impl Deed {
    /// Does it; the notice that tells of it, where anything came of it.
    pub fn play(self, world: &mut World) -> Option<ChangeEvent> {
        world.ticks += 1;
        let ticks = world.ticks;
        let done = match self {
            Self::Key { key, promotes } => {
                let key = KEYS.get(key).copied().unwrap_or("alias/of-their-own");
                edit(world, promotes, |content| content["inputs"]["kmsKeyId"] = key.into())
            }
            Self::Off { promotes } => edit(world, promotes, |content| {
                let inputs = content["inputs"].as_object_mut().expect("inputs");
                match ticks % 3 {
                    0 => _ = inputs.shift_remove("kmsKeyId"),
                    1 => _ = inputs.insert("kmsKeyId".to_owned(), Value::Null),
                    _ => _ = inputs.insert("kmsKeyId".to_owned(), "".into()),
                }
            }),
            Self::Setting { promotes } => edit(world, promotes, |content| {
                content["inputs"]["s3KeyPrefix"] = format!("at-{ticks}").into()
            }),
            Self::Overwrite { promotes } => edit(world, promotes, |content| *content = own_document(ticks)),
            Self::Template => edit(world, true, |content| content["inputs"]["kmsKeyId"] = "{{ key }}".into()),
            Self::MoveDefault(which) => {
                let versions =
                    world.document.as_ref().map(|document| document.versions.keys().copied().collect());
                let versions: Vec<u64> = versions.unwrap_or_default();
                let version = versions.get(which % versions.len().max(1)).copied().unwrap_or_default();
                world.promote(version).is_ok()
            }
            Self::Delete => {
                world.others = None;
                world.document.take().is_some()
            }
            Self::Create => {
                let content = content(&own_document(ticks));
                let done = world.create(content.clone()).is_ok();
                if done {
                    world.others = Some(others(&content));
                }
                done
            }
            Self::KeyState { key, state } => {
                world.set_state(KEYS[key], state);
                true
            }
            Self::LockOut { key } => set_policy(world, KEYS[key], closed_policy()),
            Self::LetIn { key } => set_policy(world, KEYS[key], open_policy()),
            Self::Grant { key } => set_grants(world, KEYS[key], vec![grant()]),
            Self::Revoke { key } => set_grants(world, KEYS[key], Vec::new()),
        };
        done.then(|| self.event())
    }

    fn event(self) -> ChangeEvent {
        let (what, key) = match self {
            Self::Key { .. }
            | Self::Off { .. }
            | Self::Setting { .. }
            | Self::Overwrite { .. }
            | Self::Template => ("UpdateDocument", None),
            Self::MoveDefault(_) => ("UpdateDocumentDefaultVersion", None),
            Self::Delete => ("DeleteDocument", None),
            Self::Create => ("CreateDocument", None),
            Self::KeyState { key, state: KeyState::Enabled } => ("EnableKey", Some(key)),
            Self::KeyState { key, state: KeyState::Disabled } => ("DisableKey", Some(key)),
            Self::KeyState { key, state: KeyState::PendingImport } => {
                ("DeleteImportedKeyMaterial", Some(key))
            }
            Self::KeyState { key, state: KeyState::PendingDeletion } => ("ScheduleKeyDeletion", Some(key)),
            Self::KeyState { key, state: KeyState::Gone } => ("DeleteKey", Some(key)),
            Self::LockOut { key } | Self::LetIn { key } => ("PutKeyPolicy", Some(key)),
            Self::Grant { key } => ("CreateGrant", Some(key)),
            Self::Revoke { key } => ("RevokeGrant", Some(key)),
        };
        let detail = match self {
            Self::KeyState { state: KeyState::PendingDeletion, .. } => {
                Some(ChangeDetail::DeletionDate(DELETION.to_owned()))
            }
            Self::LockOut { .. } => Some(ChangeDetail::KeyPolicy(closed_policy())),
            Self::LetIn { .. } => Some(ChangeDetail::KeyPolicy(open_policy())),
            _ => None,
        };
        ChangeEvent { detail, ..call_event(what, key.map(|key| KEYS[key])) }
    }
}

/// What CloudTrail tells of a call on a key, or on the document.
pub fn call_event(what: &str, key: Option<&str>) -> ChangeEvent {
    let (source, scope) = match key {
        Some(key) => (ChangeSource::KeyCall, Scope::Key(KeyArn::parse(key).expect("a key ARN"))),
        None => (ChangeSource::DocumentCall, Scope::Document(name())),
    };
    let actor = Actor {
        principal: "arn:aws:sts::111122223333:assumed-role/Pipeline/deploy".to_owned(),
        user_agent: Some("Terraform/1.9".to_owned()),
    };
    ChangeEvent { source, what: what.to_owned(), scope, actor: Some(actor), at: None, detail: None }
}

/// What the clock, or any other source without a word of its own, tells.
pub fn event_of(source: ChangeSource) -> ChangeEvent {
    let scope = if source == ChangeSource::Schedule { Scope::Everything } else { Scope::Document(name()) };
    ChangeEvent { source, what: format!("{source:?}"), scope, actor: None, at: None, detail: None }
}

pub fn name() -> DocumentName {
    DocumentName::parse(NAME).expect("a name")
}

/// Writes a new version, as the console does: whatever the latest is.
fn edit(world: &mut World, promotes: bool, edit: impl FnOnce(&mut Value)) -> bool {
    let Some(document) = &world.document else { return false };
    let mut value: Value = serde_json::from_str(document.latest_content().text()).expect("JSON");
    edit(&mut value);
    let content = content(&value);
    while world.document.as_ref().is_some_and(|document| document.versions.len() >= world.most_versions) {
        let document = world.document.as_ref().expect("it was there");
        let spare = document.versions.keys().find(|version| **version != document.default).copied();
        _ = world.delete_version(spare.unwrap_or_default());
    }
    if world.update(content.clone(), None).is_err() {
        return false;
    }
    world.others = Some(others(&content));
    let document = world.document.as_mut().expect("it was there");
    let latest = document.latest();
    // Whoever is not this software waits until the version can be the default, and their versions do not fail.
    let version = document.versions.get_mut(&latest).expect("it was written");
    version.failed = false;
    if promotes {
        version.pending = 0;
        document.default = latest;
    }
    true
}

fn set_policy(world: &mut World, key: &str, policy: String) -> bool {
    world.keys.get_mut(key).expect("a key of the world").policy = policy;
    true
}

fn set_grants(world: &mut World, key: &str, grants: Vec<Value>) -> bool {
    world.keys.get_mut(key).expect("a key of the world").grants = grants;
    true
}

fn own_document(number: u64) -> Value {
    json!({
        "schemaVersion": "1.0", "description": format!("Theirs, number {number}"), "sessionType": "Standard_Stream",
        "inputs": {"s3BucketName": "theirs", "kmsKeyId": "", "idleSessionTimeout": 20, "unknown": [number, 2.50]}
    })
}

fn content(value: &Value) -> Content {
    Content::new(value.to_string(), DocumentFormat::Json)
}

/// Keys that fail, and as often work again.
pub fn key_states() -> impl Strategy<Value = Deed> {
    let off = select(&[KeyState::Disabled, KeyState::PendingImport, KeyState::PendingDeletion][..]);
    let states = prop_oneof![Just(KeyState::Enabled), off];
    (0..3_usize, states).prop_map(|(key, state)| Deed::KeyState { key, state })
}

/// Anything that others do.
pub fn deeds() -> impl Strategy<Value = Deed> {
    let promotes = any::<bool>();
    prop_oneof![
        4 => (0..4_usize, promotes).prop_map(|(key, promotes)| Deed::Key { key, promotes }),
        2 => promotes.prop_map(|promotes| Deed::Off { promotes }),
        2 => promotes.prop_map(|promotes| Deed::Setting { promotes }),
        3 => promotes.prop_map(|promotes| Deed::Overwrite { promotes }),
        1 => (0..20_usize).prop_map(Deed::MoveDefault),
        1 => Just(Deed::Delete),
        1 => Just(Deed::Create),
        6 => key_states(),
        1 => (0..3_usize).prop_map(|key| Deed::KeyState { key, state: KeyState::Gone }),
        1 => (0..3_usize).prop_map(|key| Deed::LockOut { key }),
        1 => (0..3_usize).prop_map(|key| Deed::Grant { key }),
        1 => (0..3_usize).prop_map(|key| Deed::Revoke { key }),
        2 => (0..3_usize).prop_map(|key| Deed::LetIn { key }),
        1 => Just(Deed::Template),
    ]
}
