//! A gate at which every call of a run waits until somebody answers it. So an explorer decides which call takes effect
//! next, and a run can be led to any point again by the answers that it had.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use session_kms::ports::AwsError;

use super::call::{Answer, Call};

/// Which of a run's calls, counted from 0 in the order in which the run made them.
pub type Ticket = usize;

/// The gate of one run.
#[derive(Debug)]
pub struct Gate {
    calls: Cell<Ticket>,
    waiting: RefCell<BTreeMap<Ticket, (Call, Waker)>>,
    answers: RefCell<BTreeMap<Ticket, Result<Answer, AwsError>>>,
    now: Cell<u64>,
    asked_for_time: Cell<bool>,
}

impl Gate {
    pub fn new(now: u64) -> Self {
        Self {
            calls: Cell::new(0),
            waiting: RefCell::default(),
            answers: RefCell::default(),
            now: Cell::new(now),
            asked_for_time: Cell::new(false),
        }
    }

    /// Waits until the call is answered.
    pub async fn pass(&self, call: Call) -> Result<Answer, AwsError> {
        let ticket = self.calls.replace(self.calls.get() + 1);
        let mut call = Some(call);
        poll_fn(|context| {
            if let Some(answer) = self.answers.borrow_mut().remove(&ticket) {
                return Poll::Ready(answer);
            }
            let mut waiting = self.waiting.borrow_mut();
            match call.take() {
                Some(call) => _ = waiting.insert(ticket, (call, context.waker().clone())),
                None => {
                    if let Some((_, waker)) = waiting.get_mut(&ticket) {
                        waker.clone_from(context.waker());
                    }
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Answers a call that waits. The run goes on when it is polled next, and it is this time then.
    pub fn answer(&self, ticket: Ticket, answer: Result<Answer, AwsError>, now: u64) {
        let (_, waker) = self.waiting.borrow_mut().remove(&ticket).expect("the call waits");
        self.answers.borrow_mut().insert(ticket, answer);
        self.now.set(now);
        self.asked_for_time.set(false);
        waker.wake();
    }

    /// The calls that wait.
    pub fn waiting(&self) -> Vec<(Ticket, Call)> {
        self.waiting.borrow().iter().map(|(ticket, (call, _))| (*ticket, call.clone())).collect()
    }

    /// The time, in seconds since 1970.
    pub fn now(&self) -> u64 {
        self.asked_for_time.set(true);
        self.now.get()
    }

    /// Whether the run has asked for the time since its last answer.
    pub fn has_asked_for_time(&self) -> bool {
        self.asked_for_time.get()
    }
}
