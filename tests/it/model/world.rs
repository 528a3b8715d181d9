//! The outside, in memory: one document with its versions, one parameter, a few keys, a clock; and AWS's rules on them.

use std::collections::BTreeMap;

use serde_json::Value;
use session_kms::ports::{AwsAnswer, AwsError, AwsErrorKind};
use session_kms::session::{Content, DocumentFormat};

use super::rival::Deed;

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-west-1";
pub const NAME: &str = "SSM-SessionManagerRunShell";
/// The role of the nodes, which a key's policy lets in or not.
pub const NODE: &str = "arn:aws:iam::111122223333:role/Node";
/// Two keys to choose from, and one to stand by.
pub const KEYS: [&str; 3] = [
    "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111",
    "arn:aws:kms:eu-west-1:111122223333:key/22222222-2222-4222-8222-222222222222",
    "arn:aws:kms:eu-west-1:111122223333:key/33333333-3333-4333-8333-333333333333",
];
const EPOCH: u64 = 1_750_000_000;

/// What AWS takes for a duplicate: the sources do not settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    Latest,
    Any,
    LatestByMeaning,
    AnyByMeaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    Enabled,
    Disabled,
    PendingImport,
    PendingDeletion,
    Gone,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub state: KeyState,
    pub policy: String,
    /// As ListGrants returns them.
    pub grants: Vec<Value>,
    /// The moment from which on it was not enabled any more, in ticks.
    pub unusable_since: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Version {
    pub content: Content,
    /// How many reads more it is not active for.
    pub pending: u32,
    pub failed: bool,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub versions: BTreeMap<u64, Version>,
    pub default: u64,
}

/// A parameter with its history: the last is version `history.len()`.
#[derive(Clone, Debug, Default)]
pub struct Parameter {
    pub history: Vec<String>,
}

/// Something that one of our runs wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    Create { key: String },
    Update { key: String },
    Promote { key: String },
    DeleteVersion(u64),
    Record,
    DeleteRecord,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub run: usize,
    pub write: Write,
}

#[derive(Debug)]
pub struct World {
    pub now: u64,
    pub ticks: u64,
    pub document: Option<Document>,
    pub parameter: Option<Parameter>,
    pub keys: BTreeMap<String, Key>,
    pub duplicates: Duplicates,
    /// For how many reads a version that was written is not active.
    pub pending: u32,
    pub most_versions: usize,
    /// The next version that is written fails.
    pub fail_next: bool,
    /// What the document's other settings are to be: as whoever else writes it has left them.
    pub others: Option<String>,
    /// What the runs may not look at: a key, and the policies of all.
    pub unseen: Option<&'static str>,
    pub hides_policies: bool,
    /// What somebody does at once whenever we write the document.
    pub answer: Option<Deed>,
    pub log: Vec<Entry>,
    /// What of our writes should never have been.
    pub wrongs: Vec<String>,
    /// How often what happened: a test that nothing happens in says nothing.
    pub tally: Tally,
}

/// Counts by name.
pub type Tally = BTreeMap<&'static str, usize>;

impl World {
    pub fn new(duplicates: Duplicates, pending: u32) -> Self {
        let key = || Key {
            state: KeyState::Enabled,
            policy: open_policy(),
            grants: Vec::new(),
            unusable_since: None,
        };
        Self {
            now: EPOCH,
            ticks: 0,
            document: None,
            parameter: None,
            keys: KEYS.iter().map(|arn| ((*arn).to_owned(), key())).collect(),
            duplicates,
            pending,
            most_versions: 20,
            fail_next: false,
            others: None,
            unseen: None,
            hides_policies: false,
            answer: None,
            log: Vec::new(),
            wrongs: Vec::new(),
            tally: Tally::new(),
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub fn is_enabled(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|key| key.state == KeyState::Enabled)
    }

    pub fn lets_nodes_in(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|key| key.policy == open_policy() || !key.grants.is_empty())
    }

    pub fn set_state(&mut self, key: &str, state: KeyState) {
        self.ticks += 1;
        let ticks = self.ticks;
        let key = self.keys.get_mut(key).expect("a key of the world");
        if key.state == KeyState::Gone {
            return;
        }
        key.unusable_since = (state != KeyState::Enabled).then(|| key.unusable_since.unwrap_or(ticks));
        key.state = state;
    }

    /// Writes of the document by this run.
    pub fn document_writes(&self, run: usize) -> Vec<&Write> {
        let of_run = self.log.iter().filter(|entry| entry.run == run).map(|entry| &entry.write);
        of_run.filter(|write| !matches!(write, Write::Record | Write::DeleteRecord)).collect()
    }

    /// Whether this run wrote anything at all.
    pub fn wrote(&self, run: usize) -> bool {
        self.log.iter().any(|entry| entry.run == run)
    }

    pub fn create(&mut self, content: Content) -> Result<(), AwsError> {
        if self.document.is_some() {
            return Err(refused("ssm:CreateDocument", "DocumentAlreadyExists"));
        }
        let version = self.version(content);
        self.document = Some(Document { versions: BTreeMap::from([(1, version)]), default: 1 });
        Ok(())
    }

    /// Writes a new version; `latest` is the number that the caller read, or `None` for `$LATEST`.
    pub fn update(&mut self, content: Content, latest: Option<u64>) -> Result<(), AwsError> {
        let no = |code| Err(refused("ssm:UpdateDocument", code));
        let Some(document) = &self.document else { return no("InvalidDocument") };
        if latest.is_some_and(|latest| latest != document.latest()) {
            return no("InvalidDocumentVersion");
        }
        if self.is_duplicate(document, &content) {
            return no("DuplicateDocumentContent");
        }
        if document.versions.len() >= self.most_versions {
            return no("DocumentVersionLimitExceeded");
        }
        let number = document.latest() + 1;
        let version = self.version(content);
        if let Some(document) = &mut self.document {
            document.versions.insert(number, version);
        }
        Ok(())
    }

    pub fn promote(&mut self, version: u64) -> Result<(), AwsError> {
        let no = |code| Err(refused("ssm:UpdateDocumentDefaultVersion", code));
        let Some(document) = &mut self.document else { return no("InvalidDocument") };
        match document.versions.get(&version) {
            Some(found) if found.pending == 0 && !found.failed => {
                document.default = version;
                Ok(())
            }
            _ => no("InvalidDocumentVersion"),
        }
    }

    pub fn delete_version(&mut self, version: u64) -> Result<(), AwsError> {
        let no = |code| Err(refused("ssm:DeleteDocument", code));
        let Some(document) = &mut self.document else { return no("InvalidDocument") };
        if document.default == version {
            return no("InvalidDocumentOperation");
        }
        document.versions.remove(&version).map_or_else(|| no("InvalidDocumentVersion"), |_| Ok(()))
    }

    /// Writes the parameter; its new version.
    pub fn put(&mut self, text: &str, overwrite: bool) -> Result<usize, AwsError> {
        if self.parameter.is_some() && !overwrite {
            return Err(refused("ssm:PutParameter", "ParameterAlreadyExists"));
        }
        let parameter = self.parameter.get_or_insert_default();
        parameter.history.push(text.to_owned());
        Ok(parameter.history.len())
    }

    fn version(&mut self, content: Content) -> Version {
        Version { content, pending: self.pending, failed: std::mem::take(&mut self.fail_next) }
    }

    fn is_duplicate(&self, document: &Document, content: &Content) -> bool {
        let mut versions = document.versions.values().rev();
        let latest = document.versions.values().next_back();
        let same_text = |version: &Version| version.content == *content;
        let same_meaning = |version: &Version| meaning(&version.content) == meaning(content);
        match self.duplicates {
            Duplicates::Latest => latest.is_some_and(same_text),
            Duplicates::Any => versions.any(same_text),
            Duplicates::LatestByMeaning => latest.is_some_and(same_meaning),
            Duplicates::AnyByMeaning => versions.any(same_meaning),
        }
    }
}

impl Document {
    pub fn latest(&self) -> u64 {
        self.versions.keys().next_back().copied().unwrap_or_default()
    }

    pub fn latest_content(&self) -> &Content {
        &self.versions[&self.latest()].content
    }

    pub fn default_content(&self) -> &Content {
        &self.versions[&self.default].content
    }
}

/// An answer that is no.
pub fn refused(operation: &'static str, code: &str) -> AwsError {
    let answer = AwsAnswer { code: code.to_owned(), message: None, request_id: None };
    AwsError { operation, on: NAME.to_owned(), kind: AwsErrorKind::Refused(answer) }
}

/// An answer that the caller may not.
pub fn denied(operation: &'static str) -> AwsError {
    let answer = AwsAnswer { code: "AccessDeniedException".to_owned(), message: None, request_id: None };
    AwsError { operation, on: NAME.to_owned(), kind: AwsErrorKind::Denied { action: operation, answer } }
}

/// A content but for its key, and for the mark that makes it unique: values, types and order.
pub fn others(content: &Content) -> String {
    let mut value = meaning(content);
    if let Some(inputs) = value.get_mut("inputs").and_then(Value::as_object_mut) {
        inputs.shift_remove("kmsKeyId");
    }
    let description = value.get("description").and_then(Value::as_str);
    if let Some((before, _)) = description.and_then(|text| text.rsplit_once(" [session-kms version ")) {
        value["description"] = before.to_owned().into();
    }
    value.to_string()
}

/// A grant by which the nodes may use a key, as ListGrants returns it.
pub fn grant() -> Value {
    serde_json::json!({"GrantId": "0123", "GranteePrincipal": NODE, "Operations": ["Decrypt"]})
}

/// The policy by which the account, and so the nodes, may use a key.
pub fn open_policy() -> String {
    policy(&format!("arn:aws:iam::{ACCOUNT}:root"))
}

/// A policy that lets in an administrator alone.
pub fn closed_policy() -> String {
    policy(&format!("arn:aws:iam::{ACCOUNT}:role/Admin"))
}

fn policy(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"}}]}}"#
    )
}

fn meaning(content: &Content) -> Value {
    match content.format() {
        DocumentFormat::Json => serde_json::from_str(content.text()).expect("JSON"),
        DocumentFormat::Yaml => content.text().into(),
    }
}
