//! Nothing is sent to a host that is neither AWS's nor configured, whatever the URL of a request looks like and whatever
//! URLs the other members of an event hold.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use cloudformation_custom_resource::{ResponseSender, RetryPolicy};
use fastrand::Rng;
use serde_json::{Value, json};
use session_kms::aws::Aws;
use session_kms::function::{Function, FunctionError};

use crate::effort;
use crate::fixture::{Fixture, PATIENCE, handle};

/// Below these names AWS has its hosts. They are stated here once more on purpose.
const AWS: [&str; 14] = [
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
];

/// Takes every answer, and remembers where it would have gone.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request.uri().to_owned());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::empty())))
    }
}

/// A function that reaches no network but the stub, and the URLs to which it has sent answers.
fn recording(fixture: &Fixture) -> (Function<Aws>, Recorder) {
    let recorder = Recorder::default();
    let mut function = fixture.function(None);
    function.sender = ResponseSender::new(recorder.clone(), RetryPolicy::default());
    (function, recorder)
}

/// A Create that fails at once, so that its answer is all that is sent.
fn request(url: &str) -> Value {
    json!({
        "RequestType": "Create", "ResponseURL": url, "ResourceType": "Custom::SessionEncryption",
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/1", "RequestId": "1",
        "LogicalResourceId": "Encryption", "ResourceProperties": {},
    })
}

fn in_topic(event: &Value) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": event.to_string()}}]})
}

/// The host of a URL as every parser reads it, if it is one of AWS over https. Another text has no such host.
fn aws_host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.strip_suffix(":443").or(authority.strip_suffix(':')).unwrap_or(authority);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let below = |suffix: &&str| {
        let lower = host.to_ascii_lowercase();
        lower.strip_suffix(*suffix).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
    };
    (host.bytes().all(is_plain) && AWS.iter().any(below)).then_some(host)
}

const PATH: &str = "/arn%3Aaws%3Acloudformation?Expires=4102444800&Signature=s3cr3t";

/// Hosts, and what stands around them, that are not AWS over https on its usual port.
const FOREIGN: [&str; 62] = [
    "https://evil.example",
    "https://s3.amazonaws.com.evil.example",
    "https://s3.amazonaws.com.evil.example:443",
    "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com@evil.example",
    "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:443@evil.example",
    "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com%40evil.example",
    "https://user@s3.amazonaws.com",
    "https://user:password@s3.amazonaws.com",
    "https://@s3.amazonaws.com",
    "https://s3.amazonaws.com\\@evil.example",
    "https://evil.example\\.s3.amazonaws.com",
    "https://evil.example/.s3.amazonaws.com",
    "https://evil.example?.s3.amazonaws.com",
    "https://evil.example#.s3.amazonaws.com",
    "https://evil.example%2f.s3.amazonaws.com",
    "https://evil.example%00.s3.amazonaws.com",
    "https://evil.example%0d%0aHost:%20x.s3.amazonaws.com",
    "https://evil.example\r\nX: .s3.amazonaws.com",
    "https://evil.example\t.s3.amazonaws.com",
    "https://evil.example\0.s3.amazonaws.com",
    "https://evil.example .s3.amazonaws.com",
    "http://s3.amazonaws.com",
    "HTTP://s3.amazonaws.com",
    "ftp://s3.amazonaws.com",
    "file:///etc/passwd",
    "gopher://s3.amazonaws.com",
    "javascript://s3.amazonaws.com/%0aalert(1)",
    "data:text/plain,s3.amazonaws.com",
    "https://s3.amazonaws.com:80",
    "https://s3.amazonaws.com:8443",
    "https://s3.amazonaws.com:0443.evil.example",
    "https://s3.amazonaws.com:443:80",
    "https://s3.amazonaws.com:-1",
    "https://s3.amazonaws.com:65979",
    "https://127.0.0.1",
    "https://127.0.0.1.amazonaws.com.evil.example",
    "https://2130706433",
    "https://0x7f000001",
    "https://0177.0.0.1",
    "https://169.254.169.254",
    "http://169.254.169.254/latest/meta-data",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[fd00:ec2::254]",
    "https://localhost",
    "https://amazonaws.com",
    "https://.amazonaws.com",
    "https://s3.amazonaws.com.",
    "https://s3..amazonaws.com.",
    "https://evilamazonaws.com",
    "https://s3.evil-amazonaws.com",
    "https://s3.amazonaws.co",
    "https://s3.amazonaws.com.cn.evil.example",
    "https://s3.amazonaws.c\u{43e}m",
    "https://s3.\u{430}mazonaws.com",
    "https://s3.xn--mazonaws-66g.com",
    "https://s3\u{3002}amazonaws\u{3002}com",
    "https://s3.amazonaws\u{ff0e}com",
    "https://s3.amazona\u{df}.com",
    "https://s3.amazonaws.com\u{202e}",
    "//s3.amazonaws.com",
    "s3.amazonaws.com",
];

#[tokio::test]
async fn nothing_is_done_and_nothing_sent_if_the_answer_would_go_to_a_foreign_host() {
    let fixture = Fixture::with_settings().await;
    let (function, recorder) = recording(&fixture);
    for host in FOREIGN {
        let url = format!("{host}{PATH}");
        for event in [request(&url), in_topic(&request(&url))] {
            let error = handle(&function, &event, PATIENCE).await.unwrap_err();
            assert!(matches!(error, FunctionError::CustomResource(_)), "{host:?}: {error}");
            assert!(["ForeignHost", "Unanswerable"].contains(&error.kind()), "{host:?}: {error}");
            let told = format!("{error} {error:?}");
            assert!(!told.contains("s3cr3t") && !told.contains(":password"), "{host:?}: {told}");
        }
    }
    assert_eq!(*recorder.0.lock().unwrap(), Vec::<String>::new());
    assert_eq!(fixture.stub.calls().len(), 0);
}

#[tokio::test]
async fn an_answer_goes_to_hosts_of_aws() {
    let fixture = Fixture::with_settings().await;
    let (function, recorder) = recording(&fixture);
    for suffix in AWS {
        let url = format!("https://cloudformation-custom-resource-response.s3.region.{suffix}{PATH}");
        handle(&function, &request(&url), PATIENCE).await.unwrap();
        assert_eq!(recorder.0.lock().unwrap().pop().as_deref(), Some(url.as_str()));
    }
    for other in
        ["http://127.0.0.1:1", "http://127.0.0.1", &fixture.stub.endpoint().replace("http:", "https:")]
    {
        let error = handle(&function, &request(&format!("{other}{PATH}")), PATIENCE).await.unwrap_err();
        assert_eq!(
            error.kind(),
            "ForeignHost",
            "only the configured endpoint is allowed, with its port: {other}"
        );
    }
}

/// What URLs are put together from at random.
const PIECES: [&str; 40] = [
    "https://",
    "http://",
    "HTTPS://",
    "https:",
    "//",
    "/",
    "\\",
    "@",
    ":",
    ".",
    "?",
    "#",
    "%2e",
    "%40",
    "%00",
    "\t",
    "\n",
    " ",
    "443",
    "80",
    "evil.example",
    "s3.amazonaws.com",
    "amazonaws.com",
    ".amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "s3",
    "user",
    "127.0.0.1",
    "[::1]",
    "xn--",
    "\u{3002}",
    "\u{ff0e}",
    "\u{43e}",
    "\u{df}",
    "\u{202e}",
    "\0",
    "-",
    "_",
    "[",
];

#[tokio::test]
async fn whatever_a_url_is_made_of_an_answer_goes_to_a_host_of_aws_or_nowhere() {
    let fixture = Fixture::empty().await;
    let (function, recorder) = recording(&fixture);
    let mut random = Rng::with_seed(11);
    let (mut sent, count) = (0, effort::amount(6_000, 1_000_000));
    for _ in 0..count {
        // Half of the URLs begin as the good ones do, so that some are sent to.
        let mut url = if random.bool() { "https://s3" } else { "" }.to_owned();
        for _ in 0..random.usize(1..6) {
            url += PIECES[random.usize(..PIECES.len())];
        }
        let handled = handle(&function, &request(&url), PATIENCE).await;
        let went = std::mem::take(&mut *recorder.0.lock().unwrap());
        assert_eq!(handled.is_ok(), !went.is_empty(), "{url:?}");
        for uri in went {
            assert_eq!(uri, url, "the URL is sent to as it came");
            assert!(aws_host(&url).is_some(), "sent to {url:?}");
            let parsed = url::Url::parse(&url).unwrap();
            assert!(aws_host(&url).unwrap().eq_ignore_ascii_case(parsed.host_str().unwrap()), "{url:?}");
            sent += 1;
        }
    }
    assert!(sent > count / 200, "{sent} of {count} URLs are good");
    effort::report(
        "security-hosts",
        &format!("{count} URLs, {sent} of them of AWS, nothing sent to another host"),
    );
}

/// The samples, with a URL in place of each of their texts in turn. A request's own URL is foreign.
#[tokio::test]
async fn no_url_in_an_event_is_ever_called() {
    let fixture = Fixture::with_settings().await;
    let (function, recorder) = recording(&fixture);
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}/collect?secret", elsewhere.local_addr().unwrap());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let (mut number, part) = (0, effort::amount(10, 1));
    for file in std::fs::read_dir(folder).unwrap() {
        let Ok(event) = serde_json::from_slice::<Value>(&std::fs::read(file.unwrap().path()).unwrap()) else {
            continue;
        };
        let mut pointers = Vec::new();
        texts(&event, &mut String::new(), &mut pointers);
        for pointer in pointers {
            number += 1;
            if number % part != 0 && !pointer.ends_with("ResponseURL") {
                continue;
            }
            let mut forged = event.clone();
            *forged.pointer_mut(&pointer).unwrap() = url.as_str().into();
            let _ = handle(&function, &forged, Duration::from_secs(20)).await;
        }
    }
    assert!(elsewhere.accept().is_err(), "nobody has called");
    assert_eq!(*recorder.0.lock().unwrap(), Vec::<String>::new());
}

/// The JSON pointers of all texts.
fn texts(value: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut inner = |step: String, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&step.replace('~', "~0").replace('/', "~1"));
        texts(value, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| inner(name.clone(), value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| inner(index.to_string(), value))
        }
        Value::String(_) => found.push(at.clone()),
        _ => {}
    }
}
