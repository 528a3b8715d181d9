//! The ports of one run on the AWS in memory. A run may be cut off at any call, before or after the call takes effect,
//! and any call may fail.

mod access;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_kms::ports::{
    AwsError, AwsErrorKind, Clock, DocumentHead, DocumentVersion, DocumentWrite, ParameterVersion,
    ReadDocuments, ReadRecords, RecordReplacement, VersionStatus, WriteDocuments, WriteRecords,
};
use session_kms::session::{Content, DocumentFormat, DocumentName};

pub use self::access::DELETION;
use super::in_memory_aws::{InMemoryAws, LogEntry, NAME, Write, other_settings, refused};

/// A run that makes more calls never ends.
const MOST_CALLS: usize = 4000;

/// At which call a run is cut off, and which call fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// The run ends at this call, counted from 1.
    pub cut: Option<(usize, Moment)>,
    /// This call, counted from 1, fails.
    pub fault: Option<(usize, CallFault)>,
}

/// Before or after the call takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    Throttled,
    /// The caller gets no answer. The call fails before or after it takes effect.
    Silent(Moment),
}

/// The ports of one run.
pub struct InMemoryPorts<'w> {
    aws: &'w RefCell<InMemoryAws>,
    run: usize,
    faults: FaultPlan,
    /// Whether another run gets a turn at each call.
    takes_turns: bool,
    began_at: u64,
    /// The latest version, as the run read it last.
    latest: Cell<u64>,
    calls: Cell<usize>,
    cut: Cell<bool>,
}

impl<'w> InMemoryPorts<'w> {
    pub fn new(aws: &'w RefCell<InMemoryAws>, run: usize, faults: FaultPlan, takes_turns: bool) -> Self {
        let began_at = aws.borrow().ticks;
        Self {
            aws,
            run,
            faults,
            takes_turns,
            began_at,
            latest: Cell::new(0),
            calls: Cell::new(0),
            cut: Cell::new(false),
        }
    }

    /// Whether the run has been cut off.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut InMemoryAws) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let n = self.calls.get() + 1;
        self.calls.set(n);
        if n == MOST_CALLS {
            self.aws.borrow_mut().violations.push("a run never ends".to_owned());
            self.cut.set(true);
        }
        self.yield_turn().await;
        self.cut_at(n, Moment::Before).await;
        let fault = self.faults.fault.filter(|(at, _)| *at == n).map(|(_, fault)| fault);
        let silence = || AwsError {
            operation,
            on: NAME.to_owned(),
            kind: AwsErrorKind::NoAnswer("connection reset".to_owned()),
        };
        match fault {
            Some(CallFault::Throttled) => return Err(refused(operation, "ThrottlingException")),
            Some(CallFault::Silent(Moment::Before)) => return Err(silence()),
            Some(CallFault::Silent(Moment::After)) | None => {}
        }
        let answer = effect(&mut self.aws.borrow_mut());
        self.cut_at(n, Moment::After).await;
        self.yield_turn().await;
        if fault.is_some() { Err(silence()) } else { answer }
    }

    async fn cut_at(&self, call: usize, moment: Moment) {
        if self.cut.get() || self.faults.cut == Some((call, moment)) {
            self.cut.set(true);
            pending::<()>().await;
        }
    }

    async fn yield_turn(&self) {
        if self.takes_turns {
            yield_once().await;
        }
    }

    /// A call that writes the document. Its errors become the results that the adapter on the SDK gives.
    async fn write(
        &self,
        operation: &'static str,
        write: impl FnOnce(&mut InMemoryAws) -> Result<Write, AwsError>,
    ) -> Result<DocumentWrite, AwsError> {
        let answer = self.call(operation, |aws| {
            let done = write(aws)?;
            self.log_write(aws, done);
            Ok(())
        });
        let Err(error) = answer.await else { return Ok(DocumentWrite::Done) };
        let AwsErrorKind::Refused(said) = &error.kind else { return Err(error) };
        match said.code.as_str() {
            "DuplicateDocumentContent" => Ok(DocumentWrite::Duplicate(error)),
            "DocumentVersionLimitExceeded" => Ok(DocumentWrite::HistoryFull(error)),
            _ => {
                self.aws.borrow_mut().count("races lost");
                Ok(DocumentWrite::LostRace(error))
            }
        }
    }

    /// Logs a write, and whether it breaks a rule.
    fn log_write(&self, aws: &mut InMemoryAws, write: Write) {
        if let Write::Create { key } | Write::Update { key } | Write::Promote { key } = &write
            && let Some(known) = aws.keys.get(key)
            && known.unusable_since.is_some_and(|since| since <= self.began_at)
        {
            aws.violations.push(format!("{write:?}, a key in state {:?}", known.state));
        }
        let is_content = matches!(write, Write::Create { .. } | Write::Update { .. });
        aws.log.push(LogEntry { run: self.run, write });
        if let Some(change) = aws.rival_overwrite.filter(|_| is_content) {
            change.apply(aws);
        }
    }
}

/// A future that is pending once and then ready.
fn yield_once() -> impl Future<Output = ()> {
    let mut asked = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

fn key_of(content: &Content) -> String {
    content.kms_key_id().unwrap_or_default()
}

impl ReadDocuments for InMemoryPorts<'_> {
    async fn head(&self, _: &DocumentName) -> Result<Option<DocumentHead>, AwsError> {
        let head = |aws: &mut InMemoryAws| {
            let Some(document) = &aws.document else { return Ok(None) };
            self.latest.set(document.latest());
            Ok(Some(DocumentHead {
                latest: document.latest(),
                default: document.default,
                format: document.latest_content().format(),
            }))
        };
        self.call("ssm:DescribeDocument", head).await
    }

    async fn version(
        &self,
        _: &DocumentName,
        version: u64,
        _: DocumentFormat,
    ) -> Result<Option<DocumentVersion>, AwsError> {
        let read = |aws: &mut InMemoryAws| {
            let found = aws.document.as_mut().and_then(|document| document.versions.get_mut(&version));
            Ok(found.map(|version| {
                let status = match (version.pending, version.failed) {
                    (0, false) => VersionStatus::Active,
                    (0, true) => VersionStatus::Failed("Failed: as it happens".to_owned()),
                    _ => VersionStatus::Pending,
                };
                version.pending = version.pending.saturating_sub(1);
                DocumentVersion { content: version.content.clone(), status }
            }))
        };
        self.call("ssm:GetDocument", read).await
    }

    async fn versions(&self, _: &DocumentName) -> Result<Vec<u64>, AwsError> {
        let list = |aws: &mut InMemoryAws| {
            let versions = aws.document.as_ref().map(|document| document.versions.keys().copied().collect());
            versions.ok_or_else(|| refused("ssm:ListDocumentVersions", "InvalidDocument"))
        };
        self.call("ssm:ListDocumentVersions", list).await
    }
}

impl WriteDocuments for InMemoryPorts<'_> {
    async fn create(&self, _: &DocumentName, content: &Content) -> Result<DocumentWrite, AwsError> {
        let create = |aws: &mut InMemoryAws| {
            aws.create(content.clone())?;
            aws.expected_settings = Some(other_settings(&Content::of_console("")));
            Ok(Write::Create { key: key_of(content) })
        };
        self.write("ssm:CreateDocument", create).await
    }

    async fn update(
        &self,
        _: &DocumentName,
        content: &Content,
        latest: u64,
    ) -> Result<DocumentWrite, AwsError> {
        let update = |aws: &mut InMemoryAws| {
            let was = aws.document.as_ref().map(|document| other_settings(document.latest_content()));
            aws.update(content.clone(), Some(latest))?;
            if was != Some(other_settings(content)) {
                aws.violations.push(format!("run {} changed another setting", self.run));
            }
            Ok(Write::Update { key: key_of(content) })
        };
        self.write("ssm:UpdateDocument", update).await
    }

    async fn promote(&self, _: &DocumentName, version: u64) -> Result<DocumentWrite, AwsError> {
        let promote = |aws: &mut InMemoryAws| {
            if version != self.latest.get() {
                aws.violations.push(format!("version {version} was promoted, and is not the latest"));
            }
            aws.promote(version)?;
            let content = aws.document.as_ref().map(|document| key_of(document.default_content()));
            Ok(Write::Promote { key: content.unwrap_or_default() })
        };
        self.write("ssm:UpdateDocumentDefaultVersion", promote).await
    }

    async fn delete_version(&self, _: &DocumentName, version: u64) -> Result<(), AwsError> {
        let delete = |aws: &mut InMemoryAws| {
            if aws.document.as_ref().is_some_and(|document| document.latest() == version) {
                aws.violations.push(format!("the latest version, {version}, was deleted"));
            }
            aws.delete_version(version)?;
            aws.count("versions pruned");
            self.log_write(aws, Write::DeleteVersion(version));
            Ok(())
        };
        self.call("ssm:DeleteDocument", delete).await
    }
}

impl ReadRecords for InMemoryPorts<'_> {
    async fn read(&self, _: &DocumentName) -> Result<Option<ParameterVersion>, AwsError> {
        let read = |aws: &mut InMemoryAws| {
            Ok(aws.parameter.as_ref().and_then(|parameter| {
                let text = parameter.history.last()?.clone();
                Some(ParameterVersion { text, version: parameter.history.len() as u64 })
            }))
        };
        self.call("ssm:GetParameter", read).await
    }

    async fn read_version(&self, _: &DocumentName, version: u64) -> Result<Option<String>, AwsError> {
        let read = |aws: &mut InMemoryAws| {
            let at = usize::try_from(version - 1).expect("a small number");
            Ok(aws.parameter.as_ref().and_then(|parameter| parameter.history.get(at).cloned()))
        };
        self.call("ssm:GetParameter", read).await
    }

    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError> {
        let list = |aws: &mut InMemoryAws| {
            let name = DocumentName::parse(NAME).expect("a name");
            Ok(aws.parameter.iter().map(|_| name.clone()).collect())
        };
        self.call("ssm:GetParametersByPath", list).await
    }
}

impl WriteRecords for InMemoryPorts<'_> {
    async fn create_record(&self, _: &DocumentName, text: &str) -> Result<bool, AwsError> {
        let create = |aws: &mut InMemoryAws| {
            if aws.put(text, false).is_err() {
                return Ok(false);
            }
            self.log_write(aws, Write::Record);
            Ok(true)
        };
        self.call("ssm:PutParameter", create).await
    }

    async fn replace_record(&self, _: &DocumentName, text: &str) -> Result<RecordReplacement, AwsError> {
        let put = |aws: &mut InMemoryAws| {
            let version = aws.put(text, true)?;
            self.log_write(aws, Write::Record);
            Ok(match version as u64 {
                1 => RecordReplacement::CreatedAnew,
                version => RecordReplacement::Replaced { version },
            })
        };
        self.call("ssm:PutParameter", put).await
    }

    async fn delete_record(&self, _: &DocumentName) -> Result<(), AwsError> {
        let delete = |aws: &mut InMemoryAws| {
            if aws.parameter.take().is_some() {
                self.log_write(aws, Write::DeleteRecord);
            }
            Ok(())
        };
        self.call("ssm:DeleteParameter", delete).await
    }
}

impl Clock for InMemoryPorts<'_> {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.aws.borrow().now)
    }

    async fn pause(&self, attempt: u32) -> Duration {
        self.aws.borrow_mut().now += u64::from(attempt.min(5));
        self.yield_turn().await;
        Duration::from_secs(u64::from(attempt.min(5)))
    }
}
