//! The function under test on a stub of its own, and helpers that describe the resulting state.

use std::io::{self, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use cloudformation_custom_resource::{Invocation, Origin, ResponseSender};
use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionError, FunctionSettings};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Level};

use crate::schemas;
use crate::stub::{
    ACCOUNT, Document, Format, Lifecycle, REGION, ReceivedResponse, Request, Resource, Stub, World,
};

/// The preferences document.
pub const NAME: &str = "SSM-SessionManagerRunShell";
/// The parameter that holds its record.
pub const RECORD: &str = "/session-kms/SSM-SessionManagerRunShell";
/// The secret in the shell profile of the document. It must never be seen outside the document.
pub const SECRET: &str = "open-sesame-42";
/// All tests share one sender: it reads the machine's certificates, which is slow, and keeps no connection.
static SENDER: OnceLock<ResponseSender> = OnceLock::new();
/// The state after the stack `demo` has set `k1` on the document of [`Fixture::with_settings`].
pub const SET_TO_K1: &str = "latest k1, default k1; demo wants k1, before alias/old";
/// The state of that document after the stack has released it.
pub const RESTORED: &str = "latest alias/old, default alias/old; no record";
/// How long an invocation may take if the test is not about time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A stub with the keys `k1` and `k2`, and with a third key that has the alias `alias/old`.
pub struct Fixture {
    pub stub: Stub,
    pub k1: String,
    pub k2: String,
}

impl Fixture {
    /// Without a document and without a record.
    pub async fn empty() -> Self {
        let stub = Stub::start().await;
        let [k1, k2] = stub.world(|world| {
            let old = world.add_key("00000000-0000-4000-8000-000000000000");
            world.add_alias("alias/old", &old);
            ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"]
                .map(|id| world.add_key(id))
        });
        Self { stub, k1, k2 }
    }

    /// With the document of [`settings`], which carries the key `alias/old`.
    pub async fn with_settings() -> Self {
        Self::with(&settings("alias/old")).await
    }

    /// With a JSON document of this content.
    pub async fn with(content: &str) -> Self {
        Self::with_document(Document::session(Format::Json, content)).await
    }

    pub async fn with_document(document: Document) -> Self {
        let fixture = Self::empty().await;
        fixture.stub.world(|world| world.put_document(NAME, document));
        fixture
    }

    /// A new function, as a new execution environment holds it. It tries a call three times and pauses for a
    /// millisecond. It waits for the answer of a call until `attempt` is over, or for ever.
    pub fn function(&self, attempt: Option<Duration>) -> Function<Aws> {
        function_on(&self.stub, &self.stub.sdk_config(3, attempt), Duration::from_millis(1))
    }

    /// Invokes a new function.
    pub async fn run(&self, payload: Value) {
        handle(&self.function(None), &payload, PATIENCE).await.unwrap();
    }

    /// Sends a request. Returns its answer, which must be the only new one.
    pub async fn send(&self, request: &Request) -> ReceivedResponse {
        let before = self.stub.answers(&request.url).len();
        self.run(request.payload.clone()).await;
        self.only_new_answer(request, before)
    }

    /// The same with a given function. Its n-th call hangs, and the clock is advanced by `passes`.
    pub async fn send_hanging(
        &self,
        function: &Function<Aws>,
        request: &Request,
        n: usize,
        passes: Duration,
    ) -> ReceivedResponse {
        let before = self.stub.answers(&request.url).len();
        let calls = self.stub.calls().len();
        let mut handled = pin!(handle(function, &request.payload, PATIENCE));
        let ended = tokio::select! {
            _ = handled.as_mut() => true,
            () = self.stub.arrived(calls + n) => false,
        };
        assert!(!ended, "it ended before its call {n}");
        tokio::time::pause();
        tokio::time::advance(passes).await;
        tokio::time::resume();
        handled.await.unwrap();
        self.only_new_answer(request, before)
    }

    fn only_new_answer(&self, request: &Request, before: usize) -> ReceivedResponse {
        let mut answers = self.stub.answers(&request.url).split_off(before);
        assert_eq!(answers.len(), 1, "one answer to one delivery: {answers:?}");
        answers.remove(0)
    }

    /// The lifecycle of a resource in a stack of this name.
    pub fn stack(&self, name: &str) -> Lifecycle<'_> {
        Lifecycle::new(&self.stub, resource(name))
    }

    /// A stack that has created its resource with these properties.
    pub async fn deployed(&self, name: &str, properties: &Value) -> Lifecycle<'_> {
        let mut stack = self.stack(name);
        let created = stack.create(properties, &async |payload| self.run(payload).await).await;
        assert_eq!(created.reason(), "");
        stack
    }

    /// The state of the document and the record: `latest k1, default k1; demo wants k1, before alias/old`.
    pub fn state(&self) -> String {
        self.state_of(NAME)
    }

    pub fn state_of(&self, name: &str) -> String {
        self.stub.world(|world| {
            let document = world.document(name).map_or("no document".to_owned(), |document| {
                let [latest, default] = [document.latest_content(), document.default_content()]
                    .map(|content| self.short(&key_in(content)));
                format!("latest {latest}, default {default}")
            });
            let record = world.parameter(&format!("/session-kms/{name}"));
            let record = record.map_or("no record".to_owned(), |text| {
                let record: Value = serde_json::from_str(text).unwrap();
                let stack = record["owner"]["stackId"].as_str().unwrap().split('/').nth(1).unwrap();
                let [wanted, before] =
                    ["wanted", "before"].map(|key| self.short(record[key].as_str().unwrap()));
                format!("{stack} wants {wanted}, before {before}")
            });
            format!("{document}; {record}")
        })
    }

    /// The operations of the writes in the journal, in order.
    pub fn written(&self) -> Vec<String> {
        self.stub.writes().into_iter().map(|call| call.operation).collect()
    }

    fn short(&self, key: &str) -> String {
        match key {
            "" => "none".to_owned(),
            key if key == self.k1 => "k1".to_owned(),
            key if key == self.k2 => "k2".to_owned(),
            other => other.to_owned(),
        }
    }

    /// Fails if a version has another setting than those of [`settings`].
    pub fn assert_settings_kept(&self) {
        let versions = self.stub.world(|world| world.document(NAME).unwrap().versions.clone());
        for version in versions {
            let (found, wanted) = (but_for_key(&version.content), but_for_key(&settings("")));
            assert_eq!(found, wanted, "version {}", version.number);
        }
    }

    /// Fails if anything was sent that AWS would not accept.
    pub fn assert_no_violations(&self) {
        assert_eq!(self.stub.violations(), Vec::<String>::new());
    }
}

/// A function that calls the stub with these SDK settings, and pauses for `pause` between two attempts.
pub fn function_on(stub: &Stub, sdk_config: &SdkConfig, pause: Duration) -> Function<Aws> {
    Function {
        ports: Aws::new(sdk_config, pause),
        sender: SENDER.get_or_init(ResponseSender::over_network).clone(),
        endpoints: vec![Origin::parse(&stub.endpoint()).unwrap()],
        region: REGION.to_owned(),
        settings: FunctionSettings::default(),
        write_metrics: |_| (),
    }
}

/// Invokes a function.
pub async fn handle(
    function: &Function<Aws>,
    payload: &Value,
    within: Duration,
) -> Result<Value, FunctionError> {
    static DELIVERIES: AtomicUsize = AtomicUsize::new(1);
    let request_id = format!("invocation-{}", DELIVERIES.fetch_add(1, Ordering::Relaxed));
    handle_request(function, payload, &request_id, within).await
}

/// Invokes a function under this request id. An event that Lambda delivers again has the same id.
pub async fn handle_request(
    function: &Function<Aws>,
    payload: &Value,
    request_id: &str,
    within: Duration,
) -> Result<Value, FunctionError> {
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:session-kms");
    handle_as(function, &arn, payload, request_id, within).await
}

/// Invokes a function by this ARN.
pub async fn handle_as(
    function: &Function<Aws>,
    function_arn: &str,
    payload: &Value,
    request_id: &str,
    within: Duration,
) -> Result<Value, FunctionError> {
    let invocation = Invocation { request_id, deadline: SystemTime::now() + within };
    let answer = function.handle(payload, function_arn, invocation).await;
    if let Ok(answer) = &answer {
        schemas::assert_answer_valid(payload, answer);
    }
    answer
}

/// The resource of a stack of this name.
pub fn resource(stack: &str) -> Resource {
    Resource::new(stack, "Encryption", "Custom::SessionEncryption")
}

/// The physical id of the resource that owns a document.
pub fn id_of(document: &str) -> String {
    format!("session-kms:{ACCOUNT}:{REGION}:{document}")
}

/// Properties: encryption with this key, and the preflight off.
pub fn enabled(key: &str) -> Value {
    json!({"KmsKeyId": key, "Preflight": "Off"})
}

/// The same for another document, which is created.
pub fn created(key: &str, document: &str) -> Value {
    and(and(enabled(key), "DocumentName", document), "CreateDocument", "true")
}

/// Properties: encryption off.
pub fn disabled() -> Value {
    json!({"Encryption": "Disabled"})
}

/// The properties with one more.
pub fn and(mut properties: Value, name: &str, value: &str) -> Value {
    properties[name] = value.into();
    properties
}

/// Adds a version to the preferences document, and makes it the default, as another tool does.
pub fn add_version(world: &mut World, format: Format, content: &str) {
    let mut document = world.document(NAME).unwrap().clone().with_version(format, content);
    document.default = document.latest().number;
    world.put_document(NAME, document);
}

/// A document as real accounts have it, with this key: string booleans, numeric timeouts, templates, unknown settings
/// and a layout of its own.
pub fn settings(key: &str) -> String {
    format!(
        r#"{{
  "schemaVersion": "1.0", "description": "Ours",
    "sessionType": "Standard_Stream",
  "inputs": {{
    "s3BucketName": "logs", "s3KeyPrefix": "",
    "s3EncryptionEnabled": "true",
    "cloudWatchLogGroupName": "/sessions", "cloudWatchEncryptionEnabled": true,
    "idleSessionTimeout": 20, "maxSessionDuration": "60",
    "kmsKeyId"  :  "{key}",
    "runAsEnabled": true, "runAsDefaultUser": "{{{{ user }}}}",
    "settingNobodyKnows": [1, 2.50, {{"z": null, "a": "\u00e9\/"}}],
    "shellProfile": {{"windows": "", "linux": "export TOKEN={SECRET}"}}
  }}
}}
"#
    )
}

/// The key in a content, which is JSON or YAML with one member a line. JSON that is stored as YAML may have a comment.
pub fn key_in(content: &str) -> String {
    let content = content.trim_start_matches('\u{feff}');
    match serde_json::from_str::<Value>(without_comment(content)) {
        Ok(value) => value["inputs"]["kmsKeyId"].as_str().unwrap_or_default().to_owned(),
        Err(_) => {
            let line = content.lines().find_map(|line| line.trim().strip_prefix("kmsKeyId:"));
            line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
        }
    }
}

/// A JSON content without its key, as text, so that order and number formats count.
pub fn but_for_key(content: &str) -> String {
    let mut value: Value = serde_json::from_str(without_comment(content)).unwrap();
    if let Some(inputs) = value["inputs"].as_object_mut() {
        inputs.shift_remove("kmsKeyId");
    }
    value.to_string()
}

/// A content without the comment at its end that makes a version unique.
fn without_comment(content: &str) -> &str {
    content.rsplit_once("# session-kms version ").map_or(content, |(before, _)| before)
}

/// A concurrent writer's new version with this key.
pub fn rival_key(key: &'static str) -> impl Fn(&mut World) + Send + Sync + 'static {
    rival(move |content| content["inputs"]["kmsKeyId"] = key.into())
}

/// A concurrent writer's new version. As the console does it, it is based on `$LATEST` and becomes the default.
pub fn rival(
    edit: impl Fn(&mut Value) + Send + Sync + 'static,
) -> impl Fn(&mut World) + Send + Sync + 'static {
    move |world| {
        let mut content: Value =
            serde_json::from_str(world.document(NAME).unwrap().latest_content()).unwrap();
        edit(&mut content);
        let body = json!({"Name": NAME, "DocumentVersion": "$LATEST", "Content": content.to_string()});
        world.ask("ssm", "UpdateDocument", body).unwrap();
        let latest = world.document(NAME).unwrap().latest().number.to_string();
        let body = json!({"Name": NAME, "DocumentVersion": latest});
        world.ask("ssm", "UpdateDocumentDefaultVersion", body).unwrap();
    }
}

/// Captures what this thread logs, at every level, while the value is alive.
pub struct Logs {
    lines: Lines,
    _guard: DefaultGuard,
}

/// What a subscriber has written.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub fn captured() -> Self {
        Self::captured_at(Level::TRACE)
    }

    /// The same from this level on, which takes less time.
    pub fn captured_at(level: Level) -> Self {
        // If there is only one subscriber, tracing asks the first thread that reaches a log line whether anybody
        // listens, and remembers a "no" for all threads. A second subscriber that never ends makes tracing ask each
        // thread.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .finish();
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines of this project's crates. The Lambda does not log those of the libraries at fine levels.
    pub fn text(&self) -> String {
        let text = self.lines.text();
        let targets =
            ["session_kms", "cloudformation_custom_resource"].map(|name| format!(r#""target":"{name}"#));
        let ours = |line: &&str| targets.iter().any(|target| line.contains(target.as_str()));
        text.lines().filter(ours).collect::<Vec<_>>().join("\n")
    }
}

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.held().clone()).unwrap()
    }

    fn held(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails if a text holds a secret: the shell profile's, or the ResponseURL's credentials.
pub fn assert_nothing_secret(text: &str) {
    for secret in [SECRET, "Signature", "a%2Bb%2Fc", "x-amz-security-token", "cfn-response", "AWSAccessKeyId"]
    {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}
