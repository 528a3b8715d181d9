//! A run's line to the world: the ports. Each call may be cut off, before or after it took effect, or go wrong.

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
use super::world::{Entry, NAME, World, Write, others, refused};

/// More calls than any run makes.
const MANY: usize = 4000;

/// What becomes of a run's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// The run ends at this call, counted from 1.
    pub cut: Option<(usize, Side)>,
    /// This call goes wrong.
    pub fault: Option<(usize, Fault)>,
}

/// On which side of a call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Throttled,
    /// No answer; whether it took effect is another question.
    Silent(Side),
}

pub struct Line<'w> {
    world: &'w RefCell<World>,
    run: usize,
    fate: Fate,
    /// Whether other runs get their turn at each call.
    shares: bool,
    begun: u64,
    /// The latest version, as the run read it last.
    latest: Cell<u64>,
    calls: Cell<usize>,
    cut: Cell<bool>,
}

impl<'w> Line<'w> {
    pub fn new(world: &'w RefCell<World>, run: usize, fate: Fate, shares: bool) -> Self {
        let begun = world.borrow().ticks;
        Self {
            world,
            run,
            fate,
            shares,
            begun,
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
        effect: impl FnOnce(&mut World) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let n = self.calls.get() + 1;
        self.calls.set(n);
        if n == MANY {
            self.world.borrow_mut().wrongs.push("a run never ends".to_owned());
            self.cut.set(true);
        }
        self.give_way().await;
        self.end_at(n, Side::Before).await;
        let fault = self.fate.fault.filter(|(at, _)| *at == n).map(|(_, fault)| fault);
        let silence = || AwsError {
            operation,
            on: NAME.to_owned(),
            kind: AwsErrorKind::NoAnswer("connection reset".to_owned()),
        };
        match fault {
            Some(Fault::Throttled) => return Err(refused(operation, "ThrottlingException")),
            Some(Fault::Silent(Side::Before)) => return Err(silence()),
            Some(Fault::Silent(Side::After)) | None => {}
        }
        let answer = effect(&mut self.world.borrow_mut());
        self.end_at(n, Side::After).await;
        self.give_way().await;
        if fault.is_some() { Err(silence()) } else { answer }
    }

    async fn end_at(&self, call: usize, side: Side) {
        if self.cut.get() || self.fate.cut == Some((call, side)) {
            self.cut.set(true);
            pending::<()>().await;
        }
    }

    async fn give_way(&self) {
        if self.shares {
            once_later().await;
        }
    }

    /// A call that writes the document, with what its errors mean to the adapter on the SDK.
    async fn write(
        &self,
        operation: &'static str,
        write: impl FnOnce(&mut World) -> Result<Write, AwsError>,
    ) -> Result<DocumentWrite, AwsError> {
        let answer = self.call(operation, |world| {
            let done = write(world)?;
            self.note(world, done);
            Ok(())
        });
        let Err(error) = answer.await else { return Ok(DocumentWrite::Done) };
        let AwsErrorKind::Refused(said) = &error.kind else { return Err(error) };
        match said.code.as_str() {
            "DuplicateDocumentContent" => Ok(DocumentWrite::Duplicate(error)),
            "DocumentVersionLimitExceeded" => Ok(DocumentWrite::HistoryFull(error)),
            _ => {
                self.world.borrow_mut().count("races lost");
                Ok(DocumentWrite::LostRace(error))
            }
        }
    }

    /// Remembers a write, and what is wrong with it.
    fn note(&self, world: &mut World, write: Write) {
        if let Write::Create { key } | Write::Update { key } | Write::Promote { key } = &write
            && let Some(known) = world.keys.get(key)
            && known.unusable_since.is_some_and(|since| since <= self.begun)
        {
            world.wrongs.push(format!("{write:?}, a key in state {:?}", known.state));
        }
        let is_content = matches!(write, Write::Create { .. } | Write::Update { .. });
        world.log.push(Entry { run: self.run, write });
        if let Some(deed) = world.answer.filter(|_| is_content) {
            deed.play(world);
        }
    }
}

/// Comes back once before it is done.
fn once_later() -> impl Future<Output = ()> {
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

impl ReadDocuments for Line<'_> {
    async fn head(&self, _: &DocumentName) -> Result<Option<DocumentHead>, AwsError> {
        let head = |world: &mut World| {
            let Some(document) = &world.document else { return Ok(None) };
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
        let read = |world: &mut World| {
            let found = world.document.as_mut().and_then(|document| document.versions.get_mut(&version));
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
        let list = |world: &mut World| {
            let versions =
                world.document.as_ref().map(|document| document.versions.keys().copied().collect());
            versions.ok_or_else(|| refused("ssm:ListDocumentVersions", "InvalidDocument"))
        };
        self.call("ssm:ListDocumentVersions", list).await
    }
}

impl WriteDocuments for Line<'_> {
    async fn create(&self, _: &DocumentName, content: &Content) -> Result<DocumentWrite, AwsError> {
        let create = |world: &mut World| {
            world.create(content.clone())?;
            world.others = Some(others(&Content::of_console("")));
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
        let update = |world: &mut World| {
            let was = world.document.as_ref().map(|document| others(document.latest_content()));
            world.update(content.clone(), Some(latest))?;
            if was != Some(others(content)) {
                world.wrongs.push(format!("run {} changed another setting", self.run));
            }
            Ok(Write::Update { key: key_of(content) })
        };
        self.write("ssm:UpdateDocument", update).await
    }

    async fn promote(&self, _: &DocumentName, version: u64) -> Result<DocumentWrite, AwsError> {
        let promote = |world: &mut World| {
            if version != self.latest.get() {
                world.wrongs.push(format!("version {version} was promoted, and is not the latest"));
            }
            world.promote(version)?;
            let content = world.document.as_ref().map(|document| key_of(document.default_content()));
            Ok(Write::Promote { key: content.unwrap_or_default() })
        };
        self.write("ssm:UpdateDocumentDefaultVersion", promote).await
    }

    async fn delete_version(&self, _: &DocumentName, version: u64) -> Result<(), AwsError> {
        let delete = |world: &mut World| {
            if world.document.as_ref().is_some_and(|document| document.latest() == version) {
                world.wrongs.push(format!("the latest version, {version}, was deleted"));
            }
            world.delete_version(version)?;
            world.count("versions pruned");
            self.note(world, Write::DeleteVersion(version));
            Ok(())
        };
        self.call("ssm:DeleteDocument", delete).await
    }
}

impl ReadRecords for Line<'_> {
    async fn read(&self, _: &DocumentName) -> Result<Option<ParameterVersion>, AwsError> {
        let read = |world: &mut World| {
            Ok(world.parameter.as_ref().and_then(|parameter| {
                let text = parameter.history.last()?.clone();
                Some(ParameterVersion { text, version: parameter.history.len() as u64 })
            }))
        };
        self.call("ssm:GetParameter", read).await
    }

    async fn read_version(&self, _: &DocumentName, version: u64) -> Result<Option<String>, AwsError> {
        let read = |world: &mut World| {
            let at = usize::try_from(version - 1).expect("a small number");
            Ok(world.parameter.as_ref().and_then(|parameter| parameter.history.get(at).cloned()))
        };
        self.call("ssm:GetParameter", read).await
    }

    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError> {
        let list = |world: &mut World| {
            let name = DocumentName::parse(NAME).expect("a name");
            Ok(world.parameter.iter().map(|_| name.clone()).collect())
        };
        self.call("ssm:GetParametersByPath", list).await
    }
}

impl WriteRecords for Line<'_> {
    async fn create_record(&self, _: &DocumentName, text: &str) -> Result<bool, AwsError> {
        let create = |world: &mut World| {
            if world.put(text, false).is_err() {
                return Ok(false);
            }
            self.note(world, Write::Record);
            Ok(true)
        };
        self.call("ssm:PutParameter", create).await
    }

    async fn replace_record(&self, _: &DocumentName, text: &str) -> Result<RecordReplacement, AwsError> {
        let put = |world: &mut World| {
            let version = world.put(text, true)?;
            self.note(world, Write::Record);
            Ok(match version as u64 {
                1 => RecordReplacement::CreatedAnew,
                version => RecordReplacement::Replaced { version },
            })
        };
        self.call("ssm:PutParameter", put).await
    }

    async fn delete_record(&self, _: &DocumentName) -> Result<(), AwsError> {
        let delete = |world: &mut World| {
            if world.parameter.take().is_some() {
                self.note(world, Write::DeleteRecord);
            }
            Ok(())
        };
        self.call("ssm:DeleteParameter", delete).await
    }
}

impl Clock for Line<'_> {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.world.borrow().now)
    }

    async fn pause(&self, attempt: u32) -> Duration {
        self.world.borrow_mut().now += u64::from(attempt.min(5));
        self.give_way().await;
        Duration::from_secs(u64::from(attempt.min(5)))
    }
}
