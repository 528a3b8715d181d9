//! One function on one stub for thousands of events, and what must be true after each of them.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionError};

use super::logs::Logs;
use crate::audit_run::seed_samples;
use crate::fixture::{NAME, RECORD, assert_nothing_secret, function_on, handle, handle_as, settings};
use crate::stub::{ACCOUNT, Document, Format, Ids, REGION, ReceivedResponse, Stub, World};

/// The key that the sample events name by its id, and that the record wants.
pub const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
/// Keys with an alias. The first is what the document carried before, or what somebody else has set.
const OTHER_KEY_IDS: [(&str, &str); 3] = [
    ("alias/theirs", "00000000-0000-4000-8000-000000000000"),
    ("alias/session-manager-next", "22222222-2222-4222-8222-222222222222"),
    ("alias/session-manager-standby", "33333333-3333-4333-8333-333333333333"),
];
/// A document that no event names and no record knows.
const DECOY: &str = "Team-Decoy";
/// How long an invocation may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// The most calls to AWS of one event. The samples make at most forty.
const MOST_CALLS: usize = 400;
/// The longest error of an event, in bytes. Lambda shows it to whoever invoked the function.
const LONGEST_ERROR: usize = 16 * 1024;
/// The longest report of an event, in bytes.
const LONGEST_REPORT: usize = 64 * 1024;
/// The longest line of the log, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// The state in which an event meets the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// There is nothing at all: no document, no key, no record. What an event is read into is soon done.
    Nothing,
    /// The document carries another key, and there is no record.
    Unowned,
    /// The stack of the samples owns the document, which is as wanted.
    AsWanted,
    /// The same, but somebody has changed the key.
    Drifted,
}

/// The function and its stub.
pub struct Arena {
    pub stub: Stub,
    pub function: Function<Aws>,
    /// The ARN by which the function is invoked.
    pub function_arn: String,
    record: String,
    cases: Cell<usize>,
    broken: RefCell<Vec<String>>,
}

/// What an event led to.
#[derive(Debug)]
pub struct Outcome {
    /// The answers to the custom-resource requests in the event.
    pub answers: Vec<ReceivedResponse>,
    /// The report or the error.
    pub result: Result<Value, FunctionError>,
    /// The operations that write, in order.
    pub written: Vec<String>,
}

/// Prints the current case if the function panics.
struct CurrentCase<'a>(&'a str);

impl Drop for CurrentCase<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The log of a test is not shown, so this goes where the message of the panic goes.
            let _ = writeln!(std::io::stderr(), "the case that failed: {}", self.0);
        }
    }
}

impl Arena {
    pub async fn new() -> Self {
        let stub = Stub::start().await;
        let function = function_on(&stub, &stub.sdk_config(2, None), Duration::ZERO);
        let mut arena = Self {
            stub,
            function,
            function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:session-kms"),
            record: String::new(),
            cases: Cell::new(0),
            broken: RefCell::new(Vec::new()),
        };
        // The record of the stack of the samples, as the function writes it.
        arena.reset(Before::Unowned);
        let create = include_bytes!("../../../events/custom-resource-create.json");
        let mut create: Value = serde_json::from_slice(create).unwrap();
        arena.address(&mut create);
        handle(&arena.function, &create, PATIENCE).await.unwrap();
        arena.record = arena.stub.world(|world| world.parameter(RECORD).unwrap().to_owned());
        arena
    }

    /// Makes the state anew.
    pub fn reset(&self, before: Before) {
        self.stub.forget_calls();
        self.stub.world(|world| {
            *world = World::default();
            world.put_document(DECOY, Document::session(Format::Json, &settings("alias/decoy")));
            if before == Before::Nothing {
                return;
            }
            let wanted = world.add_key(KEY_ID);
            world.add_alias("alias/session-manager", &wanted);
            for (alias, id) in OTHER_KEY_IDS {
                let key = world.add_key(id);
                world.add_alias(alias, &key);
            }
            seed_samples(world);
            let key = if before == Before::AsWanted { &wanted } else { "alias/theirs" };
            world.put_document(NAME, Document::session(Format::Json, &settings(key)));
            if before != Before::Unowned {
                world.put_parameter(RECORD, &self.record);
            }
        });
    }

    /// Lets the custom-resource requests in an event go to the stub.
    pub fn address(&self, event: &mut Value) {
        if let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut) {
            for record in records {
                let Some(Value::String(message)) = record.pointer_mut("/Sns/Message") else { continue };
                let Ok(mut inner) = serde_json::from_str::<Value>(message) else { continue };
                self.address(&mut inner);
                *message = inner.to_string();
            }
        } else if event.get("ResponseURL").is_some() {
            let ids = ids_in(event).unwrap_or_else(|| ids("stack", "request", "Resource"));
            event["ResponseURL"] = self.stub.response_url(&ids).into();
        }
    }

    /// Hands bytes to the function as the Lambda runtime does, and checks what must be true of every event. Returns
    /// nothing if the bytes are no JSON, which the runtime answers itself.
    pub async fn run(&self, case: &str, bytes: &[u8]) -> Option<Outcome> {
        if std::env::var("BAD_INPUT").is_ok_and(|only| only != case) {
            return None;
        }
        self.cases.set(self.cases.get() + 1);
        let _current = CurrentCase(case);
        let mut event = Value::deserialize(&mut serde_json::Deserializer::from_slice(bytes)).ok()?;
        // The receiver has to know which ids it must get back, whatever the damage made of them.
        let requests = requests_in(&event, &self.stub.endpoint());
        let urls: Vec<String> = requests.iter().map(|ids| self.stub.response_url(ids)).collect();
        set_urls(&mut event, &self.stub.endpoint(), &mut urls.iter());
        if let Some(token) = event.get("resultToken").and_then(Value::as_str) {
            self.stub.world(|world| world.asks_rule(token));
        }
        let logs = Logs::captured();
        let violations = self.stub.violations().len();
        // Debug builds have large futures, and test threads small stacks.
        let result =
            Box::pin(handle_as(&self.function, &self.function_arn, &event, "invocation", PATIENCE)).await;
        let written = self.stub.writes().into_iter().filter(|call| call.executed);
        let outcome = Outcome {
            answers: urls.iter().flat_map(|url| self.stub.answers(url)).collect(),
            result,
            written: written.map(|call| call.operation).collect(),
        };
        self.broken_rules(urls.len(), violations, &outcome, &logs.text())
            .iter()
            .for_each(|what| self.broken(case, what));
        Some(outcome)
    }

    /// Notes that a rule is broken in a case.
    pub fn broken(&self, case: &str, what: &str) {
        let what: String = what.chars().take(900).collect();
        self.broken.borrow_mut().push(format!("{case}\n    {what}"));
    }

    /// Takes the rules that were broken, so that the next case begins without them.
    pub fn take_broken(&self) -> Vec<String> {
        self.broken.take()
    }

    /// Fails if a rule was broken in a case. Returns the number of cases.
    pub fn finish(&self) -> usize {
        let broken = self.broken.take();
        let first: Vec<_> = broken.iter().take(20).map(String::as_str).collect();
        assert!(
            broken.is_empty(),
            "{} of {} cases break a rule. BAD_INPUT='the case' runs one of them alone. The first are:\n{}",
            broken.len(),
            self.cases.get(),
            first.join("\n"),
        );
        self.cases.get()
    }

    fn broken_rules(&self, requests: usize, violations: usize, outcome: &Outcome, log: &str) -> Vec<String> {
        let mut broken = Vec::new();
        let mut rule = |holds: bool, what: &str| {
            if !holds {
                broken.push(what.to_owned());
            }
        };
        let answers = outcome.answers.len();
        rule(answers == requests, &format!("{answers} answers to {requests} requests: {:?}", outcome.result));
        for violation in self.stub.violations().iter().skip(violations) {
            rule(false, &format!("AWS would refuse it: {violation}"));
        }
        let mut texts: Vec<String> = outcome.answers.iter().map(|answer| answer.reason.clone()).collect();
        texts.extend(outcome.answers.iter().map(|answer| Value::Object(answer.data.clone()).to_string()));
        match &outcome.result {
            Ok(report) => texts.push(report.to_string()),
            Err(error) => texts.push(error.to_string()),
        }
        for text in &texts {
            let longest = if outcome.result.is_err() { LONGEST_ERROR } else { LONGEST_REPORT };
            rule(text.len() <= longest, &format!("{} bytes: {text:.200}", text.len()));
            rule(
                !text.contains(controls_display),
                &format!("a character that controls the display: {text:?}"),
            );
        }
        for line in log.lines().filter(|line| line.len() > LONGEST_LINE) {
            rule(false, &format!("a line of {} bytes in the log: {line:.300}", line.len()));
        }
        texts.push(log.to_owned());
        for text in &texts {
            assert_nothing_secret(text);
            let panicked = text.contains("internal error") || text.contains("panicked");
            rule(!panicked, &format!("it panicked: {text:.300}"));
        }
        let refused = outcome.result.is_err() || outcome.answers.iter().any(|answer| !answer.success);
        let written = refused && answers <= 1 && !outcome.written.is_empty();
        rule(!written, &format!("{:?} for what is refused: {:?}", outcome.written, texts.first()));
        let calls = self.stub.calls();
        rule(calls.len() <= MOST_CALLS, &format!("{} calls", calls.len()));
        for call in calls.iter().filter(|call| call.service == "ssm") {
            if let Some(name) = call.body["Name"].as_str() {
                let document = name.strip_prefix("/session-kms/").unwrap_or(name);
                rule(is_document_name(document), &format!("{} of `{name}`", call.operation));
            }
        }
        let decoy_versions = self.stub.world(|world| world.document(DECOY).unwrap().versions.len());
        rule(decoy_versions == 1, "another document was written");
        broken
    }
}

/// Control characters other than the line feed, and the invisible ones that set the direction of text.
fn controls_display(c: char) -> bool {
    c != '\n'
        && (c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
}

/// 3 to 128 letters, digits and `_-.`, which is what SSM takes. It is stated here once more on purpose.
fn is_document_name(name: &str) -> bool {
    (3..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

pub fn ids(stack: &str, request: &str, resource: &str) -> Ids {
    Ids {
        stack_id: stack.to_owned(),
        request_id: request.to_owned(),
        logical_resource_id: resource.to_owned(),
    }
}

/// The ids of the custom-resource requests in an event that must be answered: the URL is one of the endpoint, and
/// CloudFormation can have sent the ids.
fn requests_in(event: &Value, endpoint: &str) -> Vec<Ids> {
    match messages(event) {
        Some(messages) => messages.iter().flatten().filter_map(|event| answerable(event, endpoint)).collect(),
        None => answerable(event, endpoint).into_iter().collect(),
    }
}

fn answerable(event: &Value, endpoint: &str) -> Option<Ids> {
    let path = event.get("ResponseURL")?.as_str()?.strip_prefix(endpoint)?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\#".contains(&byte);
    (path.starts_with('/') && path.bytes().all(is_plain)).then(|| ids_in(event)).flatten()
}

/// The messages of a topic; `None` for one that is no JSON.
fn messages(event: &Value) -> Option<Vec<Option<Value>>> {
    let records = event.get("Records")?.as_array()?;
    let is_sns = |record: &&Value| record.get("EventSource") == Some(&json!("aws:sns"));
    records.iter().find(is_sns)?;
    let message = |record: &Value| {
        let text = record.pointer("/Sns/Message")?.as_str()?;
        if is_sns(&record) { serde_json::from_str(text).ok() } else { None }
    };
    Some(records.iter().map(message).collect())
}

/// Sets a URL of its own in each request that must be answered, in the order of [`requests_in`].
fn set_urls<'a>(event: &mut Value, endpoint: &str, urls: &mut impl Iterator<Item = &'a String>) {
    if messages(event).is_some() {
        for record in event["Records"].as_array_mut().unwrap() {
            let is_sns = record.get("EventSource") == Some(&json!("aws:sns"));
            let Some(Value::String(text)) = record.pointer_mut("/Sns/Message") else { continue };
            let Some(mut inner) = serde_json::from_str::<Value>(text).ok().filter(|_| is_sns) else {
                continue;
            };
            set_urls_of_one(&mut inner, endpoint, urls);
            *text = inner.to_string();
        }
    } else {
        set_urls_of_one(event, endpoint, urls);
    }
}

fn set_urls_of_one<'a>(event: &mut Value, endpoint: &str, urls: &mut impl Iterator<Item = &'a String>) {
    if answerable(event, endpoint).is_some() {
        event["ResponseURL"] = urls.next().unwrap().as_str().into();
    }
}

/// The ids that must be echoed, if CloudFormation can have sent them.
fn ids_in(event: &Value) -> Option<Ids> {
    let id = |name, longest| {
        let text = event.get(name)?.as_str()?;
        let is_id = (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control);
        is_id.then_some(text)
    };
    Some(ids(id("StackId", 512)?, id("RequestId", 128)?, id("LogicalResourceId", 255)?))
}
