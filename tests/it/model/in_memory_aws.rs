//! AWS in memory: one document with its versions, one parameter, a few keys and a clock, with AWS's rules for them.

use std::collections::BTreeMap;

use serde_json::Value;
use session_kms::ports::{AwsAnswer, AwsError, AwsErrorKind};
use session_kms::session::{Content, DocumentFormat};

use super::outside_change::OutsideChange;

pub const ACCOUNT: &str = "111122223333";
pub const REGION: &str = "eu-west-1";
pub const NAME: &str = "SSM-SessionManagerRunShell";
/// The role of the nodes, which a key policy admits or not.
pub const NODE: &str = "arn:aws:iam::111122223333:role/Node";
/// Two keys to choose from, and a standby key.
pub const KEYS: [&str; 3] = [
    "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-4111-8111-111111111111",
    "arn:aws:kms:eu-west-1:111122223333:key/22222222-2222-4222-8222-222222222222",
    "arn:aws:kms:eu-west-1:111122223333:key/33333333-3333-4333-8333-333333333333",
];
/// How many versions of a parameter Parameter Store keeps (Systems Manager user guide).
const KEPT_VERSIONS: usize = 100;
const EPOCH: u64 = 1_750_000_000;

/// Which content AWS refuses as a duplicate. AWS does not document it, so the test tries all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateRule {
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
    /// Since when the key is not enabled, in ticks.
    pub unusable_since: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Version {
    pub content: Content,
    /// How many more reads find the version not active yet.
    pub pending: u32,
    pub failed: bool,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub versions: BTreeMap<u64, Version>,
    pub default: u64,
}

/// A parameter with its history. The last value is version `history.len()`, and the text of a version that is not kept
/// any more is empty.
#[derive(Clone, Debug, Default)]
pub struct Parameter {
    pub history: Vec<String>,
}

/// What a run of the program wrote.
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
pub struct LogEntry {
    pub run: usize,
    pub write: Write,
}

#[derive(Clone, Debug)]
pub struct InMemoryAws {
    pub now: u64,
    pub ticks: u64,
    pub document: Option<Document>,
    pub parameter: Option<Parameter>,
    pub keys: BTreeMap<String, Key>,
    pub duplicates: DuplicateRule,
    /// How many reads find a new version not active yet.
    pub pending: u32,
    pub most_versions: usize,
    /// The next version that is written fails.
    pub fail_next: bool,
    /// What the document's other settings must be: as the last other writer left them.
    pub expected_settings: Option<String>,
    /// The key that DescribeKey denies.
    pub unreadable_key: Option<&'static str>,
    /// Whether GetKeyPolicy is denied for every key.
    pub hides_policies: bool,
    /// What somebody else does at once whenever a run writes the document.
    pub rival_overwrite: Option<OutsideChange>,
    pub log: Vec<LogEntry>,
    /// Writes that should never have been made.
    pub violations: Vec<String>,
    /// How often what happened, so that the test can fail if nothing happens.
    pub tally: Tally,
}

/// Counts by name.
pub type Tally = BTreeMap<&'static str, usize>;

impl InMemoryAws {
    pub fn new(duplicates: DuplicateRule, pending: u32) -> Self {
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
            expected_settings: None,
            unreadable_key: None,
            hides_policies: false,
            rival_overwrite: None,
            log: Vec::new(),
            violations: Vec::new(),
            tally: Tally::new(),
        }
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub fn is_enabled(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|key| key.state == KeyState::Enabled)
    }

    pub fn admits_nodes(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|key| key.policy == open_policy() || !key.grants.is_empty())
    }

    pub fn set_state(&mut self, key: &str, state: KeyState) {
        self.ticks += 1;
        let ticks = self.ticks;
        let key = self.keys.get_mut(key).expect("a key of the account");
        if key.state == KeyState::Gone {
            return;
        }
        key.unusable_since = (state != KeyState::Enabled).then(|| key.unusable_since.unwrap_or(ticks));
        key.state = state;
    }

    /// What this run wrote to the document.
    pub fn document_writes(&self, run: usize) -> Vec<&Write> {
        let of_run = self.log.iter().filter(|entry| entry.run == run).map(|entry| &entry.write);
        of_run.filter(|write| !matches!(write, Write::Record | Write::DeleteRecord)).collect()
    }

    /// Whether this run wrote anything, the record included.
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

    /// Writes the parameter, and returns its new version.
    pub fn put(&mut self, text: &str, overwrite: bool) -> Result<usize, AwsError> {
        if self.parameter.is_some() && !overwrite {
            return Err(refused("ssm:PutParameter", "ParameterAlreadyExists"));
        }
        let parameter = self.parameter.get_or_insert_default();
        parameter.history.push(text.to_owned());
        let number = parameter.history.len();
        if let Some(oldest) = number.checked_sub(KEPT_VERSIONS + 1) {
            parameter.history[oldest] = String::new();
        }
        Ok(number)
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
            DuplicateRule::Latest => latest.is_some_and(same_text),
            DuplicateRule::Any => versions.any(same_text),
            DuplicateRule::LatestByMeaning => latest.is_some_and(same_meaning),
            DuplicateRule::AnyByMeaning => versions.any(same_meaning),
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

/// A refusal with this error code.
pub fn refused(operation: &'static str, code: &str) -> AwsError {
    let answer = AwsAnswer { code: code.to_owned(), message: None, request_id: None };
    AwsError { operation, on: NAME.to_owned(), kind: AwsErrorKind::Refused(answer) }
}

/// A refusal for lack of a permission.
pub fn denied(operation: &'static str) -> AwsError {
    let answer = AwsAnswer { code: "AccessDeniedException".to_owned(), message: None, request_id: None };
    AwsError { operation, on: NAME.to_owned(), kind: AwsErrorKind::Denied { action: operation, answer } }
}

/// A content without its key and without the mark that makes it unique. Values, types and order count.
pub fn other_settings(content: &Content) -> String {
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

/// A grant that lets the nodes use a key, as ListGrants returns it.
pub fn grant() -> Value {
    serde_json::json!({"GrantId": "0123", "GranteePrincipal": NODE, "Operations": ["Decrypt"]})
}

/// A policy that lets the account, and so the nodes, use a key.
pub fn open_policy() -> String {
    policy(&format!("arn:aws:iam::{ACCOUNT}:root"))
}

/// A policy that admits only an administrator.
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
