//! The calls on the document and its record, as values, and what the AWS in memory answers.

use session_kms::ports::{
    AwsError, DocumentHead, DocumentVersion, LatestVersion, ParameterVersion, RecordReplacement,
    VersionStatus,
};
use session_kms::session::Content;

use crate::model::in_memory_aws::{Document, InMemoryAws, LogEntry, Write, other_settings, refused};

/// A call on the document or its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Head,
    Latest,
    Version(u64),
    Versions,
    Create(Content),
    Update {
        content: Content,
        latest: u64,
    },
    Promote {
        version: u64,
        /// The latest version, as the run read it last.
        latest_read: u64,
    },
    DeleteVersion(u64),
    ReadRecord,
    ReadRecordVersion(u64),
    ListRecords,
    CreateRecord(String),
    ReplaceRecord(String),
    DeleteRecord,
    /// Time passes, in seconds.
    Pause(u64),
}

/// Who makes a call.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The number of the run.
    pub run: usize,
    /// When the run began, in ticks.
    pub began_at: u64,
}

/// What AWS answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Head(Option<DocumentHead>),
    Latest(Option<LatestVersion>),
    Version(Option<DocumentVersion>),
    Versions(Vec<u64>),
    Parameter(Option<ParameterVersion>),
    Text(Option<String>),
    Replacement(RecordReplacement),
    /// Whether something is so: whether there is a record, or whether the first one was written.
    Is(bool),
}

impl Call {
    /// The action, as IAM names it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Head => "ssm:DescribeDocument",
            Self::Latest | Self::Version(_) => "ssm:GetDocument",
            Self::Versions => "ssm:ListDocumentVersions",
            Self::Create(_) => "ssm:CreateDocument",
            Self::Update { .. } => "ssm:UpdateDocument",
            Self::Promote { .. } => "ssm:UpdateDocumentDefaultVersion",
            Self::DeleteVersion(_) => "ssm:DeleteDocument",
            Self::ReadRecord | Self::ReadRecordVersion(_) => "ssm:GetParameter",
            Self::ListRecords => "ssm:GetParametersByPath",
            Self::CreateRecord(_) | Self::ReplaceRecord(_) => "ssm:PutParameter",
            Self::DeleteRecord => "ssm:DeleteParameter",
            Self::Pause(_) => "a pause",
        }
    }
}

impl Call {
    /// Whether the call changes nothing. A read brings a new version nearer to being active.
    pub fn is_read(&self, aws: &InMemoryAws) -> bool {
        match self {
            Self::Version(version) => aws.is_settled(Some(*version)),
            Self::Latest => aws.is_settled(aws.document.as_ref().map(Document::latest)),
            Self::Head
            | Self::Versions
            | Self::ReadRecord
            | Self::ReadRecordVersion(_)
            | Self::ListRecords => true,
            Self::Create(_)
            | Self::Update { .. }
            | Self::Promote { .. }
            | Self::DeleteVersion(_)
            | Self::CreateRecord(_)
            | Self::ReplaceRecord(_)
            | Self::DeleteRecord
            | Self::Pause(_) => false,
        }
    }
}

impl Answer {
    pub fn head(self) -> Option<DocumentHead> {
        if let Self::Head(it) = self { Some(it) } else { None }.expect("a head")
    }

    pub fn latest(self) -> Option<LatestVersion> {
        if let Self::Latest(it) = self { Some(it) } else { None }.expect("a latest version")
    }

    pub fn version(self) -> Option<DocumentVersion> {
        if let Self::Version(it) = self { Some(it) } else { None }.expect("a version")
    }

    pub fn versions(self) -> Vec<u64> {
        if let Self::Versions(it) = self { Some(it) } else { None }.expect("versions")
    }

    pub fn parameter(self) -> Option<ParameterVersion> {
        if let Self::Parameter(it) = self { Some(it) } else { None }.expect("a parameter")
    }

    pub fn text(self) -> Option<String> {
        if let Self::Text(it) = self { Some(it) } else { None }.expect("a text")
    }

    pub fn replacement(self) -> RecordReplacement {
        if let Self::Replacement(it) = self { Some(it) } else { None }.expect("a replacement")
    }

    pub fn boolean(self) -> bool {
        if let Self::Is(it) = self { Some(it) } else { None }.expect("yes or no")
    }
}

impl InMemoryAws {
    /// Carries out a call, and notes what is wrong with it.
    pub fn execute(&mut self, caller: Caller, call: &Call) -> Result<Answer, AwsError> {
        Ok(match call {
            Call::Head => Answer::Head(self.document.as_ref().map(|document| DocumentHead {
                latest: document.latest(),
                default: document.default,
                format: document.latest_content().format(),
            })),
            Call::Latest => {
                let number = self.document.as_ref().map(Document::latest);
                let version = number.and_then(|number| self.read_document(number));
                Answer::Latest(version.map(|version| LatestVersion { number, version }))
            }
            Call::Version(version) => Answer::Version(self.read_document(*version)),
            Call::Versions => {
                let Some(document) = &self.document else {
                    return Err(refused("ssm:ListDocumentVersions", "InvalidDocument"));
                };
                Answer::Versions(document.versions.keys().copied().collect())
            }
            Call::Create(content) => {
                self.create(content.clone())?;
                self.expected_settings = Some(other_settings(&Content::of_console("")));
                self.log_write(caller, Write::Create { key: key_of(content) })
            }
            Call::Update { content, latest } => {
                let was = self.document.as_ref().map(|document| other_settings(document.latest_content()));
                self.update(content.clone(), Some(*latest))?;
                if was != Some(other_settings(content)) {
                    self.violations.push(format!("run {} changed another setting", caller.run));
                }
                self.log_write(caller, Write::Update { key: key_of(content) })
            }
            Call::Promote { version, latest_read } => {
                if version != latest_read {
                    self.violations.push(format!("version {version} was promoted, and is not the latest"));
                }
                self.promote(*version)?;
                let content = self.document.as_ref().map(|document| key_of(document.default_content()));
                self.log_write(caller, Write::Promote { key: content.unwrap_or_default() })
            }
            Call::DeleteVersion(version) => {
                if self.document.as_ref().is_some_and(|document| document.latest() == *version) {
                    self.violations.push(format!("the latest version, {version}, was deleted"));
                }
                self.delete_version(*version)?;
                self.count("versions pruned");
                self.log_write(caller, Write::DeleteVersion(*version))
            }
            Call::ReadRecord => Answer::Parameter(self.parameter.as_ref().and_then(|parameter| {
                let text = parameter.history.last()?.clone();
                Some(ParameterVersion { text, version: parameter.history.len() as u64 })
            })),
            Call::ReadRecordVersion(version) => {
                let at = usize::try_from(version - 1).expect("a small number");
                let text = self.parameter.as_ref().and_then(|parameter| parameter.history.get(at));
                Answer::Text(text.filter(|text| !text.is_empty()).cloned())
            }
            Call::ListRecords => Answer::Is(self.parameter.is_some()),
            Call::CreateRecord(text) => match self.put(text, false) {
                Ok(_) => {
                    self.log_write(caller, Write::Record);
                    Answer::Is(true)
                }
                Err(_) => Answer::Is(false),
            },
            Call::ReplaceRecord(text) => {
                let version = self.put(text, true)?;
                self.log_write(caller, Write::Record);
                Answer::Replacement(match version as u64 {
                    1 => RecordReplacement::CreatedAnew,
                    version => RecordReplacement::Replaced { version },
                })
            }
            Call::DeleteRecord => match self.parameter.take() {
                Some(_) => self.log_write(caller, Write::DeleteRecord),
                None => Answer::Done,
            },
            Call::Pause(seconds) => {
                self.now += seconds;
                Answer::Done
            }
        })
    }

    /// Whether AWS has taken up this version, if there is one.
    fn is_settled(&self, version: Option<u64>) -> bool {
        let versions = self.document.as_ref().map(|document| &document.versions);
        let version = versions.zip(version).and_then(|(versions, version)| versions.get(&version));
        version.is_none_or(|version| version.pending == 0)
    }

    fn read_document(&mut self, version: u64) -> Option<DocumentVersion> {
        let version = self.document.as_mut()?.versions.get_mut(&version)?;
        let status = match (version.pending, version.failed) {
            (0, false) => VersionStatus::Active,
            (0, true) => VersionStatus::Failed("Failed: as it happens".to_owned()),
            _ => VersionStatus::Pending,
        };
        version.pending = version.pending.saturating_sub(1);
        Some(DocumentVersion { content: version.content.clone(), status })
    }

    /// Logs a write, and whether it breaks a rule.
    fn log_write(&mut self, caller: Caller, write: Write) -> Answer {
        if let Write::Create { key } | Write::Update { key } | Write::Promote { key } = &write
            && let Some(known) = self.keys.get(key)
            && known.unusable_since.is_some_and(|since| since <= caller.began_at)
        {
            self.violations.push(format!("{write:?}, a key in state {:?}", known.state));
        }
        let is_content = matches!(write, Write::Create { .. } | Write::Update { .. });
        self.log.push(LogEntry { run: caller.run, write });
        if let Some(change) = self.rival_overwrite.filter(|_| is_content) {
            change.apply(self);
        }
        Answer::Done
    }
}

fn key_of(content: &Content) -> String {
    content.kms_key_id().unwrap_or_default()
}
