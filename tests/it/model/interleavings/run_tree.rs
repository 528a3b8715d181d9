//! A run as a tree of the answers that it may have. A run is deterministic: its next calls follow from the answers that
//! it has had. So each history of answers is led through the program once, and remembered.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use session_kms::ports::AwsError;

use super::fingerprint::{Fingerprint, fingerprint, fingerprint_of_answer, fingerprint_of_call};
use crate::model::in_memory_aws::InMemoryAws;
use crate::model::ports::InMemoryPorts;
use crate::model::ports::call::{Answer, Call};
use crate::model::ports::gate::{Gate, Ticket};
use crate::model::run::{Run, RunResult};

/// A run that makes more calls never ends.
const MOST_CALLS: usize = 300;

/// How many runs wait at nodes at the same time.
const MOST_LIVE: usize = 1000;

/// One history of answers, as a place in the tree.
pub type NodeId = usize;

/// A call that waits for its answer.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub ticket: Ticket,
    pub call: Call,
    pub key: Fingerprint,
}

/// What AWS has answered.
#[derive(Clone, Debug)]
pub struct Answered {
    pub answer: Rc<Result<Answer, AwsError>>,
    pub key: Fingerprint,
}

impl Answered {
    /// The answer to a call that returns nothing.
    pub fn done() -> Self {
        Self::new(Ok(Answer::Done))
    }

    pub fn new(answer: Result<Answer, AwsError>) -> Self {
        let key = fingerprint_of_answer(&answer);
        Self { answer: Rc::new(answer), key }
    }
}

/// An answer on the way to a node.
#[derive(Clone, Debug)]
struct Delivery {
    ticket: Ticket,
    answer: Rc<Result<Answer, AwsError>>,
    now: u64,
}

/// What a run does after one history of answers.
#[derive(Debug)]
pub struct Node {
    /// The calls that wait for an answer.
    pub waiting: Vec<Waiting>,
    /// The result, once the run is over.
    pub result: Option<Rc<RunResult>>,
    /// Whether the run has removed the record.
    pub has_deleted_record: bool,
    /// The sum of the fingerprints of all answers: the answers to calls that wait together count in any order.
    history: Fingerprint,
    came_by: Option<(NodeId, Delivery)>,
    depth: usize,
}

/// Where an answer leads.
#[derive(Debug)]
enum Next {
    Anytime(NodeId),
    /// The run asks for the time then.
    ByTime(HashMap<u64, NodeId>),
}

/// A run at one node.
struct LiveRun<'a> {
    gate: Rc<Gate>,
    future: Pin<Box<dyn Future<Output = RunResult> + 'a>>,
}

/// All histories of one run that have come up.
pub struct RunTree<'a> {
    run: &'a Run,
    aws: &'a RefCell<InMemoryAws>,
    number: usize,
    began_at: u64,
    nodes: Vec<Node>,
    by_key: HashMap<Fingerprint, NodeId>,
    next: HashMap<(NodeId, Ticket, Fingerprint), Next>,
    /// Runs that wait at nodes, so that they need not be led there again.
    live: HashMap<NodeId, LiveRun<'a>>,
}

impl<'a> RunTree<'a> {
    /// The tree of a run that begins now. `aws` answers what is asked of keys, principals and nodes.
    pub fn new(run: &'a Run, aws: &'a RefCell<InMemoryAws>, number: usize) -> Self {
        let mut tree = Self {
            run,
            aws,
            number,
            began_at: aws.borrow().now,
            nodes: Vec::new(),
            by_key: HashMap::new(),
            next: HashMap::new(),
            live: HashMap::new(),
        };
        let (live, result) = tree.start();
        let root = Node {
            waiting: live.waiting(),
            result: result.map(Rc::new),
            has_deleted_record: false,
            history: 0,
            came_by: None,
            depth: 0,
        };
        tree.nodes.push(root);
        tree.live.insert(0, live);
        tree
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub fn number_of_histories(&self) -> usize {
        self.nodes.len()
    }

    /// Where a run is after one more answer, which comes at this time.
    ///
    /// # Errors
    /// If the run never ends.
    pub fn after(
        &mut self,
        from: NodeId,
        ticket: Ticket,
        Answered { answer, key: answered }: &Answered,
        now: u64,
    ) -> Result<NodeId, String> {
        let answered = *answered;
        match self.next.get(&(from, ticket, answered)) {
            Some(Next::Anytime(next)) => return Ok(*next),
            Some(Next::ByTime(by_time)) => {
                if let Some(next) = by_time.get(&now) {
                    return Ok(*next);
                }
            }
            None => {}
        }
        if self.nodes[from].depth == MOST_CALLS {
            return Err(format!("{:?} never ends", self.run));
        }
        let (asks_for_time, next) =
            self.lead(from, Delivery { ticket, answer: Rc::clone(answer), now }, answered);
        let known = self.next.entry((from, ticket, answered));
        if asks_for_time {
            if let Next::ByTime(by_time) = known.or_insert_with(|| Next::ByTime(HashMap::new())) {
                by_time.insert(now, next);
            }
        } else {
            known.or_insert(Next::Anytime(next));
        }
        Ok(next)
    }

    /// Leads the program through one more answer. Says whether it asked for the time, and where it is now.
    fn lead(&mut self, from: NodeId, delivery: Delivery, answered: Fingerprint) -> (bool, NodeId) {
        let mut live = self.live.remove(&from).unwrap_or_else(|| self.replay(from));
        let ticket = delivery.ticket;
        let waiting = self.nodes[from].call(ticket);
        let (call, deletes) = (waiting.key, waiting.call == Call::DeleteRecord);
        let result = live.deliver(&delivery);
        let asks_for_time = live.gate.has_asked_for_time();
        let time = asks_for_time.then_some(delivery.now);
        let element = fingerprint(&(ticket, call, answered, time));
        let history = self.nodes[from].history.wrapping_add(element);
        let waiting = live.waiting();
        let calls: Vec<_> = waiting.iter().map(|waiting| (waiting.ticket, waiting.key)).collect();
        let key = fingerprint(&(history, calls, result.as_ref().map(|result| format!("{result:?}"))));
        let id = *self.by_key.entry(key).or_insert(self.nodes.len());
        if id == self.nodes.len() {
            let depth = self.nodes[from].depth + 1;
            let came_by = Some((from, delivery));
            let has_deleted_record = deletes || self.nodes[from].has_deleted_record;
            let result = result.map(Rc::new);
            self.nodes.push(Node { waiting, result, has_deleted_record, history, came_by, depth });
        }
        if self.live.len() < MOST_LIVE {
            self.live.insert(id, live);
        }
        (asks_for_time, id)
    }

    /// Leads a new run to a node.
    fn replay(&self, to: NodeId) -> LiveRun<'a> {
        let mut deliveries = Vec::new();
        let mut at = to;
        while let Some((from, delivery)) = &self.nodes[at].came_by {
            deliveries.push(delivery.clone());
            at = *from;
        }
        let (mut live, _) = self.start();
        for delivery in deliveries.iter().rev() {
            live.deliver(delivery);
        }
        live
    }

    fn start(&self) -> (LiveRun<'a>, Option<RunResult>) {
        let gate = Rc::new(Gate::new(self.began_at));
        let ports = InMemoryPorts::gated(self.aws, self.number, Rc::clone(&gate));
        let run = self.run;
        let mut live = LiveRun { gate, future: Box::pin(async move { run.perform(&ports).await }) };
        let result = live.poll();
        (live, result)
    }
}

impl Node {
    /// A call that waits.
    pub fn call(&self, ticket: Ticket) -> &Waiting {
        self.waiting.iter().find(|waiting| waiting.ticket == ticket).expect("the call waits")
    }

    /// Whether the run begins to observe.
    pub fn observes(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.call == Call::Head)
    }
}

impl LiveRun<'_> {
    fn deliver(&mut self, delivery: &Delivery) -> Option<RunResult> {
        self.gate.answer(delivery.ticket, (*delivery.answer).clone(), delivery.now);
        self.poll()
    }

    fn waiting(&self) -> Vec<Waiting> {
        let waiting = self.gate.waiting().into_iter();
        waiting.map(|(ticket, call)| Waiting { ticket, key: fingerprint_of_call(&call), call }).collect()
    }

    fn poll(&mut self) -> Option<RunResult> {
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }
}
