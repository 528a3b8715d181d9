//! The ports of one run on the AWS in memory. A run may be cut off at any call, before or after the call takes effect,
//! and any call may fail.

mod access;
pub mod call;
pub mod gate;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use session_kms::ports::{
    AwsError, AwsErrorKind, Calls, Clock, DocumentHead, DocumentVersion, DocumentWrite, LatestVersion,
    ParameterVersion, ReadDocuments, ReadRecords, RecordReplacement, WriteDocuments, WriteRecords,
};
use session_kms::session::{Content, DocumentFormat, DocumentName};

pub use self::access::DELETION;
use self::call::{Answer, Call, Caller};
use self::gate::Gate;
use super::in_memory_aws::{InMemoryAws, NAME, refused};
use super::outside_change::name;

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
    /// Where each call on the document or its record waits until an explorer answers it.
    gate: Option<Rc<Gate>>,
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
            gate: None,
        }
    }

    /// The ports of a run whose calls wait at a gate. This AWS answers what is asked of keys, principals and nodes.
    pub fn gated(aws: &'w RefCell<InMemoryAws>, run: usize, gate: Rc<Gate>) -> Self {
        Self { gate: Some(gate), ..Self::new(aws, run, FaultPlan::default(), false) }
    }

    /// The id of the Lambda request: each run is one of its own.
    pub fn request_id(&self) -> String {
        format!("request-{}", self.run)
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

    /// A call on the document or its record.
    async fn perform(&self, call: Call) -> Result<Answer, AwsError> {
        if let Some(gate) = &self.gate {
            return gate.pass(call).await;
        }
        let effect = |aws: &mut InMemoryAws| aws.execute(self.caller(), &call);
        self.call(call.operation(), effect).await
    }

    fn caller(&self) -> Caller {
        Caller { run: self.run, began_at: self.began_at }
    }

    /// A call that writes the document. Its errors become the results that the adapter on the SDK gives.
    async fn write(&self, call: Call) -> Result<DocumentWrite, AwsError> {
        let Err(error) = self.perform(call).await else { return Ok(DocumentWrite::Done) };
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

impl ReadDocuments for InMemoryPorts<'_> {
    async fn head(&self, _: &DocumentName) -> Result<Option<DocumentHead>, AwsError> {
        let head = self.perform(Call::Head).await?.head();
        if let Some(head) = head {
            self.latest.set(head.latest);
        }
        Ok(head)
    }

    async fn latest(&self, _: &DocumentName, _: DocumentFormat) -> Result<Option<LatestVersion>, AwsError> {
        Ok(self.perform(Call::Latest).await?.latest())
    }

    async fn version(
        &self,
        _: &DocumentName,
        version: u64,
        _: DocumentFormat,
    ) -> Result<Option<DocumentVersion>, AwsError> {
        Ok(self.perform(Call::Version(version)).await?.version())
    }

    async fn versions(&self, _: &DocumentName) -> Result<Vec<u64>, AwsError> {
        Ok(self.perform(Call::Versions).await?.versions())
    }
}

impl WriteDocuments for InMemoryPorts<'_> {
    async fn create(&self, _: &DocumentName, content: &Content) -> Result<DocumentWrite, AwsError> {
        self.write(Call::Create(content.clone())).await
    }

    async fn update(
        &self,
        _: &DocumentName,
        content: &Content,
        latest: u64,
    ) -> Result<DocumentWrite, AwsError> {
        self.write(Call::Update { content: content.clone(), latest }).await
    }

    async fn promote(&self, _: &DocumentName, version: u64) -> Result<DocumentWrite, AwsError> {
        self.write(Call::Promote { version, latest_read: self.latest.get() }).await
    }

    async fn delete_version(&self, _: &DocumentName, version: u64) -> Result<(), AwsError> {
        self.perform(Call::DeleteVersion(version)).await.map(drop)
    }
}

impl ReadRecords for InMemoryPorts<'_> {
    async fn read(&self, _: &DocumentName) -> Result<Option<ParameterVersion>, AwsError> {
        Ok(self.perform(Call::ReadRecord).await?.parameter())
    }

    async fn read_version(&self, _: &DocumentName, version: u64) -> Result<Option<String>, AwsError> {
        Ok(self.perform(Call::ReadRecordVersion(version)).await?.text())
    }

    async fn recorded(&self) -> Result<Vec<DocumentName>, AwsError> {
        let has_record = self.perform(Call::ListRecords).await?.boolean();
        Ok(has_record.then(name).into_iter().collect())
    }
}

impl WriteRecords for InMemoryPorts<'_> {
    async fn create_record(&self, _: &DocumentName, text: &str) -> Result<bool, AwsError> {
        Ok(self.perform(Call::CreateRecord(text.to_owned())).await?.boolean())
    }

    async fn replace_record(&self, _: &DocumentName, text: &str) -> Result<RecordReplacement, AwsError> {
        Ok(self.perform(Call::ReplaceRecord(text.to_owned())).await?.replacement())
    }

    async fn delete_record(&self, _: &DocumentName) -> Result<(), AwsError> {
        self.perform(Call::DeleteRecord).await.map(drop)
    }
}

impl Calls for InMemoryPorts<'_> {
    fn unanswered(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Clock for InMemoryPorts<'_> {
    fn now(&self) -> SystemTime {
        let now = self.gate.as_ref().map_or_else(|| self.aws.borrow().now, |gate| gate.now());
        UNIX_EPOCH + Duration::from_secs(now)
    }

    async fn pause(&self, attempt: u32) -> Duration {
        let seconds = u64::from(attempt.min(5));
        match &self.gate {
            Some(gate) => _ = gate.pass(Call::Pause(seconds)).await,
            None => {
                self.aws.borrow_mut().now += seconds;
                self.yield_turn().await;
            }
        }
        Duration::from_secs(seconds)
    }
}
