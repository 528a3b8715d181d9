//! The runtime API of Lambda on a free port of 127.0.0.1: one process asks for events and sends its results.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// The id of each invocation. Lambda delivers an event again with the same id.
const REQUEST_ID: &str = "8f3a1c52-0b7d-4e6f-9a21-6c5d4e3f2a10";

/// What the function returned, or the message of its error.
pub type Handled = Result<Value, String>;

/// The API for one process. Dropping it closes the port.
pub struct RuntimeApi {
    pub address: SocketAddr,
    events: mpsc::UnboundedSender<String>,
    results: mpsc::UnboundedReceiver<Handled>,
    server: JoinHandle<()>,
}

/// The ends that the server holds.
struct Ends {
    function_arn: String,
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    results: mpsc::UnboundedSender<Handled>,
}

impl RuntimeApi {
    /// It invokes the function by this ARN.
    pub async fn start(function_arn: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (events, to_process) = mpsc::unbounded_channel();
        let (from_process, results) = mpsc::unbounded_channel();
        let function_arn = function_arn.to_owned();
        let ends = Arc::new(Ends { function_arn, events: Mutex::new(to_process), results: from_process });
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let ends = Arc::clone(&ends);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&ends), request));
                    // An error is a connection of a process that was killed.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, events, results, server }
    }

    /// Gives the process an event.
    pub fn invoke(&self, event: &Value) {
        self.events.send(event.to_string()).expect("the server holds the other end");
    }

    /// The next result of the process.
    pub async fn result(&mut self) -> Handled {
        self.results.recv().await.expect("the server holds the other end")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(ends: Arc<Ends>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if path.ends_with("/invocation/next") {
        let event = ends.events.lock().await.recv().await.unwrap_or_default();
        let deadline = SystemTime::now() + Duration::from_secs(120);
        let deadline = deadline.duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let response = Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", REQUEST_ID)
            .header("Lambda-Runtime-Deadline-Ms", deadline.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", &ends.function_arn);
        return Ok(response.body(Full::from(event)).expect("a valid response"));
    }
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let value: Value = serde_json::from_slice(&body).unwrap_or_default();
    let handled = match path.ends_with("/response") {
        true => Ok(value),
        false => Err(value["errorMessage"].as_str().unwrap_or("no message").to_owned()),
    };
    // Nobody listens any more if the test is over.
    let _ = ends.results.send(handled);
    Ok(Response::builder().status(202).body(Full::default()).expect("a valid response"))
}
