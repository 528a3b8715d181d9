//! The handle for tests: read and change the world, set faults, read the journal, wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudformation_custom_resource::Ids;
use cloudformation_custom_resource::testing::{PutFault, ReceivedResponse, ResponseReceiver};
use tokio::sync::watch;

use super::call::{Call, Outcome};
use super::fault::{CallGate, Fault, Plan, Stop, When};
use super::journal::CallRecord;
use super::server::Server;
use super::world::World;
use crate::schemas;

/// A running stub. It has a thread of its own, so that tests may block or pause their clock, and ends when dropped.
pub struct Stub {
    shared: Arc<Shared>,
    server: Server,
}

/// What the server and the handle share.
#[derive(Default)]
pub struct Shared {
    world: Mutex<World>,
    control: Mutex<Control>,
    receiver: Mutex<ResponseReceiver>,
    changes: watch::Sender<u64>,
}

/// The calls so far, and the faults for the next ones.
#[derive(Default)]
pub struct Control {
    arrivals: usize,
    /// How many calls hang because of a fault.
    pub hung: usize,
    pub journal: Vec<CallRecord>,
    pub plan: Plan,
    pub gate: CallGate,
    /// Calls that no AWS service would understand.
    pub misunderstood: Vec<String>,
    pub rounds: Rounds,
}

/// The answers that are held back until all calls of a round have arrived.
#[derive(Default)]
pub struct Rounds {
    pub are_held: bool,
    /// How many answers are held back now.
    held: usize,
    /// How many rounds have been answered.
    answered: usize,
}

impl Stub {
    /// Starts a stub on a free port.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let server = Server::start(Arc::clone(&shared)).await;
        Self { shared, server }
    }

    /// `http://127.0.0.1:<port>`, for `endpoint_url` or `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Reads or changes the world. No call is executed meanwhile.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.shared.world())
    }

    /// Sets a fault. If several match one call, all hooks run, and the first other fault decides.
    pub fn fault(&self, when: When, fault: Fault) {
        self.shared.control().plan.add(when, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.control().plan.clear();
    }

    /// Stops at the n-th AWS call from now on, counted from 1: it and all after it are never answered. Drop the caller
    /// when [`Stub::reached`] resolves, then [`Stub::resume`].
    pub fn stop_at(&self, n: usize, stop: Stop) {
        self.shared.control().gate = CallGate::Armed { left: n, stop };
    }

    /// Resolves when the call of [`Stub::stop_at`] has arrived (and, with [`Stop::After`], was executed). If the caller
    /// makes fewer calls, it never resolves, so select it against the caller.
    pub async fn reached(&self) {
        self.shared
            .wait(|shared| matches!(shared.control().gate, CallGate::Shut { reached: true }).then_some(()))
            .await;
    }

    /// Answers new calls again. Calls that are held stay without an answer.
    pub fn resume(&self) {
        self.shared.control().gate = CallGate::Open;
    }

    /// Every AWS call in the order of arrival, retries included.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.control().journal.clone()
    }

    /// Resolves when the journal holds this many calls.
    pub async fn arrived(&self, calls: usize) {
        self.shared.wait(|shared| (shared.control().journal.len() >= calls).then_some(())).await;
    }

    /// Holds back every answer from now on, until [`Stub::answer_round`]. A call is executed when it arrives.
    pub fn hold_answers(&self) {
        self.shared.control().rounds.are_held = true;
    }

    /// How many answers are held back now.
    pub fn held(&self) -> usize {
        self.shared.control().rounds.held
    }

    /// Sends the answers that are held back.
    pub fn answer_round(&self) {
        let mut control = self.shared.control();
        control.rounds.held = 0;
        control.rounds.answered += 1;
        drop(control);
        self.shared.changed();
    }

    /// How many calls have hung so far because of a fault.
    pub fn hung(&self) -> usize {
        self.shared.control().hung
    }

    /// Resolves when so many calls have hung because of a fault.
    pub async fn hang(&self, calls: usize) {
        self.shared.wait(|shared| (shared.control().hung >= calls).then_some(())).await;
    }

    /// The calls of one operation.
    pub fn calls_of(&self, operation: &str) -> Vec<CallRecord> {
        self.shared.control().journal.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// The calls of operations that change something, successful or not.
    pub fn writes(&self) -> Vec<CallRecord> {
        self.shared.control().journal.iter().filter(|call| call.writes).cloned().collect()
    }

    /// Empties the journal between two phases of a test.
    pub fn forget_calls(&self) {
        self.shared.control().journal.clear();
    }

    /// A new ResponseURL, good for two hours and for one answer to the request with these ids.
    pub fn response_url(&self, ids: &Ids) -> String {
        self.shared.receiver().expect(&self.endpoint(), ids, None)
    }

    /// The same with another query, and so another expiry and signature.
    pub fn response_url_with(&self, ids: &Ids, query: &str) -> String {
        self.shared.receiver().expect(&self.endpoint(), ids, Some(query))
    }

    /// Allows one more answer, because the request is delivered once more, as Lambda does after an error.
    pub fn redelivered(&self, url: &str) {
        self.shared.receiver().redelivered(url);
    }

    /// The faults of the next PUTs to the URL: one a PUT, in this order.
    pub fn put_faults(&self, url: &str, faults: &[PutFault]) {
        self.shared.receiver().put_faults(url, faults);
    }

    /// Answers the PUTs that [`PutFault::Held`] holds.
    pub fn release(&self, url: &str) {
        self.shared.receiver().release(url);
        self.shared.changed();
    }

    /// How many PUTs came to the URL, whether they succeeded or not.
    pub fn puts(&self, url: &str) -> usize {
        self.shared.receiver().puts(url)
    }

    /// The valid answers that came to the URL. Their attributes are as the schemas say.
    pub fn answers(&self, url: &str) -> Vec<ReceivedResponse> {
        let answers = self.shared.receiver().responses(url);
        answers.iter().for_each(schemas::assert_attributes_valid);
        answers
    }

    /// The first valid answer to the URL, when it comes.
    pub async fn answer(&self, url: &str) -> ReceivedResponse {
        self.shared.wait(|shared| shared.receiver().responses(url).into_iter().next()).await
    }

    /// Everything that AWS would not have accepted: bad answers to ResponseURLs, requests that are no AWS call.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.shared.control().misunderstood.clone();
        violations.extend_from_slice(self.shared.receiver().violations());
        violations
    }
}

impl Control {
    /// Enters a call into the journal, and returns its number.
    pub fn arrived(&mut self, call: &Call) -> usize {
        self.arrivals += 1;
        self.journal.push(CallRecord::arrived(self.arrivals, call));
        self.arrivals
    }

    /// Records a call's outcome, and its answer if the caller gets it. The journal may have been emptied meanwhile.
    pub fn answered(&mut self, id: usize, outcome: &Outcome, is_answered: bool) {
        if let Some(record) = self.journal.iter_mut().find(|record| record.id == id) {
            record.executed = outcome.is_ok();
            if is_answered {
                record.answered(outcome);
            }
        }
    }
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn receiver(&self) -> MutexGuard<'_, ResponseReceiver> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds an answer back until its round is answered, if answers are held.
    pub async fn hold_answer(&self) {
        let round = {
            let mut control = self.control();
            if !control.rounds.are_held {
                return;
            }
            control.rounds.held += 1;
            control.rounds.answered
        };
        self.changed();
        self.wait(|shared| (shared.control().rounds.answered > round).then_some(())).await;
    }

    /// Wakes those who wait.
    pub fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Waits until `look` finds something.
    pub async fn wait<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(found) = look(self) {
                return found;
            }
            changes.changed().await.expect("the sender lives as long as self");
        }
    }
}
