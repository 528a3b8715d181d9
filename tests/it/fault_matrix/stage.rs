//! The stage of a flow: a stub whose world is put back before each case, and the deliveries of events to new functions.

use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use session_kms::session::DocumentName;
use tokio::time::timeout;
use tracing::Level;

use super::flow::{Flow, FlowEvent, K1, K2, Step};
use crate::fixture::{Fixture, Logs, NAME, PATIENCE, handle, id_of, key_in, resource, settings};
use crate::stub::{CallRecord, Document, Format, ReceivedResponse, Request, Resource, Stub, World};

/// The schedule's event, which comes after each case.
pub const SCHEDULE: &str = include_str!("../../../events/schedule.json");
/// The secret that the reader of a key policy asks for, and the token of the questions of AWS Config.
pub const EXTERNAL_ID: &str = "secret-word";
pub const RESULT_TOKEN: &str = "eyJlbmNyeXB0ZWREYXRhIjpbMSwyLDNdLCJleGFtcGxlIjp0cnVlfQ==";

/// The time-out of the Lambda function while a call hangs.
const TIME_OUT: Duration = Duration::from_secs(30);

thread_local! {
    /// The lines of metrics that functions of this thread have written.
    static METRICS: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// A flow that is ready to be run as often as there are cases.
pub struct Stage {
    pub fixture: Fixture,
    pub flow: Flow,
    resource: Resource,
    /// The world in which the event arrives.
    start: World,
    start_state: String,
    start_keys: Vec<String>,
    pub event: Delivered,
    /// The violations that the stub has seen before.
    violations: usize,
}

/// An event that is delivered, perhaps more than once.
#[derive(Clone)]
pub struct Delivered {
    pub payload: Value,
    /// The request, if CloudFormation waits for a response.
    pub request: Option<Request>,
}

/// How the clock runs while a call hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A call has no time limit of its own.
    Unlimited,
    /// The first attempt that hangs is given up, and the next one is made.
    Attempt,
    /// The time of the run is nearly over when a call hangs.
    Run,
}

/// What came of a delivery.
pub struct Delivery {
    /// The report, or the error that Lambda sees. `None` if Lambda had to end the function.
    pub handled: Option<Result<Value, String>>,
    /// The new responses that CloudFormation has received.
    pub responses: Vec<ReceivedResponse>,
    pub metrics: Vec<Value>,
    pub calls: Vec<CallRecord>,
    pub logs: String,
    pub state: String,
}

impl Stage {
    /// Prepares the flow on a stub.
    pub async fn new(stub: Stub, flow: Flow) -> Self {
        let fixture = Fixture { stub, k1: K1.to_owned(), k2: K2.to_owned() };
        fixture.stub.clear_faults();
        fixture.stub.world(|world| set_up(world, &flow));
        let resource = resource("demo");
        let mut before: Option<Value> = None;
        for step in flow.before {
            match step {
                Step::Deployed(properties) => {
                    let properties = properties();
                    let request = match &before {
                        None => resource.create(&fixture.stub, &properties),
                        Some(old) => resource.update(&fixture.stub, &id_of(NAME), &properties, old),
                    };
                    let response = fixture.send(&request).await;
                    assert!(response.success, "{}: {}", flow.name, response.reason);
                    before = Some(properties);
                }
                Step::Changed(change) => fixture.stub.world(change),
                Step::Handled(event) => fixture.run(event()).await,
            }
        }
        let start = fixture.stub.world(|world| world.clone());
        let event = event_of(&fixture.stub, &flow, &resource, before.as_ref());
        let violations = fixture.stub.violations().len();
        let mut stage = Self {
            fixture,
            flow,
            resource,
            start,
            start_state: String::new(),
            start_keys: Vec::new(),
            event,
            violations,
        };
        stage.start_state = stage.state();
        stage.start_keys =
            stage.contents().into_iter().map(|(_, content)| stage.short(&key_in(&content))).collect();
        stage
    }

    pub fn into_stub(self) -> Stub {
        self.fixture.stub
    }

    /// Puts the world back to what it is when the event arrives.
    pub fn reset(&self) {
        self.restore(&self.start);
    }

    pub fn restore(&self, world: &World) {
        self.fixture.stub.clear_faults();
        self.fixture.stub.world(|now| now.clone_from(world));
    }

    pub fn world(&self) -> World {
        self.fixture.stub.world(|world| world.clone())
    }

    /// Delivers an event to a new function.
    pub async fn deliver(&self, event: &Delivered, patience: Patience) -> Delivery {
        METRICS.take();
        let run = async |payload: &Value| {
            let logs = Logs::captured_at(Level::INFO);
            let handled = Box::pin(self.handle(payload, patience)).await;
            (handled, logs.text())
        };
        let delivery = self.observed(event, run).await;
        Delivery { metrics: METRICS.take(), ..delivery }
    }

    /// Observes a delivery: `run` handles the event and returns the result and what was logged. The metrics are the
    /// lines of the log that are some.
    pub async fn observed(
        &self,
        event: &Delivered,
        run: impl AsyncFnOnce(&Value) -> (Option<Result<Value, String>>, String),
    ) -> Delivery {
        let stub = &self.fixture.stub;
        stub.forget_calls();
        let received = event.request.as_ref().map_or(0, |request| stub.answers(&request.url).len());
        if let Some(request) = &event.request {
            stub.redelivered(&request.url);
        }
        let (handled, logs) = run(&event.payload).await;
        let responses = event.request.as_ref().map(|request| stub.answers(&request.url).split_off(received));
        let metrics = logs.lines().filter(|line| line.starts_with(r#"{"_aws":"#));
        Delivery {
            handled,
            responses: responses.unwrap_or_default(),
            metrics: metrics.map(|line| serde_json::from_str(line).unwrap()).collect(),
            calls: stub.calls(),
            logs,
            state: self.state(),
        }
    }

    async fn handle(&self, payload: &Value, patience: Patience) -> Option<Result<Value, String>> {
        let attempt = (patience == Patience::Attempt).then_some(Duration::from_secs(8));
        let mut function = self.fixture.function(attempt);
        function.settings.document = Some(DocumentName::default());
        function.settings.dry_run = true;
        function.write_metrics = |line| METRICS.with_borrow_mut(|lines| lines.push(line.clone()));
        let (within, passes) = match patience {
            // What hangs until the deadline leaves a quarter of the time, less a second and a half, for the response.
            Patience::Run => (TIME_OUT, TIME_OUT * 4 / 5),
            Patience::Unlimited | Patience::Attempt => (PATIENCE, Duration::from_secs(9)),
        };
        let hung = self.fixture.stub.hung();
        let mut handled = pin!(timeout(within, Box::pin(handle(&function, payload, within))));
        let ended = tokio::select! {
            biased;
            ended = handled.as_mut() => Some(ended),
            () = self.fixture.stub.hang(hung + 1) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                tokio::time::pause();
                tokio::time::advance(passes).await;
                tokio::time::resume();
                handled.await
            }
        };
        ended.ok().map(|handled| handled.map_err(|error| error.to_string()))
    }

    /// The schedule's event.
    pub fn schedule() -> Delivered {
        Delivered { payload: serde_json::from_str(SCHEDULE).unwrap(), request: None }
    }

    /// What CloudFormation sends after a request that failed with this physical id.
    pub fn rollback(&self, physical_id: &str) -> Option<Delivered> {
        let (stub, payload) = (&self.fixture.stub, &self.event.request.as_ref()?.payload);
        let properties = &payload["ResourceProperties"];
        let request = match payload["RequestType"].as_str()? {
            "Create" => self.resource.delete(stub, physical_id, properties),
            "Update" => self.resource.update(
                stub,
                payload["PhysicalResourceId"].as_str()?,
                &payload["OldResourceProperties"],
                properties,
            ),
            _ => return None,
        };
        Some(Delivered { payload: request.payload.clone(), request: Some(request) })
    }

    /// The keys of all versions that there are when the event arrives.
    pub fn start_keys(&self) -> &[String] {
        &self.start_keys
    }

    /// The state in which the event arrives.
    pub fn start_state(&self) -> &str {
        &self.start_state
    }

    pub fn start_has_document(&self) -> bool {
        self.start.document(NAME).is_some()
    }

    /// What the stub has complained of since the flow was prepared.
    pub fn violations(&self) -> Vec<String> {
        self.fixture.stub.violations().split_off(self.violations)
    }
}

fn set_up(world: &mut World, flow: &Flow) {
    *world = World::default();
    let old = world.add_key("00000000-0000-4000-8000-000000000000");
    world.add_alias("alias/old", &old);
    for key in [K1, K2] {
        world.add_key(key.rsplit('/').next().unwrap());
    }
    if flow.has_document {
        world.put_document(NAME, Document::session(Format::Json, &settings("alias/old")));
    }
    world.asks_rule(RESULT_TOKEN);
    (flow.world)(world);
}

fn event_of(stub: &Stub, flow: &Flow, resource: &Resource, deployed: Option<&Value>) -> Delivered {
    let nothing = Value::Null;
    let old = deployed.unwrap_or(&nothing);
    let request = match flow.event {
        FlowEvent::Create(properties) => resource.create(stub, &properties()),
        FlowEvent::Update(properties) => resource.update(stub, &id_of(NAME), &properties(), old),
        FlowEvent::Delete => resource.delete(stub, &id_of(NAME), old),
        FlowEvent::DeleteByMadeUpId => resource.delete(stub, &resource.made_up_id(), old),
        FlowEvent::Question(resource_type, properties) => {
            let question = Resource {
                logical_id: "Question".to_owned(),
                resource_type: resource_type.to_owned(),
                ..resource.clone()
            };
            question.create(stub, &properties())
        }
        FlowEvent::Change(payload) | FlowEvent::Call(payload) | FlowEvent::Rule(payload) => {
            let payload = payload();
            return Delivered {
                payload: if flow.in_topic { in_topic(&payload) } else { payload },
                request: None,
            };
        }
    };
    let payload = request.payload.clone();
    Delivered { payload: if flow.in_topic { in_topic(&payload) } else { payload }, request: Some(request) }
}

/// An envelope of SNS.
fn in_topic(message: &Value) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}
